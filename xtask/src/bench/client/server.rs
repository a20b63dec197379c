//! The trivial server: answers at once, holds waits, takes and gives bytes. HTTP/1.1 and HTTP/2 on one port.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use futures::{StreamExt, stream};

use super::OBJECT_BYTES;

/// What a small command answers.
const EXECUTION: &str = r#"{"devbox_id":"dbx_1","execution_id":"exec_1","status":"completed","exit_status":0,"stdout":"hello\n","stderr":"","stdout_truncated":false,"stderr_truncated":false,"shell_name":null}"#;

/// Pieces of a download.
const PIECE: usize = 256 * 1024;

/// Waits that are held now.
type Held = Arc<AtomicUsize>;

pub(super) fn run() -> Result<(), String> {
    let plain = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let plain_address = plain.local_addr().map_err(|error| error.to_string())?;
    std::thread::spawn(move || {
        for connection in plain.incoming().flatten() {
            // One that breaks is the measuring side's error.
            std::thread::spawn(move || bare(connection));
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let listener =
            tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        println!("http://{address}\n{plain_address}");
        let app = Router::new()
            .route("/v1/devboxes/{id}/execute", post(execute))
            .route("/v1/devboxes/{id}/wait_for_status", post(hold))
            .route(
                "/held",
                get(|State(held): State<Held>| async move { held.load(Ordering::SeqCst).to_string() }),
            )
            .route("/v1/objects", post(create))
            .route("/v1/objects/{id}/{step}", post(object).get(download_url))
            .route("/bytes", put(take).get(give))
            .with_state(Held::default());
        let listener = axum::serve::ListenerExt::tap_io(listener, |socket| {
            let _ = socket.set_nodelay(true);
        });
        axum::serve(listener, app).await.map_err(|error| error.to_string())
    })
}

fn json(text: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.into()).into_response()
}

async fn execute(Path(_): Path<String>, _: Bytes) -> Response {
    json(EXECUTION)
}

/// Counts a wait for as long as somebody waits.
struct Holding(Held);

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn hold(State(held): State<Held>, _: Bytes) -> Response {
    held.fetch_add(1, Ordering::SeqCst);
    let _holding = Holding(held);
    tokio::time::sleep(Duration::from_secs(25)).await;
    (StatusCode::REQUEST_TIMEOUT, json(r#"{"message":"not yet"}"#)).into_response()
}

fn bytes_url(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("http://{host}/bytes")
}

async fn create(headers: HeaderMap, _: Bytes) -> Response {
    let url = bytes_url(&headers);
    json(format!(
        r#"{{"id":"obj_1","name":"object","content_type":"binary","state":"UPLOADING","create_time_ms":0,"upload_url":"{url}"}}"#
    ))
}

async fn object(_: Bytes) -> Response {
    json(r#"{"id":"obj_1","name":"object","content_type":"binary","state":"READ_ONLY","create_time_ms":0}"#)
}

async fn download_url(headers: HeaderMap) -> Response {
    json(format!(r#"{{"download_url":"{}"}}"#, bytes_url(&headers)))
}

async fn take(body: Body) -> StatusCode {
    let mut pieces = body.into_data_stream();
    let mut taken = 0;
    while let Some(Ok(piece)) = pieces.next().await {
        taken += piece.len() as u64;
    }
    if taken == OBJECT_BYTES { StatusCode::OK } else { StatusCode::BAD_REQUEST }
}

async fn give() -> Response {
    let piece = Bytes::from(vec![0; PIECE]);
    let pieces = OBJECT_BYTES as usize / PIECE;
    let body = stream::repeat(piece).take(pieces).map(Ok::<_, std::convert::Infallible>);
    ([(header::CONTENT_LENGTH, OBJECT_BYTES.to_string())], Body::from_stream(body)).into_response()
}

/// The bare socket: after `u` it takes bytes to their end and says so, after `d` it gives them.
fn bare(mut connection: std::net::TcpStream) -> std::io::Result<()> {
    let mut what = [0];
    connection.read_exact(&mut what)?;
    let mut buffer = vec![0; PIECE];
    if what == *b"u" {
        while connection.read(&mut buffer)? > 0 {}
        return connection.write_all(b".");
    }
    for _ in 0..OBJECT_BYTES as usize / PIECE {
        connection.write_all(&buffer)?;
    }
    Ok(())
}
