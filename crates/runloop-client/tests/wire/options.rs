//! Options of single calls, and answers beside their values.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use runloop_client::types::DevboxCreateParams;
use runloop_client::{DevboxListParams, Error, TransportKind};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    RawServer, Step, always, builder, client, header, json as answer, passing, requests, sequence, target,
};

#[tokio::test]
async fn headers_query_and_body_of_one_call() {
    let server = always(answer(200, json!({"id": "dbx_1"}))).await;
    let client = builder(&server.uri()).header("X-Team", "client").build().unwrap();
    let params = DevboxCreateParams { name: Some("box".into()), ..Default::default() };
    client
        .devboxes()
        .create(&params)
        .header("x-team", "call")
        .header("X-Other", "1")
        .query_param("dry run", true)
        .body_field("name", Value::Null)
        .body_field("new_field", json!({"a": [1, null]}))
        .await
        .unwrap();
    client.devboxes().suspend("dbx_1").body_field("reason", "idle").await.unwrap();
    let requests = requests(&server).await;
    assert_eq!(header(&requests[0], "x-team").as_deref(), Some("call"));
    assert_eq!(header(&requests[0], "x-other").as_deref(), Some("1"));
    assert_eq!(target(&requests[0]), "/v1/devboxes?dry%20run=true");
    let body: Value = requests[0].body_json().unwrap();
    assert_eq!(body, json!({"name": null, "new_field": {"a": [1, null]}}));
    assert_eq!(header(&requests[1], "x-team").as_deref(), Some("client"));
    assert_eq!(requests[1].body_json::<Value>().unwrap(), json!({"reason": "idle"}));
}

#[tokio::test]
async fn what_cannot_be_set_ends_the_call_before_anything_is_sent() {
    let server = always(answer(200, json!({}))).await;
    let devboxes = client(&server.uri()).devboxes();
    let errors = [
        devboxes.suspend("dbx_1").header("bad name", "x").await.unwrap_err(),
        devboxes.suspend("dbx_1").header("x", "a\r\nb: c").await.unwrap_err(),
        devboxes.suspend("dbx_1").header("Content-Length", "3").await.unwrap_err(),
        devboxes.retrieve("dbx_1").body_field("a", 1).await.unwrap_err(),
        devboxes.upload_file("dbx_1", "a", vec![1]).body_field("a", 1).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
    }
    let error = devboxes.list(&DevboxListParams::default()).header("x", "\n").await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn the_answer_beside_the_value() {
    let found = answer(201, json!({"id": "dbx_1", "unknown": 7})).insert_header("X-Request-Id", "srv-1");
    let server = sequence(vec![passing(503), found.clone(), passing(429), found]).await;
    let devboxes = client(&server.uri()).devboxes();
    let both = devboxes.suspend("dbx_1").with_response().await.unwrap();
    assert_eq!(both.value.id.as_str(), "dbx_1");
    assert_eq!((both.raw.status, both.raw.attempts), (201, 2));
    assert_eq!(both.raw.request_id(), Some("srv-1"));
    assert_eq!(both.raw.header("content-type"), Some("application/json"));
    assert_eq!(both.raw.json::<Value>().unwrap()["unknown"], 7);
    assert!(both.raw.elapsed > Duration::ZERO);
    let raw = devboxes.suspend("dbx_1").send_raw().await.unwrap();
    assert_eq!(&raw.body[..], &both.raw.body[..]);
    assert!(!format!("{raw:?}").contains("unknown"));
}

#[tokio::test]
async fn a_raw_answer_may_be_anything() {
    let server = always(ResponseTemplate::new(200).set_body_string("<html>")).await;
    let client = client(&server.uri());
    let raw = client.devboxes().suspend("dbx_1").idempotency_key("mine").send_raw().await.unwrap();
    assert_eq!((&raw.body[..], raw.request_id()), (&b"<html>"[..], Some("mine")));
    assert!(matches!(raw.json::<Value>(), Err(Error::Decode(_))));
    // A download is read to its end; beside its stream the body is empty.
    let raw = client.devboxes().download_file("dbx_1", "a").send_raw().await.unwrap();
    assert_eq!(&raw.body[..], b"<html>");
    let both = client.devboxes().download_file("dbx_1", "a").with_response().await.unwrap();
    assert!(both.raw.body.is_empty());
    assert_eq!(&both.value.bytes().await.unwrap()[..], b"<html>");
    let raw = client.devboxes().list(&DevboxListParams::default()).send_raw().await.unwrap();
    assert_eq!(&raw.body[..], b"<html>");
}

#[tokio::test]
async fn options_of_a_list_hold_for_all_its_pages() {
    let page = |id: &str, more: bool| answer(200, json!({"devboxes": [{"id": id}], "has_more": more}));
    let server = sequence(vec![page("dbx_1", true), passing(503), page("dbx_2", false)]).await;
    let call = client(&server.uri()).devboxes().list(&DevboxListParams::default());
    let call = call.header("X-Team", "a").query_param("new", "1").with_metadata_in("run", &["a", "b"]);
    let ids: Vec<_> = call.items().map_ok(|view| view.id).try_collect().await.unwrap();
    assert_eq!(ids.len(), 2);
    for request in requests(&server).await {
        assert_eq!(header(&request, "x-team").as_deref(), Some("a"));
        assert!(target(&request).starts_with("/v1/devboxes?new=1&metadata%5Brun%5D%5Bin%5D=a%2Cb"));
    }

    let server = sequence(vec![page("dbx_1", false).insert_header("x-request-id", "srv-1")]).await;
    let call = client(&server.uri()).devboxes().list(&DevboxListParams::default());
    let both = call.with_response().await.unwrap();
    assert_eq!((both.value.items.len(), both.raw.request_id()), (1, Some("srv-1")));

    let server = always(passing(503)).await;
    let call = client(&server.uri()).devboxes().list(&DevboxListParams::default());
    call.max_retries(1).await.unwrap_err();
    assert_eq!(requests(&server).await.len(), 2);
}

#[tokio::test]
async fn the_total_time_ends_a_silent_call_and_its_retries() {
    let server = RawServer::start(vec![Step::Hang]).await;
    let begun = Instant::now();
    let error = client(&server.url)
        .accounts()
        .me()
        .timeout(Duration::from_secs(60))
        .total_timeout(Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(error.transport_kind(), Some(TransportKind::TotalTimeout));
    assert!(error.is_timeout() && !error.is_retryable());
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_retry_beyond_the_total_time_is_not_waited_for() {
    let server = always(answer(503, json!({"message": "later"})).insert_header("retry-after", "30")).await;
    let begun = Instant::now();
    let call = client(&server.uri()).accounts().me().total_timeout(Duration::from_secs(20));
    // What went wrong says more than that time ran out.
    assert_eq!(call.await.unwrap_err().status(), Some(503));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn the_total_time_ends_a_stream_that_trickles() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nabc".to_vec();
    let server = RawServer::start(vec![Step::Trickle(head)]).await;
    let call = client(&server.url).devboxes().download_file("dbx_1", "a");
    let stream = call.total_timeout(Duration::from_millis(100)).await.unwrap();
    let error = stream.bytes().await.unwrap_err();
    assert_eq!(error.transport_kind(), Some(TransportKind::TotalTimeout));
}
