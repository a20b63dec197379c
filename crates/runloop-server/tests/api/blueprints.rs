//! Blueprints.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Api, fresh_id};

/// Asks for a blueprint and waits for the end of its build.
async fn build(api: &Api, params: Value) -> Value {
    let view = api.post("/v1/blueprints", params).await.ok();
    let path = format!("/v1/blueprints/{}", view["id"].as_str().unwrap());
    let built = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let view = api.get(&path).await.ok();
            if !["queued", "provisioning", "building"].contains(&view["status"].as_str().unwrap()) {
                return view;
            }
            tokio::task::yield_now().await;
        }
    });
    built.await.expect("the build ends")
}

async fn log(api: &Api, id: &Value) -> String {
    let logs = api.get(&format!("/v1/blueprints/{}/logs", id.as_str().unwrap())).await.ok();
    assert_eq!(&logs["blueprint_id"], id);
    logs["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{}\n", line["message"].as_str().unwrap()))
        .collect()
}

pub(crate) async fn a_blueprint_is_built_and_used(api: Api) {
    let params = json!({
        "name": fresh_id(),
        "system_setup_commands": ["echo installing; echo tool > tool", "cat conf/a >> tool"],
        "file_mounts": {"conf/a": "from a mount\n"},
        "metadata": {"k": "v"},
    });
    let view = build(&api, params.clone()).await;
    assert_eq!((&view["status"], &view["state"]), (&json!("build_complete"), &json!("created")), "{view}");
    assert_eq!(
        (&view["metadata"], &view["parameters"]["file_mounts"]),
        (&json!({"k": "v"}), &params["file_mounts"])
    );
    assert!(view["build_finish_time_ms"].is_i64());
    assert!(log(&api, &view["id"]).await.contains("installing\n"));
    let id = api.devbox(json!({"blueprint_id": view["id"]})).await;
    assert_eq!(api.stdout(&id, "cat tool").await, "tool\nfrom a mount\n");
    assert_eq!(api.get(&format!("/v1/devboxes/{id}")).await.ok()["blueprint_id"], view["id"]);
    api.shutdown(&id).await;
    // Nothing but a name is the default image.
    let plain = build(&api, json!({"name": fresh_id()})).await;
    let id = api.devbox(json!({"blueprint_id": plain["id"]})).await;
    api.shutdown(&id).await;
}

pub(crate) async fn the_newest_build_of_a_name_is_used(api: Api) {
    let name = fresh_id();
    for version in ["one", "two"] {
        build(&api, json!({"name": name, "system_setup_commands": [format!("echo {version} > version")]}))
            .await;
    }
    let failed = build(&api, json!({"name": name, "system_setup_commands": ["exit 1"]})).await;
    assert_eq!(failed["status"], "failed");
    let id = api.devbox(json!({"blueprint_name": name})).await;
    assert_eq!(api.stdout(&id, "cat version").await, "two\n");
    api.shutdown(&id).await;
    let listed = async |query: &str| {
        let page = api.get(&format!("/v1/blueprints?name={name}{query}")).await.ok();
        page["blueprints"].as_array().unwrap().len()
    };
    assert_eq!((listed("").await, listed("&status=failed").await, listed("&limit=1").await), (3, 1, 1));
    assert_eq!(api.get("/v1/blueprints/list_public").await.ok()["blueprints"], json!([]));
}

pub(crate) async fn a_failing_build_fails_with_its_log(api: Api) {
    let commands = json!(["echo fine", "echo about to fail >&2; exit 9", "echo never"]);
    let view = build(&api, json!({"name": fresh_id(), "system_setup_commands": commands})).await;
    assert_eq!((&view["status"], &view["failure_reason"]), (&json!("failed"), &json!("build_failed")));
    let log = log(&api, &view["id"]).await;
    assert!(log.contains("fine\n") && log.contains("about to fail\n"), "{log}");
    assert!(log.contains("setup command 2 of 3 ended with status 9") && !log.contains("never"), "{log}");
    api.post("/v1/devboxes", json!({"blueprint_id": view["id"]})).await.error(400);
}

pub(crate) async fn secrets_of_a_build_are_not_in_the_image(api: Api) {
    let (secret, value) = (fresh_id(), fresh_id());
    api.post("/v1/secrets", json!({"name": secret, "value": value})).await.ok();
    let view = build(
        &api,
        json!({
            "name": fresh_id(),
            "secrets": {"TOKEN": secret},
            "system_setup_commands": ["printf %s \"$TOKEN\" | wc -c > length", "echo the token is $TOKEN"],
        }),
    )
    .await;
    assert_eq!(view["parameters"]["secrets"], json!({"TOKEN": secret}), "names, not values");
    assert!(!view.to_string().contains(&value));
    let log = log(&api, &view["id"]).await;
    assert!(log.contains("the token is ***") && !log.contains(&value), "{log}");
    let id = api.devbox(json!({"blueprint_id": view["id"]})).await;
    assert_eq!(api.stdout(&id, "cat length; echo \"[$TOKEN]\"").await, "36\n[]\n");
    api.shutdown(&id).await;
    let unknown = json!({"name": fresh_id(), "secrets": {"TOKEN": fresh_id()}});
    api.post("/v1/blueprints", unknown).await.error(404);
}

