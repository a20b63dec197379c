//! GET /v1/accounts/me

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use runloop_types::{AccountBilling, AccountView};

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
        tier: "ACCOUNT_TIER_BASIC".into(),
        account_status: "ACCOUNT_STATUS_ENABLED".into(),
        billing: AccountBilling { account_billing_type: "UNRECOGNIZED".into() },
        created_at: "1970-01-01T00:00:00Z".into(),
    })
}
