//! Long polls have connections and a reader of their own: what they share with all other calls, and what they reuse.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use runloop_client::types::{DevboxStatus, DevboxView};
use runloop_client::{Client, ClientBuilder, Error, Outcome, TransportKind};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

use crate::gate::{Book, Entries};
use crate::support::{RawServer, Step, always, builder, client, header, json as answer, requests, say_json};

async fn poll(client: &Client) -> Result<DevboxView, Error> {
    let statuses = [DevboxStatus::Running];
    client.devboxes().wait_for_status("dbx_1", &statuses, Duration::from_secs(5)).send().await
}

fn view() -> String {
    json!({"id": "dbx_1", "status": "running"}).to_string()
}

/// Gives the same answer to every request of every connection, in pieces that arrive one by one.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Closes a connection after so many answers.
    async fn start(answer: Vec<u8>, piece: usize, answers: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let closed = Arc::new(AtomicUsize::new(0));
        let (answer, seen, ended) = (Arc::new(answer), Arc::clone(&connections), Arc::clone(&closed));
        let task = tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                connection.set_nodelay(true).unwrap();
                seen.fetch_add(1, Ordering::SeqCst);
                let (answer, ended) = (Arc::clone(&answer), Arc::clone(&ended));
                tokio::spawn(async move {
                    let mut connection = BufReader::new(connection);
                    for _ in 0..answers {
                        if !read_request(&mut connection).await {
                            return;
                        }
                        for piece in answer.chunks(piece) {
                            connection.write_all(piece).await.unwrap();
                            tokio::task::yield_now().await;
                        }
                    }
                    drop(connection);
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self { url, connections, closed, task }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Until so many connections were closed here, and whoever is on this machine could see it.
    async fn closed(&self, count: usize) {
        while self.closed.load(Ordering::SeqCst) < count {
            tokio::task::yield_now().await;
        }
        // Whatever has happened by then is heard of before a sleep ends.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether there was another request.
async fn read_request(connection: &mut BufReader<TcpStream>) -> bool {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.unwrap() == 0 {
            return false;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    connection.read_exact(&mut vec![0; length]).await.unwrap();
    true
}

fn whole(headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn chunked(body: &str, chunk: usize) -> Vec<u8> {
    let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.as_bytes().chunks(chunk) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

#[tokio::test]
async fn an_answer_is_read_however_it_arrives_and_the_connection_used_again() {
    let early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".to_vec();
    for bytes in [whole("", &view()), chunked(&view(), 7), [early, whole("", &view())].concat()] {
        for piece in [1, 3, 10_000] {
            let server = Server::start(bytes.clone(), piece, usize::MAX).await;
            let client = builder(&server.url).build().unwrap();
            for _ in 0..3 {
                assert_eq!(poll(&client).await.unwrap().status, DevboxStatus::Running);
            }
            assert_eq!(server.connections(), 1, "pieces of {piece}");
        }
    }
}

#[tokio::test]
async fn polls_at_the_same_time_have_a_connection_each_and_leave_them_to_the_next() {
    let server = Server::start(whole("", &view()), 1, usize::MAX).await;
    let client = builder(&server.url).build().unwrap();
    for _ in 0..5 {
        let polls = futures::future::try_join_all((0..10).map(|_| poll(&client)));
        polls.await.unwrap();
    }
    assert!(server.connections() <= 10, "{}", server.connections());
}

#[tokio::test]
async fn a_connection_that_the_server_closes_is_not_used_again() {
    // Said in the answer, and not said.
    for bytes in [whole("connection: close\r\n", &view()), whole("", &view())] {
        let server = Server::start(bytes, 10_000, 1).await;
        let client = builder(&server.url).max_retries(0).build().unwrap();
        for expected in 1..=3 {
            poll(&client).await.unwrap();
            assert_eq!(server.connections(), expected);
            server.closed(expected).await;
        }
    }
}

#[tokio::test]
async fn a_poll_that_is_given_up_leaves_no_connection_to_the_next() {
    let cut = whole("", &view());
    let hang = cut[..cut.len() - 5].to_vec();
    let server =
        RawServer::start(vec![Step::Trickle(hang[..20].to_vec()), say_json(&json!({"id": "dbx_1"}))]).await;
    let client = builder(&server.url).build().unwrap();
    let given_up = tokio::time::timeout(Duration::from_millis(100), poll(&client)).await;
    assert!(given_up.is_err());
    assert_eq!(poll(&client).await.unwrap().id.as_str(), "dbx_1");
}

#[tokio::test]
async fn large_answers_come_whole_over_both_protocols() {
    // Larger than what may be under way unread.
    let name = "x".repeat(5 * 1024 * 1024);
    let server = always(answer(200, json!({"id": "dbx_1", "status": "running", "name": name}))).await;
    for client in [
        builder(&server.uri()).build().unwrap(),
        builder(&server.uri()).http2_prior_knowledge().build().unwrap(),
    ] {
        for _ in 0..2 {
            assert_eq!(poll(&client).await.unwrap().name.unwrap().len(), name.len());
        }
        let small = builder(&server.uri()).max_response_bytes(1000).build().unwrap();
        assert_eq!(poll(&small).await.unwrap_err().transport_kind(), Some(TransportKind::TooLarge));
    }
}

#[tokio::test]
async fn headers_go_with_a_poll_as_with_any_call() {
    let server = always(answer(200, json!({"id": "dbx_1", "status": "running"}))).await;
    for http2 in [false, true] {
        let builder = builder(&server.uri()).header("X-Team", "a");
        let client = if http2 { builder.http2_prior_knowledge() } else { builder }.build().unwrap();
        let call =
            client.devboxes().wait_for_status("dbx_1", &[DevboxStatus::Running], Duration::from_secs(5));
        let answer =
            call.header("X-Own", "b").query_param("a b", "ü").idempotency_key("key-1").with_response();
        assert_eq!(answer.await.unwrap().raw.status, 200);
    }
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.url.query(), Some("a%20b=%C3%BC"));
        let expected = [
            ("x-team", "a"),
            ("x-own", "b"),
            ("x-request-id", "key-1"),
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ];
        for (name, value) in expected {
            assert_eq!(header(&request, name).as_deref(), Some(value));
        }
        assert!(header(&request, "user-agent").unwrap().starts_with("runloop-client-rust/"));
        assert!(header(&request, "authorization").unwrap().starts_with("Bearer "));
        assert_eq!(header(&request, "content-length"), Some(request.body.len().to_string()));
    }
}

#[tokio::test]
async fn a_redirected_poll_is_followed() {
    let elsewhere = always(answer(200, json!({"id": "dbx_1", "status": "running"}))).await;
    let to = wiremock::ResponseTemplate::new(307).insert_header("location", format!("{}/x", elsewhere.uri()));
    let server = always(to).await;
    let client = client(&server.uri());
    for _ in 0..2 {
        poll(&client).await.unwrap();
    }
    assert_eq!(requests(&elsewhere).await.len(), 2);
    // The first one once more than needed.
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn a_poll_is_asked_through_the_proxy() {
    let proxy = RawServer::start(vec![say_json(&json!({"id": "dbx_1"}))]).await;
    let client = builder("http://api.invalid").proxy(&proxy.url).build().unwrap();
    assert_eq!(poll(&client).await.unwrap().id.as_str(), "dbx_1");
    assert_eq!(proxy.targets(), ["http://api.invalid/v1/devboxes/dbx_1/wait_for_status"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_and_one_that_hangs_up_are_told_apart() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for http2 in [false, true] {
        let build = |url: &str| {
            let builder = builder(url);
            if http2 { builder.http2_prior_knowledge() } else { builder }.build().unwrap()
        };
        let error = poll(&build(&format!("http://{nobody}"))).await.unwrap_err();
        assert_eq!(error.transport_kind(), Some(TransportKind::Connect), "{error}");
        let server = RawServer::start(vec![Step::Say(Vec::new())]).await;
        let error = poll(&build(&server.url)).await.unwrap_err();
        assert_eq!(error.transport_kind(), Some(TransportKind::Interrupted), "{error}");
    }
}

/// A listener to which nobody can connect any more, with the connections that wait there; `None` where the kernel takes
/// more than it was told.
async fn full_listener() -> Option<(TcpListener, Vec<TcpStream>)> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let connection = TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(300), connection).await {
            Ok(connection) => waiting.push(connection.ok()?),
            Err(_) => return Some((listener, waiting)),
        }
    }
    None
}

#[tokio::test]
async fn a_connection_that_does_not_stand_in_time_is_told_from_silence() {
    let Some((listener, _waiting)) = full_listener().await else {
        eprintln!("skipped: this kernel completes connections to a listener whose backlog is full");
        return;
    };
    let url = format!("http://{}", listener.local_addr().unwrap());
    for http2 in [false, true] {
        let builder = builder(&url).connect_timeout(Duration::from_millis(200)).max_retries(0);
        let client = if http2 { builder.http2_prior_knowledge() } else { builder }.build().unwrap();
        for error in [client.accounts().me().await.unwrap_err(), poll(&client).await.unwrap_err()] {
            assert_eq!(error.transport_kind(), Some(TransportKind::ConnectTimeout), "{error}");
            assert!(error.to_string().contains("could not connect in time"), "{error}");
            assert!(error.is_timeout());
        }
    }
}

/// Speaks HTTP/2 and allows few streams at a time, which it says only when a hasty client has opened more.
struct Narrow {
    url: String,
    /// Requests that came, on whichever connection.
    seen: watch::Receiver<usize>,
    /// Whether it answers; until then requests are held.
    answers: watch::Sender<bool>,
    /// Whether the connections that came before have been cut.
    cut: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Narrow {
    async fn start(streams: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (count, seen) = watch::channel(0);
        let (answers, cut) = (watch::Sender::new(false), watch::Sender::new(false));
        let (may_answer, is_cut) = (answers.subscribe(), cut.subscribe());
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (count, may_answer) = (count.clone(), may_answer.clone());
                let mut is_cut = is_cut.clone();
                let came_before = !*is_cut.borrow();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    let mut builder = h2::server::Builder::new();
                    let builder = builder.max_concurrent_streams(streams);
                    let mut connection = builder.handshake::<_, Bytes>(connection).await.unwrap();
                    loop {
                        let (_, mut answer) = tokio::select! {
                            _ = is_cut.wait_for(|is_cut| *is_cut), if came_before => return,
                            request = connection.accept() => match request {
                                Some(Ok(request)) => request,
                                _ => return,
                            },
                        };
                        count.send_modify(|seen| *seen += 1);
                        let mut may_answer = may_answer.clone();
                        tokio::spawn(async move {
                            may_answer.wait_for(|may| *may).await.unwrap();
                            let mut body = answer.send_response(Response::new(()), false).unwrap();
                            body.send_data(view().into(), true).unwrap();
                        });
                    }
                });
            }
        });
        Self { url, seen, answers, cut, task }
    }

    fn builder(&self) -> ClientBuilder {
        builder(&self.url).http2_prior_knowledge().max_retries(0)
    }

    /// Until so many requests have come.
    async fn seen(&self, count: usize) {
        let mut seen = self.seen.clone();
        let come = tokio::time::timeout(Duration::from_secs(30), seen.wait_for(|seen| *seen == count)).await;
        assert!(come.is_ok(), "{} of {count} requests came", *self.seen.borrow());
    }
}

impl Drop for Narrow {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn polls(client: &Client, count: usize) -> Vec<tokio::task::JoinHandle<Result<DevboxView, Error>>> {
    let poll = |client: Client| async move { poll(&client).await };
    (0..count).map(|_| tokio::spawn(poll(client.clone()))).collect()
}

/// A client whose waits share one connection for each of the 16 shards, and what passes its gate.
fn one_each(server: &Narrow) -> (Client, Entries) {
    let book = Book::default();
    let entries = Arc::clone(&book.0);
    (server.builder().max_connections_per_shard(1).gate(Arc::new(book)).build().unwrap(), entries)
}

const ANSWERED: Option<Outcome> = Some(Outcome::Answered { status: 200, retry_after: None });

#[tokio::test]
async fn no_more_streams_are_opened_than_the_server_allows() {
    let book = Book::default();
    let entries = Arc::clone(&book.0);
    let server = Narrow::start(10).await;
    server.answers.send_replace(true);
    let client = server.builder().gate(Arc::new(book)).build().unwrap();
    futures::future::try_join_all((0..30).map(|_| poll(&client))).await.unwrap();
    let entries = entries.lock().unwrap();
    assert_eq!(entries.len(), 30);
    assert!(entries.iter().all(|entry| entry.2 == ANSWERED));
}

#[tokio::test]
async fn waits_are_open_at_the_same_time_however_few_streams_a_connection_has() {
    let server = Narrow::start(2).await;
    let client = server.builder().build().unwrap();
    // Far more than the shards have room for with one connection each.
    let polls = polls(&client, 100);
    server.seen(100).await;
    server.answers.send_replace(true);
    for poll in polls {
        poll.await.unwrap().unwrap();
    }
    // None was sent twice.
    server.seen(100).await;
}

#[tokio::test]
async fn waits_for_which_there_is_no_room_are_held_back_and_sent_when_others_end() {
    let server = Narrow::start(2).await;
    let (client, entries) = one_each(&server);
    let sent = polls(&client, 32);
    server.seen(32).await;
    // How long the server is silent does not count before it has been asked, but the time for the whole call does.
    let devboxes = client.devboxes();
    let hurried = |_| {
        devboxes
            .wait_for_status("dbx_1", &[DevboxStatus::Running], Duration::from_secs(5))
            .timeout(Duration::from_millis(10))
            .total_timeout(Duration::from_millis(200))
            .send()
    };
    for late in futures::future::join_all((0..10).map(hurried)).await {
        let late = late.unwrap_err();
        assert_eq!(late.transport_kind(), Some(TransportKind::TotalTimeout), "{late}");
        assert_eq!(late.attempts(), Some(0));
        assert!(late.to_string().contains("nothing was sent"), "{late}");
        let why = std::error::Error::source(&late).unwrap().to_string();
        assert!(why.contains("held back"), "{why}");
    }
    let held = polls(&client, 68);
    server.answers.send_replace(true);
    for poll in sent.into_iter().chain(held) {
        poll.await.unwrap().unwrap();
    }
    // No more than were answered: none was sent twice, and none of those that were given up.
    assert_eq!(*server.seen.borrow(), 100);
    let outcomes: Vec<_> = entries.lock().unwrap().iter().map(|entry| entry.2).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == ANSWERED).count(), 100);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_none()).count(), 10);
}

#[tokio::test]
async fn waits_that_queue_for_a_connection_that_breaks_take_another() {
    let server = Narrow::start(1).await;
    let (client, entries) = one_each(&server);
    let sent = polls(&client, 16);
    server.seen(16).await;
    let held = polls(&client, 16);
    while entries.lock().unwrap().len() < 32 {
        tokio::task::yield_now().await;
    }
    server.cut.send_replace(true);
    for poll in sent {
        let error = poll.await.unwrap().unwrap_err();
        assert_eq!(error.transport_kind(), Some(TransportKind::Interrupted), "{error}");
    }
    server.answers.send_replace(true);
    for poll in held {
        poll.await.unwrap().unwrap();
    }
    assert_eq!(*server.seen.borrow(), 32);
}