pub(crate) async fn a_blueprint_builds_on_another(api: Api) {
    let base_name = fresh_id();
    let base = build(&api, json!({"name": base_name, "system_setup_commands": ["echo base > file"]})).await;
    let by_id = json!({"name": fresh_id(), "base_blueprint_id": base["id"], "system_setup_commands": ["echo top >> file"]});
    let top = build(&api, by_id).await;
    assert_eq!(top["base_blueprint_id"], base["id"]);
    let by_name = build(&api, json!({"name": fresh_id(), "base_blueprint_name": base_name})).await;
    // What stands below may go.
    api.post(&format!("/v1/blueprints/{}/delete", base["id"].as_str().unwrap()), json!({})).await.ok();
    for (view, content) in [(top, "base\ntop\n"), (by_name, "base\n")] {
        let id = api.devbox(json!({"blueprint_id": view["id"]})).await;
        assert_eq!(api.stdout(&id, "cat file").await, content);
        api.shutdown(&id).await;
    }
    api.post("/v1/blueprints", json!({"name": "x", "base_blueprint_id": "bpt_none"})).await.error(404);
    let both = json!({"name": "x", "base_blueprint_id": "bpt_a", "base_blueprint_name": "b"});
    api.post("/v1/blueprints", both).await.error(400);
}

pub(crate) async fn launch_parameters_are_inherited(api: Api) {
    let launch = json!({"keep_alive_time_seconds": 77, "launch_commands": ["echo launched > launched"]});
    let view = build(&api, json!({"name": fresh_id(), "launch_parameters": launch})).await;
    let over = json!({"keep_alive_time_seconds": 88});
    let id = api.devbox(json!({"blueprint_id": view["id"], "launch_parameters": over})).await;
    assert_eq!(api.stdout(&id, "cat launched").await, "launched\n");
    let devbox = api.get(&format!("/v1/devboxes/{id}")).await.ok();
    assert_eq!(devbox["launch_parameters"]["keep_alive_time_seconds"], 88);
    api.shutdown(&id).await;
}

pub(crate) async fn dockerfiles_are_refused_with_a_way_out(api: Api) {
    let message =
        api.post("/v1/blueprints", json!({"name": "x", "dockerfile": "FROM debian"})).await.error(400);
    assert!(
        message.contains("not supported yet by this version") && message.contains("system_setup_commands")
    );
    for params in [
        json!({}),
        json!({"name": " "}),
        json!({"name": "x", "services": [{"name": "db", "image": "postgres"}]}),
        json!({"name": "x", "build_context": {"type": "object", "object_id": "obj_1"}}),
        json!({"name": "x", "code_mounts": [{"repo_owner": "o", "repo_name": "n"}]}),
        json!({"name": "x", "system_setup_commands": [""]}),
        json!({"name": "x", "file_mounts": {"": "x"}}),
        json!({"name": "x", "launch_parameters": {"resource_size_request": "HUGE"}}),
    ] {
        api.post("/v1/blueprints", params).await.error(400);
    }
}

pub(crate) async fn a_deleted_blueprint_stays_readable(api: Api) {
    let name = fresh_id();
    let view = build(&api, json!({"name": name, "system_setup_commands": ["true"]})).await;
    let path = format!("/v1/blueprints/{}", view["id"].as_str().unwrap());
    assert_eq!(api.post(&format!("{path}/delete"), json!({})).await.ok(), json!({}));
    assert_eq!(api.get(&path).await.ok()["state"], "deleted");
    assert_eq!(api.post(&format!("{path}/delete"), json!({})).await.ok(), json!({}));
    api.post("/v1/devboxes", json!({"blueprint_id": view["id"]})).await.error(400);
    api.post("/v1/devboxes", json!({"blueprint_name": name})).await.error(404);
    assert_eq!(api.get(&format!("/v1/blueprints?name={name}")).await.ok()["blueprints"], json!([]));
}

pub(crate) async fn dependent_snapshots_keep_a_blueprint(api: Api) {
    let view = build(&api, json!({"name": fresh_id(), "system_setup_commands": ["true"]})).await;
    let id = api.devbox(json!({"blueprint_id": view["id"]})).await;
    let snapshot = api.post(&format!("/v1/devboxes/{id}/snapshot_disk"), json!({})).await.ok();
    assert_eq!(snapshot["source_blueprint_id"], view["id"]);
    let snapshot = snapshot["id"].as_str().unwrap();
    let path = format!("/v1/blueprints/{}/delete", view["id"].as_str().unwrap());
    assert!(api.post(&path, json!({})).await.error(400).contains(snapshot));
    api.post(&format!("/v1/devboxes/disk_snapshots/{snapshot}/delete"), json!({})).await.ok();
    api.post(&path, json!({})).await.ok();
    api.shutdown(&id).await;
}
