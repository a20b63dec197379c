//! Handles on what is configured once and used often: blueprints, snapshots, policies, gateways, secrets, axons, agents.

use std::time::Duration;

use futures::StreamExt;
use runloop_client::types::{
    AgentCreateParams, AgentGitSource, AgentObjectSource, AgentPackageSource, AgentSource, AxonCreateParams,
    AxonEventOrigin, AxonPublishParams, AxonUpdateParams, BlueprintCreateParams, BrokerMount, BrokerProtocol,
    GatewayConfigCreateParams, GatewayConfigUpdateParams, McpConfigCreateParams, McpConfigUpdateParams,
    Metadata, NetworkPolicyParams, PageParams, SnapshotParams, SqlBatchParams, SqlQueryParams,
};
use runloop_client::{Error, LastValue, PollingConfig, SecretString};
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

use crate::support::{always, client, json as answer, requests, sent, sequence};

/// A server that answers everything with one view.
async fn things() -> MockServer {
    always(answer(200, json!({"id": "x_1", "name": "thing"}))).await
}

fn polls(max_attempts: u32) -> PollingConfig {
    PollingConfig { interval: Duration::ZERO, max_attempts, timeout: None }
}

/// Checks what was sent: method and target, and body.
async fn assert_sent<const N: usize>(server: &MockServer, expected: [(&str, Value); N]) {
    assert_eq!(sent(server).await, expected.map(|(step, body)| (step.to_owned(), body)));
}

#[tokio::test]
async fn network_policies() {
    let server = things().await;
    let params = NetworkPolicyParams { name: Some("p".into()), ..Default::default() };
    let policy = client(&server.uri()).create_network_policy(&params).await.unwrap();
    policy.info().await.unwrap();
    policy.update(&NetworkPolicyParams { allow_all: Some(true), ..Default::default() }).await.unwrap();
    policy.delete().await.unwrap();
    let expected = [
        ("POST /v1/network-policies", json!({"name": "p"})),
        ("GET /v1/network-policies/x_1", Value::Null),
        ("POST /v1/network-policies/x_1", json!({"allow_all": true})),
        ("POST /v1/network-policies/x_1/delete", Value::Null),
    ];
    assert_sent(&server, expected).await;
}

#[tokio::test]
async fn gateways_and_mcp_servers() {
    let server = things().await;
    let client = client(&server.uri());
    let params =
        GatewayConfigCreateParams { name: "g".into(), endpoint: "https://a".into(), ..Default::default() };
    let gateway = client.create_gateway_config(&params).await.unwrap();
    gateway.info().await.unwrap();
    let change = GatewayConfigUpdateParams { endpoint: Some("https://b".into()), ..Default::default() };
    gateway.update(&change).await.unwrap();
    gateway.delete().await.unwrap();
    let params =
        McpConfigCreateParams { name: "m".into(), endpoint: "https://a".into(), ..Default::default() };
    let mcp = client.create_mcp_config(&params).await.unwrap();
    mcp.info().await.unwrap();
    let change = McpConfigUpdateParams { allowed_tools: Some(vec!["*".into()]), ..Default::default() };
    mcp.update(&change).await.unwrap();
    mcp.delete().await.unwrap();
    let steps: Vec<_> = sent(&server).await.into_iter().map(|(step, _)| step).collect();
    let expected = [
        "POST /v1/gateway-configs",
        "GET /v1/gateway-configs/x_1",
        "POST /v1/gateway-configs/x_1",
        "POST /v1/gateway-configs/x_1/delete",
        "POST /v1/mcp-configs",
        "GET /v1/mcp-configs/x_1",
        "POST /v1/mcp-configs/x_1",
        "POST /v1/mcp-configs/x_1/delete",
    ];
    assert_eq!(steps, expected);

    let with_secret = serde_json::to_value(gateway.with_secret("KEY")).unwrap();
    assert_eq!(with_secret, json!({"gateway": "x_1", "secret": "KEY"}));
    let with_secret = serde_json::to_value(mcp.with_secret("KEY")).unwrap();
    assert_eq!(with_secret, json!({"mcp_config": "x_1", "secret": "KEY"}));
}

