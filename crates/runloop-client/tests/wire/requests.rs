//! What is special about some requests, and what is never sent.

use std::time::Duration;

use runloop_client::Error;
use runloop_client::types::*;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{always, client, header, requests, target};

#[tokio::test]
async fn files_ask_for_the_kind_of_answer_they_expect() {
    let server = always(ResponseTemplate::new(200).set_body_raw("text ä".as_bytes(), "text/plain")).await;
    let client = client(&server.uri());
    assert_eq!(client.devboxes().read_file_contents("dbx_1", "a").await.unwrap(), "text ä");
    let stream = client.devboxes().download_file("dbx_1", "a").await.unwrap();
    assert_eq!(stream.length(), Some(7));
    assert_eq!(stream.bytes().await.unwrap(), "text ä".as_bytes());
    let accepts: Vec<_> =
        requests(&server).await.iter().map(|request| header(request, "accept").unwrap()).collect();
    assert_eq!(accepts, ["text/plain", "application/octet-stream"]);
}

#[tokio::test]
async fn an_upload_is_a_form_with_path_and_file() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let big = vec![b'x'; 700_000];
    client(&server.uri()).devboxes().upload_file("dbx_1", "dir/ä.bin", big.clone()).await.unwrap();
    let request = requests(&server).await.pop().unwrap();
    assert_eq!(target(&request), "/v1/devboxes/dbx_1/upload_file");
    assert!(header(&request, "content-type").unwrap().starts_with("multipart/form-data; boundary="));
    assert_eq!(header(&request, "content-length").unwrap(), request.body.len().to_string());
    assert!(header(&request, "x-request-id").is_some());
    let body = String::from_utf8(request.body).unwrap();
    let path = body.find("name=\"path\"\r\n\r\ndir/ä.bin\r\n").expect("the text field");
    let file = body.find("name=\"file\"; filename=\"file\"").expect("the file part");
    assert!(path < file);
    assert!(body.contains(std::str::from_utf8(&big).unwrap()));
}

#[tokio::test]
async fn headers_of_the_caller_are_sent_and_replace_ours() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let builder = crate::support::builder(&server.uri()).header("X-Tenant", "t").header("user-agent", "mine");
    builder.build().unwrap().accounts().me().await.unwrap();
    let request = requests(&server).await.pop().unwrap();
    assert_eq!(header(&request, "x-tenant").as_deref(), Some("t"));
    assert_eq!(header(&request, "user-agent").as_deref(), Some("mine"));
}

#[tokio::test]
async fn a_base_url_may_have_a_path() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    client(&format!("{}/proxy/", server.uri())).accounts().me().await.unwrap();
    assert_eq!(target(&requests(&server).await[0]), "/proxy/v1/accounts/me");
}

#[tokio::test]
async fn ids_that_would_name_another_path_are_never_sent() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    for id in ["", ".", ".."] {
        let error = client(&server.uri()).devboxes().retrieve(id).await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
    }
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn calls_that_mean_nothing_are_never_sent() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let executions = client(&server.uri()).executions();
    let both = SendStdInParams { text: Some("y".into()), signal: Some(StdinSignal::Eof) };
    let none = SendStdInParams { text: Some(String::new()), signal: None };
    for params in [both, none, SendStdInParams::default()] {
        let error = executions.send_std_in("dbx_1", "exec_1", &params).await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
    }
    executions.wait_for_status("dbx_1", "exec_1", &[], Duration::ZERO, None).await.unwrap_err();
    client(&server.uri()).devboxes().wait_for_status("dbx_1", &[], Duration::ZERO).await.unwrap_err();
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn file_mounts_that_are_too_large_are_never_sent() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let create = |mounts: Vec<(String, String)>| {
        let params = BlueprintCreateParams {
            name: "b".into(),
            file_mounts: Some(mounts.into_iter().collect()),
            ..Default::default()
        };
        let blueprints = client(&server.uri()).blueprints();
        async move { blueprints.create(&params).await }
    };
    let error = create(vec![("/big".into(), "x".repeat(98_251))]).await.unwrap_err().to_string();
    assert!(error.contains("/big") && error.contains("98250"), "{error}");
    let many = (0..81).map(|n| (format!("/{n}"), "x".repeat(98_000))).collect();
    assert!(create(many).await.unwrap_err().to_string().contains("7860000"));
    create(vec![("/ok".into(), "x".repeat(98_250))]).await.unwrap();
    assert_eq!(requests(&server).await.len(), 1);
}
