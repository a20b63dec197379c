//! Secrets.

use serde_json::json;

use crate::support::{Api, fresh_id};

pub(crate) async fn a_secret_becomes_an_environment_variable(api: Api) {
    let name = format!("with-dashes-{}", fresh_id());
    api.post("/v1/secrets", json!({"name": name, "value": "s3cr3t \"quoted\"\n"})).await.ok();
    let id = api.devbox(json!({"secrets": {"TOKEN": name}})).await;
    assert_eq!(api.stdout(&id, "printf %s \"$TOKEN\"").await, "s3cr3t \"quoted\"\n");
    api.shutdown(&id).await;
}

pub(crate) async fn values_are_never_shown(api: Api) {
    let (name, value) = (fresh_id(), fresh_id());
    let view = api.post("/v1/secrets", json!({"name": name, "value": value})).await.ok();
    let launch = json!({"launch_commands": ["echo $TOKEN >&2; exit 1"]});
    let devbox = json!({"secrets": {"TOKEN": name}, "launch_parameters": launch});
    let devbox = api.post("/v1/devboxes/create_and_await_running", devbox).await.ok();
    assert_eq!(devbox["status"], "failure");
    for text in [
        view.to_string(),
        devbox.to_string(),
        api.get(&format!("/v1/secrets/{name}")).await.text(),
        api.get("/v1/secrets?limit=5000").await.text(),
    ] {
        assert!(!text.contains(&value), "{text}");
    }
}

pub(crate) async fn secrets_by_name_and_by_id(api: Api) {
    let name = fresh_id();
    let view = api.post("/v1/secrets", json!({"name": name, "value": "one"})).await.ok();
    let id = view["id"].as_str().unwrap();
    assert!(id.starts_with("sec_"));
    assert_eq!(api.get(&format!("/v1/secrets/{name}")).await.ok(), view);
    assert_eq!(api.get(&format!("/v1/secrets/id/{id}")).await.ok(), view);
    api.get(&format!("/v1/secrets/{id}")).await.error(404);
    api.get(&format!("/v1/secrets/id/{name}")).await.error(404);
    let updated = api.post(&format!("/v1/secrets/{name}"), json!({"value": "two"})).await.ok();
    assert!(updated["update_time_ms"].as_i64() >= view["update_time_ms"].as_i64());
    assert_eq!(updated["create_time_ms"], view["create_time_ms"]);
    api.post(&format!("/v1/secrets/id/{id}/update"), json!({"value": "three"})).await.ok();
    let devbox = api.devbox(json!({"secrets": {"A": name}})).await;
    assert_eq!(api.stdout(&devbox, "echo $A").await, "three\n");
    api.shutdown(&devbox).await;
    assert_eq!(api.post(&format!("/v1/secrets/id/{id}/delete"), json!({})).await.ok()["id"], id);
    api.get(&format!("/v1/secrets/{name}")).await.error(404);
    api.post(&format!("/v1/secrets/{name}/delete"), json!({})).await.error(404);
    // Names that look like parts of the paths.
    for name in ["id", "delete", "a/b", "ü"] {
        let encoded = name.replace('/', "%2F").replace('ü', "%C3%BC");
        api.post("/v1/secrets", json!({"name": name, "value": "x"})).await.ok();
        assert_eq!(api.get(&format!("/v1/secrets/{encoded}")).await.ok()["name"], name);
        assert_eq!(api.post(&format!("/v1/secrets/{encoded}/delete"), json!({})).await.ok()["name"], name);
    }
}

pub(crate) async fn a_name_is_taken_once(api: Api) {
    let name = fresh_id();
    api.post("/v1/secrets", json!({"name": name, "value": "x"})).await.ok();
    assert!(api.post("/v1/secrets", json!({"name": name, "value": "y"})).await.error(400).contains("taken"));
    api.post(&format!("/v1/secrets/{name}/delete"), json!({})).await.ok();
    api.post("/v1/secrets", json!({"name": name, "value": "z"})).await.ok();
    for params in [
        json!({"name": "", "value": "x"}),
        json!({"name": "a\nb", "value": "x"}),
        json!({"name": fresh_id(), "value": ""}),
        json!({"name": fresh_id(), "value": "a\0b"}),
        json!({"name": fresh_id()}),
    ] {
        api.post("/v1/secrets", params).await.error(400);
    }
}

pub(crate) async fn an_update_does_not_reach_running_devboxes(api: Api) {
    let name = fresh_id();
    api.post("/v1/secrets", json!({"name": name, "value": "old"})).await.ok();
    let id = api.devbox(json!({"secrets": {"A": name}})).await;
    api.post(&format!("/v1/secrets/{name}"), json!({"value": "new"})).await.ok();
    assert_eq!(api.stdout(&id, "echo $A").await, "old\n");
    api.shutdown(&id).await;
}
