//! Axons, their events and their database.

use runloop_client::AxonListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, first, metadata, page, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row!("axons.create", "POST" "/v1/axons", Some(json!({"name": "a", "metadata": {"team": "a"}})), |c| c.axons().create(&AxonCreateParams { name: Some("a".into()), metadata: metadata() })),
        row!("axons.create", "POST" "/v1/axons", Some(json!({})), |c| c.axons().create(&AxonCreateParams::default())),
        row!("axons.retrieve", "GET" "/v1/axons/axn_1", None, |c| c.axons().retrieve("axn_1")),
        row!("axons.list", "GET" "/v1/axons?id=axn_1&name=a&search=s&limit=5&starting_after=x%2F1&include_total_count=false&metadata%5Bteam%5D=a%26b&metadata%5Brun%20x%5D%5Bin%5D=1%2C2", None, |c| { let params = AxonListParams { id: Some("axn_1".into()), name: Some("a".into()), search: Some("s".into()), page: page() }; c.axons().list(&params).with_metadata("team", "a&b").with_metadata_in("run x", &["1", "2"]) }),
        row!("axons.list", "GET" "/v1/axons", None, |c| c.axons().list(&AxonListParams::default())),
        row!("axons.update", "POST" "/v1/axons/axn_1", Some(json!({"metadata": {}})), |c| c.axons().update("axn_1", &AxonUpdateParams { metadata: Some(Metadata::new()) })),
        row!("axons.update", "POST" "/v1/axons/axn_1", Some(json!({})), |c| c.axons().update("axn_1", &AxonUpdateParams::default())),
        row!("axons.delete", "DELETE" "/v1/axons/axn_1", None, |c| c.axons().delete("axn_1")),
        row!("axons.publish", "POST" "/v1/axons/axn_1/publish", Some(json!({"event_type": "t", "origin": "USER_EVENT", "payload": "{}", "source": "s"})), |c| c.axons().publish("axn_1", &AxonPublishParams { event_type: "t".into(), origin: AxonEventOrigin::UserEvent, payload: "{}".into(), source: "s".into() })),
        row!("axons.events.list", "GET" "/v1/axons/axn_1/events?limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.axons().events().list("axn_1", &page())),
        row!("axons.events.list", "GET" "/v1/axons/axn_1/events", None, |c| c.axons().events().list("axn_1", &PageParams::default())),
        row!("axons.subscribe_sse", "GET" "/v1/axons/axn_1/subscribe/sse?after_sequence=0", None, |c| first(c.axons().subscribe_sse("axn_1", Some(0)))),
        row!("axons.subscribe_sse", "GET" "/v1/axons/axn_1/subscribe/sse", None, |c| first(c.axons().subscribe_sse("axn_1", None))),
        row!("axons.sql.query", "POST" "/v1/axons/axn_1/sql/query", Some(json!({"sql": "select ?", "params": [1, null, "x"]})), |c| c.axons().sql().query("axn_1", &SqlQueryParams { sql: "select ?".into(), params: Some(vec![json!(1), json!(null), json!("x")]) })),
        row!("axons.sql.query", "POST" "/v1/axons/axn_1/sql/query", Some(json!({"sql": "select 1"})), |c| c.axons().sql().query("axn_1", &SqlQueryParams { sql: "select 1".into(), params: None })),
        row!("axons.sql.batch", "POST" "/v1/axons/axn_1/sql/batch", Some(json!({"statements": [{"sql": "select 1"}, {"sql": "select ?", "params": [2.5]}]})), |c| { let first = SqlStatementParams { sql: "select 1".into(), params: None }; let second = SqlStatementParams { sql: "select ?".into(), params: Some(vec![json!(2.5)]) }; c.axons().sql().batch("axn_1", &SqlBatchParams { statements: vec![first, second] }) }),
    ]
}
