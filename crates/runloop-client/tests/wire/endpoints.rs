//! Method, path, query, headers and body of every endpoint.

use std::time::Duration;

use futures::future::BoxFuture;
use runloop_client::types::*;
use runloop_client::{
    BlueprintListParams, Client, DevboxListParams, DiskSnapshotListParams, Error, NetworkPolicyListParams,
    ObjectListParams, SecretString,
};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{always, client, header, requests, target};

type Send = Box<dyn FnOnce(Client) -> BoxFuture<'static, Result<(), Error>>>;

struct Endpoint {
    send: Send,
    method: &'static str,
    target: &'static str,
    body: Option<Value>,
}

/// `call(client)` with its answer dropped.
macro_rules! endpoint {
    ($method:literal $target:literal, $body:expr, |$client:ident| $call:expr) => {
        Endpoint {
            send: Box::new(move |$client| Box::pin(async move { $call.await.map(drop) })),
            method: $method,
            target: $target,
            body: $body,
        }
    };
}

fn metadata() -> Option<Metadata> {
    Some(Metadata::from([("team".to_owned(), "a".to_owned())]))
}

fn secret() -> SecretString {
    SecretString::from("hunter2")
}

fn page() -> PageParams {
    PageParams { limit: Some(5), starting_after: Some("x/1".into()), include_total_count: Some(false) }
}

