//! Secrets.

use runloop_client::SecretString;
use serde_json::json;

use super::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let secret = || SecretString::from("hunter2");
    vec![
        row!("secrets.create", "POST" "/v1/secrets", Some(json!({"name": "TOKEN", "value": "hunter2"})), |c| c.secrets().create("TOKEN", &secret())),
        row!("secrets.list", "GET" "/v1/secrets?limit=2", None, |c| c.secrets().list(Some(2))),
        row!("secrets.list", "GET" "/v1/secrets", None, |c| c.secrets().list(None)),
        row!("secrets.retrieve", "GET" "/v1/secrets/my%20token", None, |c| c.secrets().retrieve("my token")),
        row!("secrets.update", "POST" "/v1/secrets/TOKEN", Some(json!({"value": "hunter2"})), |c| c.secrets().update("TOKEN", &secret())),
        row!("secrets.delete", "POST" "/v1/secrets/TOKEN/delete", None, |c| c.secrets().delete("TOKEN")),
        row!("secrets.retrieve_by_id", "GET" "/v1/secrets/id/sec_1", None, |c| c.secrets().retrieve_by_id("sec_1")),
        row!("secrets.update_by_id", "POST" "/v1/secrets/id/sec_1/update", Some(json!({"value": "hunter2"})), |c| c.secrets().update_by_id("sec_1", &secret())),
        row!("secrets.delete_by_id", "POST" "/v1/secrets/id/sec_1/delete", None, |c| c.secrets().delete_by_id("sec_1")),
    ]
}
