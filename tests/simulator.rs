//! What is simulated answers as the embedded platform does: the same status codes, and JSON of the same shape.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use runloop_simulator::{Script, Simulator, SimulatorOptions};
use serde_json::{Value, json};

use crate::serving::Serving;
use crate::support::Bench;

const KEY: &str = "key-of-both";

/// What an answer looks like, whatever it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Nothing,
    Text,
    Number,
    Truth,
    /// Of these elements.
    List(BTreeSet<Shape>),
    Fields(BTreeMap<String, Shape>),
}

impl Shape {
    /// Labels and sizes are the caller's and the platform's own.
    const OPEN: [&str; 2] = ["metadata", "launch_parameters"];

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(_) => Self::Truth,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::Text,
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Object(fields) => {
                let of = |(name, value): (&String, &Value)| {
                    let is_open = Self::OPEN.contains(&name.as_str());
                    (name.clone(), if is_open { Self::Fields(BTreeMap::new()) } else { Self::of(value) })
                };
                Self::Fields(fields.iter().map(of).collect())
            }
        }
    }
}

/// An answer.
struct Answer {
    status: u16,
    text: String,
    json: Value,
}

/// A platform that is asked one thing after the other.
struct Asked {
    url: String,
    key: &'static str,
    /// What was asked, and what the answers looked like.
    answers: Vec<(String, u16, Shape)>,
}

impl Asked {
    fn ask(&mut self, step: &str, request: &str, body: &Value) -> Answer {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.send(step, request, "content-type: application/json\r\n", &text)
    }

