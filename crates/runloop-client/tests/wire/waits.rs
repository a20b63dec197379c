//! Waits over the wire; deadlines and pauses are tested where they are written, with a clock that does not tick.

use std::time::Duration;

use runloop_client::types::{BlueprintCreateParams, DevboxCreateParams, DevboxId, DevboxStatus};
use runloop_client::{Error, LastValue, PollingConfig, WaitOptions};
use serde_json::{Value, json};

use crate::support::{always, builder, client, json as answer, passing, requests, sequence, target};

fn devbox(status: &str) -> Value {
    json!({"id": "dbx_1", "status": status})
}

fn expired() -> wiremock::ResponseTemplate {
    answer(408, json!({"message": "not yet"}))
}

#[tokio::test]
async fn a_wait_asks_again_until_the_devbox_runs() {
    let server = sequence(vec![expired(), expired(), answer(200, devbox("running"))]).await;
    let id = DevboxId::new("dbx_1");
    let view = client(&server.uri()).devboxes().await_running(&id, WaitOptions::default()).await.unwrap();
    assert_eq!(view.status, DevboxStatus::Running);
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 3);
    let body: Value = requests[0].body_json().unwrap();
    assert_eq!(body, json!({"statuses": ["running", "failure", "shutdown"], "timeout_seconds": 30.0}));
}

#[tokio::test]
async fn a_devbox_that_fails_ends_the_wait_with_its_reason() {
    let failed = json!({"id": "dbx_1", "status": "failure", "failure_reason": "out_of_disk"});
    let server = always(answer(200, failed)).await;
    let id = DevboxId::new("dbx_1");
    let error =
        client(&server.uri()).devboxes().await_suspended(&id, WaitOptions::forever()).await.unwrap_err();
    assert_eq!(error.to_string(), "devbox dbx_1 to be suspended ended as failure: out_of_disk");
    assert!(matches!(error, Error::WrongState(error) if matches!(error.last_value, LastValue::Devbox(_))));
}

