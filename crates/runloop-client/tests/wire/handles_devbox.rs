//! Handles on devboxes: what each verb sends, and what comes of it.

use std::time::Duration;

use runloop_client::types::{
    BlueprintId, DevboxCreateParams, DevboxGateway, DevboxMcp, DevboxStatus, DevboxUpdateParams,
    SnapshotParams, TunnelParams,
};
use runloop_client::{DevboxLogListParams, Error, ExecOptions, LastValue, PollingConfig, WaitOptions};
use serde_json::{Value, json};
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{always, client, json as answer, requests, sent, sequence};

const CREATE: &str = "POST /v1/devboxes/create_and_await_running";
const WAIT: &str = "POST /v1/devboxes/dbx_1/wait_for_status";
const SHUTDOWN: &str = "POST /v1/devboxes/dbx_1/shutdown";

fn devbox(status: &str) -> ResponseTemplate {
    answer(200, json!({"id": "dbx_1", "status": status}))
}

fn expired() -> ResponseTemplate {
    answer(408, json!({}))
}

/// Only methods and targets.
async fn steps(server: &MockServer) -> Vec<String> {
    sent(server).await.into_iter().map(|(step, _)| step).collect()
}

/// Polls without pauses.
fn polls(max_attempts: u32) -> PollingConfig {
    PollingConfig { interval: Duration::ZERO, max_attempts, timeout: None }
}

#[tokio::test]
async fn a_created_devbox_runs() {
    let server = sequence(vec![devbox("provisioning"), expired(), devbox("running")]).await;
    let params = DevboxCreateParams { name: Some("box".into()), ..Default::default() };
    let devbox = client(&server.uri()).create_devbox(&params, WaitOptions::default()).await.unwrap();
    assert_eq!(devbox.id().as_str(), "dbx_1");
    let sent = sent(&server).await;
    assert_eq!(sent[0], (CREATE.to_owned(), json!({"name": "box"})));
    assert_eq!(sent[1].0, WAIT);
    assert_eq!(sent[1].1["statuses"], json!(["running", "failure", "shutdown"]));
    assert_eq!(sent.len(), 3);
}

#[tokio::test]
async fn a_devbox_that_does_not_run_in_time_keeps_its_id() {
    let server = MockServer::start().await;
    let mount = |pattern, answer| Mock::given(path_regex(pattern)).respond_with(answer).mount(&server);
    mount("/create_and_await_running$", devbox("provisioning")).await;
    mount("/wait_for_status$", expired()).await;
    let options = WaitOptions::within(Duration::from_millis(1));
    let error =
        client(&server.uri()).create_devbox(&DevboxCreateParams::default(), options).await.unwrap_err();
    let Error::PollingTimeout(timeout) = error else { panic!("{error}") };
    assert!(matches!(&timeout.last_value, Some(LastValue::Devbox(view)) if view.id.as_str() == "dbx_1"));
}

#[tokio::test]
async fn blueprints_and_snapshots_create_devboxes() {
    let server = always(devbox("running")).await;
    let client = client(&server.uri());
    let named = DevboxCreateParams { name: Some("box".into()), ..Default::default() };
    let options = WaitOptions::default();
    client.blueprint("bpt_1").create_devbox(&named, options).await.unwrap();
    client.snapshot("snp_1").create_devbox(&named, options).await.unwrap();
    // The same origin twice is no contradiction.
    let same = DevboxCreateParams { blueprint_id: Some("bpt_1".into()), ..Default::default() };
    client.blueprint("bpt_1").create_devbox(&same, options).await.unwrap();
    let expected = [
        (CREATE.to_owned(), json!({"name": "box", "blueprint_id": "bpt_1"})),
        (CREATE.to_owned(), json!({"name": "box", "snapshot_id": "snp_1"})),
        (CREATE.to_owned(), json!({"blueprint_id": "bpt_1"})),
    ];
    assert_eq!(sent(&server).await, expected);

    let blueprint = |id: &str| Some(BlueprintId::from(id));
    for params in [
        DevboxCreateParams { blueprint_id: blueprint("bpt_2"), ..Default::default() },
        DevboxCreateParams { blueprint_name: Some("other".into()), ..Default::default() },
        DevboxCreateParams { snapshot_id: Some("snp_2".into()), ..Default::default() },
    ] {
        let errors = [
            client.blueprint("bpt_1").create_devbox(&params, options).await.unwrap_err(),
            client.snapshot("snp_1").create_devbox(&params, options).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
        }
    }
    assert_eq!(requests(&server).await.len(), 3);
}