#[tokio::test]
async fn secrets_go_by_name_or_by_id() {
    let server = always(answer(200, json!({"id": "sec_1", "name": "api-token"}))).await;
    let client = client(&server.uri());
    let (old, new) = (SecretString::from("old"), SecretString::from("new"));
    let secret = client.create_secret("api-token", &old).await.unwrap();
    let id = secret.info().await.unwrap().id;
    secret.update(&new).await.unwrap();
    secret.delete().await.unwrap();
    let secret = client.secret_by_id(id);
    secret.info().await.unwrap();
    secret.update(&new).await.unwrap();
    secret.delete().await.unwrap();
    let expected = [
        ("POST /v1/secrets", json!({"name": "api-token", "value": "old"})),
        ("GET /v1/secrets/api-token", Value::Null),
        ("POST /v1/secrets/api-token", json!({"value": "new"})),
        ("POST /v1/secrets/api-token/delete", Value::Null),
        ("GET /v1/secrets/id/sec_1", Value::Null),
        ("POST /v1/secrets/id/sec_1/update", json!({"value": "new"})),
        ("POST /v1/secrets/id/sec_1/delete", Value::Null),
    ];
    assert_sent(&server, expected).await;
}

#[tokio::test]
async fn a_secret_that_has_no_such_id_is_not_looked_for_by_name() {
    let server = always(answer(404, json!({"message": "no such secret"}))).await;
    let error = client(&server.uri()).secret_by_id("sec_1").delete().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn agents_are_registered_from_one_source() {
    let server = things().await;
    let client = client(&server.uri());
    let params = AgentCreateParams { name: "a".into(), version: Some("1".into()), source: None };
    let package = || AgentPackageSource { package_name: "p".into(), ..Default::default() };
    let git = || AgentGitSource {
        repository: "https://r".into(),
        git_ref: Some("main".into()),
        ..Default::default()
    };
    let object = || AgentObjectSource { object_id: "obj_1".into(), agent_setup: Some(vec!["make".into()]) };
    client.create_agent_from_npm(&params, package()).await.unwrap();
    client.create_agent_from_pip(&params, package()).await.unwrap();
    client.create_agent_from_git(&params, git()).await.unwrap();
    client.create_agent_from_object(&params, object()).await.unwrap();
    let agent = client.create_agent(&params).await.unwrap();
    agent.info().await.unwrap();
    agent.delete().await.unwrap();
    let body = |source: Value| json!({"name": "a", "version": "1", "source": source});
    let expected = [
        ("POST /v1/agents", body(json!({"type": "npm", "npm": {"package_name": "p"}}))),
        ("POST /v1/agents", body(json!({"type": "pip", "pip": {"package_name": "p"}}))),
        ("POST /v1/agents", body(json!({"type": "git", "git": {"repository": "https://r", "ref": "main"}}))),
        (
            "POST /v1/agents",
            body(json!({"type": "object", "object": {"object_id": "obj_1", "agent_setup": ["make"]}})),
        ),
        ("POST /v1/agents", json!({"name": "a", "version": "1"})),
        ("GET /v1/agents/x_1", Value::Null),
        ("POST /v1/agents/x_1/delete", Value::Null),
    ];
    assert_sent(&server, expected).await;

    let twice = AgentCreateParams { source: Some(AgentSource::npm(package())), ..params };
    for error in [
        client.create_agent_from_npm(&twice, package()).await.unwrap_err(),
        client.create_agent_from_pip(&twice, package()).await.unwrap_err(),
        client.create_agent_from_git(&twice, git()).await.unwrap_err(),
        client.create_agent_from_object(&twice, object()).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
    }
    assert_eq!(requests(&server).await.len(), 7);

    let mount = serde_json::to_value(agent.as_mount(Some("/opt/agent"))).unwrap();
    assert_eq!(mount, json!({"type": "agent_mount", "agent_id": "x_1", "agent_path": "/opt/agent"}));
}

#[tokio::test]
async fn axons() {
    let server = things().await;
    let axon = client(&server.uri()).create_axon(&AxonCreateParams::default()).await.unwrap();
    axon.info().await.unwrap();
    axon.update(&AxonUpdateParams { metadata: Some(Metadata::new()) }).await.unwrap();
    let event = AxonPublishParams {
        event_type: "task".into(),
        origin: AxonEventOrigin::UserEvent,
        payload: "{}".into(),
        source: "chat".into(),
    };
    axon.publish(&event).await.unwrap();
    axon.list_events(&PageParams { limit: Some(3), ..Default::default() }).await.unwrap();
    let query = SqlQueryParams { sql: "select ?".into(), params: Some(vec![json!(1)]) };
    axon.query(&query).await.unwrap();
    axon.batch(&SqlBatchParams { statements: vec![query] }).await.unwrap();
    axon.delete().await.unwrap();
    let statement = json!({"sql": "select ?", "params": [1]});
    let event = json!({"event_type": "task", "origin": "USER_EVENT", "payload": "{}", "source": "chat"});
    let expected = [
        ("POST /v1/axons", json!({})),
        ("GET /v1/axons/x_1", Value::Null),
        ("POST /v1/axons/x_1", json!({"metadata": {}})),
        ("POST /v1/axons/x_1/publish", event),
        ("GET /v1/axons/x_1/events?limit=3", Value::Null),
        ("POST /v1/axons/x_1/sql/query", statement.clone()),
        ("POST /v1/axons/x_1/sql/batch", json!({"statements": [statement]})),
        ("DELETE /v1/axons/x_1", Value::Null),
    ];
    assert_sent(&server, expected).await;

    let how = BrokerMount { protocol: Some(BrokerProtocol::Acp), ..Default::default() };
    let mount = serde_json::to_value(axon.as_mount(how)).unwrap();
    assert_eq!(mount, json!({"type": "broker_mount", "axon_id": "x_1", "protocol": "acp"}));
}

#[tokio::test]
async fn an_axon_is_subscribed_to_after_a_sequence() {
    let body = "data: {\"sequence\": 42, \"event_type\": \"task\"}\n\n";
    let server = always(ResponseTemplate::new(200).set_body_raw(body, "text/event-stream")).await;
    let mut events = client(&server.uri()).axon("axn_1").subscribe_sse(Some(41));
    assert_eq!(events.next().await.unwrap().unwrap().sequence, 42);
    assert_sent(&server, [("GET /v1/axons/axn_1/subscribe/sse?after_sequence=41", Value::Null)]).await;
}

fn blueprint(status: &str) -> ResponseTemplate {
    answer(200, json!({"id": "bpt_1", "name": "b", "status": status, "failure_reason": "out_of_disk"}))
}

#[tokio::test]
async fn a_blueprint_is_built_when_it_is_created() {
    let params = BlueprintCreateParams { name: "b".into(), ..Default::default() };
    let server =
        sequence(vec![blueprint("queued"), blueprint("building"), blueprint("build_complete")]).await;
    let built = client(&server.uri()).create_blueprint(&params, polls(9)).await.unwrap();
    assert_eq!(built.id().as_str(), "bpt_1");
    let poll = ("GET /v1/blueprints/bpt_1", Value::Null);
    assert_sent(&server, [("POST /v1/blueprints", json!({"name": "b"})), poll.clone(), poll]).await;

    let server = sequence(vec![blueprint("queued"), blueprint("failed")]).await;
    let error = client(&server.uri()).create_blueprint(&params, polls(9)).await.unwrap_err();
    assert_eq!(error.to_string(), "blueprint bpt_1 to be built ended as failed: out_of_disk");

    let server = sequence(vec![blueprint("queued"), blueprint("building")]).await;
    let error = client(&server.uri()).create_blueprint(&params, polls(1)).await.unwrap_err();
    let Error::PollingTimeout(timeout) = error else { panic!("{error}") };
    assert!(matches!(&timeout.last_value, Some(LastValue::Blueprint(view)) if view.id.as_str() == "bpt_1"));
}

#[tokio::test]
async fn verbs_of_blueprints_and_snapshots() {
    let server = always(answer(200, json!({"status": "complete"}))).await;
    let client = client(&server.uri());
    let blueprint = client.blueprint("bpt_1");
    blueprint.info().await.unwrap();
    blueprint.logs().await.unwrap();
    blueprint.delete().await.unwrap();
    let snapshot = client.snapshot("snp_1");
    snapshot.info().await.unwrap();
    snapshot.update(&SnapshotParams { name: Some("n".into()), ..Default::default() }).await.unwrap();
    snapshot.await_completed(polls(1)).await.unwrap();
    snapshot.delete().await.unwrap();
    let expected = [
        ("GET /v1/blueprints/bpt_1", Value::Null),
        ("GET /v1/blueprints/bpt_1/logs", Value::Null),
        ("POST /v1/blueprints/bpt_1/delete", Value::Null),
        ("GET /v1/devboxes/disk_snapshots/snp_1/status", Value::Null),
        ("POST /v1/devboxes/disk_snapshots/snp_1", json!({"name": "n"})),
        ("GET /v1/devboxes/disk_snapshots/snp_1/status", Value::Null),
        ("POST /v1/devboxes/disk_snapshots/snp_1/delete", Value::Null),
    ];
    assert_sent(&server, expected).await;
}
