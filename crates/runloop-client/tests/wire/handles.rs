//! Handles: commands run to their end, with all of their output.

use std::time::Duration;

use runloop_client::{Error, ExecOptions, LastValue, OutputKind};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{always, client, json as answer, requests, sequence, target};

fn view(status: &str) -> Value {
    json!({"execution_id": "exec_1", "devbox_id": "dbx_1", "status": status})
}

fn completed(stdout: &str, truncated: bool) -> Value {
    let mut view = view("completed");
    view["exit_status"] = json!(3);
    view["stdout"] = json!(stdout);
    view["stdout_truncated"] = json!(truncated);
    view["stderr"] = json!("oops");
    view
}

fn events(chunks: &[(&str, u64)]) -> ResponseTemplate {
    let body: String = chunks
        .iter()
        .map(|(output, end)| format!("data: {}\n\n", json!({"output": output, "offset": end})))
        .collect();
    ResponseTemplate::new(200).set_body_raw(body, "text/event-stream")
}

#[tokio::test]
async fn a_short_command_is_one_request() {
    let server = always(answer(200, completed("hello\n", false))).await;
    let result = client(&server.uri()).devbox("dbx_1").exec("echo hello").await.unwrap();
    assert_eq!((result.exit_status, result.success()), (Some(3), false));
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("hello\n", "oops"));
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 1);
    assert_eq!(target(&requests[0]), "/v1/devboxes/dbx_1/execute?last_n=10000");
    let body: Value = requests[0].body_json().unwrap();
    assert_eq!(body["command"], "echo hello");
    let id = uuid::Uuid::parse_str(body["command_id"].as_str().unwrap()).unwrap();
    assert_eq!(id.get_version_num(), 7);
    assert_eq!(body.get("optimistic_timeout"), None);
}

#[tokio::test]
async fn a_long_command_is_waited_for_however_often_the_hold_expires() {
    let expired = || answer(408, json!({})).insert_header("x-should-retry", "true");
    let mut answers = vec![answer(200, view("running"))];
    answers.extend((0..4).map(|_| expired()));
    answers.push(answer(200, completed("done", false)));
    let server = sequence(answers).await;
    let result = client(&server.uri()).devbox("dbx_1").exec("make").await.unwrap();
    assert_eq!(result.stdout, "done");
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 6);
    assert_eq!(target(&requests[5]), "/v1/devboxes/dbx_1/executions/exec_1/wait_for_status?last_n=10000");
    let body: Value = requests[5].body_json().unwrap();
    assert_eq!(body, json!({"statuses": ["completed"], "timeout_seconds": 25.0}));
}

#[tokio::test]
async fn truncated_output_is_fetched_whole() {
    let server = MockServer::start().await;
    let execute = Mock::given(path("/v1/devboxes/dbx_1/execute"));
    execute.respond_with(answer(200, completed("tail\n", true))).mount(&server).await;
    let stream = Mock::given(path("/v1/devboxes/dbx_1/executions/exec_1/stream_stdout_updates"));
    stream.respond_with(events(&[("head\n", 5), ("tail\n", 10)])).mount(&server).await;
    let devbox = client(&server.uri()).devbox("dbx_1");
    let result = devbox.exec("seq 100000").await.unwrap();
    assert_eq!((result.stdout.as_str(), result.stdout_truncated), ("head\ntail\n", false));
    assert_eq!(result.last_stdout(2), "head\ntail");
    assert_eq!(requests(&server).await.len(), 2);

    let options = ExecOptions { max_output: 7, ..ExecOptions::default() };
    let result = devbox.exec_opts("seq 100000", &options).await.unwrap();
    assert_eq!((result.stdout.as_str(), result.stdout_truncated), ("head\nta", true));
    // What was cut off is the end; the answer to the command itself has that.
    assert_eq!((result.last_stdout(1), result.last_stderr(9)), ("tail", "oops"));
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_and_named() {
    let server = MockServer::start().await;
    let mount = |pattern, answer| Mock::given(path_regex(pattern)).respond_with(answer).mount(&server);
    mount("/execute$", answer(200, view("running"))).await;
    mount("/wait_for_status$", answer(408, json!({}))).await;
    mount("/kill$", answer(200, completed("", false))).await;
    let devbox = client(&server.uri()).devbox("dbx_1");
    let error =
        devbox.exec_opts("sleep 9", &ExecOptions::within(Duration::from_millis(1))).await.unwrap_err();
    let Error::PollingTimeout(timeout) = error else { panic!("{error}") };
    assert!(
        matches!(&timeout.last_value, Some(LastValue::Execution(view)) if view.execution_id.as_str() == "exec_1")
    );
    let sent = requests(&server).await;
    let execute: Value = sent[0].body_json().unwrap();
    assert_eq!(execute["optimistic_timeout"], 1);
    let kill = sent.last().unwrap();
    assert_eq!(target(kill), "/v1/devboxes/dbx_1/executions/exec_1/kill");
    assert_eq!(kill.body_json::<Value>().unwrap(), json!({"kill_process_group": true}));

    let options = ExecOptions { kill_on_timeout: false, ..ExecOptions::within(Duration::from_millis(1)) };
    devbox.exec_opts("sleep 9", &options).await.unwrap_err();
    let sent = requests(&server).await.len() - sent.len();
    let later: Vec<_> = requests(&server).await.into_iter().rev().take(sent).collect();
    assert!(later.iter().all(|request| !request.url.path().ends_with("/kill")));
    assert!(later.len() >= 2);
}

/// A command that prints in two pieces on each output.
async fn printing() -> MockServer {
    let server = MockServer::start().await;
    let stream = |kind: &str| format!("/v1/devboxes/dbx_1/executions/exec_1/stream_{kind}_updates");
    let mount = |verb: &str, at: &str, answer| {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&server)
    };
    // The second look at each stream, from its end, finds nothing.
    for (kind, end) in [("stdout", "4"), ("stderr", "3")] {
        let rest = Mock::given(path(stream(kind))).and(query_param("offset", end));
        rest.respond_with(events(&[])).with_priority(1).mount(&server).await;
    }
    mount("GET", &stream("stdout"), events(&[("on", 2), ("e\n", 4)])).await;
    mount("GET", &stream("stderr"), events(&[("two", 3)])).await;
    mount("POST", "/v1/devboxes/dbx_1/execute_async", answer(200, view("running"))).await;
    mount(
        "POST",
        "/v1/devboxes/dbx_1/executions/exec_1/wait_for_status",
        answer(200, completed("one\n", false)),
    )
    .await;
    mount("GET", "/v1/devboxes/dbx_1/executions/exec_1", answer(200, view("completed"))).await;
    server
}

