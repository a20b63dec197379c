//! A Runloop API without devboxes: it answers as if all went well, unless a test lets it misbehave. What a command does
//! there is nothing, with success.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The key that it takes.
pub(crate) const KEY: &str = "ak_of-the-scripted-target";

/// How it misbehaves: by number of the request, from 0, and time since the first one; `None` to answer well.
type Mood = Box<dyn Fn(usize, Duration) -> Option<ResponseTemplate> + Send + Sync>;

pub(crate) struct ScriptedTarget {
    server: MockServer,
}

impl ScriptedTarget {
    pub(crate) async fn start(
        mood: impl Fn(usize, Duration) -> Option<ResponseTemplate> + Send + Sync + 'static,
    ) -> Self {
        let server = MockServer::start().await;
        let (mood, count, began): (Mood, _, _) = (Box::new(mood), AtomicUsize::new(0), Instant::now());
        let made = AtomicUsize::new(0);
        let respond = move |request: &Request| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            mood(number, began.elapsed()).unwrap_or_else(|| well(request, &made))
        };
        Mock::given(any()).respond_with(respond).mount(&server).await;
        Self { server }
    }

    pub(crate) fn url(&self) -> String {
        self.server.uri()
    }

    /// How many requests came for this path.
    pub(crate) async fn count(&self, path: &str) -> usize {
        let requests = self.server.received_requests().await.unwrap_or_default();
        requests.iter().filter(|request| request.url.path() == path).count()
    }
}

fn well(request: &Request, made: &AtomicUsize) -> ResponseTemplate {
    let path = request.url.path().trim_start_matches("/v1/");
    let parts: Vec<&str> = path.split('/').collect();
    let body = match (request.method.as_str(), parts.as_slice()) {
        ("POST", ["devboxes", "create_and_await_running"]) => {
            let id = format!("dbx_{}", made.fetch_add(1, Ordering::Relaxed));
            json!({ "id": id, "status": "running" })
        }
        ("POST", ["devboxes", id, "suspend"]) => json!({ "id": id, "status": "suspended" }),
        ("POST", ["devboxes", id, "shutdown"]) => json!({ "id": id, "status": "shutdown" }),
        ("POST", ["devboxes", id, "execute"]) => json!({
            "devbox_id": id, "execution_id": format!("exec_of_{id}"), "status": "completed", "exit_status": 0,
            "stdout": "", "stderr": "",
        }),
        ("POST" | "GET", ["devboxes", id, ..]) => json!({ "id": id, "status": "running" }),
        _ => json!({ "devboxes": [], "snapshots": [], "blueprints": [], "objects": [], "has_more": false }),
    };
    ResponseTemplate::new(200).set_body_json(body)
}
