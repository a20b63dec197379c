//! What is special about some requests, and what is never sent.

use std::time::Duration;

use runloop_client::types::*;
use runloop_client::{Error, PtyConnectParams};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{always, client, header, json, passing, requests, sequence, target};

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

#[tokio::test]
async fn a_devbox_is_made_from_one_thing() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let client = client(&server.uri());
    let params = DevboxCreateParams {
        blueprint_id: Some("bpt_1".into()),
        snapshot_id: Some("snp_1".into()),
        ..DevboxCreateParams::default()
    };
    let error = client.devboxes().create(&params).await.unwrap_err();
    assert!(matches!(&error, Error::InvalidRequest { .. }), "{error}");
    assert!(error.to_string().contains("`snapshot_id`"), "{error}");
    client.devboxes().create_and_hold(&params).await.unwrap_err();
    let params = BlueprintCreateParams {
        name: "b".into(),
        base_blueprint_id: Some("bpt_1".into()),
        base_blueprint_name: Some("base".into()),
        ..BlueprintCreateParams::default()
    };
    client.blueprints().create(&params).await.unwrap_err();
    client.blueprints().preview(&params).await.unwrap_err();
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn terminals_that_cannot_be_are_never_asked_for() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let pty = client(&server.uri()).pty();
    let size = |cols, rows| PtyConnectParams { cols, rows };
    let long = "x".repeat(257);
    for name in ["", "a/b", "a b", "\u{e4}", &long] {
        pty.connect(name, &size(None, None)).await.unwrap_err();
        pty.control(name, &PtyControlParams::default()).await.unwrap_err();
    }
    for (cols, rows) in [(Some(80), None), (None, Some(24)), (Some(0), Some(24)), (Some(80), Some(1001))] {
        let error = pty.connect("main", &size(cols, rows)).await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
        let resize =
            PtyControlParams { action: Some(PtyAction::Resize), cols, rows, ..PtyControlParams::default() };
        pty.control("main", &resize).await.unwrap_err();
    }
    for action in [PtyAction::Resize, PtyAction::Signal] {
        let params = PtyControlParams { action: Some(action), ..PtyControlParams::default() };
        pty.control("main", &params).await.unwrap_err();
    }
    assert!(requests(&server).await.is_empty());
    pty.connect(&long[1..], &size(Some(1000), Some(1))).await.unwrap();
}

#[tokio::test]
async fn a_command_without_an_id_gets_one_for_all_attempts() {
    let server = sequence(vec![passing(500), json(200, json!({})), json(200, json!({}))]).await;
    let devboxes = client(&server.uri()).devboxes();
    let params = ExecuteParams { command: "ls".into(), ..ExecuteParams::default() };
    devboxes.execute("dbx_1", &params, None).await.unwrap();
    devboxes.execute("dbx_1", &params, None).await.unwrap();
    let ids: Vec<String> = requests(&server)
        .await
        .iter()
        .map(|request| {
            request.body_json::<serde_json::Value>().unwrap()["command_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(!ids[0].is_empty());
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}

#[tokio::test]
async fn answers_of_every_access_endpoint_are_read() {
    let answer = json!({
        "tunnel_key": "k", "auth_mode": "authenticated", "auth_token": "tok", "http_keep_alive": true,
        "ssh_private_key": "PEM", "ssh_user": "user", "url": "u", "token": "gws_1", "key_secret": "ak_2",
        "gateway_config_id": "gwc_1", "allowed_tools": ["issues.*"], "auth_mechanism": {"type": "bearer"},
        "vcpu_seconds": 7, "dockerfile": "FROM x", "live_view_url": "v", "output": "o", "connect_url": "/pty/main",
    });
    let server = always(json(200, answer)).await;
    let client = client(&server.uri());
    let devboxes = client.devboxes();
    let tunnel = devboxes.enable_tunnel("dbx_1", &TunnelParams::default()).await.unwrap();
    assert_eq!(tunnel.auth_mode, TunnelAuthMode::Authenticated);
    assert_eq!(tunnel.auth_token.as_deref(), Some("tok"));
    assert_eq!(devboxes.create_pty_tunnel("dbx_1").await.unwrap().auth_token, "tok");
    assert_eq!(devboxes.create_ssh_key("dbx_1").await.unwrap().ssh_private_key, "PEM");
    let token = devboxes.create_gateway_token("dbx_1", &DevboxGateway::default()).await.unwrap();
    assert_eq!((token.token.as_str(), token.gateway_config_id.as_str()), ("gws_1", "gwc_1"));
    let token = devboxes.create_mcp_token("dbx_1", &DevboxMcp::default()).await.unwrap();
    assert_eq!(token.allowed_tools, ["issues.*"]);
    assert_eq!(devboxes.retrieve_resource_usage("dbx_1").await.unwrap().vcpu_seconds, 7);
    let key = client.apikeys().create(&ApiKeyCreateParams::default()).await.unwrap();
    assert_eq!(key.key_secret.as_deref(), Some("ak_2"));
    let params = BlueprintCreateParams::default();
    assert_eq!(client.blueprints().preview(&params).await.unwrap().dockerfile, "FROM x");
    assert_eq!(devboxes.browsers().retrieve("dbx_1").await.unwrap().live_view_url, "v");
    let action = ComputerScreenInteractionParams { action: ScreenAction::CursorPosition };
    let answer = devboxes.computers().screen_interaction("dbx_1", &action).await.unwrap();
    assert_eq!(answer.output.as_deref(), Some("o"));
    let session = client.pty().connect("main", &PtyConnectParams::default()).await.unwrap();
    assert_eq!(session.connect_url.as_deref(), Some("/pty/main"));
}
