//! Accounts.

use serde::{Deserialize, Serialize};

/// The account behind the key of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it has booked.
    pub tier: AccountTier,
    /// Whether it can be used.
    pub account_status: AccountStatus,
    /// How it is billed.
    pub billing: AccountBilling,
    /// When it was created: text here, unlike every other time of the API.
    pub created_at: String,
    /// Older place of the billing's own field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_billing_type: Option<AccountBillingType>,
    /// Older place of `billing.stripe.active_subscription`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_subscription: Option<String>,
    /// Who it is to the one that bills.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_billing_account_id: Option<String>,
    /// Older place of the billing's own field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_customer_id: Option<String>,
}

open_enum! {
    /// Whether an account can be used.
    AccountStatus {
        /// Not a state.
        Invalid = "ACCOUNT_STATUS_INVALID",
        /// Being set up.
        Onboarding = "ACCOUNT_STATUS_ONBOARDING",
        /// It can be used.
        Enabled = "ACCOUNT_STATUS_ENABLED",
        /// Closed by the service.
        DisabledByAdmin = "ACCOUNT_STATUS_DISABLED_BY_ADMIN",
        /// Its quota is used up.
        DisabledQuotaReached = "ACCOUNT_STATUS_DISABLED_QUOTA_REACHED",
        /// Its trial was ended.
        TrialCancelled = "ACCOUNT_STATUS_TRIAL_CANCELLED",
        /// Waits for Stripe.
        StripePendingResources = "ACCOUNT_STATUS_STRIPE_PENDING_RESOURCES",
        /// The service itself does not know.
        Unrecognized = "UNRECOGNIZED",
    }
}

open_enum! {
    /// What an account has booked.
    AccountTier {
        /// Nothing that exists.
        Invalid = "ACCOUNT_TIER_INVALID",
        /// The basic tier.
        Basic = "ACCOUNT_TIER_BASIC",
        /// The professional tier.
        Pro = "ACCOUNT_TIER_PRO",
        /// The enterprise tier.
        Enterprise = "ACCOUNT_TIER_ENTERPRISE",
        /// A trial.
        Trial = "ACCOUNT_TIER_TRIAL",
        /// The service itself does not know.
        Unrecognized = "UNRECOGNIZED",
    }
}

/// How an account is billed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountBilling {
    /// By whom.
    pub account_billing_type: AccountBillingType,
    /// The account at the AWS marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws: Option<AccountBillingAws>,
    /// The account at Stripe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe: Option<AccountBillingStripe>,
    /// Older place of `stripe.customer_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_customer_id: Option<String>,
}

open_enum! {
    /// Who bills an account.
    AccountBillingType {
        /// Stripe.
        Stripe = "STRIPE",
        /// The AWS marketplace.
        AwsMarketplace = "AWS_MARKETPLACE",
        /// Stripe's projects.
        StripeProjects = "STRIPE_PROJECTS",
        /// Nobody, or the service itself does not know.
        Unrecognized = "UNRECOGNIZED",
    }
}

untold_by_default!(AccountStatus, AccountTier, AccountBillingType);

/// An account at the AWS marketplace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountBillingAws {
    /// The customer there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_identifier: Option<String>,
    /// The licence there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_arn: Option<String>,
    /// Whether it is paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_status: Option<String>,
}

/// An account at Stripe.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountBillingStripe {
    /// The subscription there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_subscription: Option<String>,
    /// The customer there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
}
