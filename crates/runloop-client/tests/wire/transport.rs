//! Proxies, the user agent and what goes to the log.

use runloop_client::{Client, ConfigError};
use serde_json::json;

use crate::support::{RawServer, always, builder, header, json as answer, requests, say_json};

#[tokio::test]
async fn a_proxy_is_asked_for_other_machines() {
    let proxy = RawServer::start(vec![say_json(&json!({"id": "acc_1"}))]).await;
    let client = builder("http://api.invalid").proxy(&proxy.url).max_retries(0).build().unwrap();
    assert_eq!(client.accounts().me().await.unwrap().id, "acc_1");
    assert_eq!(proxy.targets(), ["http://api.invalid/v1/accounts/me"]);
}

#[tokio::test]
async fn a_server_on_this_machine_is_never_asked_through_a_proxy() {
    let server = always(answer(200, json!({"id": "acc_1"}))).await;
    let client = builder(&server.uri()).proxy("http://proxy.invalid:3128").max_retries(0).build().unwrap();
    client.accounts().me().await.unwrap();
}

#[test]
fn a_proxy_that_is_none_is_refused_without_showing_it() {
    for url in ["", "proxy", "user:hunter2@proxy", "hunter2://"] {
        let error = Client::builder().api_key("ak").proxy(url).build().unwrap_err();
        assert!(matches!(error, ConfigError::BadProxy), "{url}: {error}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn requests_name_this_client_unless_told_otherwise() {
    let server = always(answer(200, json!({"id": "acc_1"}))).await;
    builder(&server.uri()).build().unwrap().accounts().me().await.unwrap();
    builder(&server.uri()).header("User-Agent", "mine/1").build().unwrap().accounts().me().await.unwrap();
    let requests = requests(&server).await;
    let expected = concat!("runloop-client-rust/", env!("CARGO_PKG_VERSION"));
    assert_eq!(header(&requests[0], "user-agent").as_deref(), Some(expected));
    assert_eq!(header(&requests[1], "user-agent").as_deref(), Some("mine/1"));
}

#[tokio::test]
async fn a_calls_own_headers_do_not_follow_a_redirect_to_another_host() {
    let elsewhere = always(answer(200, json!({"id": "acc_1"}))).await;
    let to = wiremock::ResponseTemplate::new(307).insert_header("location", format!("{}/x", elsewhere.uri()));
    let server = always(to).await;
    let client = builder(&server.uri()).build().unwrap();
    for _ in 0..2 {
        let error = client.accounts().me().header("X-Token", "hunter2").await.unwrap_err();
        assert_eq!(error.status(), Some(307));
        client.accounts().me().await.unwrap();
    }
    let requests = requests(&elsewhere).await;
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!((header(&request, "x-token"), header(&request, "authorization")), (None, None));
    }
}

/// Runs itself once more as `log_child`, to see its standard error.
fn log_of(level: &str, url: &str) -> String {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "transport::log_child", "--ignored", "--nocapture"])
        .env("RUNLOOP_BASE_URL", url)
        .env("RUNLOOP_API_KEY", "ak_hunter2")
        .env("RUNLOOP_LOG", level)
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
#[ignore = "run by the_log_has_a_line_for_each_call"]
async fn log_child() {
    let client = Client::builder().jitter(|| 1.0).from_env(|name| std::env::var(name).ok()).unwrap();
    let _ = client.build().unwrap().devboxes().suspend("dbx_1").max_retries(1).idempotency_key("key-1").await;
}

#[tokio::test]
async fn the_log_has_a_line_for_each_call() {
    let good = always(answer(200, json!({"id": "dbx_1"}))).await;
    let bad = always(crate::support::passing(503)).await;
    let (good_url, bad_url) = (good.uri(), bad.uri());
    let [info, bad_info, bad_debug] = tokio::task::spawn_blocking(move || {
        [log_of("info", &good_url), log_of("INFO", &bad_url), log_of("debug", &bad_url)]
    })
    .await
    .unwrap();
    assert!(info.starts_with("runloop: POST /v1/devboxes/dbx_1/suspend: 200 in "), "{info}");
    assert!(info.contains("(request key-1)") && info.lines().count() == 1, "{info}");
    assert_eq!(
        bad_info,
        "runloop: POST /v1/devboxes/dbx_1/suspend: 503 try again (request key-1, 2 attempts)\n"
    );
    assert_eq!(bad_debug.lines().count(), 2, "{bad_debug}");
    assert!(bad_debug.contains("1 attempt); again in 1.0ms"), "{bad_debug}");
    for text in [info, bad_info, bad_debug] {
        assert!(!text.contains("hunter2"));
    }
    let error = Client::builder().from_env(|name| (name == "RUNLOOP_LOG").then(|| "loud".to_owned()));
    assert!(matches!(error, Err(ConfigError::BadLog { .. })));
}

#[test]
fn a_wait_is_small() {
    // A thousand of them at once are nothing special.
    let devboxes = crate::support::client("http://127.0.0.1:1").devboxes();
    let id = "dbx_1".into();
    let wait = devboxes.await_running(&id, runloop_client::WaitOptions::forever());
    assert!(std::mem::size_of_val(&wait) < 3072, "{}", std::mem::size_of_val(&wait));
}
