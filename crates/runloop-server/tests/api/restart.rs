//! Start, end, and what lies between one server and the next. Each of these has servers of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use runloop_sandbox::{Base, BoxSpec, Limits, Network, Sandbox, SnapshotId, User};
use runloop_server::{SandboxSource, Server, ServerOptions, StartError};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::{Answer, Api, options, sandbox_options};

/// How long something may take that nobody is told the end of.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names the data directory to a child of the test program that is to be a server.
pub(crate) const CHILD: &str = "RUNLOOP_SERVER_TEST_DATA_DIR";

/// What the child does: it tells its address and key, and serves.
pub(crate) fn serve_until_killed(data_dir: &Path) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start(options(data_dir)).await.unwrap();
        println!("{} {}", server.url(), server.api_key().expose_secret());
        std::future::pending::<ExitCode>().await
    })
}

pub(crate) async fn a_killed_server_leaves_failed_devboxes(api: Api) {
    let data = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program).env(CHILD, data.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (url, key) = line.trim().split_once(' ').unwrap();
    let first = Api { url: url.to_owned(), key: key.to_owned(), http: api.http };
    let running = first.devbox(json!({"metadata": {"run": "1"}})).await;
    first.start(&running, "sleep 1000").await;
    let suspended = first.devbox(json!({})).await;
    first.post(&format!("/v1/devboxes/{suspended}/suspend"), json!({})).await.ok();
    let ended = first.devbox(json!({})).await;
    first.shutdown(&ended).await;
    first.post("/v1/secrets", json!({"name": "S", "value": "x"})).await.ok();
    child.kill().unwrap();
    child.wait().unwrap();

    let server = Server::start(options(data.path())).await.unwrap();
    let api = Api::of(&server);
    for id in [&running, &suspended] {
        let view = api.get(&format!("/v1/devboxes/{id}")).await.ok();
        assert_eq!(
            (&view["status"], &view["failure_reason"]),
            (&json!("failure"), &json!("health_check_failed"))
        );
        assert!(view["end_time_ms"].is_i64());
    }
    assert_eq!(api.get(&format!("/v1/devboxes/{running}")).await.ok()["metadata"]["run"], "1");
    assert_eq!(api.get(&format!("/v1/devboxes/{ended}")).await.ok()["status"], "shutdown");
    api.get("/v1/secrets/S").await.ok();
    let fresh = api.devbox(json!({})).await;
    assert_eq!(api.stdout(&fresh, "echo up").await, "up\n");
    server.shutdown().await;
}

pub(crate) async fn what_must_outlive_a_restart_does(_: Api) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(options(data.path())).await.unwrap();
    let api = Api::of(&server);
    let object = api.object("o", "text", b"bytes".to_vec()).await;
    api.post("/v1/secrets", json!({"name": "S", "value": "hush"})).await.ok();
    let policy = api.post("/v1/network-policies", json!({"name": "p"})).await.ok();
    let setup = json!({"name": "b", "system_setup_commands": ["echo built > built"]});
    let blueprint = api.post("/v1/blueprints", setup).await.ok();
    while api.get("/v1/blueprints").await.ok()["blueprints"][0]["status"] != "build_complete" {
        tokio::task::yield_now().await;
    }
    let devbox = api.devbox(json!({"name": "d"})).await;
    api.stdout(&devbox, "echo kept > kept").await;
    let snapshot = api.post(&format!("/v1/devboxes/{devbox}/snapshot_disk"), json!({})).await.ok();
    let ended = api.devbox(json!({})).await;
    api.shutdown(&ended).await;
    server.shutdown().await;

    let server = Server::start(options(data.path())).await.unwrap();
    let old_key = api.key.clone();
    let api = Api::of(&server);
    assert_ne!(api.key, old_key, "a random key is random");
    let view = api.get(&format!("/v1/devboxes/{devbox}")).await.ok();
    assert_eq!((&view["status"], &view["name"]), (&json!("shutdown"), &json!("d")));
    assert_eq!(api.get("/v1/devboxes").await.ok()["total_count"], 2);
    api.post(&format!("/v1/devboxes/{devbox}/resume"), json!({})).await.error(400);
    assert_eq!(
        api.get(&format!("/v1/network-policies/{}", policy["id"].as_str().unwrap())).await.ok(),
        policy
    );
    let mount = json!({"type": "object_mount", "object_id": object, "object_path": "mounted"});
    let from_snapshot =
        api.devbox(json!({"snapshot_id": snapshot["id"], "secrets": {"S": "S"}, "mounts": [mount]})).await;
    assert_eq!(api.stdout(&from_snapshot, "cat kept mounted; echo $S").await, "kept\nbyteshush\n");
    let from_blueprint = api.devbox(json!({"blueprint_id": blueprint["id"]})).await;
    assert_eq!(api.stdout(&from_blueprint, "cat built").await, "built\n");
    server.shutdown().await;
}