#[tokio::test]
async fn a_wait_without_time_asks_once() {
    let server = always(expired()).await;
    let id = DevboxId::new("dbx_1");
    let none = WaitOptions::within(Duration::ZERO);
    let error = client(&server.uri()).devboxes().await_running(&id, none).await.unwrap_err();
    assert!(matches!(&error, Error::PollingTimeout(timeout) if timeout.attempts == 1), "{error}");
    assert!(error.is_timeout());
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn an_unknown_devbox_ends_the_wait() {
    let server = always(answer(404, json!({"message": "no such devbox"}))).await;
    let id = DevboxId::new("dbx_1");
    let error =
        client(&server.uri()).devboxes().await_running(&id, WaitOptions::forever()).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn a_busy_server_does_not_end_the_wait() {
    let server = sequence(vec![passing(503), passing(429), answer(200, devbox("running"))]).await;
    let id = DevboxId::new("dbx_1");
    client(&server.uri()).devboxes().await_running(&id, WaitOptions::default()).await.unwrap();
    let server = always(passing(503)).await;
    let client = builder(&server.uri()).max_retries(2).build().unwrap();
    let error = client.devboxes().await_running(&id, WaitOptions::forever()).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn create_and_await_running_is_one_call_where_the_server_knows_it() {
    let server = always(answer(200, devbox("running"))).await;
    let devboxes = client(&server.uri()).devboxes();
    devboxes.create_and_await_running(&DevboxCreateParams::default(), WaitOptions::default()).await.unwrap();
    let targets: Vec<_> = requests(&server).await.iter().map(target).collect();
    assert_eq!(targets, ["/v1/devboxes/create_and_await_running"]);
}

#[tokio::test]
async fn create_and_await_running_waits_on_when_the_first_call_was_too_short() {
    let server = sequence(vec![answer(200, devbox("provisioning")), answer(200, devbox("running"))]).await;
    let devboxes = client(&server.uri()).devboxes();
    devboxes.create_and_await_running(&DevboxCreateParams::default(), WaitOptions::default()).await.unwrap();
    let targets: Vec<_> = requests(&server).await.iter().map(target).collect();
    assert_eq!(targets, ["/v1/devboxes/create_and_await_running", "/v1/devboxes/dbx_1/wait_for_status"]);
}

#[tokio::test]
async fn create_and_await_running_tells_the_id_when_time_runs_out_and_asks_nothing_after_a_failure() {
    let server = sequence(vec![answer(200, devbox("provisioning")), expired()]).await;
    let devboxes = client(&server.uri()).devboxes();
    let none = WaitOptions::within(Duration::ZERO);
    let error = devboxes.create_and_await_running(&DevboxCreateParams::default(), none).await.unwrap_err();
    let Error::PollingTimeout(timeout) = error else { panic!("{error}") };
    assert!(matches!(timeout.last_value, Some(LastValue::Devbox(view)) if view.id.as_str() == "dbx_1"));

    let server = always(answer(200, devbox("failure"))).await;
    let devboxes = client(&server.uri()).devboxes();
    let result =
        devboxes.create_and_await_running(&DevboxCreateParams::default(), WaitOptions::default()).await;
    assert!(matches!(result, Err(Error::WrongState(_))));
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn older_servers_create_and_are_then_waited_for() {
    for status in [404, 405] {
        let server = sequence(vec![
            answer(status, json!({"message": "no such path"})),
            answer(200, devbox("provisioning")),
            answer(200, devbox("running")),
            answer(200, devbox("running")),
        ])
        .await;
        let devboxes = client(&server.uri()).devboxes();
        let params = DevboxCreateParams::default();
        let create = |key| devboxes.create_and_await_running_as(&params, WaitOptions::default(), Some(key));
        create("key-1").await.unwrap();
        // The client remembers.
        create("key-2").await.unwrap();
        let requests = requests(&server).await;
        let targets: Vec<_> = requests.iter().map(target).collect();
        let expected = [
            "/v1/devboxes/create_and_await_running",
            "/v1/devboxes",
            "/v1/devboxes/dbx_1/wait_for_status",
            "/v1/devboxes",
        ];
        assert_eq!(targets, expected);
        assert_eq!(crate::support::header(&requests[1], "x-request-id").unwrap(), "key-1");
    }
}

#[tokio::test]
async fn a_missing_blueprint_is_not_taken_for_an_older_server() {
    let server = always(answer(404, json!({"message": "no such blueprint"}))).await;
    let devboxes = client(&server.uri()).devboxes();
    for _ in 0..2 {
        let result =
            devboxes.create_and_await_running(&DevboxCreateParams::default(), WaitOptions::default()).await;
        assert!(result.unwrap_err().to_string().contains("no such blueprint"));
    }
    assert_eq!(target(&requests(&server).await[2]), "/v1/devboxes/create_and_await_running");
}

fn quickly() -> PollingConfig {
    PollingConfig { interval: Duration::ZERO, max_attempts: 3, timeout: None }
}

#[tokio::test]
async fn builds_are_polled_until_they_end() {
    let status = |status: &str| {
        answer(200, json!({"id": "bpt_1", "status": status, "failure_reason": "build_failed"}))
    };
    let params = BlueprintCreateParams { name: "b".into(), ..Default::default() };
    let server = sequence(vec![status("queued"), status("building"), status("build_complete")]).await;
    client(&server.uri()).blueprints().create_and_await_build_complete(&params, quickly()).await.unwrap();
    assert_eq!(requests(&server).await.len(), 3);

    let server = sequence(vec![status("queued"), status("failed")]).await;
    let error = client(&server.uri())
        .blueprints()
        .create_and_await_build_complete(&params, quickly())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "blueprint bpt_1 to be built ended as failed: build_failed");

    let server = always(status("building")).await;
    let error = client(&server.uri())
        .blueprints()
        .await_build_complete(&"bpt_1".into(), quickly())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::PollingTimeout(timeout) if timeout.attempts == 3));
}

#[tokio::test]
async fn snapshots_are_polled_until_they_end() {
    let status = |status: &str| answer(200, json!({"status": status, "error_message": "disk full"}));
    let id = "snp_1".into();
    let server = sequence(vec![status("in_progress"), status("complete")]).await;
    client(&server.uri()).disk_snapshots().await_complete(&id, quickly()).await.unwrap();
    for end in ["error", "deleted"] {
        let server = sequence(vec![status("in_progress"), status(end)]).await;
        let error = client(&server.uri()).disk_snapshots().await_complete(&id, quickly()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("snapshot snp_1 to be complete ended as {end}: disk full"));
    }
}
