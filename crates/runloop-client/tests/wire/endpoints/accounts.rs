//! Accounts and keys.

use runloop_client::types::*;
use serde_json::json;

use super::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let scope = ScopeEntryView {
        resource_type: Some(ScopeResourceType::Devboxes),
        access_level: Some(ScopeAccessLevel::Read),
    };
    let api_key = ApiKeyCreateParams { name: Some("ci".into()), expires_at_ms: Some(1_800_000_000_000) };
    let restricted_key = RestrictedKeyCreateParams {
        name: Some("ci".into()),
        expires_at_ms: Some(1_800_000_000_000),
        scopes: Some(vec![scope]),
    };
    let api_key_json = json!({"name": "ci", "expires_at_ms": 1_800_000_000_000_i64});
    let restricted_key_json = json!({
        "name": "ci",
        "expires_at_ms": 1_800_000_000_000_i64,
        "scopes": [{"resource_type": "RESOURCE_TYPE_DEVBOXES", "access_level": "ACCESS_LEVEL_READ"}],
    });
    vec![
        row!("accounts.me", "GET" "/v1/accounts/me", None, |c| c.accounts().me()),
        row!("apikeys.create", "POST" "/v1/apikeys", Some(api_key_json), |c| c.apikeys().create(&api_key)),
        row!("apikeys.create", "POST" "/v1/apikeys", Some(json!({})), |c| {
            c.apikeys().create(&ApiKeyCreateParams::default())
        }),
        row!("restricted_keys.create", "POST" "/v1/restricted_keys", Some(restricted_key_json), |c| {
            c.restricted_keys().create(&restricted_key)
        }),
        row!("restricted_keys.create", "POST" "/v1/restricted_keys", Some(json!({})), |c| {
            c.restricted_keys().create(&RestrictedKeyCreateParams::default())
        }),
    ]
}
