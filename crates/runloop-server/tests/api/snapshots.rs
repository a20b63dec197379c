//! Disk snapshots.

use serde_json::{Value, json};

use crate::support::{Api, fresh_id};

async fn snapshot(api: &Api, devbox: &str, params: Value) -> String {
    let view = api.post(&format!("/v1/devboxes/{devbox}/snapshot_disk"), params).await.ok();
    view["id"].as_str().unwrap().to_owned()
}

async fn status(api: &Api, id: &str) -> Value {
    api.get(&format!("/v1/devboxes/disk_snapshots/{id}/status")).await.ok()
}

pub(crate) async fn a_devbox_starts_from_a_snapshot(api: Api) {
    let first = api.devbox(json!({})).await;
    api.stdout(&first, "echo before > file; ln -s file link; mkdir -m 700 dir").await;
    let snap = snapshot(&api, &first, json!({"name": "s", "commit_message": "why"})).await;
    assert!(snap.starts_with("snp_"));
    api.stdout(&first, "echo after > file").await;
    let second = api.devbox(json!({"snapshot_id": snap})).await;
    assert_eq!(api.stdout(&second, "cat link; stat -c %a dir").await, "before\n700\n");
    let view = api.get(&format!("/v1/devboxes/{second}")).await.ok();
    assert_eq!(view["snapshot_id"], snap.as_str());
    api.stdout(&second, "echo second > file").await;
    assert_eq!(api.stdout(&first, "cat file").await, "after\n", "forks do not see each other");
    // A snapshot of a fork of a snapshot.
    let deeper = snapshot(&api, &second, json!({})).await;
    let third = api.devbox(json!({"snapshot_id": deeper})).await;
    assert_eq!(api.stdout(&third, "cat file").await, "second\n");
    for id in [first, second, third] {
        api.shutdown(&id).await;
    }
}

pub(crate) async fn a_suspended_devbox_is_snapshot_and_resumed(api: Api) {
    let id = api.devbox(json!({})).await;
    api.stdout(&id, "echo one > file").await;
    api.post(&format!("/v1/devboxes/{id}/suspend"), json!({})).await.ok();
    let snap = snapshot(&api, &id, json!({})).await;
    assert_eq!(api.get(&format!("/v1/devboxes/{id}")).await.ok()["status"], "suspended");
    let view = api.post(&format!("/v1/devboxes/{id}/resume"), json!({})).await.ok();
    assert_eq!(view["status"], "running");
    assert_eq!(api.stdout(&id, "cat file; echo two > file; cat file").await, "one\ntwo\n");
    let fork = api.devbox(json!({"snapshot_id": snap})).await;
    assert_eq!(api.stdout(&fork, "cat file").await, "one\n");
    api.shutdown(&fork).await;
    api.shutdown(&id).await;
}

pub(crate) async fn an_async_snapshot_completes(api: Api) {
    let id = api.devbox(json!({})).await;
    api.start(&id, "sleep 1000").await;
    let view = api
        .post(&format!("/v1/devboxes/{id}/snapshot_disk_async"), json!({"metadata": {"k": "v"}}))
        .await
        .ok();
    assert_eq!((&view["source_devbox_id"], &view["metadata"]["k"]), (&json!(id), &json!("v")));
    let snap = view["id"].as_str().unwrap();
    let done = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            let status = status(&api, snap).await;
            match status["status"].as_str().unwrap() {
                "in_progress" => tokio::task::yield_now().await,
                _ => return status,
            }
        }
    });
    let done = done.await.expect("it completes");
    assert_eq!((&done["status"], &done["snapshot"]["id"]), (&json!("complete"), &json!(snap)), "{done}");
    assert_eq!(api.stdout(&id, "echo goes on").await, "goes on\n");
    api.shutdown(&id).await;
}

pub(crate) async fn a_shutdown_waits_for_a_snapshot_unless_forced(api: Api) {
    let id = api.devbox(json!({})).await;
    // Enough that copying it takes a while; something must run, or there is nothing to copy.
    api.stdout(&id, "head -c 400M /dev/zero > big").await;
    api.start(&id, "sleep 1000").await;
    let view = api.post(&format!("/v1/devboxes/{id}/snapshot_disk_async"), json!({})).await.ok();
    let snap = view["id"].as_str().unwrap();
    assert_eq!(status(&api, snap).await["status"], "in_progress");
    api.post(&format!("/v1/devboxes/disk_snapshots/{snap}/delete"), json!({})).await.error(409);
    let message = api.post(&format!("/v1/devboxes/{id}/shutdown"), json!({})).await.error(409);
    assert!(message.contains("force=true"), "{message}");
    let view = api.post(&format!("/v1/devboxes/{id}/shutdown?force=true"), json!({})).await.ok();
    assert_eq!(view["status"], "shutdown");
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while status(&api, snap).await["status"] == "in_progress" {
            tokio::task::yield_now().await;
        }
    });
    ended.await.expect("the snapshot ends with its devbox, or before");
}

