//! Over TLS: which protocol is agreed on, how many connections are made, who is trusted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use runloop_client::types::DevboxStatus;
use runloop_client::{Client, ClientBuilder, ConfigError, TransportKind, WaitOptions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{self, json as answer};

const CA: &[u8] = include_bytes!("ca.pem");

/// TLS in front of a server without: what both agreed on shows what the client can.
struct TlsServer {
    url: String,
    inner: MockServer,
    protocols: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TlsServer {
    /// A server that speaks these protocols.
    async fn start(protocols: &[&str], response: ResponseTemplate) -> Self {
        Self::start_crowded(protocols, response, 1).await
    }

    /// One that lets in nobody after the first before so many are at its door.
    async fn start_crowded(protocols: &[&str], response: ResponseTemplate, crowd: usize) -> Self {
        let inner = support::always(response).await;
        let certificates = CertificateDer::pem_slice_iter(include_bytes!("server.pem"));
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates.map(Result::unwrap).collect(), key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let agreed = Arc::new(Mutex::new(Vec::new()));
        let (seen, behind) = (Arc::clone(&agreed), *inner.address());
        let (arrivals, _) = watch::channel(0);
        let task = tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                arrivals.send_modify(|count| *count += 1);
                let is_first = *arrivals.borrow() == 1;
                let mut arrived = arrivals.subscribe();
                tokio::spawn(async move {
                    let _ = arrived.wait_for(|count| is_first || *count >= crowd).await;
                    // A client that does not trust us ends the handshake.
                    let Ok(mut connection) = acceptor.accept(connection).await else { return };
                    let name = connection.get_ref().1.alpn_protocol().unwrap_or(b"none").to_vec();
                    seen.lock().unwrap().push(String::from_utf8(name).unwrap());
                    let mut behind = TcpStream::connect(behind).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut connection, &mut behind).await;
                });
            }
        });
        Self { url, inner, protocols: agreed, task }
    }

    /// What was agreed on, of each connection.
    fn protocols(&self) -> Vec<String> {
        self.protocols.lock().unwrap().clone()
    }

    fn builder(&self) -> ClientBuilder {
        support::builder(&self.url).add_root_certificate_pem(CA).max_retries(0)
    }
}

fn account() -> ResponseTemplate {
    answer(200, json!({"id": "acc_1"}))
}

async fn at_once(client: &Client, calls: usize) {
    let calls = (0..calls).map(|_| client.accounts().me().send());
    futures::future::try_join_all(calls).await.unwrap();
}

#[tokio::test]
async fn http2_is_agreed_on_and_calls_share_a_connection() {
    let server = TlsServer::start(&["h2", "http/1.1"], account()).await;
    let client = server.builder().build().unwrap();
    let answer = client.accounts().me().with_response().await.unwrap();
    assert_eq!((answer.value.id.as_str(), answer.raw.status), ("acc_1", 200));
    for _ in 0..5 {
        at_once(&client, 15).await;
    }
    assert_eq!(server.protocols(), ["h2"]);
}

#[tokio::test]
async fn many_calls_spread_over_the_shards_and_no_further() {
    let slow = account().set_delay(Duration::from_millis(200));
    let server = TlsServer::start(&["h2", "http/1.1"], slow).await;
    let client = server.builder().build().unwrap();
    // Each shard learns what the server speaks with the first answer; until then it makes up to 20 connections, some of
    // which may stand only later. From then on it has one.
    for _ in 0..4 {
        at_once(&client, 300).await;
    }
    let made = server.protocols().len();
    assert!((8..=160).contains(&made), "{made}");
}

#[tokio::test]
async fn a_server_without_http2_is_spoken_to_in_http1() {
    for protocols in [&["http/1.1"][..], &[]] {
        let server = TlsServer::start(protocols, account()).await;
        let client = server.builder().build().unwrap();
        for _ in 0..5 {
            client.accounts().me().await.unwrap();
        }
        let expected = *protocols.first().unwrap_or(&"none");
        assert_eq!(server.protocols(), [expected]);
    }
}

#[tokio::test]
async fn connections_of_http1_are_limited() {
    let slow = account().set_delay(Duration::from_millis(10));
    let server = TlsServer::start(&["http/1.1"], slow).await;
    let client = server.builder().max_connections_per_shard(2).build().unwrap();
    at_once(&client, 100).await;
    let made = server.protocols().len();
    // At most 16 at once; a few more are made when one becomes free while another is under way.
    assert!((8..=60).contains(&made), "{made}");
}

