//! Every endpoint: method, path, query, headers and body, checked against the table in `api/endpoints.json`.
//!
//! Each family of resources has a file of rows. A row is a call and what it must put on the wire. One check runs every
//! row against a server; the other holds the rows against the table, so that no endpoint and no field is forgotten.

mod accounts;
mod agents;
mod axons;
mod benchmark_jobs;
mod benchmark_runs;
mod benchmarks;
mod blueprints;
mod browsers;
mod devboxes;
mod disk_snapshots;
mod executions;
mod gateway_configs;
mod mcp_configs;
mod network_policies;
mod objects;
mod ptys;
mod repositories;
mod scenario_runs;
mod scenarios;
mod scorers;
mod secrets;
mod table;

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use runloop_client::types::{LaunchParameters, Metadata, Mount, PageParams, RunProfile};
use runloop_client::{Client, Error};
use serde_json::{Map, Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{client, header, requests, target};
use table::{Group, fields_of_query};

/// Families whose rows are not complete yet, by `resource` or `resource.name`.
const PENDING: &[&str] = &[];

/// Optional fields that every call of ours sends, and why.
const ALWAYS_SENT: &[(&str, &str, &str)] = &[
    ("devboxes.wait_for_status", "timeout_seconds", "a wait without its hold cannot bound its own timeout"),
    ("devboxes.executions.wait_for_status", "timeout_seconds", "as for devboxes"),
    ("devboxes.upload_file", "file", "an upload of nothing is an empty file"),
];

type Send = Box<dyn FnOnce(Client) -> BoxFuture<'static, Result<(), Error>>>;

/// A call and what it must put on the wire.
pub(crate) struct Row {
    /// `resource.name` of the table.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// Path with query, percent-encoded.
    pub(crate) target: &'static str,
    /// JSON body; the fields of a form by name; `None` for no body at all.
    pub(crate) body: Option<Value>,
    pub(crate) send: Send,
}

/// `row!("devboxes.retrieve", "GET" "/v1/devboxes/dbx_1", None, |c| c.devboxes().retrieve("dbx_1"))`: the table's name,
/// method, target and body, and a call that is awaited and whose answer is dropped.
macro_rules! row {
    ($name:literal, $method:literal $target:literal, $body:expr, |$client:ident| $call:expr) => {
        $crate::endpoints::Row {
            name: $name,
            method: $method,
            target: $target,
            body: $body,
            send: Box::new(move |$client| Box::pin(async move { $call.await.map(drop) })),
        }
    };
}

pub(crate) use row;

/// The first item of a stream, which opens it.
pub(crate) async fn first<T>(
    mut stream: impl futures::Stream<Item = Result<T, Error>> + Unpin,
) -> Result<Option<T>, Error> {
    futures::TryStreamExt::try_next(&mut stream).await
}

/// Labels for any resource.
pub(crate) fn metadata() -> Option<Metadata> {
    map("team", "a")
}

/// A map of one pair.
pub(crate) fn map(key: &str, value: &str) -> Option<Metadata> {
    Some(Metadata::from([(key.to_owned(), value.to_owned())]))
}

/// Every parameter of a page: `limit=5&starting_after=x%2F1&include_total_count=false`.
pub(crate) fn page() -> PageParams {
    PageParams { limit: Some(5), starting_after: Some("x/1".into()), include_total_count: Some(false) }
}

/// A run profile with every field.
pub(crate) fn run_profile() -> RunProfile {
    let pair = |name: &str, value: &str| Some(Metadata::from([(name.to_owned(), value.to_owned())]));
    let launch = LaunchParameters { keep_alive_time_seconds: Some(60), ..Default::default() };
    RunProfile {
        env_vars: pair("E", "e"),
        launch_parameters: Some(launch),
        mounts: Some(vec![Mount::ObjectMount { object_id: "obj_1".into(), object_path: "/x".into() }]),
        purpose: Some("p".into()),
        secrets: pair("T", "TOKEN"),
    }
}

/// All rows.
pub(crate) fn rows() -> Vec<Row> {
    [
        accounts::rows(),
        agents::rows(),
        axons::rows(),
        benchmark_jobs::rows(),
        benchmark_runs::rows(),
        benchmarks::rows(),
        blueprints::rows(),
        browsers::rows(),
        devboxes::rows(),
        disk_snapshots::rows(),
        executions::rows(),
        gateway_configs::rows(),
        mcp_configs::rows(),
        network_policies::rows(),
        objects::rows(),
        ptys::rows(),
        repositories::rows(),
        scenario_runs::rows(),
        scenarios::rows(),
        scorers::rows(),
        secrets::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[tokio::test]
async fn every_endpoint_sends_what_the_contract_says() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(least_answer).mount(&server).await;
    let groups = table::groups();
    for row in rows() {
        let label = format!("{}: {} {}", row.name, row.method, row.target);
        let endpoint = groups.iter().find_map(|group| group.find(row.name));
        let endpoint = endpoint.unwrap_or_else(|| panic!("{label}: no such endpoint"));
        (row.send)(client(&server.uri())).await.unwrap_or_else(|error| panic!("{label}: {error}"));
        let request = requests(&server).await.pop().unwrap();

        assert_eq!(format!("{}: {} {}", row.name, request.method, target(&request)), label);
        assert_eq!(endpoint.method, row.method, "{label}");
        assert!(endpoint.is_at(request.url.path()), "{label}: the table has {}", endpoint.path);
        assert_eq!(header(&request, "authorization").as_deref(), Some("Bearer ak_test"), "{label}");
        assert!(header(&request, "user-agent").unwrap().starts_with("runloop-client-rust/"), "{label}");
        assert_eq!(header(&request, "accept").as_deref(), Some(endpoint.accept()), "{label}");
        assert_eq!(header(&request, "x-request-id").is_some(), endpoint.idempotency, "{label}");
        let content_type = header(&request, "content-type");
        let body = if endpoint.encoding.as_deref() == Some("multipart") {
            let boundary =
                content_type.as_deref().and_then(|text| text.strip_prefix("multipart/form-data; boundary="));
            Some(form(&request.body, boundary.unwrap_or_else(|| panic!("{label}: {content_type:?}"))))
        } else {
            let wanted = (row.method != "GET").then_some("application/json");
            assert_eq!(content_type.as_deref(), wanted, "{label}");
            (!request.body.is_empty()).then(|| request.body_json::<Value>().unwrap())
        };
        assert_eq!(body, row.body, "{label}");
    }
}

/// An object that says nothing; to who asks for a stream, one event.
pub(crate) fn least_answer(request: &wiremock::Request) -> ResponseTemplate {
    if header(request, "accept").as_deref() == Some("text/event-stream") {
        let event = r#"data: {"output": "x", "sequence": 1, "devbox_id": "dbx_1"}"#;
        return ResponseTemplate::new(200).set_body_raw(format!("{event}\n\n"), "text/event-stream");
    }
    ResponseTemplate::new(200).set_body_json(json!({}))
}

/// The parts of a form by name, as text.
pub(crate) fn form(body: &[u8], boundary: &str) -> Value {
    let text = std::str::from_utf8(body).unwrap();
    let line = format!("--{boundary}");
    let parts = text.split(&line).filter_map(|part| part.split_once("\r\n\r\n"));
    let named = parts.map(|(head, content)| {
        let name = head.split("; name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        (name.to_owned(), Value::from(content.strip_suffix("\r\n").unwrap()))
    });
    Value::Object(named.collect::<Map<_, _>>())
}

#[test]
fn no_endpoint_and_no_field_of_the_table_is_missing() {
    let rows = rows();
    let mut faults = Vec::new();
    let groups = table::groups();
    for row in &rows {
        if !groups.iter().any(|group| group.find(row.name).is_some()) {
            faults.push(format!("{}: a row, but no endpoint", row.name));
        }
    }
    let mut pending = PENDING.iter().copied().collect::<BTreeSet<_>>();
    for group in &groups {
        let found = faults_of(group, &rows);
        let entries: Vec<_> = group.endpoints.iter().flat_map(|endpoint| endpoint.among(PENDING)).collect();
        if entries.is_empty() {
            faults.extend(found);
        } else if !found.is_empty() {
            pending.retain(|entry| !entries.contains(entry));
        }
    }
    faults.extend(pending.iter().map(|entry| format!("{entry}: listed as pending, but nothing is missing")));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What the rows of one method and path lack, or have too much.
fn faults_of(group: &Group, rows: &[Row]) -> Vec<String> {
    let name = group.name();
    let calls: Vec<BTreeSet<String>> = rows
        .iter()
        .filter(|row| group.find(row.name).is_some())
        .map(|row| {
            let query = row.target.split_once('?').map_or("", |(_, query)| query);
            let body = row.body.as_ref().and_then(Value::as_object).into_iter().flatten();
            let body = body.map(|(field, _)| format!("body {field}"));
            fields_of_query(query).map(|field| format!("query {field}")).chain(body).collect()
        })
        .collect();
    if calls.is_empty() {
        return vec![format!("{name}: an endpoint without a row")];
    }
    let mut faults = Vec::new();
    let known = group.fields();
    for call in &calls {
        faults.extend(
            call.iter()
                .filter(|field| !known.contains_key(*field))
                .map(|field| format!("{name}: unknown {field}")),
        );
    }
    for (field, required) in &known {
        if !calls.iter().any(|call| call.contains(field)) {
            faults.push(format!("{name}: no row sets {field}"));
        }
        let always = calls.iter().all(|call| call.contains(field));
        if *required && !always {
            faults.push(format!("{name}: a row leaves out {field}, which is required"));
        }
        let excused = ALWAYS_SENT.iter().any(|(endpoint, excused, _)| {
            group.find(endpoint).is_some() && field.ends_with(&format!(" {excused}"))
        });
        if !*required && always && !excused {
            faults.push(format!("{name}: no row leaves out {field}, which is optional"));
        }
    }
    faults
}
