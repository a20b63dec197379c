//! What holds for every endpoint.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Api, fresh_id};

pub(crate) async fn a_request_without_the_right_key_is_refused(api: Api) {
    let url = format!("{}/v1/devboxes", api.url);
    assert!(Answer::of(api.http.get(&url)).await.error(401).contains("Authorization"));
    Answer::of(api.http.get(&url).bearer_auth("ak_wrong")).await.error(401);
    Answer::of(api.http.get(&url).header("authorization", "Basic eDp5")).await.error(401);
    // Also for what is not there: nothing is told to strangers.
    Answer::of(api.http.get(format!("{}/v1/nothing", api.url))).await.error(401);
}

pub(crate) async fn a_request_for_another_host_is_refused(api: Api) {
    let request = || api.request(Method::GET, "/v1/devboxes");
    let message = Answer::of(request().header("host", "evil.test")).await.error(403);
    assert!(message.contains("evil.test"), "{message}");
    let port = api.url.rsplit(':').next().unwrap();
    Answer::of(request().header("host", format!("evil.test:{port}"))).await.error(403);
    Answer::of(request().header("host", format!("localhost:{port}"))).await.ok();
}

pub(crate) async fn what_is_not_served_says_so(api: Api) {
    for path in ["/v1/axons", "/v1/scenarios", "/v2/devboxes", "/", "/v1/devboxes/dbx_1/enable_tunnel"] {
        let answer = api.post(path, json!({})).await;
        let message = answer.error(404);
        assert!(message.contains("is not served by this version") && message.contains(path), "{message}");
        assert_eq!(answer.header("x-should-retry"), Some("false"));
    }
    let answer = Answer::of(api.request(Method::DELETE, "/v1/devboxes")).await;
    assert!(answer.error(404).starts_with("DELETE /v1/devboxes "));
}

pub(crate) async fn malformed_json_is_told_with_its_place(api: Api) {
    let request = api.request(Method::POST, "/v1/devboxes").body("{\"name\": }");
    let message = Answer::of(request).await.error(400);
    assert!(message.contains("line 1 column"), "{message}");
    let message = api.post("/v1/devboxes", json!({"metadata": {"a": 1}})).await.error(400);
    assert!(message.contains("expected a string"), "{message}");
    api.post("/v1/devboxes", json!([])).await.error(400);
}

pub(crate) async fn an_empty_body_is_an_empty_object(api: Api) {
    let devbox = api.devbox(json!({})).await;
    let request = api.request(Method::POST, &format!("/v1/devboxes/{devbox}/keep_alive"));
    // As the official SDKs send it: a content type, and nothing.
    assert_eq!(Answer::of(request.header("content-type", "application/json")).await.ok(), json!({}));
    api.shutdown(&devbox).await;
}

pub(crate) async fn http2_with_prior_knowledge_is_spoken(api: Api) {
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let response = http.get(format!("{}/v1/devboxes", api.url)).bearer_auth(&api.key).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, reqwest::Version::HTTP_2));
    let response = api.request(Method::GET, "/v1/devboxes").send().await.unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_11);
}

pub(crate) async fn a_body_that_is_too_large_is_refused(api: Api) {
    let body = json!({"name": "x".repeat(17 * 1024 * 1024)});
    let answer = api.post("/v1/devboxes", body).await;
    assert!(answer.error(413).contains("16777216"), "{}", answer.text());
    assert_eq!(answer.header("x-should-retry"), Some("false"));
}

pub(crate) async fn a_repeated_request_is_done_once(api: Api) {
    let id = fresh_id();
    let body = json!({"name": "once"});
    let first = api.post_as(&id, "/v1/devboxes", body.clone()).await.ok();
    let again = api.post_as(&id, "/v1/devboxes", body).await.ok();
    assert_eq!(first, again, "the answer is replayed, not made anew");
    // A failure is not kept: what was wrong then may be right now.
    let id = fresh_id();
    let path = format!("/v1/devboxes/{}/suspend", first["id"].as_str().unwrap());
    api.wait_for(first["id"].as_str().unwrap(), "running").await;
    api.post(&path, json!({})).await.ok();
    api.post_as(&id, &path, json!({})).await.error(400);
    api.post(&path.replace("suspend", "resume"), json!({})).await.ok();
    api.post_as(&id, &path, json!({})).await.ok();
    api.shutdown(first["id"].as_str().unwrap()).await;
}

pub(crate) async fn concurrent_duplicates_are_done_once(api: Api) {
    let id = fresh_id();
    let requests = (0..8).map(|_| {
        let (api, id) = (api.clone(), id.clone());
        tokio::spawn(async move {
            api.post_as(&id, "/v1/devboxes/create_and_await_running", json!({"name": "one of many"}))
                .await
                .ok()
        })
    });
    let mut ids = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        ids.push(request.await.unwrap()["id"].as_str().unwrap().to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    api.shutdown(&ids[0]).await;
}

pub(crate) async fn a_request_id_cannot_be_used_for_two_requests(api: Api) {
    let id = fresh_id();
    api.post_as(&id, "/v1/secrets", json!({"name": fresh_id(), "value": "one"})).await.ok();
    let answer = api.post_as(&id, "/v1/secrets", json!({"name": fresh_id(), "value": "two"})).await;
    answer.error(422);
    assert_eq!(answer.header("x-should-retry"), Some("false"));
}

pub(crate) async fn a_request_whose_client_hung_up_is_done_all_the_same(api: Api) {
    let devbox = api.devbox(json!({})).await;
    let (path, id) = (format!("/v1/devboxes/{devbox}/execute"), fresh_id());
    let body = json!({"command": "sleep 0.7; echo ran >> count", "command_id": fresh_id()});
    let first = api.request(Method::POST, &path).header("x-request-id", &id).json(&body);
    let cut = first.timeout(Duration::from_millis(200)).send().await;
    assert!(cut.is_err(), "the client hangs up first");
    let retry = api.post_as(&id, &path, body).await.ok();
    assert_eq!(retry["status"], "completed");
    assert_eq!(api.stdout(&devbox, "cat count").await, "ran\n");
    api.shutdown(&devbox).await;
}

pub(crate) async fn the_account_is_there(api: Api) {
    let account = api.get("/v1/accounts/me").await.ok();
    for field in ["id", "name", "tier", "account_status", "created_at"] {
        assert!(account[field].is_string(), "{account}");
    }
    assert!(account["billing"]["account_billing_type"].is_string());
}

pub(crate) async fn unknown_and_malformed_ids_are_told_apart(api: Api) {
    for path in ["devboxes", "blueprints", "objects", "network-policies"] {
        assert!(api.get(&format!("/v1/{path}/xyz_1")).await.error(404).contains("`xyz_1`"));
        api.get(&format!("/v1/{path}/a%20b")).await.error(400);
        api.get(&format!("/v1/{path}/{}", "x".repeat(500))).await.error(400);
    }
    api.get("/v1/devboxes/disk_snapshots/snp_1/status").await.error(404);
    api.get("/v1/devboxes/a%2Fb").await.error(400);
    api.get("/v1/devboxes/%ff").await.error(400);
}
