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
    /// `ACCOUNT_TIER_BASIC` and the like.
    pub tier: String,
    /// `ACCOUNT_STATUS_ENABLED` and the like.
    pub account_status: String,
    /// How it is billed.
    pub billing: AccountBilling,
    /// When it was created: text here, unlike every other time of the API.
    pub created_at: String,
}

/// How an account is billed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountBilling {
    /// `STRIPE`, `AWS_MARKETPLACE`, `STRIPE_PROJECTS` or `UNRECOGNIZED`.
    pub account_billing_type: String,
}