#[tokio::test]
async fn output_is_handed_out_while_the_command_runs() {
    let server = printing().await;
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let devbox = client(&server.uri()).devbox("dbx_1");
    let result = devbox
        .exec_with("make", &ExecOptions::default(), |kind, text| match kind {
            OutputKind::Stdout => stdout.push_str(text),
            OutputKind::Stderr => stderr.push_str(text),
        })
        .await
        .unwrap();
    assert_eq!((stdout.as_str(), stderr.as_str()), ("one\n", "two"));
    assert_eq!(result.exit_status, Some(3));
    assert!(result.failed());
}

#[tokio::test]
async fn output_is_handed_out_line_by_line() {
    let server = printing().await;
    let devbox = client(&server.uri()).devbox("dbx_1");
    let expected = [(OutputKind::Stderr, "two".to_owned()), (OutputKind::Stdout, "one".to_owned())];
    for whole in [true, false] {
        let mut lines = Vec::new();
        let on_line = |kind, line: &str| lines.push((kind, line.to_owned()));
        let options = ExecOptions::default();
        let result = match whole {
            true => devbox.exec_lines("make", &options, on_line).await.unwrap(),
            false => devbox.execution("exec_1").result_lines(&options, on_line).await.unwrap(),
        };
        assert_eq!(result.stdout, "one\n");
        lines.sort_by_key(|(_, line)| line != "two");
        assert_eq!(lines, expected);
    }
}

#[tokio::test]
async fn a_broken_output_stream_does_not_fail_the_command() {
    let server = MockServer::start().await;
    let mount = |pattern, answer| Mock::given(path_regex(pattern)).respond_with(answer).mount(&server);
    mount("_updates$", answer(403, json!({}))).await;
    mount("/execute_async$", answer(200, view("running"))).await;
    mount("/wait_for_status$", answer(200, completed("one\n", false))).await;
    let devbox = client(&server.uri()).devbox("dbx_1");
    let result = devbox.exec_with("make", &ExecOptions::default(), |_, _| ()).await.unwrap();
    assert_eq!(result.stdout, "one\n");
}

#[tokio::test]
async fn standard_input_that_is_not_taken_is_an_error() {
    let server =
        sequence(vec![answer(200, json!({"success": true})), answer(200, json!({"success": false}))]).await;
    let execution = client(&server.uri()).devbox("dbx_1").execution("exec_1");
    execution.send_std_in("y\n").await.unwrap();
    let error = execution.close_std_in().await.unwrap_err();
    assert!(matches!(error, Error::StdInRefused { .. }), "{error}");
    let requests = requests(&server).await;
    assert_eq!(requests[1].body_json::<Value>().unwrap(), json!({"signal": "EOF"}));
}

#[tokio::test]
async fn files_are_copied_both_ways() {
    let server = always(ResponseTemplate::new(200).set_body_bytes(*b"{}")).await;
    let handle = client(&server.uri()).devbox("dbx_1");
    handle.write_file("a", "text").await.unwrap();
    assert_eq!(handle.read_file("a").await.unwrap(), "{}");
    handle.upload("a", vec![0xff]).await.unwrap();
    assert_eq!(&handle.download("a").await.unwrap()[..], b"{}");
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(handle.download_to("a", directory.path().join("a")).await.unwrap(), 2);
}
