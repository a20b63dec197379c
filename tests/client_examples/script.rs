//! A server that plays a script: these requests in this order, these answers.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libtest_mimic::Failed;
use serde::Deserialize;
use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// One request and its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Method, path and query.
    request: String,
    /// What the JSON body must say; more may be in it. A `null` is a field that must be left out.
    body: Option<Value>,
    /// The first bytes of the body, in hexadecimal.
    begins: Option<String>,
    /// Headers that must not be sent.
    #[serde(default)]
    without: Vec<String>,
    /// Status of the answer.
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Body of the answer; `{server}` in its texts is this server's URL.
    answer: Value,
}

fn ok() -> u16 {
    200
}

struct State {
    steps: VecDeque<Step>,
    played: usize,
    /// The first request that was not in the script; after it all are refused.
    wrong: Option<String>,
    url: String,
}

/// A server on the loopback, for one program.
pub(crate) struct ScriptedServer {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

impl ScriptedServer {
    pub(crate) async fn start(script: &Path) -> Result<Self, Failed> {
        let text =
            std::fs::read_to_string(script).map_err(|error| format!("{}: {error}", script.display()))?;
        let steps = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", script.display()))?;
        let server = MockServer::start().await;
        let state = Arc::new(Mutex::new(State { steps, played: 0, wrong: None, url: server.uri() }));
        let player = Arc::clone(&state);
        let respond = move |request: &Request| lock(&player).play(request);
        Mock::given(any()).respond_with(respond).mount(&server).await;
        Ok(Self { server, state })
    }

    pub(crate) fn url(&self) -> String {
        self.server.uri()
    }

    /// The whole script was played, and nothing else.
    pub(crate) fn finish(&self) -> Result<(), Failed> {
        let state = lock(&self.state);
        if let Some(wrong) = &state.wrong {
            return Err(format!("request {}: {wrong}", state.played + 1).into());
        }
        match state.steps.front() {
            Some(step) => Err(format!("never asked: {} (step {})", step.request, state.played + 1).into()),
            None => Ok(()),
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn play(&mut self, request: &Request) -> ResponseTemplate {
        let reason = match self.steps.front() {
            _ if self.wrong.is_some() => "the script was left".to_owned(),
            None => format!("{} comes after the end of the script", target(request)),
            Some(step) => match step.refuse(request) {
                None => {
                    self.played += 1;
                    return self
                        .steps
                        .pop_front()
                        .map_or(ResponseTemplate::new(500), |step| step.respond(&self.url));
                }
                Some(reason) => reason,
            },
        };
        self.wrong.get_or_insert_with(|| reason.clone());
        ResponseTemplate::new(418)
            .insert_header("x-should-retry", "false")
            .set_body_json(serde_json::json!({ "message": reason }))
    }
}

impl Step {
    /// What is wrong with a request in this place.
    fn refuse(&self, request: &Request) -> Option<String> {
        let target = target(request);
        if target != self.request {
            return Some(format!("{target} instead of {}", self.request));
        }
        let header = self.without.iter().find(|header| request.headers.contains_key(header.as_str()));
        if let Some(header) = header {
            return Some(format!("{target} has the header {header}"));
        }
        if let Some(begins) = &self.begins {
            let head: String =
                request.body.iter().take(begins.len() / 2).map(|byte| format!("{byte:02x}")).collect();
            if head != *begins {
                return Some(format!("the body of {target} begins with {head}"));
            }
        }
        let wanted = self.body.as_ref()?;
        let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let place = missing(wanted, &sent)?;
        Some(format!("the body of {target} differs at `{place}`:\n{sent:#}\nis to have\n{wanted:#}"))
    }

    fn respond(self, url: &str) -> ResponseTemplate {
        let mut template = ResponseTemplate::new(self.status);
        for (name, value) in &self.headers {
            template = template.insert_header(name.as_str(), value.as_str());
        }
        match self.answer {
            Value::String(text) => template.set_body_string(text),
            json => template.set_body_raw(json.to_string().replace("{server}", url), "application/json"),
        }
    }
}

fn target(request: &Request) -> String {
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{} {}{query}", request.method, request.url.path())
}

/// Where `sent` does not say what is wanted; objects may say more, lists may not.
fn missing(wanted: &Value, sent: &Value) -> Option<String> {
    match (wanted, sent) {
        (Value::Object(wanted), Value::Object(sent)) => wanted.iter().find_map(|(name, value)| {
            let place = missing(value, sent.get(name).unwrap_or(&Value::Null))?;
            Some(format!(".{name}{place}"))
        }),
        (Value::Array(wanted), Value::Array(sent)) if wanted.len() == sent.len() => {
            wanted.iter().zip(sent).enumerate().find_map(|(index, (wanted, sent))| {
                let place = missing(wanted, sent)?;
                Some(format!("[{index}]{place}"))
            })
        }
        _ => (wanted != sent).then(String::new),
    }
}
