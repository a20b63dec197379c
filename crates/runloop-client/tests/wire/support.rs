//! Servers to test against.

use std::sync::{Arc, Mutex};

use runloop_client::{Client, ClientBuilder};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A builder for a server at `url`, without randomness.
pub(crate) fn builder(url: &str) -> ClientBuilder {
    Client::builder().base_url(url).api_key("ak_test").jitter(|| 1.0)
}

pub(crate) fn client(url: &str) -> Client {
    builder(url).build().unwrap()
}

/// A server that gives every request the same answer.
pub(crate) async fn always(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// A server that gives these answers, one after the other; then 599.
pub(crate) async fn sequence(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let answers = Mutex::new(answers.into_iter());
    let respond = move |_: &wiremock::Request| {
        let end = || ResponseTemplate::new(599).insert_header("x-should-retry", "false");
        answers.lock().unwrap().next().unwrap_or_else(end)
    };
    Mock::given(any()).respond_with(respond).mount(&server).await;
    server
}

pub(crate) fn json(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

/// An error that may be tried again at once.
pub(crate) fn passing(status: u16) -> ResponseTemplate {
    json(status, serde_json::json!({"message": "try again"})).insert_header("retry-after-ms", "1")
}

pub(crate) async fn requests(server: &MockServer) -> Vec<wiremock::Request> {
    server.received_requests().await.unwrap()
}

pub(crate) fn header(request: &wiremock::Request, name: &str) -> Option<String> {
    request.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

/// The path with its query.
pub(crate) fn target(request: &wiremock::Request) -> String {
    match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_owned(),
    }
}

/// What came: method and target, and the JSON body or null.
pub(crate) async fn sent(server: &MockServer) -> Vec<(String, Value)> {
    let seen = |request: &wiremock::Request| {
        (format!("{} {}", request.method, target(request)), request.body_json().unwrap_or_default())
    };
    requests(server).await.iter().map(seen).collect()
}

/// What a raw connection does after it has read a request's head.
pub(crate) enum Step {
    /// Writes these bytes and closes the connection.
    Say(Vec<u8>),
    /// Writes these bytes and then one more now and then, for as long as the client stays.
    Trickle(Vec<u8>),
    /// Says nothing for as long as the client stays.
    Hang,
}

/// A server below HTTP libraries: each connection takes the next step, so that answers can be cut anywhere.
pub(crate) struct RawServer {
    pub(crate) url: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl RawServer {
    pub(crate) async fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            for step in steps {
                let (mut connection, _) = listener.accept().await.unwrap();
                let head = read_head(&mut connection).await;
                seen.lock().unwrap().push(head);
                match step {
                    Step::Say(bytes) => {
                        connection.write_all(&bytes).await.unwrap();
                        connection.shutdown().await.unwrap();
                    }
                    Step::Trickle(mut bytes) => {
                        while connection.write_all(&bytes).await.is_ok() {
                            bytes = vec![b'.'];
                            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                        }
                    }
                    Step::Hang => {
                        let mut rest = Vec::new();
                        let _ = connection.read_to_end(&mut rest).await;
                    }
                }
            }
        });
        Self { url, heads, task }
    }

    /// Path and query of each request so far.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.heads().iter().map(|head| head.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
    }

    /// The head of each request so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read_head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).await.unwrap() > 0 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// A whole JSON answer.
pub(crate) fn say_json(body: &Value) -> Step {
    let body = body.to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    Step::Say(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

/// A chunked event stream: the pieces, and whether the body is ended as it should be.
pub(crate) fn say_events(pieces: &[&[u8]], ended: bool) -> Step {
    let mut bytes =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for piece in pieces {
        bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        bytes.extend(*piece);
        bytes.extend(b"\r\n");
    }
    if ended {
        bytes.extend(b"0\r\n\r\n");
    }
    Step::Say(bytes)
}