/// What a test's work may come to.
#[derive(Debug)]
enum Failed {
    Work,
    Api(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Api(error)
    }
}

#[tokio::test]
async fn after_the_work_the_devbox_is_shut_down() {
    for fails in [false, true] {
        let server = sequence(vec![devbox("running"), devbox("running"), devbox("shutdown")]).await;
        let client = client(&server.uri());
        let (params, name) = (DevboxCreateParams::default(), String::from("borrowed"));
        let work = client.with_devbox(&params, WaitOptions::default(), async |devbox| {
            let status = devbox.info().await?.status;
            if fails { Err(Failed::Work) } else { Ok((status, name.len())) }
        });
        match work.await {
            Ok(value) => assert_eq!((fails, value), (false, (DevboxStatus::Running, 8))),
            Err(error) => assert!(fails && matches!(error, Failed::Work), "{error:?}"),
        }
        assert_eq!(steps(&server).await, [CREATE, "GET /v1/devboxes/dbx_1", SHUTDOWN]);
    }
}

#[tokio::test]
async fn work_that_panics_leaves_no_devbox_behind() {
    let server = sequence(vec![devbox("running"), devbox("shutdown")]).await;
    let client = client(&server.uri());
    let work = tokio::spawn(async move {
        let params = DevboxCreateParams::default();
        let work = client.with_devbox(&params, WaitOptions::default(), async |_| {
            if client.base_url().starts_with("http") {
                panic!("in the work");
            }
            Ok::<_, Error>(())
        });
        work.await
    });
    let panic = work.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"in the work"));
    assert_eq!(steps(&server).await, [CREATE, SHUTDOWN]);
}