    /// `request` is method and path; `headers` are whole lines.
    fn send(&mut self, step: &str, request: &str, headers: &str, body: &str) -> Answer {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let (host, path) = match path.strip_prefix("http://") {
            Some(presigned) => presigned.split_at(presigned.find('/').expect("a path")),
            None => (self.url.trim_start_matches("http://"), path),
        };
        let mut stream = TcpStream::connect(host).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time");
        let (key, length) = (self.key, body.len());
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: {host}\r\nauthorization: Bearer {key}\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes()))
            .expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, text) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let json: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        self.answers.push((step.to_owned(), status, Shape::of(&json)));
        Answer { status, text: text.to_owned(), json }
    }

    /// Asks again and again until the answer is not `not yet`.
    fn wait(&mut self, devbox: &str, status: &str) {
        let body = json!({ "statuses": [status], "timeout_seconds": 20 });
        let answer =
            self.ask(&format!("wait for {status}"), &format!("POST {devbox}/wait_for_status"), &body);
        assert_eq!(answer.json["status"], status, "{}: {}", self.url, answer.text);
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// A little of all that a run asks for, in the order of a run.
fn sequence(url: &str, key: &'static str) -> Vec<(String, u16, Shape)> {
    let mut asked = Asked { url: url.to_owned(), key: "wrong", answers: Vec::new() };
    asked.ask("wrong key", "GET /v1/devboxes", &Value::Null);
    asked.key = key;

    let labels = json!({ "who": "simulator-test" });
    let params =
        json!({ "name": "one", "metadata": labels, "launch_parameters": { "keep_alive_time_seconds": 600 } });
    let once = "content-type: application/json\r\nx-request-id: the-first\r\n";
    let create = "POST /v1/devboxes/create_and_await_running";
    let first = asked.send("create", create, once, &params.to_string());
    let again = asked.send("create again", create, once, &params.to_string());
    assert_eq!(first.json["id"], again.json["id"], "{url}: what is asked twice is done once");
    asked.send("other request of that id", "POST /v1/devboxes", once, &params.to_string());
    let id = text(&first.json["id"]);
    let devbox = format!("/v1/devboxes/{id}");
    asked.wait(&devbox, "running");
    let never = json!({ "statuses": ["suspended"], "timeout_seconds": 0.1 });
    asked.ask("wait in vain", &format!("POST {devbox}/wait_for_status"), &never);

    let command = json!({ "command": "printf done >> answer # sim: append=answer:done", "command_id": "0190f3a2-0000-7000-8000-000000000001" });
    asked.ask("execute", &format!("POST {devbox}/execute"), &command);
    let replayed = asked.ask("execute again", &format!("POST {devbox}/execute"), &command);
    let execution = format!("{devbox}/executions/{}", text(&replayed.json["execution_id"]));
    asked.ask("execution", &format!("GET {execution}"), &Value::Null);
    let completed = json!({ "statuses": ["completed"], "timeout_seconds": 5 });
    asked.ask("wait for the execution", &format!("POST {execution}/wait_for_status"), &completed);
    let check =
        json!({ "command": "sleep 0.2; test \"$(cat answer)\" = done # sim: time=200ms holds=answer:done" });
    let started = asked.ask("execute aside", &format!("POST {devbox}/execute_async"), &check);
    let aside = format!("{devbox}/executions/{}", text(&started.json["execution_id"]));
    let checked = asked.ask("wait for it", &format!("POST {aside}/wait_for_status"), &completed);
    assert_eq!(checked.json["exit_status"], 0, "{url}: done once: {}", checked.text);
    let endless = json!({ "command": "sleep 600 # sim: time=600s" });
    let started = asked.ask("execute for long", &format!("POST {devbox}/execute_async"), &endless);
    let endless = format!("{devbox}/executions/{}", text(&started.json["execution_id"]));
    let soon = json!({ "statuses": ["completed"], "timeout_seconds": 0.1 });
    asked.ask("wait for it in vain", &format!("POST {endless}/wait_for_status"), &soon);
    asked.ask("kill it", &format!("POST {endless}/kill"), &Value::Null);
    asked.ask("wait for its end", &format!("POST {endless}/wait_for_status"), &completed);
    asked.ask("unknown execution", &format!("GET {devbox}/executions/none"), &Value::Null);

    let path = |path: &str| json!({ "path": path });
    let written = json!({ "file_path": "notes", "contents": "words" });
    asked.ask("write", &format!("POST {devbox}/write_file_contents"), &written);
    let read =
        asked.ask("read", &format!("POST {devbox}/read_file_contents"), &json!({ "file_path": "notes" }));
    assert_eq!(read.text, "words", "{url}");
    let form = "--x\r\ncontent-disposition: form-data; name=\"path\"\r\n\r\n~/sent\r\n--x\r\ncontent-disposition: form-data; \
                name=\"file\"; filename=\"sent\"\r\n\r\nbytes\r\n--x--\r\n";
    let multipart = "content-type: multipart/form-data; boundary=x\r\n";
    asked.send("upload", &format!("POST {devbox}/upload_file"), multipart, form);
    let sent = asked.ask("download", &format!("POST {devbox}/download_file"), &path("~/sent"));
    assert_eq!(sent.text, "bytes", "{url}");
    asked.ask("download nothing", &format!("POST {devbox}/download_file"), &path("~/none"));

    asked.ask("keep alive", &format!("POST {devbox}/keep_alive"), &Value::Null);
    asked.ask("suspend", &format!("POST {devbox}/suspend"), &Value::Null);
    asked.wait(&devbox, "suspended");
    asked.ask("execute asleep", &format!("POST {devbox}/execute_async"), &check);
    asked.ask("suspend asleep", &format!("POST {devbox}/suspend"), &Value::Null);
    asked.ask("resume", &format!("POST {devbox}/resume"), &Value::Null);
    asked.wait(&devbox, "running");
    asked.ask("resume awake", &format!("POST {devbox}/resume"), &Value::Null);

    let named = json!({ "name": "kept", "metadata": labels });
    let snapshot = text(&asked.ask("snapshot", &format!("POST {devbox}/snapshot_disk"), &named).json["id"]);
    let of_label = "metadata%5Bwho%5D=simulator-test";
    asked.ask("snapshots", &format!("GET /v1/devboxes/disk_snapshots?limit=1&{of_label}"), &Value::Null);
    asked.ask(
        "snapshot's status",
        &format!("GET /v1/devboxes/disk_snapshots/{snapshot}/status"),
        &Value::Null,
    );
    let fork = json!({ "snapshot_id": snapshot });
    let fork = text(&asked.ask("fork", "POST /v1/devboxes", &fork).json["id"]);
    let fork = format!("/v1/devboxes/{fork}");
    asked.wait(&fork, "running");
    let forked = asked.ask("execute in the fork", &format!("POST {fork}/execute_async"), &check);
    let forked = format!("{fork}/executions/{}", text(&forked.json["execution_id"]));
    let checked = asked.ask("wait for that", &format!("POST {forked}/wait_for_status"), &completed);
    assert_eq!(checked.json["exit_status"], 0, "{url}: the disk is the snapshot's: {}", checked.text);
    asked.ask("list", "GET /v1/devboxes?limit=1", &Value::Null);
    asked.ask("list of those that run", "GET /v1/devboxes?status=running&limit=10", &Value::Null);
    asked.ask("bad limit", "GET /v1/devboxes?limit=none", &Value::Null);
    asked.ask(
        "delete snapshot",
        &format!("POST /v1/devboxes/disk_snapshots/{snapshot}/delete"),
        &Value::Null,
    );
    asked.ask(
        "delete it again",
        &format!("POST /v1/devboxes/disk_snapshots/{snapshot}/delete"),
        &Value::Null,
    );
    asked.ask("fork of nothing", "POST /v1/devboxes", &json!({ "snapshot_id": snapshot }));

    let object = json!({ "name": "part.tgz", "content_type": "tgz", "metadata": labels });
    let object = asked.ask("object", "POST /v1/objects", &object).json;
    let at = format!("/v1/objects/{}", text(&object["id"]));
    asked.ask("complete nothing", &format!("POST {at}/complete"), &Value::Null);
    let put = format!("PUT {}", text(&object["upload_url"]));
    asked.send("put bytes", &put, "content-type: application/octet-stream\r\n", "packed");
    asked.ask("complete", &format!("POST {at}/complete"), &Value::Null);
    let url_of = asked.ask("download URL", &format!("GET {at}/download"), &Value::Null).json;
    let got = asked.ask("get bytes", &format!("GET {}", text(&url_of["download_url"])), &Value::Null);
    assert_eq!(got.text, "packed", "{url}");
    asked.ask("objects", "GET /v1/objects?limit=1", &Value::Null);
    asked.ask("delete object", &format!("POST {at}/delete"), &Value::Null);
    asked.ask("object that is gone", &format!("GET {at}"), &Value::Null);

    let policy = json!({ "name": "closed", "allow_all": false });
    let policy = text(&asked.ask("policy", "POST /v1/network-policies", &policy).json["id"]);
    asked.ask("policies", "GET /v1/network-policies?name=closed", &Value::Null);
    asked.ask("delete policy", &format!("POST /v1/network-policies/{policy}/delete"), &Value::Null);
    asked.ask("policy that is gone", &format!("GET /v1/network-policies/{policy}"), &Value::Null);

    asked.ask("shutdown", &format!("POST {devbox}/shutdown"), &Value::Null);
    asked.wait(&devbox, "shutdown");
    asked.ask("shutdown again", &format!("POST {devbox}/shutdown"), &Value::Null);
    asked.ask("execute in what is gone", &format!("POST {devbox}/execute_async"), &check);
    asked.ask("keep what is gone", &format!("POST {devbox}/keep_alive"), &Value::Null);
    let forced = asked.ask("shutdown by force", &format!("POST {fork}/shutdown?force=true"), &Value::Null);
    assert_eq!(forced.status, 200, "{url}: {}", forced.text);
    let unknown = format!(
        "/v1/devboxes/{}",
        id.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect::<String>()
    );
    asked.ask("unknown devbox", &format!("GET {unknown}"), &Value::Null);
    asked.ask("shutdown of an unknown one", &format!("POST {unknown}/shutdown"), &Value::Null);
    asked.answers
}

#[test]
fn the_simulator_answers_as_the_embedded_platform_does() {
    let bench = Bench::new();
    let serving = Serving::start(&bench.path("served"), KEY).expect("the server starts");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let options = SimulatorOptions { api_key: KEY.to_owned(), ..SimulatorOptions::new(Script::default()) };
    let simulator = runtime.block_on(Simulator::start(options)).expect("a port");

    let (real, simulated) = (sequence(&serving.url, KEY), sequence(simulator.url(), KEY));
    assert_eq!(real.len(), simulated.len());
    let differing: Vec<String> = real
        .iter()
        .zip(&simulated)
        .filter(|(real, simulated)| real != simulated)
        .map(|(real, simulated)| {
            format!(
                "{}\n  real      {} {:?}\n  simulated {} {:?}",
                real.0, real.1, real.2, simulated.1, simulated.2
            )
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
