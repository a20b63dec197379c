//! Long polls over HTTP/2: streams of one connection.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, stream};
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::{Ping, PingPong, RecvStream};
use hyper::{Request, Uri};
use tokio::time::{sleep, timeout};

use super::connect::Io;
use crate::error::TransportKind;
use crate::http::Fault;

/// How often a connection is looked after.
const BEAT: Duration = Duration::from_secs(15);

/// A peer that does not answer a ping for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that nobody used for so many beats is closed.
const IDLE_BEATS: u32 = 3;

/// Largest headers of an answer.
const MOST_HEADERS: u32 = 16 * 1024;

/// Bytes of answers that may be under way before they are read.
const WINDOW: u32 = 1024 * 1024;

/// Headers that speak of one connection of HTTP/1.1; here they are malformed.
const OF_HTTP1: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// A connection that requests share.
pub(super) struct Shared {
    requests: SendRequest<Bytes>,
    uses: Use,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("uses", &Arc::strong_count(&self.uses)).finish_non_exhaustive()
    }
}

/// Keeps a connection from being closed as idle.
pub(super) type Use = Arc<()>;

impl Shared {
    /// Begins to speak HTTP/2. With `far`, a peer that went silent is noticed.
    pub(super) async fn over(io: Io, far: bool) -> Result<Self, h2::Error> {
        let mut builder = Builder::new();
        builder
            // Until the server has said how many it allows: what is opened beyond that it refuses.
            .initial_max_send_streams(1)
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(MOST_HEADERS)
            .enable_push(false);
        let (requests, connection) = builder.handshake(io).await?;
        let uses = Use::default();
        tokio::spawn(run(connection, Arc::downgrade(&uses), far));
        Ok(Self { requests, uses })
    }

    /// To send one request with; `None` if the connection has ended.
    pub(super) fn ready(&self) -> Option<(SendRequest<Bytes>, Use)> {
        let requests = self.requests.clone().ready().now_or_never()?.ok()?;
        Some((requests, Arc::clone(&self.uses)))
    }
}

/// Carries a connection until it ends, is of no use any more, or its peer went silent.
async fn run(mut connection: Connection<Io, Bytes>, uses: Weak<()>, far: bool) {
    let pings = if far { connection.ping_pong() } else { None };
    tokio::select! {
        // Why it ended is told to each of its streams.
        _ = connection => {}
        () = look_after(pings, uses) => {}
    }
}

async fn look_after(mut pings: Option<PingPong>, uses: Weak<()>) {
    let mut idle = 0;
    while idle < IDLE_BEATS {
        sleep(BEAT).await;
        // The connection itself is one.
        if uses.strong_count() <= 1 {
            idle += 1;
            continue;
        }
        idle = 0;
        if let Some(pings) = &mut pings
            && !matches!(timeout(PATIENCE, pings.ping(Ping::opaque())).await, Ok(Ok(_)))
        {
            return;
        }
    }
}

/// Sends a request; its answer is what the future waits for.
pub(super) fn exchange(
    mut requests: SendRequest<Bytes>,
    in_use: Use,
    mut request: reqwest::Request,
) -> Result<impl Future<Output = Result<reqwest::Response, Fault>> + Send + use<>, Fault> {
    let unsendable = |source| Fault { kind: TransportKind::Request, source };
    let uri = Uri::try_from(request.url().as_str()).map_err(|error| unsendable(error.into()))?;
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = uri;
    *head.headers_mut() = std::mem::take(request.headers_mut());
    for name in OF_HTTP1 {
        head.headers_mut().remove(name);
    }
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    head.headers_mut().insert(reqwest::header::CONTENT_LENGTH, body.len().into());
    let (response, mut stream) =
        requests.send_request(head, body.is_empty()).map_err(|error| Fault::interrupted(error.into()))?;
    if !body.is_empty() {
        let body = Bytes::copy_from_slice(body);
        stream.send_data(body, true).map_err(|error| Fault::interrupted(error.into()))?;
    }
    Ok(answer(response, in_use))
}

async fn answer(response: ResponseFuture, in_use: Use) -> Result<reqwest::Response, Fault> {
    let response = response.await.map_err(|error| Fault::interrupted(error.into()))?;
    let body = |body| reqwest::Body::wrap_stream(stream::try_unfold((body, in_use), chunk));
    Ok(response.map(body).into())
}

async fn chunk(
    (mut body, in_use): (RecvStream, Use),
) -> Result<Option<(Bytes, (RecvStream, Use))>, h2::Error> {
    let Some(chunk) = body.data().await.transpose()? else { return Ok(None) };
    body.flow_control().release_capacity(chunk.len())?;
    Ok(Some((chunk, (body, in_use))))
}
