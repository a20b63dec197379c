//! A server, and a client that speaks plain HTTP to it.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use runloop_sandbox::{Base, DriverChoice, SandboxOptions};
use runloop_server::{SandboxSource, Server, ServerOptions};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::Uuid;

/// The server that most tests share, and what runs it.
pub(crate) struct Shared {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) api: Api,
}

static SHARED: OnceLock<Arc<Shared>> = OnceLock::new();

/// Makes the shared server known to the tests.
pub(crate) fn share(shared: Arc<Shared>) {
    assert!(SHARED.set(shared).is_ok(), "the server is shared once");
}

/// Runs a test against the shared server.
pub(crate) fn with_api<F: Future<Output = ()> + Send + 'static>(test: fn(Api) -> F) {
    let shared = SHARED.get().expect("the server is shared before tests run");
    let task = shared.runtime.spawn(test(shared.api.clone()));
    if let Err(error) = shared.runtime.block_on(task) {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Options of a server over this directory, on any port, with a random key.
pub(crate) fn options(data_dir: &Path) -> ServerOptions {
    ServerOptions {
        bind_port: 0,
        api_key: None,
        data_dir: data_dir.to_owned(),
        keeps_secrets: true,
        sandbox: SandboxSource::Open(sandbox_options(data_dir)),
        base: Base::Host,
        expose: Vec::new(),
    }
}

pub(crate) fn sandbox_options(state_dir: &Path) -> SandboxOptions {
    SandboxOptions {
        state_dir: state_dir.to_owned(),
        driver: DriverChoice::Auto,
        // Tests also run where only weak isolation is to be had; they test the API.
        allow_weak: true,
        helper: None,
    }
}

/// A client of one server.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) http: reqwest::Client,
}

impl Api {
    pub(crate) fn of(server: &Server) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        Self { url: server.url().to_owned(), key: server.api_key().expose_secret().to_owned(), http }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(&body)).await
    }

    /// A POST under a request id.
    pub(crate) async fn post_as(&self, id: &str, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).header("x-request-id", id).json(&body)).await
    }

    /// A running devbox.
    pub(crate) async fn devbox(&self, params: Value) -> String {
        let view = self.post("/v1/devboxes/create_and_await_running", params).await.ok();
        assert_eq!(view["status"], "running", "{view:#}");
        view["id"].as_str().unwrap().to_owned()
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, devbox: &str, command: &str) -> Value {
        let view = self
            .post(
                &format!("/v1/devboxes/{devbox}/execute"),
                json!({"command": command, "command_id": fresh_id()}),
            )
            .await
            .ok();
        assert_eq!(view["status"], "completed", "{view:#}");
        view
    }

    /// Standard output of a command that must succeed.
    pub(crate) async fn stdout(&self, devbox: &str, command: &str) -> String {
        let view = self.run(devbox, command).await;
        assert_eq!(view["exit_status"], 0, "{view:#}");
        view["stdout"].as_str().unwrap().to_owned()
    }

    /// Starts a command and answers its id.
    pub(crate) async fn start(&self, devbox: &str, command: &str) -> String {
        self.start_with(devbox, json!({"command": command})).await
    }

    pub(crate) async fn start_with(&self, devbox: &str, params: Value) -> String {
        let view = self.post(&format!("/v1/devboxes/{devbox}/execute_async"), params).await.ok();
        view["execution_id"].as_str().unwrap().to_owned()
    }

    /// Waits for a command's end.
    pub(crate) async fn completed(&self, devbox: &str, execution: &str) -> Value {
        self.post(
            &format!("/v1/devboxes/{devbox}/executions/{execution}/wait_for_status"),
            json!({"statuses": ["completed"], "timeout_seconds": 25.0}),
        )
        .await
        .ok()
    }

    pub(crate) async fn wait_for(&self, devbox: &str, status: &str) -> Value {
        self.post(
            &format!("/v1/devboxes/{devbox}/wait_for_status"),
            json!({"statuses": [status], "timeout_seconds": 30.0}),
        )
        .await
        .ok()
    }

    pub(crate) async fn shutdown(&self, devbox: &str) -> Value {
        self.post(&format!("/v1/devboxes/{devbox}/shutdown"), json!({})).await.ok()
    }

    /// An object with these bytes, complete.
    pub(crate) async fn object(&self, name: &str, content_type: &str, bytes: Vec<u8>) -> String {
        let view = self.post("/v1/objects", json!({"name": name, "content_type": content_type})).await.ok();
        let id = view["id"].as_str().unwrap().to_owned();
        let put = self.http.put(view["upload_url"].as_str().unwrap()).body(bytes);
        assert_eq!(Answer::of(put).await.status, 200);
        self.post(&format!("/v1/objects/{id}/complete"), json!({})).await.ok();
        id
    }

    /// A stream to its end: the text, and the offset of the last chunk.
    pub(crate) async fn stream(&self, path: &str) -> (String, u64) {
        let body = self.get(path).await;
        assert_eq!(body.status, 200, "{}", body.text());
        assert!(body.headers["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        let (mut text, mut offset) = (String::new(), 0);
        for event in body.text().split("\n\n").filter(|event| !event.trim().is_empty()) {
            let data = event.lines().find_map(|line| line.strip_prefix("data: ")).expect("an event has data");
            let chunk: Value = serde_json::from_str(data).unwrap();
            text.push_str(chunk["output"].as_str().unwrap());
            offset = chunk["offset"].as_u64().unwrap();
        }
        (text, offset)
    }
}

/// A new id for a command or request.
pub(crate) fn fresh_id() -> String {
    Uuid::now_v7().to_string()
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("the answer is whole").to_vec();
        Self { status, headers, body }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The JSON of a 200.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// The message of an error with this status, in the API's form.
    #[track_caller]
    pub(crate) fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        let body = self.json();
        assert_eq!(body["code"], status, "{body}");
        body["message"].as_str().expect("an error has a message").to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
