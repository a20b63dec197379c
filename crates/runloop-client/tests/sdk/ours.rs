//! What our client sends.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use runloop_client::{Client, WaitOptions};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::endpoints;
use crate::handles::{self, Chain};
use crate::support::{client, header, requests, target};

/// A request.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct Sent {
    pub(crate) method: String,
    /// Path with query.
    pub(crate) target: String,
    /// JSON, or the parts of a form by name.
    pub(crate) body: Option<Value>,
}

/// A call of ours, and the method of the SDK that does the same.
pub(crate) struct Ours {
    /// `resource.name`.
    pub(crate) name: &'static str,
    pub(crate) sent: Sent,
}

/// All calls of ours.
pub(crate) struct Recorded {
    pub(crate) rows: Vec<Ours>,
    /// With the arguments that the SDK's helper gets.
    pub(crate) waits: Vec<(Ours, Value)>,
    /// With what each sends, in order.
    pub(crate) chains: Vec<(Chain, Vec<Sent>)>,
}

impl Recorded {
    /// Makes the calls.
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            Self { rows: rows().await, waits: waits().await, chains: sent_by_chains().await }
        })
    }
}

/// Sends every row of the wire tests.
async fn rows() -> Vec<Ours> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(endpoints::least_answer).mount(&server).await;
    let mut sent = Vec::new();
    for row in endpoints::rows() {
        (row.send)(client(&server.uri())).await.unwrap_or_else(|error| panic!("{}: {error}", row.name));
        sent.push(Ours { name: row.name, sent: last(&server).await });
    }
    sent
}

/// Waits, which the SDKs have as helpers and not as methods of an endpoint: with the arguments in their paths.
async fn waits() -> Vec<(Ours, Value)> {
    type Wait = fn(Client) -> BoxFuture<'static, ()>;
    let waits: [(&str, Value, Wait); 3] = [
        ("devboxes.await_running", json!({"id": "dbx_1"}), |client| {
            async move { drop(client.devboxes().await_running(&"dbx_1".into(), wait()).await) }.boxed()
        }),
        ("devboxes.await_suspended", json!({"id": "dbx_1"}), |client| {
            async move { drop(client.devboxes().await_suspended(&"dbx_1".into(), wait()).await) }.boxed()
        }),
        (
            "devboxes.executions.await_completed",
            json!({"devbox_id": "dbx_1", "execution_id": "exec_1"}),
            |client| {
                async move {
                    let (devbox, execution) = ("dbx_1".into(), "exec_1".into());
                    drop(client.executions().await_completed(&devbox, &execution, wait(), None).await);
                }
                .boxed()
            },
        ),
    ];
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(end_of_waits).mount(&server).await;
    let mut sent = Vec::new();
    for (name, path, wait) in waits {
        wait(client(&server.uri())).await;
        sent.push((Ours { name, sent: last(&server).await }, path));
    }
    sent
}

fn wait() -> WaitOptions {
    WaitOptions::within(Duration::from_secs(120))
}

/// Walks our side of each chain.
async fn sent_by_chains() -> Vec<(Chain, Vec<Sent>)> {
    let mut all = Vec::new();
    for chain in handles::chains() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(end_of_waits).mount(&server).await;
        let name = chain.name;
        (chain.ours)(client(&server.uri())).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        all.push((chain, requests(&server).await.iter().map(sent).collect()));
    }
    all
}

/// What ends any wait: the first of the states that are waited for. As in `record.py`.
fn end_of_waits(request: &Request) -> ResponseTemplate {
    let body = request.body_json::<Value>().unwrap_or_default();
    let status = body["statuses"].get(0).cloned().unwrap_or("running".into());
    let view = json!({"id": "x_1", "devbox_id": "dbx_1", "status": status, "state": "scored"});
    ResponseTemplate::new(200).set_body_json(view)
}

async fn last(server: &MockServer) -> Sent {
    sent(requests(server).await.last().expect("a request"))
}

fn sent(request: &Request) -> Sent {
    let content_type = header(request, "content-type").unwrap_or_default();
    let body = match content_type.strip_prefix("multipart/form-data; boundary=") {
        Some(boundary) => Some(endpoints::form(&request.body, boundary)),
        None if request.body.is_empty() => None,
        None => Some(request.body_json().expect("JSON")),
    };
    Sent { method: request.method.to_string(), target: target(request), body }
}
