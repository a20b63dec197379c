//! Error answers and event streams of any content.

use futures::StreamExt;
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Server, json as answer, whole};
use crate::views::any_json;

#[test]
fn any_error_body_becomes_a_short_error() {
    let server = Server::start(|builder| builder.max_retries(0));
    let body = prop_oneof![
        any_json().prop_map(|body| body.to_string().into_bytes()),
        (any_json(), any_json(), any_json()).prop_map(|(code, message, error)| {
            json!({"code": code, "message": message, "error": error}).to_string().into_bytes()
        }),
        prop::collection::vec(any::<u8>(), 0..200),
        "<(title|TITLE|html)>.{0,20}(</title>)?".prop_map(String::into_bytes),
        "[ä{\\[\"]{0,9}".prop_map(|text| text.repeat(10_000).into_bytes()),
    ];
    proptest!(ProptestConfig::with_cases(96), |(status in 400u16..600, body in body)| {
        let serve = move |_: &str| whole(status, "application/json", &body);
        let error = server.run(serve, server.client.devboxes().retrieve("dbx_1").send()).unwrap_err();
        prop_assert_eq!(error.status(), Some(status));
        let shown = error.to_string();
        prop_assert!(shown.starts_with(&format!("GET /v1/devboxes/dbx_1: {status} ")), "{shown}");
        prop_assert!(shown.chars().count() < 1000, "{} characters", shown.chars().count());
    });
}

#[test]
fn any_event_stream_comes_to_an_end() {
    let server = Server::start(|builder| builder.max_retries(0));
    let line = prop_oneof![
        any_json().prop_map(|data| format!("data: {data}\n\n").into_bytes()),
        any_json()
            .prop_map(|data| format!("event: error\ndata: {{\"code\": 400, \"message\": {data}}}\r\n\r\n")
                .into_bytes()),
        (".{0,9}", any::<u64>()).prop_map(|(output, offset)| {
            format!("data: {}\r\r", json!({"output": output, "offset": offset})).into_bytes()
        }),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    proptest!(ProptestConfig::with_cases(96), |(lines in prop::collection::vec(line, 0..5))| {
        let body = lines.concat();
        let serve = move |target: &str| match target.contains("_updates") {
            true => whole(200, "text/event-stream", &body),
            false => answer(&json!({"status": "completed"})),
        };
        let stream = server.client.executions().stream_stdout_updates(&"dbx_1".into(), &"exec_1".into());
        let results: Vec<_> = server.run(serve, stream.take(100).collect());
        // Nothing comes after an error, and the same body is looked at twice at most.
        prop_assert!(results.iter().rev().skip(1).all(Result::is_ok));
        prop_assert!(results.len() < 100);
    });
}
