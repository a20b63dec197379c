//! Stored objects.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Api, fresh_id};

async fn create(api: &Api, params: Value) -> Value {
    api.post("/v1/objects", params).await.ok()
}

fn field<'a>(view: &'a Value, name: &str) -> &'a str {
    view[name].as_str().unwrap_or_else(|| panic!("{name}: {view}"))
}

/// As a client does it: no key, no headers of the API.
async fn put(api: &Api, url: &str, bytes: &[u8]) -> Answer {
    Answer::of(api.http.put(url).body(bytes.to_vec())).await
}

async fn download_url(api: &Api, id: &str) -> String {
    field(&api.get(&format!("/v1/objects/{id}/download")).await.ok(), "download_url").to_owned()
}

pub(crate) async fn an_object_is_uploaded_completed_and_downloaded(api: Api) {
    let params = json!({"name": "data\n.bin", "content_type": "binary", "metadata": {"digest": "abc"}});
    let view = create(&api, params).await;
    let id = field(&view, "id").to_owned();
    assert!(id.starts_with("obj_") && view["upload_headers"].is_object());
    assert_eq!((field(&view, "state"), field(&view, "name")), ("UPLOADING", "data\n.bin"));
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let mut request = api.http.put(field(&view, "upload_url")).body(bytes.clone());
    for (name, value) in view["upload_headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    assert_eq!(Answer::of(request).await.status, 200);
    let done = api.post(&format!("/v1/objects/{id}/complete"), json!({})).await.ok();
    assert_eq!((field(&done, "state"), &done["size_bytes"]), ("READ_ONLY", &json!(3_000_000)));
    let read = api.get(&format!("/v1/objects/{id}")).await.ok();
    assert_eq!((&read["metadata"]["digest"], read.get("upload_url")), (&json!("abc"), None));
    let got = Answer::of(api.http.get(download_url(&api, &id).await)).await;
    assert!(got.status == 200 && got.body == bytes);
}

pub(crate) async fn signatures_are_checked(api: Api) {
    let one = create(&api, json!({"name": "one", "content_type": "text"})).await;
    let two = create(&api, json!({"name": "two", "content_type": "text"})).await;
    let url = field(&one, "upload_url");
    put(&api, &url.replace(field(&one, "id"), field(&two, "id")), b"x").await.error(403);
    put(&api, url.split('?').next().unwrap(), b"x").await.error(403);
    let (start, signature) = url.split_once("signature=").unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    put(&api, &format!("{start}signature={other}{}", &signature[1..]), b"x").await.error(403);
    let later = url.replacen("expires=1", "expires=2", 1);
    assert_ne!(later, url);
    put(&api, &later, b"x").await.error(403);
    // An upload URL is not a download URL.
    Answer::of(api.http.get(url.replace("/upload/", "/download/"))).await.error(403);
    // A short one runs out.
    put(&api, url, b"x").await;
    let id = field(&one, "id");
    api.post(&format!("/v1/objects/{id}/complete"), json!({})).await.ok();
    let view = api.get(&format!("/v1/objects/{id}/download?duration_seconds=0")).await;
    let expired = match view.status {
        200 => field(&view.json(), "download_url").to_owned(),
        _ => panic!("{}", view.text()),
    };
    Answer::of(api.http.get(expired)).await.error(403);
}

pub(crate) async fn an_object_changes_once(api: Api) {
    let view = create(&api, json!({"name": "x", "content_type": "text"})).await;
    let (id, url) = (field(&view, "id"), field(&view, "upload_url"));
    put(&api, url, b"first").await;
    assert_eq!(put(&api, url, b"second").await.status, 200, "until it is complete, the last upload counts");
    api.post(&format!("/v1/objects/{id}/complete"), json!({})).await.ok();
    let answer = api.post(&format!("/v1/objects/{id}/complete"), json!({})).await;
    answer.error(409);
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    put(&api, url, b"third").await.error(409);
    assert_eq!(Answer::of(api.http.get(download_url(&api, id).await)).await.text(), "second");
}

pub(crate) async fn an_empty_upload_cannot_be_completed(api: Api) {
    let view = create(&api, json!({"name": "x", "content_type": "text"})).await;
    let id = field(&view, "id");
    assert!(api.post(&format!("/v1/objects/{id}/complete"), json!({})).await.error(400).contains("PUT"));
    api.get(&format!("/v1/objects/{id}/download")).await.error(400);
    // No bytes are not nothing.
    put(&api, field(&view, "upload_url"), b"").await;
    assert_eq!(api.post(&format!("/v1/objects/{id}/complete"), json!({})).await.ok()["size_bytes"], 0);
}

pub(crate) async fn objects_are_listed_and_filtered(api: Api) {
    let mark = fresh_id();
    let text = api.object(&format!("{mark}-A.txt"), "text", b"t".to_vec()).await;
    let tar = api.object(&format!("{mark}-b.tar"), "tar", b"t".to_vec()).await;
    let open = create(&api, json!({"name": format!("{mark}-c"), "content_type": "text"})).await;
    let listed = async |query: &str| {
        let page = api.get(&format!("/v1/objects?{query}")).await.ok();
        page["objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| field(item, "id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        listed(&format!("name={mark}")).await,
        [field(&open, "id").to_owned(), tar.clone(), text.clone()]
    );
    assert_eq!(listed(&format!("name={mark}&content_type=tar")).await, vec![tar.clone()]);
    assert_eq!(listed(&format!("name={mark}&state=UPLOADING")).await.len(), 1);
    assert_eq!(listed(&format!("search={tar}")).await, vec![tar.clone()]);
    assert_eq!(
        listed(&format!("name={mark}-a.TXT")).await,
        vec![text.clone()],
        "names are found whatever their case"
    );
    let public = api.get("/v1/objects/list_public").await.ok();
    assert_eq!((&public["objects"], &public["has_more"]), (&json!([]), &json!(false)));
}

pub(crate) async fn a_deleted_object_stays_readable(api: Api) {
    let id = api.object("gone", "text", b"x".to_vec()).await;
    let url = download_url(&api, &id).await;
    let view = api.post(&format!("/v1/objects/{id}/delete"), json!({})).await.ok();
    assert_eq!(field(&view, "state"), "DELETED");
    assert_eq!(api.get(&format!("/v1/objects/{id}")).await.ok()["state"], "DELETED");
    api.get(&format!("/v1/objects/{id}/download")).await.error(400);
    Answer::of(api.http.get(url)).await.error(400);
    let mount = json!({"type": "object_mount", "object_id": id, "object_path": "x"});
    api.post("/v1/devboxes", json!({"mounts": [mount]})).await.error(400);
    api.post(&format!("/v1/objects/{id}/delete"), json!({})).await.ok();
}

pub(crate) async fn an_objects_time_ends(api: Api) {
    let view = create(&api, json!({"name": "short", "content_type": "text", "ttl_ms": 1000})).await;
    let id = field(&view, "id");
    assert_eq!(
        view["delete_after_time_ms"].as_i64().unwrap() - view["create_time_ms"].as_i64().unwrap(),
        1000
    );
    assert_eq!(api.get(&format!("/v1/objects/{id}")).await.ok()["state"], "UPLOADING");
    tokio::time::sleep(Duration::from_millis(1010)).await;
    assert_eq!(api.get(&format!("/v1/objects/{id}")).await.ok()["state"], "DELETED");
    let kept = create(&api, json!({"name": "kept", "content_type": "text", "ttl_ms": 0})).await;
    assert!(kept.get("delete_after_time_ms").is_none());
}

pub(crate) async fn impossible_objects_are_refused(api: Api) {
    for params in [
        json!({"content_type": "text"}),
        json!({"name": "", "content_type": "text"}),
        json!({"name": "x".repeat(2000), "content_type": "text"}),
        json!({"name": "x", "content_type": "csv"}),
        json!({"name": "x", "content_type": "text", "ttl_ms": -1}),
    ] {
        api.post("/v1/objects", params).await.error(400);
    }
    api.get("/v1/objects/obj_none").await.error(404);
}