/// Takes a snapshot of a new box that no server is told of.
async fn orphan(sandbox: &Sandbox) -> SnapshotId {
    let linux_box = sandbox
        .create(BoxSpec {
            base: Base::Host,
            snapshot: None,
            network: Network::None,
            hostname: "devbox".into(),
            user: User::default(),
            env: Vec::new(),
            limits: Limits::default(),
            expose: Vec::new(),
        })
        .await
        .unwrap();
    linux_box.snapshot().await.unwrap()
}

pub(crate) async fn layers_that_no_server_knows_are_collected(_: Api) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(options(data.path())).await.unwrap();
    let api = Api::of(&server);
    let setup = json!({"name": "b", "system_setup_commands": ["echo built > built"]});
    api.post("/v1/blueprints", setup).await.ok();
    while api.get("/v1/blueprints").await.ok()["blueprints"][0]["status"] != "build_complete" {
        tokio::task::yield_now().await;
    }
    let devbox = api.devbox(json!({"blueprint_name": "b"})).await;
    api.stdout(&devbox, "echo kept > kept").await;
    let snapshot = api.post(&format!("/v1/devboxes/{devbox}/snapshot_disk"), json!({})).await.ok();
    server.shutdown().await;
    let state = data.path().join("sandbox");
    let sandbox = Sandbox::open(sandbox_options(&state)).await.unwrap();
    let known = sandbox.snapshots();
    let lost = orphan(&sandbox).await;
    sandbox.close().await;
    drop(sandbox);
    let layers = || -> Vec<String> {
        let entries = std::fs::read_dir(state.join("layers")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert!(known.len() == 2 && layers().contains(&lost.to_string()));

    let server = Server::start(options(data.path())).await.unwrap();
    tokio::time::timeout(PATIENCE, async {
        while layers().contains(&lost.to_string()) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the layer goes");
    let api = Api::of(&server);
    for params in [json!({"snapshot_id": snapshot["id"]}), json!({"blueprint_name": "b"})] {
        let devbox = api.devbox(params).await;
        assert_eq!(api.stdout(&devbox, "cat built").await, "built\n");
    }
    assert_eq!(layers().len(), known.len());
    server.shutdown().await;
}

pub(crate) async fn layers_of_a_sandbox_that_was_handed_in_are_left_alone(_: Api) {
    let (data, boxes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sandbox = Sandbox::open(sandbox_options(&boxes.path().join("boxes"))).await.unwrap();
    let foreign = orphan(&sandbox).await;
    let options = ServerOptions { sandbox: SandboxSource::Ready(sandbox.clone()), ..options(data.path()) };
    let server = Server::start(options).await.unwrap();
    let api = Api::of(&server);
    api.shutdown(&api.devbox(json!({})).await).await;
    assert!(sandbox.has_snapshot(&foreign));
    server.shutdown().await;
    assert!(sandbox.has_snapshot(&foreign));
}

pub(crate) async fn one_data_directory_one_server(_: Api) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(options(data.path())).await.unwrap();
    let error = Server::start(options(data.path())).await.unwrap_err();
    assert!(matches!(error, StartError::DataDir(_)), "{error:?}");
    server.shutdown().await;
}

pub(crate) async fn a_box_that_dies_fails_its_devbox(_: Api) {
    let (data, boxes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sandbox = Sandbox::open(sandbox_options(&boxes.path().join("boxes"))).await.unwrap();
    let options = ServerOptions { sandbox: SandboxSource::Ready(sandbox.clone()), ..options(data.path()) };
    let server = Server::start(options).await.unwrap();
    let api = Api::of(&server);
    let running = api.devbox(json!({})).await;
    let execution = api.start(&running, "echo started; exec sleep 1000").await;
    let path = format!("/v1/devboxes/{running}/executions/{execution}");
    while api.get(&path).await.ok()["stdout"] != "started\n" {
        tokio::task::yield_now().await;
    }
    let suspended = api.devbox(json!({})).await;
    api.post(&format!("/v1/devboxes/{suspended}/suspend"), json!({})).await.ok();
    // Behind the server's back.
    sandbox.close().await;
    for id in [&running, &suspended] {
        let view = api.wait_for(id, "failure").await;
        assert_eq!(view["failure_reason"], "health_check_failed");
    }
    assert_eq!(api.completed(&running, &execution).await["exit_status"], 137);
    let view = api.post("/v1/devboxes/create_and_await_running", json!({})).await.ok();
    assert_eq!(
        (&view["status"], &view["failure_reason"]),
        (&json!("failure"), &json!("health_check_failed"))
    );
    server.shutdown().await;
}

pub(crate) async fn a_graceful_shutdown_ends_everything(_: Api) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(options(data.path())).await.unwrap();
    let api = Api::of(&server);
    let devbox = api.devbox(json!({})).await;
    let execution = api.start(&devbox, "echo started; sleep 1000").await;
    let waiting = {
        let (api, devbox) = (api.clone(), devbox.clone());
        let path = format!("/v1/devboxes/{devbox}/wait_for_status");
        tokio::spawn(async move {
            api.post(&path, json!({"statuses": ["suspended"], "timeout_seconds": 30})).await
        })
    };
    let stream = {
        let (api, path) =
            (api.clone(), format!("/v1/devboxes/{devbox}/executions/{execution}/stream_stdout_updates"));
        tokio::spawn(async move { api.stream(&path).await })
    };
    // Both are under way once the server has answered something that came after them.
    for _ in 0..3 {
        api.get("/v1/accounts/me").await.ok();
    }
    tokio::time::timeout(PATIENCE, server.shutdown()).await.expect("the end is prompt");
    let answer = waiting.await.unwrap();
    assert!([408, 503].contains(&answer.status), "{}", answer.text());
    let (text, _) = stream.await.unwrap();
    assert!("started\n".starts_with(&text));
    assert!(
        api.request(reqwest::Method::GET, "/v1/accounts/me").send().await.is_err(),
        "nobody answers any more"
    );
}

pub(crate) async fn a_dropped_server_ends_its_boxes(_: Api) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(options(data.path())).await.unwrap();
    let api = Api::of(&server);
    let devbox = api.devbox(json!({})).await;
    let seen = data.path().join("sandbox");
    let mark = format!("sleep 98765{}", std::process::id());
    api.start(&devbox, &format!("exec {mark}")).await;
    let alive = || {
        let listed = Command::new("pgrep").args(["-f", &format!("^{mark}$")]).output().unwrap();
        !listed.stdout.is_empty()
    };
    tokio::time::timeout(PATIENCE, async {
        while !alive() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the command runs");
    drop(server);
    tokio::time::timeout(PATIENCE, async {
        while alive() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the command ends with the server");
    assert!(seen.exists(), "what must be kept is kept");
}

pub(crate) async fn a_taken_port_is_told(api: Api) {
    let port = api.url.rsplit(':').next().unwrap().parse().unwrap();
    let data = tempfile::tempdir().unwrap();
    let error = Server::start(ServerOptions { bind_port: port, ..options(data.path()) }).await.unwrap_err();
    assert!(matches!(error, StartError::Bind { port: told, .. } if told == port), "{error:?}");
}

pub(crate) async fn a_key_can_be_given(_: Api) {
    let data = tempfile::tempdir().unwrap();
    let key = "ak_chosen".to_owned();
    let server = Server::start(ServerOptions { api_key: Some(key.clone().into()), ..options(data.path()) })
        .await
        .unwrap();
    assert!(server.url().starts_with("http://127.0.0.1:"));
    assert!(!format!("{server:?}").contains(&key));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/accounts/me", server.url());
    Answer::of(http.get(&url).bearer_auth(&key)).await.ok();
    Answer::of(http.get(&url).bearer_auth("ak_other")).await.error(401);
    server.shutdown().await;
}
