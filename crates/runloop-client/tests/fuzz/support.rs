//! A server below HTTP libraries, whose answers are made by each case of a test.

use std::sync::{Arc, Mutex};

use runloop_client::{Client, ClientBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

type Answer = Box<dyn FnMut(&str) -> Vec<u8> + Send>;

/// A server and its client on one thread. Each connection takes one request.
pub(crate) struct Server {
    runtime: Runtime,
    pub(crate) client: Client,
    answer: Arc<Mutex<Answer>>,
}

impl Server {
    pub(crate) fn start(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let nothing: Answer = Box::new(|_| Vec::new());
        let answer = Arc::new(Mutex::new(nothing));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(serve(listener, Arc::clone(&answer)));
        let builder = Client::builder().base_url(&url).api_key("ak_test").jitter(|| 1.0);
        Self { client: configure(builder).build().unwrap(), answer, runtime }
    }

    /// Runs `future` while `answer` makes the raw answer to each target (path and query).
    pub(crate) fn run<F: Future>(
        &self,
        answer: impl FnMut(&str) -> Vec<u8> + Send + 'static,
        future: F,
    ) -> F::Output {
        *self.answer.lock().unwrap() = Box::new(answer);
        self.runtime
            .block_on(async { tokio::time::timeout(std::time::Duration::from_secs(20), future).await })
            .expect("the client goes on and on")
    }
}

async fn serve(listener: TcpListener, answer: Arc<Mutex<Answer>>) {
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let answer = Arc::clone(&answer);
        tokio::spawn(async move {
            let target = read_target(&mut connection).await;
            let bytes = (answer.lock().unwrap())(&target);
            // A client that has heard enough may be gone.
            let _ = connection.write_all(&bytes).await;
            let _ = connection.shutdown().await;
        });
    }
}

async fn read_target(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && connection.read_buf(&mut head).await.unwrap_or(0) > 0 {}
    String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned()
}

/// A whole answer.
pub(crate) fn whole(status: u16, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n");
    [format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

pub(crate) fn json(body: &serde_json::Value) -> Vec<u8> {
    whole(200, "application/json", body.to_string().as_bytes())
}

/// A parameter of a target's query.
pub(crate) fn parameter<'a>(target: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = target.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}