#[tokio::test]
async fn a_devbox_that_does_not_start_is_shut_down_too() {
    let server = MockServer::start().await;
    let mount = |pattern, answer| Mock::given(path_regex(pattern)).respond_with(answer).mount(&server);
    mount("/create_and_await_running$", devbox("provisioning")).await;
    mount("/wait_for_status$", expired()).await;
    mount("/shutdown$", answer(403, json!({}))).await;
    let options = WaitOptions::within(Duration::from_millis(1));
    let (client, params) = (client(&server.uri()), DevboxCreateParams::default());
    let work = client.with_devbox(&params, options, async |_| Ok::<_, Failed>("never done"));
    // That it could not even be shut down is not the news.
    match work.await.unwrap_err() {
        Failed::Api(Error::PollingTimeout(_)) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(steps(&server).await.last().unwrap(), SHUTDOWN);
}

#[tokio::test]
async fn work_that_is_dropped_sends_nothing_more() {
    let server = sequence(vec![devbox("running"), devbox("shutdown")]).await;
    let client = client(&server.uri());
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let params = DevboxCreateParams::default();
    let work = client.with_devbox(&params, WaitOptions::default(), async |_| {
        let _ = begun.send(());
        std::future::pending::<Result<(), Error>>().await
    });
    tokio::select! {
        _ = work => panic!("it never ends"),
        begun = has_begun => begun.unwrap(),
    }
    assert_eq!(steps(&server).await, [CREATE]);
}

#[tokio::test]
async fn a_devbox_is_suspended_resumed_and_shut_down() {
    let server = sequence(vec![
        devbox("suspending"),
        expired(),
        devbox("suspended"),
        devbox("resuming"),
        devbox("running"),
        devbox("shutdown"),
    ])
    .await;
    let handle = client(&server.uri()).devbox("dbx_1");
    let options = WaitOptions::default();
    assert_eq!(handle.suspend(options).await.unwrap().status, DevboxStatus::Suspended);
    assert_eq!(handle.resume(options).await.unwrap().status, DevboxStatus::Running);
    handle.shutdown(true).await.unwrap();
    let expected = [
        "POST /v1/devboxes/dbx_1/suspend",
        WAIT,
        WAIT,
        "POST /v1/devboxes/dbx_1/resume",
        WAIT,
        "POST /v1/devboxes/dbx_1/shutdown?force=true",
    ];
    assert_eq!(steps(&server).await, expected);
}

#[tokio::test]
async fn a_devbox_that_ends_while_it_is_waited_for_is_an_error() {
    let ended = json!({"id": "dbx_1", "status": "shutdown", "shutdown_reason": "idle"});
    let server = sequence(vec![devbox("suspending"), answer(200, ended)]).await;
    let error = client(&server.uri()).devbox("dbx_1").suspend(WaitOptions::default()).await.unwrap_err();
    let Error::WrongState(state) = error else { panic!("{error}") };
    assert_eq!(state.to_string(), "devbox dbx_1 to be suspended ended as shutdown: idle");
}

#[tokio::test]
async fn verbs_of_one_request() {
    let server = always(answer(200, json!({"id": "dbx_1", "status": "running"}))).await;
    let devbox = client(&server.uri()).devbox("dbx_1");
    devbox.info().await.unwrap();
    devbox.update(&DevboxUpdateParams { name: Some("new".into()), ..Default::default() }).await.unwrap();
    let only = DevboxLogListParams { execution_id: Some("exec_1".into()), ..Default::default() };
    devbox.logs(&only).await.unwrap();
    devbox.resource_usage().await.unwrap();
    devbox.suspend_async().await.unwrap();
    devbox.resume_async().await.unwrap();
    devbox.keep_alive().await.unwrap();
    devbox.enable_tunnel(&TunnelParams { http_keep_alive: Some(false), ..Default::default() }).await.unwrap();
    devbox.remove_tunnel().await.unwrap();
    devbox.create_ssh_key().await.unwrap();
    devbox.create_pty_tunnel().await.unwrap();
    let gateway = DevboxGateway { gateway: "gwc_1".into(), secret: "KEY".into() };
    devbox.create_gateway_token(&gateway).await.unwrap();
    devbox.create_mcp_token(&DevboxMcp { mcp_config: "mcp_1".into(), secret: "KEY".into() }).await.unwrap();
    devbox.execution("exec_1").info().await.unwrap();
    devbox.execution("exec_1").kill(false).await.unwrap();
    let at = |path: &str| path.replace("{}", "/v1/devboxes/dbx_1");
    let expected = [
        ("GET {}", Value::Null),
        ("POST {}", json!({"name": "new"})),
        ("GET {}/logs?execution_id=exec_1", Value::Null),
        ("GET {}/usage", Value::Null),
        ("POST {}/suspend", Value::Null),
        ("POST {}/resume", Value::Null),
        ("POST {}/keep_alive", Value::Null),
        ("POST {}/enable_tunnel", json!({"http_keep_alive": false})),
        ("POST {}/remove_tunnel", Value::Null),
        ("POST {}/create_ssh_key", Value::Null),
        ("POST {}/create_pty_tunnel", Value::Null),
        ("POST {}/create_gateway_token", json!({"gateway": "gwc_1", "secret": "KEY"})),
        ("POST {}/create_mcp_token", json!({"mcp_config": "mcp_1", "secret": "KEY"})),
        ("GET {}/executions/exec_1", Value::Null),
        ("POST {}/executions/exec_1/kill", json!({})),
    ];
    assert_eq!(sent(&server).await, expected.map(|(step, body)| (at(step), body)));
}

#[tokio::test]
async fn a_snapshot_is_begun_and_polled_for() {
    let status = |status: &str| answer(200, json!({"status": status, "error_message": "disk full"}));
    let begun = || answer(200, json!({"id": "snp_1"}));
    let server =
        sequence(vec![begun(), status("in_progress"), status("in_progress"), status("complete")]).await;
    let handle = client(&server.uri()).devbox("dbx_1");
    let params = SnapshotParams { name: Some("base".into()), ..Default::default() };
    let snapshot = handle.snapshot_disk(&params, polls(9)).await.unwrap();
    assert_eq!(snapshot.id().as_str(), "snp_1");
    let poll = ("GET /v1/devboxes/disk_snapshots/snp_1/status".to_owned(), Value::Null);
    let begin = ("POST /v1/devboxes/dbx_1/snapshot_disk_async".to_owned(), json!({"name": "base"}));
    assert_eq!(sent(&server).await, [begin, poll.clone(), poll.clone(), poll]);

    for (end, text) in [
        ("error", "snapshot snp_1 to be complete ended as error: disk full"),
        ("deleted", "snapshot snp_1 to be complete ended as deleted: disk full"),
    ] {
        let server = sequence(vec![begun(), status("in_progress"), status(end)]).await;
        let handle = client(&server.uri()).devbox("dbx_1");
        let error = handle.snapshot_disk(&params, polls(9)).await.unwrap_err();
        assert!(matches!(error, Error::WrongState(_)), "{error}");
        assert_eq!(error.to_string(), text);
    }
    let server = sequence(vec![begun(), status("in_progress"), status("in_progress")]).await;
    let error = client(&server.uri()).devbox("dbx_1").snapshot_disk(&params, polls(2)).await.unwrap_err();
    assert!(matches!(error, Error::PollingTimeout(_)), "{error}");
    // Begun and not waited for.
    let server = sequence(vec![begun()]).await;
    client(&server.uri()).devbox("dbx_1").snapshot_disk_async(&params).await.unwrap();
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn ports_are_reached_through_the_tunnel() {
    let with_tunnel = json!({"id": "dbx_1", "status": "running", "tunnel": {"tunnel_key": "key"}});
    let server = sequence(vec![devbox("running"), answer(200, with_tunnel)]).await;
    let handle = client(&server.uri()).devbox("dbx_1");
    assert_eq!(handle.tunnel_url(3000).await.unwrap(), None);
    let url = handle.tunnel_url(3000).await.unwrap().unwrap();
    assert_eq!(url, format!("http://3000-key.tunnel.localhost:{}", server.address().port()));
    assert_eq!(steps(&server).await, ["GET /v1/devboxes/dbx_1", "GET /v1/devboxes/dbx_1"]);
}

#[tokio::test]
async fn every_command_of_a_named_shell_names_it() {
    let server = MockServer::start().await;
    let view = json!({"execution_id": "exec_1", "status": "completed", "exit_status": 0, "stdout": "a\n"});
    let streams = ResponseTemplate::new(200).set_body_raw("", "text/event-stream");
    Mock::given(method("GET")).and(path_regex("_updates$")).respond_with(streams).mount(&server).await;
    Mock::given(path_regex(".")).respond_with(answer(200, view)).mount(&server).await;
    let shell = client(&server.uri()).devbox("dbx_1").shell("build");
    // A shell named by the options is not this one.
    let options = ExecOptions { shell_name: Some("other".into()), ..ExecOptions::default() };
    assert_eq!(shell.exec("pwd").await.unwrap().stdout, "a\n");
    shell.exec_opts("pwd", &options).await.unwrap();
    shell.exec_with("pwd", &options, |_, _| ()).await.unwrap();
    shell.exec_lines("pwd", &options, |_, _| ()).await.unwrap();
    let execution = shell.spawn("pwd", &options).await.unwrap();
    assert_eq!((execution.id().as_str(), execution.devbox_id().as_str()), ("exec_1", "dbx_1"));
    let started: Vec<_> = sent(&server)
        .await
        .into_iter()
        .filter_map(|(step, body)| {
            let path = step.strip_prefix("POST /v1/devboxes/dbx_1/")?.to_owned();
            path.starts_with("execute").then(|| (path, body["shell_name"].clone()))
        })
        .collect();
    let expected =
        ["execute?last_n=10000", "execute?last_n=10000", "execute_async", "execute_async", "execute_async"];
    assert_eq!(started, expected.map(|path| (path.to_owned(), json!("build"))));
}