fn endpoints() -> Vec<Endpoint> {
    let create =
        || DevboxCreateParams { name: Some("box".into()), metadata: metadata(), ..Default::default() };
    let run = || ExecuteAsyncParams { command: "ls".into(), attach_stdin: Some(true), shell_name: None };
    let label = || SnapshotParams { name: Some("s".into()), metadata: metadata(), commit_message: None };
    let policy = || NetworkPolicyParams {
        name: Some("p".into()),
        allowed_hostnames: Some(vec!["*.example.com".into()]),
        ..Default::default()
    };
    let completed = [ExecutionStatus::Completed];
    let box_json = json!({"name": "box", "metadata": {"team": "a"}});
    let label_json = json!({"name": "s", "metadata": {"team": "a"}});
    let policy_json = json!({"name": "p", "allowed_hostnames": ["*.example.com"]});
    let run_json = json!({"command": "ls", "attach_stdin": true});
    let hold = Duration::from_millis(12_500);
    vec![
        endpoint!("POST" "/v1/devboxes", Some(box_json), |c| c.devboxes().create(&create())),
        endpoint!("GET" "/v1/devboxes/dbx_1", None, |c| c.devboxes().retrieve("dbx_1")),
        endpoint!("GET" "/v1/devboxes?status=running&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| {
            c.devboxes().list(&DevboxListParams { status: Some(DevboxStatus::Running), page: page() })
        }),
        endpoint!("POST" "/v1/devboxes/dbx_1", Some(json!({"name": "", "metadata": {}})), |c| {
            c.devboxes().update("dbx_1", &DevboxUpdateParams { name: Some(String::new()), metadata: Some(Metadata::new()) })
        }),
        endpoint!("POST" "/v1/devboxes/dbx_1/wait_for_status", Some(json!({"statuses": ["running", "failure"], "timeout_seconds": 12.5})), |c| {
            c.devboxes().wait_for_status("dbx_1", &[DevboxStatus::Running, DevboxStatus::Failure], hold)
        }),
        endpoint!("POST" "/v1/devboxes/dbx_1/shutdown", None, |c| c.devboxes().shutdown("dbx_1", false)),
        endpoint!("POST" "/v1/devboxes/dbx_1/shutdown?force=true", None, |c| c.devboxes().shutdown("dbx_1", true)),
        endpoint!("POST" "/v1/devboxes/dbx_1/suspend", None, |c| c.devboxes().suspend("dbx_1")),
        endpoint!("POST" "/v1/devboxes/dbx_1/resume", None, |c| c.devboxes().resume("dbx_1")),
        endpoint!("POST" "/v1/devboxes/dbx_1/keep_alive", None, |c| c.devboxes().keep_alive("dbx_1")),
        endpoint!("POST" "/v1/devboxes/dbx_1/execute_async", Some(run_json.clone()), |c| c.devboxes().execute_async("dbx_1", &run())),
        endpoint!("POST" "/v1/devboxes/dbx_1/execute_sync", Some(run_json), |c| c.devboxes().execute_sync("dbx_1", &run())),
        endpoint!("POST" "/v1/devboxes/dbx_1/execute?last_n=7", Some(json!({"command": "ls", "command_id": "id", "optimistic_timeout": 3})), |c| {
            let params = ExecuteParams { command: "ls".into(), command_id: "id".into(), optimistic_timeout: Some(3), shell_name: None };
            c.devboxes().execute("dbx_1", &params, Some(7))
        }),
        endpoint!("POST" "/v1/devboxes/dbx_1/read_file_contents", Some(json!({"file_path": "a/b"})), |c| c.devboxes().read_file_contents("dbx_1", "a/b")),
        endpoint!("POST" "/v1/devboxes/dbx_1/write_file_contents", Some(json!({"file_path": "a/b", "contents": "ä"})), |c| c.devboxes().write_file_contents("dbx_1", "a/b", "ä")),
        endpoint!("POST" "/v1/devboxes/dbx_1/download_file", Some(json!({"path": "a/b"})), |c| c.devboxes().download_file("dbx_1", "a/b")),
        endpoint!("POST" "/v1/devboxes/dbx_1/snapshot_disk", Some(label_json.clone()), |c| c.devboxes().snapshot_disk("dbx_1", &label())),
        endpoint!("POST" "/v1/devboxes/dbx_1/snapshot_disk_async", Some(label_json.clone()), |c| c.devboxes().snapshot_disk_async("dbx_1", &label())),
        endpoint!("GET" "/v1/devboxes/dbx_1/executions/exec_1?last_n=3", None, |c| c.executions().retrieve("dbx_1", "exec_1", Some(3))),
        endpoint!("POST" "/v1/devboxes/dbx_1/executions/exec_1/wait_for_status", Some(json!({"statuses": ["completed"], "timeout_seconds": 25.0})), |c| {
            c.executions().wait_for_status("dbx_1", "exec_1", &completed, Duration::MAX, None)
        }),
        endpoint!("POST" "/v1/devboxes/dbx_1/executions/exec_1/kill", Some(json!({"kill_process_group": true})), |c| c.executions().kill("dbx_1", "exec_1", true)),
        endpoint!("POST" "/v1/devboxes/dbx_1/executions/exec_1/send_std_in", Some(json!({"text": "y\n"})), |c| {
            c.executions().send_std_in("dbx_1", "exec_1", &SendStdInParams { text: Some("y\n".into()), signal: None })
        }),
        endpoint!("GET" "/v1/devboxes/disk_snapshots?devbox_id=dbx_1&source_blueprint_id=bpt_1&metadata%5Brun%5D=r%201", None, |c| {
            let params = DiskSnapshotListParams { devbox_id: Some("dbx_1".into()), source_blueprint_id: Some("bpt_1".into()), ..Default::default() };
            c.disk_snapshots().list(&params).with_metadata("run", "r 1")
        }),
        endpoint!("GET" "/v1/devboxes/disk_snapshots/snp_1/status", None, |c| c.disk_snapshots().query_status("snp_1")),
        endpoint!("POST" "/v1/devboxes/disk_snapshots/snp_1", Some(label_json), |c| c.disk_snapshots().update("snp_1", &label())),
        endpoint!("POST" "/v1/devboxes/disk_snapshots/snp_1/delete", None, |c| c.disk_snapshots().delete("snp_1")),
        endpoint!("POST" "/v1/objects", Some(json!({"name": "o", "content_type": "tgz", "ttl_ms": 1000})), |c| {
            c.objects().create(&ObjectCreateParams { name: "o".into(), content_type: ObjectContentType::Tgz, metadata: None, ttl_ms: Some(1000) })
        }),
        endpoint!("GET" "/v1/objects/obj_1", None, |c| c.objects().retrieve("obj_1")),
        endpoint!("GET" "/v1/objects?name=a&search=b&content_type=text&state=READ_ONLY", None, |c| {
            c.objects().list(&ObjectListParams {
                name: Some("a".into()),
                search: Some("b".into()),
                content_type: Some(ObjectContentType::Text),
                state: Some(ObjectState::ReadOnly),
                page: PageParams::default(),
            })
        }),
        endpoint!("POST" "/v1/objects/obj_1/complete", None, |c| c.objects().complete("obj_1")),
        endpoint!("POST" "/v1/objects/obj_1/delete", None, |c| c.objects().delete("obj_1")),
        endpoint!("GET" "/v1/objects/obj_1/download?duration_seconds=60", None, |c| c.objects().download_url("obj_1", Some(Duration::from_secs(60)))),
        endpoint!("POST" "/v1/blueprints", Some(json!({"name": "b", "dockerfile": "FROM scratch"})), |c| {
            c.blueprints().create(&BlueprintCreateParams { name: "b".into(), dockerfile: Some("FROM scratch".into()), ..Default::default() })
        }),
        endpoint!("GET" "/v1/blueprints/bpt_1", None, |c| c.blueprints().retrieve("bpt_1")),
        endpoint!("GET" "/v1/blueprints?name=b&status=build_complete", None, |c| {
            c.blueprints().list(&BlueprintListParams { name: Some("b".into()), status: Some(BlueprintStatus::BuildComplete), page: PageParams::default() })
        }),
        endpoint!("GET" "/v1/blueprints/bpt_1/logs", None, |c| c.blueprints().logs("bpt_1")),
        endpoint!("POST" "/v1/blueprints/bpt_1/delete", None, |c| c.blueprints().delete("bpt_1")),
        endpoint!("POST" "/v1/secrets", Some(json!({"name": "TOKEN", "value": "hunter2"})), |c| c.secrets().create("TOKEN", &secret())),
        endpoint!("GET" "/v1/secrets?limit=2", None, |c| c.secrets().list(Some(2))),
        endpoint!("GET" "/v1/secrets/my%20token", None, |c| c.secrets().retrieve("my token")),
        endpoint!("POST" "/v1/secrets/TOKEN", Some(json!({"value": "hunter2"})), |c| c.secrets().update("TOKEN", &secret())),
        endpoint!("POST" "/v1/secrets/TOKEN/delete", None, |c| c.secrets().delete("TOKEN")),
        endpoint!("GET" "/v1/secrets/id/sec_1", None, |c| c.secrets().retrieve_by_id("sec_1")),
        endpoint!("POST" "/v1/secrets/id/sec_1/update", Some(json!({"value": "hunter2"})), |c| c.secrets().update_by_id("sec_1", &secret())),
        endpoint!("POST" "/v1/secrets/id/sec_1/delete", None, |c| c.secrets().delete_by_id("sec_1")),
        endpoint!("POST" "/v1/network-policies", Some(policy_json.clone()), |c| c.network_policies().create(&policy())),
        endpoint!("GET" "/v1/network-policies/npol_1", None, |c| c.network_policies().retrieve("npol_1")),
        endpoint!("GET" "/v1/network-policies?id=npol_1&name=p&search=q", None, |c| {
            c.network_policies().list(&NetworkPolicyListParams {
                id: Some("npol_1".into()),
                name: Some("p".into()),
                search: Some("q".into()),
                page: PageParams::default(),
            })
        }),
        endpoint!("POST" "/v1/network-policies/npol_1", Some(policy_json), |c| c.network_policies().update("npol_1", &policy())),
        endpoint!("POST" "/v1/network-policies/npol_1/delete", None, |c| c.network_policies().delete("npol_1")),
        endpoint!("GET" "/v1/accounts/me", None, |c| c.accounts().me()),
    ]
}

#[tokio::test]
async fn every_endpoint_sends_what_the_contract_says() {
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    for endpoint in endpoints() {
        let name = format!("{} {}", endpoint.method, endpoint.target);
        (endpoint.send)(client(&server.uri())).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let request = requests(&server).await.pop().unwrap();

        assert_eq!(format!("{} {}", request.method, target(&request)), name);
        let body = (!request.body.is_empty()).then(|| request.body_json::<Value>().unwrap());
        assert_eq!(body, endpoint.body, "{name}");
        assert_eq!(header(&request, "authorization").as_deref(), Some("Bearer ak_test"), "{name}");
        assert!(header(&request, "user-agent").unwrap().starts_with("runloop-client-rust/"), "{name}");
        assert!(header(&request, "accept").is_some(), "{name}");
        let is_get = endpoint.method == "GET";
        let content_type = header(&request, "content-type");
        assert_eq!(content_type.as_deref(), (!is_get).then_some("application/json"), "{name}");
        assert_eq!(header(&request, "x-request-id").is_none(), is_get, "{name}");
    }
}

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
