//! Retries over the wire; the rules themselves are tested where they are written.

use std::time::Duration;

use runloop_client::Error;
use runloop_client::types::DevboxCreateParams;
use serde_json::json;

use crate::support::{
    RawServer, Step, always, builder, client, header, json as answer, passing, requests, say_json, sequence,
};

#[tokio::test]
async fn a_call_is_retried_with_the_same_body_and_request_id() {
    let server =
        sequence(vec![passing(429), passing(503), passing(409), answer(200, json!({"id": "dbx_1"}))]).await;
    let params = DevboxCreateParams { name: Some("box".into()), ..Default::default() };
    let view = client(&server.uri()).devboxes().create(&params).await.unwrap();
    assert_eq!(view.id.as_str(), "dbx_1");
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 4);
    let id = header(&requests[0], "x-request-id").unwrap();
    for request in &requests {
        assert_eq!(header(request, "x-request-id").unwrap(), id);
        assert_eq!(request.body, requests[0].body);
    }
}

#[tokio::test]
async fn two_calls_have_two_request_ids() {
    let server = always(answer(200, json!({}))).await;
    let devboxes = client(&server.uri()).devboxes();
    devboxes.suspend("dbx_1").await.unwrap();
    devboxes.suspend("dbx_1").await.unwrap();
    devboxes.suspend("dbx_1").idempotency_key("mine").await.unwrap();
    let ids: Vec<_> =
        requests(&server).await.iter().map(|request| header(request, "x-request-id").unwrap()).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[2], "mine");
}

#[tokio::test]
async fn an_idempotency_key_that_is_no_header_is_refused() {
    let error =
        client("http://127.0.0.1:1").devboxes().suspend("dbx_1").idempotency_key("a\nb").await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
}

#[tokio::test]
async fn the_error_counts_the_attempts() {
    let server = always(passing(503)).await;
    let error = client(&server.uri()).accounts().me().await.unwrap_err();
    assert!(matches!(&error, Error::Status(error) if error.attempts == 6), "{error}");
    assert_eq!(requests(&server).await.len(), 6);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn what_cannot_become_better_is_not_retried() {
    for answer in [passing(400), passing(404), passing(409).insert_header("x-should-retry", "false")] {
        let server = always(answer).await;
        client(&server.uri()).accounts().me().await.unwrap_err();
        assert_eq!(requests(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn silence_and_cut_answers_are_retried() {
    let cut = Step::Say(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec());
    let server = RawServer::start(vec![Step::Hang, cut, say_json(&json!({"id": "acc_1"}))]).await;
    // Pauses are whole seconds: the shortest ones will do.
    let account = builder(&server.url)
        .build()
        .unwrap()
        .accounts()
        .me()
        .timeout(Duration::from_millis(50))
        .await
        .unwrap();
    assert_eq!(account.id, "acc_1");
    assert_eq!(server.targets().len(), 3);
}

#[tokio::test]
async fn an_upload_from_memory_is_retried_and_one_from_a_stream_is_not() {
    let server = sequence(vec![passing(503), answer(200, json!({}))]).await;
    client(&server.uri()).devboxes().upload_file("dbx_1", "a", vec![1, 2, 3]).await.unwrap();
    assert_eq!(requests(&server).await.len(), 2);

    let server = sequence(vec![passing(503), answer(200, json!({}))]).await;
    let pieces = futures::stream::iter([Ok(bytes::Bytes::from_static(b"abc"))]);
    let source = runloop_client::FileSource::stream(pieces, Some(3));
    let error = client(&server.uri()).devboxes().upload_file("dbx_1", "a", source).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn an_upload_of_a_missing_file_says_which() {
    let source = std::path::Path::new("/no/such/file");
    let error = client("http://127.0.0.1:1").devboxes().upload_file("dbx_1", "a", source).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read /no/such/file");
}