#[tokio::test]
async fn waits_and_calls_have_connections_of_their_own() {
    let server = TlsServer::start(&["h2"], answer(200, json!({"id": "dbx_1", "status": "running"}))).await;
    let client = server.builder().build().unwrap();
    client.devboxes().retrieve("dbx_1").await.unwrap();
    client.devboxes().await_running(&"dbx_1".into(), WaitOptions::default()).await.unwrap();
    client.devboxes().download_file("dbx_1", "a").await.unwrap().bytes().await.unwrap();
    client.devboxes().retrieve("dbx_1").await.unwrap();
    assert_eq!(server.protocols(), ["h2", "h2", "h2"]);
}

#[tokio::test]
async fn waits_share_a_connection_or_use_it_again() {
    for (protocols, at_once) in [(&["h2", "http/1.1"][..], 10), (&["http/1.1"], 1)] {
        let server =
            TlsServer::start(protocols, answer(200, json!({"id": "dbx_1", "status": "running"}))).await;
        let client = server.builder().build().unwrap();
        let (devboxes, id) = (client.devboxes(), "dbx_1".into());
        for _ in 0..3 {
            let waits = (0..at_once).map(|_| devboxes.await_running(&id, WaitOptions::default()));
            futures::future::try_join_all(waits).await.unwrap();
        }
        assert_eq!(server.protocols(), [protocols[0]]);
    }
}

#[tokio::test]
async fn waits_that_cannot_share_a_connection_connect_at_the_same_time() {
    let slow = answer(200, json!({"id": "dbx_1", "status": "running"})).set_delay(Duration::from_millis(300));
    let server = TlsServer::start_crowded(&["http/1.1"], slow, 6).await;
    let client = server.builder().connect_timeout(Duration::from_secs(5)).build().unwrap();
    let devboxes = client.devboxes();
    let wait = |_| devboxes.wait_for_status("dbx_1", &[DevboxStatus::Running], Duration::from_secs(5)).send();
    futures::future::try_join_all((0..10).map(wait)).await.unwrap();
}

#[tokio::test]
async fn a_wait_trusts_no_more_than_any_call() {
    let server = TlsServer::start(&["h2"], account()).await;
    let client = support::builder(&server.url).build().unwrap();
    let statuses = [DevboxStatus::Running];
    let poll = client.devboxes().wait_for_status("dbx_1", &statuses, Duration::from_secs(5));
    assert_eq!(poll.await.unwrap_err().transport_kind(), Some(TransportKind::Connect));
    assert!(server.inner.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not_spoken_to() {
    let server = TlsServer::start(&["h2"], account()).await;
    let client = support::builder(&server.url).max_retries(0).build().unwrap();
    let error = client.accounts().me().await.unwrap_err();
    assert_eq!(error.transport_kind(), Some(TransportKind::Connect));
    assert!(server.inner.received_requests().await.unwrap().is_empty());
    // Nor one with another name.
    let url = server.url.replace("localhost", "127.0.0.2");
    let client = support::builder(&url).add_root_certificate_pem(CA).max_retries(0).build().unwrap();
    let error = client.accounts().me().await.unwrap_err();
    assert_eq!(error.transport_kind(), Some(TransportKind::Connect), "{error}");
}

#[tokio::test]
async fn a_presigned_url_is_trusted_by_the_same_certificates() {
    let bytes = ResponseTemplate::new(200).set_body_bytes(b"content");
    let store = TlsServer::start(&["h2", "http/1.1"], bytes).await;
    let api = MockServer::start().await;
    let url = format!("{}/object?signature=hunter2", store.url);
    Mock::given(any()).respond_with(answer(200, json!({"download_url": url}))).mount(&api).await;
    let client = support::builder(&api.uri()).add_root_certificate_pem(CA).build().unwrap();
    assert_eq!(&client.objects().download_as_bytes("obj_1").await.unwrap()[..], b"content");
    let requests = store.inner.received_requests().await.unwrap();
    assert!(!requests[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn plain_http2_where_the_server_is_known_to_speak_it() {
    let server = support::always(account()).await;
    let client = support::builder(&server.uri()).http2_prior_knowledge().build().unwrap();
    at_once(&client, 50).await;
    assert_eq!(server.received_requests().await.unwrap().len(), 50);
}

#[test]
fn certificates_that_are_none_are_refused() {
    let builder = || Client::builder().api_key("ak").base_url("https://localhost");
    for useless in ["", "hello", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n"] {
        let error = builder().add_root_certificate_pem(useless).build().unwrap_err();
        assert!(matches!(error, ConfigError::BadCertificate), "{useless}: {error}");
    }
    builder().add_root_certificate_pem(CA).build().unwrap();
}
