//! Output streams: nothing is lost and nothing comes twice, wherever the network cuts.

use std::time::Duration;

use futures::TryStreamExt;
use runloop_client::{Error, ExecutionStream};
use serde_json::{Value, json};

use crate::support::{RawServer, Step, builder, say_events, say_json};

fn stream(server: &RawServer) -> ExecutionStream {
    let client = builder(&server.url).timeout(Duration::from_millis(200)).build().unwrap();
    client.executions().stream_stdout_updates(&"dbx_1".into(), &"exec_1".into())
}

fn chunk(output: &str, end: u64) -> Vec<u8> {
    format!("data: {}\n\n", json!({"output": output, "offset": end})).into_bytes()
}

fn execution(status: &str) -> Step {
    say_json(&json!({"execution_id": "exec_1", "status": status}))
}

fn empty() -> Step {
    say_events(&[], true)
}

const STDOUT: &str = "/v1/devboxes/dbx_1/executions/exec_1/stream_stdout_updates";
const STATUS: &str = "/v1/devboxes/dbx_1/executions/exec_1?last_n=1";

#[tokio::test]
async fn a_stream_ends_when_the_execution_is_completed() {
    let server = RawServer::start(vec![
        say_events(&[&chunk("héllo ", 7), b": ping\n\n", &chunk("world", 12)], true),
        execution("completed"),
        empty(),
    ])
    .await;
    let chunks: Vec<_> = stream(&server).try_collect().await.unwrap();
    let outputs: Vec<_> = chunks.iter().map(|chunk| chunk.output.as_str()).collect();
    assert_eq!(outputs, ["héllo ", "world"]);
    assert_eq!(server.targets(), [STDOUT.to_owned(), STATUS.to_owned(), format!("{STDOUT}?offset=12")]);
}

#[tokio::test]
async fn a_cut_connection_is_resumed_where_it_stopped() {
    // The second chunk is cut in the middle: it comes again, once.
    let cut = &chunk("bcd", 4)[..12];
    let server = RawServer::start(vec![
        say_events(&[&chunk("a", 1), cut], false),
        say_events(&[&chunk("bcd", 4), &chunk("e", 5)], true),
        execution("completed"),
        empty(),
    ])
    .await;
    assert_eq!(stream(&server).text().await.unwrap(), "abcde");
    assert_eq!(server.targets()[1], format!("{STDOUT}?offset=1"));
}

#[tokio::test]
async fn a_body_that_ends_early_is_resumed() {
    let server = RawServer::start(vec![
        say_events(&[&chunk("a", 1)], true),
        execution("running"),
        say_events(&[&chunk("b", 2)], true),
        execution("completed"),
        // Printed after the body ended and before the status was asked.
        say_events(&[&chunk("c", 3)], true),
    ])
    .await;
    assert_eq!(stream(&server).text().await.unwrap(), "abc");
}

#[tokio::test]
async fn idle_ends_and_silence_are_resumed() {
    let idle = |code: Value| format!("event: error\ndata: {}\n\n", json!({"code": code, "message": "idle"}));
    let server = RawServer::start(vec![
        say_events(&[&chunk("a", 1), idle(json!(408)).as_bytes()], false),
        say_events(&[idle(json!("408")).as_bytes()], true),
        Step::Say(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()),
        Step::Hang,
        say_events(&[&chunk("b", 2)], true),
        execution("completed"),
        empty(),
    ])
    .await;
    assert_eq!(stream(&server).text().await.unwrap(), "ab");
    assert!(server.targets()[1..5].iter().all(|target| *target == format!("{STDOUT}?offset=1")));
}

#[tokio::test]
async fn other_errors_end_the_stream() {
    for (data, status) in [(r#"{"code": "404", "message": "gone"}"#, 404), (r#"{"code": 403}"#, 403)] {
        let event = format!("event: error\ndata: {data}\n\n");
        let server = RawServer::start(vec![say_events(&[&chunk("a", 1), event.as_bytes()], false)]).await;
        let error = stream(&server).text().await.unwrap_err();
        assert_eq!(error.status(), Some(status), "{error}");
        assert!(error.to_string().contains(STDOUT), "{error}");
    }
}

#[tokio::test]
async fn offsets_that_say_where_a_chunk_begins_are_understood() {
    let server = RawServer::start(vec![
        say_events(&[&chunk("ab", 0), &chunk("cd", 2)], false),
        say_events(&[&chunk("ef", 4)], true),
        execution("completed"),
        empty(),
    ])
    .await;
    assert_eq!(stream(&server).text().await.unwrap(), "abcdef");
    assert_eq!(server.targets()[1], format!("{STDOUT}?offset=4"));
}

#[tokio::test]
async fn chunks_without_offsets_are_counted() {
    let server = RawServer::start(vec![
        say_events(&[b"data: {\"output\": \"\xc3\xa4\"}\n\n"], false),
        say_events(&[b"data: {\"output\": \"b\"}\n\n"], true),
        execution("completed"),
        empty(),
    ])
    .await;
    assert_eq!(stream(&server).text().await.unwrap(), "äb");
    assert_eq!(server.targets()[1], format!("{STDOUT}?offset=2"));
}

#[tokio::test]
async fn an_event_that_is_no_chunk_ends_the_stream() {
    let server = RawServer::start(vec![say_events(&[b"data: nonsense\n\n"], true)]).await;
    let error = stream(&server).text().await.unwrap_err();
    assert!(matches!(error, Error::MalformedStream { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_gone_ends_the_stream() {
    let server = RawServer::start(vec![]).await;
    let client = builder(&server.url).max_retries(0).timeout(Duration::from_millis(50)).build().unwrap();
    drop(server);
    let stream = client.executions().stream_stderr_updates(&"dbx_1".into(), &"exec_1".into());
    let error = stream.text().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}