pub(crate) async fn snapshots_are_filtered_by_metadata(api: Api) {
    let id = api.devbox(json!({})).await;
    let run = fresh_id();
    let mut made = Vec::new();
    for step in ["prepare", "agent", "it's \"odd\""] {
        made.push(snapshot(&api, &id, json!({"metadata": {"run": run, "step": step}})).await);
    }
    let listed = async |query: &str| {
        let page = api.get(&format!("/v1/devboxes/disk_snapshots?{query}")).await.ok();
        let ids =
            page["snapshots"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>(), page["total_count"].as_u64().unwrap())
    };
    let newest_first: Vec<_> = made.iter().rev().cloned().collect();
    assert_eq!(listed(&format!("metadata[run]={run}")).await, (newest_first.clone(), 3));
    assert_eq!(listed(&format!("metadata[run]={run}&metadata[step]=agent")).await.0, [made[1].clone()]);
    assert_eq!(listed(&format!("metadata[run]={run}&metadata[step][in]=prepare,agent")).await.1, 2);
    assert_eq!(listed(&format!("metadata[run]={run}&metadata[step]=it's%20%22odd%22")).await.1, 1);
    assert_eq!(listed(&format!("metadata[run]={run}&metadata[no]=x")).await.1, 0);
    assert_eq!(listed(&format!("devbox_id={id}")).await.0, newest_first);
    assert_eq!(
        listed(&format!("devbox_id={id}&limit=1&starting_after={}", made[2])).await.0,
        [made[1].clone()]
    );
    api.get("/v1/devboxes/disk_snapshots?starting_after=snp_none").await.error(400);
    api.shutdown(&id).await;
}

pub(crate) async fn a_deleted_snapshot_stays_readable(api: Api) {
    let id = api.devbox(json!({})).await;
    let snap = snapshot(&api, &id, json!({})).await;
    let fork = api.devbox(json!({"snapshot_id": snap})).await;
    let path = format!("/v1/devboxes/disk_snapshots/{snap}/delete");
    assert_eq!(api.post(&path, json!({})).await.ok(), json!({}));
    assert_eq!(status(&api, &snap).await["status"], "deleted");
    assert_eq!(api.post(&path, json!({})).await.ok(), json!({}));
    api.post("/v1/devboxes", json!({"snapshot_id": snap})).await.error(400);
    let listed = api.get(&format!("/v1/devboxes/disk_snapshots?devbox_id={id}")).await.ok();
    assert_eq!(listed["snapshots"], json!([]));
    assert_eq!(api.stdout(&fork, "echo still here").await, "still here\n");
    api.post("/v1/devboxes/disk_snapshots/snp_none/delete", json!({})).await.error(404);
    api.shutdown(&fork).await;
    api.shutdown(&id).await;
}

pub(crate) async fn snapshots_are_updated(api: Api) {
    let id = api.devbox(json!({})).await;
    let snap = snapshot(&api, &id, json!({"name": "old", "metadata": {"a": "1", "b": "2"}})).await;
    let path = format!("/v1/devboxes/disk_snapshots/{snap}");
    let view = api.post(&path, json!({"metadata": {"c": "3"}})).await.ok();
    assert_eq!((&view["name"], &view["metadata"]), (&json!("old"), &json!({"c": "3"})));
    let view = api.post(&path, json!({"name": "new", "commit_message": "m"})).await.ok();
    assert_eq!((&view["name"], &view["commit_message"]), (&json!("new"), &json!("m")));
    api.post(&path, json!({"commit_message": "x".repeat(1001)})).await.error(400);
    api.shutdown(&id).await;
}

pub(crate) async fn what_cannot_be_snapshot_is_refused(api: Api) {
    let id = api.devbox(json!({})).await;
    let path = format!("/v1/devboxes/{id}/snapshot_disk");
    api.post(&path, json!({"commit_message": "é".repeat(1001)})).await.error(400);
    api.shutdown(&id).await;
    api.post(&path, json!({})).await.error(400);
    api.post("/v1/devboxes/dbx_none/snapshot_disk", json!({})).await.error(404);
}

pub(crate) async fn a_snapshot_outlives_its_devbox(api: Api) {
    let id =
        api.devbox(json!({"launch_parameters": {"user_parameters": {"username": "dev", "uid": 1234}}})).await;
    api.stdout(&id, "echo kept > file").await;
    let snap = snapshot(&api, &id, json!({})).await;
    api.shutdown(&id).await;
    let fork = api.devbox(json!({"snapshot_id": snap})).await;
    assert_eq!(api.stdout(&fork, "cat file; echo $USER").await, "kept\ndev\n", "its user comes with it");
    api.shutdown(&fork).await;
}
