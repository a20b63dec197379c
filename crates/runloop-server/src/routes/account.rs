//! GET /v1/accounts/me

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use runloop_types::{AccountBilling, AccountBillingType, AccountStatus, AccountTier, AccountView};

use crate::body::json;
use crate::error::ApiResult;
use crate::state::Shared;

pub(super) fn reads() -> Router<Shared> {
    Router::new().route("/v1/accounts/me", get(me))
}

/// There is one account: whoever holds the key of this server.
async fn me() -> ApiResult<Response> {
    json(&AccountView {
        id: "acc_local".into(),
        name: "local".into(),
        tier: AccountTier::Basic,
        account_status: AccountStatus::Enabled,
        billing: AccountBilling {
            account_billing_type: AccountBillingType::Unrecognized,
            ..AccountBilling::default()
        },
        created_at: "1970-01-01T00:00:00Z".into(),
        ..AccountView::default()
    })
}
