//! Blueprints.

use runloop_client::BlueprintListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row!("blueprints.create", "POST" "/v1/blueprints", Some(json!({"name": "b", "dockerfile": "FROM scratch"})), |c| {
            c.blueprints().create(&BlueprintCreateParams { name: "b".into(), dockerfile: Some("FROM scratch".into()), ..Default::default() })
        }),
        row!("blueprints.retrieve", "GET" "/v1/blueprints/bpt_1", None, |c| c.blueprints().retrieve("bpt_1")),
        row!("blueprints.list", "GET" "/v1/blueprints?name=b&status=build_complete", None, |c| {
            c.blueprints().list(&BlueprintListParams { name: Some("b".into()), status: Some(BlueprintStatus::BuildComplete), page: PageParams::default() })
        }),
        row!("blueprints.logs", "GET" "/v1/blueprints/bpt_1/logs", None, |c| c.blueprints().logs("bpt_1")),
        row!("blueprints.delete", "POST" "/v1/blueprints/bpt_1/delete", None, |c| c.blueprints().delete("bpt_1")),
    ]
}
