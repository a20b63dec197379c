//! Output streams: nothing is lost and nothing comes twice, wherever the network cuts.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
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

#[tokio::test]
async fn an_error_event_that_comes_again_and_again_ends_the_stream() {
    let event = b"event: error\ndata: {\"code\": 503, \"message\": \"overloaded\"}\n\n";
    let server = RawServer::start(vec![say_events(&[event], false), say_events(&[event], false)]).await;
    let client = builder(&server.url).max_retries(1).build().unwrap();
    let stream = client.executions().stream_stdout_updates(&"dbx_1".into(), &"exec_1".into());
    let error = stream.text().await.unwrap_err();
    assert_eq!(error.status(), Some(503), "{error}");
    assert_eq!(error.to_string(), format!("GET {STDOUT}: 503 overloaded (1 attempt)"));
    assert_eq!(server.targets().len(), 2);
}

#[tokio::test]
async fn lines_before_an_error_are_delivered() {
    let gone = b"event: error\ndata: {\"code\": 404}\n\n";
    let server =
        RawServer::start(vec![say_events(&[&chunk("one\r\ntw", 7), &chunk("o\nthr", 12), gone], false)])
            .await;
    let lines: Vec<_> = stream(&server).lines().collect().await;
    let text: Vec<_> = lines.iter().filter_map(|line| line.as_deref().ok()).collect();
    assert_eq!(text, ["one", "two", "thr"]);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[3].as_ref().unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn a_stream_continues_where_another_one_stopped() {
    let server =
        RawServer::start(vec![say_events(&[&chunk("cd", 4)], true), execution("completed"), empty()]).await;
    let chunks: Vec<_> = stream(&server).from_offset(2).try_collect().await.unwrap();
    assert_eq!((chunks[0].output.as_str(), chunks[0].offset), ("cd", Some(4)));
    assert_eq!(server.targets()[0], format!("{STDOUT}?offset=2"));
}

fn event(sequence: i64) -> Vec<u8> {
    let event = json!({
        "axon_id": "axn_1", "sequence": sequence, "timestamp_ms": 5, "origin": "AGENT_EVENT", "source": "broker",
        "event_type": "turn.completed", "payload": "{}",
    });
    format!("data: {event}\n\n").into_bytes()
}

#[tokio::test]
async fn axon_events_are_resumed_after_the_last_one() {
    let server = RawServer::start(vec![
        say_events(&[&event(3), &event(5)], true),
        Step::Say(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()),
        Step::Hang,
        // The service goes back a little: what is known comes once.
        say_events(&[&event(5), &event(6), &event(9)[..20]], false),
        say_events(&[b"event: error\ndata: {\"code\": 404, \"message\": \"no such axon\"}\n\n"], true),
    ])
    .await;
    let client = builder(&server.url).timeout(Duration::from_millis(200)).build().unwrap();
    let events: Vec<_> = client.axons().subscribe_sse("axn_1", None).collect().await;
    let seen: Vec<_> =
        events.iter().filter_map(|event| event.as_ref().ok()).map(|event| event.sequence).collect();
    assert_eq!(seen, [3, 5, 6]);
    let first = events[0].as_ref().unwrap();
    assert_eq!((first.origin.as_str(), first.event_type.as_str()), ("AGENT_EVENT", "turn.completed"));
    assert_eq!(events[3].as_ref().unwrap_err().status(), Some(404));
    let path = "/v1/axons/axn_1/subscribe/sse";
    let after = |sequence| format!("{path}?after_sequence={sequence}");
    assert_eq!(server.targets(), [path.to_owned(), after(5), after(5), after(5), after(6)]);
}

#[tokio::test]
async fn the_watch_for_evictions_comes_back_and_tells_each_devbox_once() {
    let evicted =
        |id: &str| format!("data: {}\n\n", json!({"devbox_id": id, "eviction_deadline_ms": 7})).into_bytes();
    let server = RawServer::start(vec![
        say_events(&[&evicted("dbx_1"), b": ping\n\n", &evicted("dbx_2")], true),
        say_events(&[&evicted("dbx_1"), &evicted("dbx_2"), &evicted("dbx_3")], false),
        Step::Say(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()),
    ])
    .await;
    let client = builder(&server.url).max_retries(0).build().unwrap();
    let events: Vec<_> = client.devboxes().watch_evictions().collect().await;
    let told: Vec<_> = events.iter().filter_map(|event| event.as_ref().ok()).collect();
    assert_eq!(
        told.iter().map(|event| event.devbox_id.as_str()).collect::<Vec<_>>(),
        ["dbx_1", "dbx_2", "dbx_3"]
    );
    assert_eq!(told[0].eviction_deadline_ms, 7);
    assert_eq!(events[3].as_ref().unwrap_err().status(), Some(401));
    assert_eq!(events.len(), 4);
    assert!(server.targets().iter().all(|target| target == "/v1/devboxes/evictions/watch"));
    assert!(
        server.heads().iter().all(|head| head.to_lowercase().contains("\r\naccept: text/event-stream\r\n"))
    );
}
