//! Long polls over HTTP/1.1: a socket for each.

use std::future::poll_fn;
use std::io::Write as _;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, stream};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::connect::Io;
use crate::http::Fault;

/// A connection that nobody used for so long is closed.
const LONGEST_IDLE: Duration = Duration::from_secs(50);

/// What says how the message is sent is ours.
const FRAMING: [&HeaderName; 2] = [&CONTENT_LENGTH, &TRANSFER_ENCODING];

/// Sends a request and waits for its answer.
pub(super) fn exchange(
    mut io: Io,
    request: &reqwest::Request,
    idle: Arc<Idle>,
) -> impl Future<Output = Result<reqwest::Response, Fault>> + Send + use<> {
    let (text, method) = (encode(request), request.method().clone());
    async move {
        let broken = |error: std::io::Error| Fault::interrupted(error.into());
        send(&mut io, text).await.map_err(broken)?;
        let mut first = [0];
        if io.read(&mut first).await.map_err(broken)? == 0 {
            return Err(Fault::interrupted("the server closed the connection".into()));
        }
        // Boxed, so that whoever waits has no room for what it takes to read.
        let answer = Box::pin(read(io, first[0], method, idle));
        answer.await.map_err(|error| Fault::interrupted(error.into()))
    }
}

/// Nothing of the text is kept.
async fn send(io: &mut Io, text: Vec<u8>) -> std::io::Result<()> {
    io.write_all(&text).await?;
    io.flush().await
}

/// The request as it goes over the wire.
fn encode(request: &reqwest::Request) -> Vec<u8> {
    let (url, headers) = (request.url(), request.headers());
    let mut text = Vec::with_capacity(1024);
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    // Writing to memory never fails.
    let _ = write!(text, "{} {target} HTTP/1.1\r\n", request.method());
    if !headers.contains_key(HOST) {
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let _ = write!(text, "host: {host}\r\n");
    }
    for (name, value) in headers.iter().filter(|(name, _)| !FRAMING.contains(name)) {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let _ = write!(text, "content-length: {}\r\n\r\n", body.len());
    text.extend_from_slice(body);
    text
}

/// Reads an answer of which the first byte is there.
async fn read(io: Io, first: u8, method: Method, idle: Arc<Idle>) -> Result<reqwest::Response, hyper::Error> {
    let io = TokioIo::new(Asked { io, first: Some(first), asked: false });
    let (mut requests, connection) = http1::handshake(io).await?;
    // What kind of request it was decides how an answer is read; the rest of it has been sent.
    let mut stand_in = Request::new(String::new());
    *stand_in.method_mut() = method;
    let mut response = pin!(requests.send_request(stand_in));
    // Who closes this later wakes the connection, which is to say ourselves.
    drop(requests);
    let mut carrier = Carrier::Carries(Box::new(connection));
    let response = poll_fn(|cx| {
        // What it reads comes only after it has written.
        carrier.poll(cx);
        carrier.poll(cx);
        response.as_mut().poll(cx)
    })
    .await?;
    let idle = stays_open(&response).then_some(idle);
    Ok(response.map(|body| reqwest::Body::wrap_stream(chunks(body, carrier, idle))).into())
}

/// Carries a connection while its answer is read, by whoever reads it: a task of its own would be handed to and fro for each.
enum Carrier {
    Carries(Box<http1::Connection<TokioIo<Asked>, String>>),
    GivesBack(http1::Parts<TokioIo<Asked>>),
    Broken,
}

impl Carrier {
    fn poll(&mut self, cx: &mut Context<'_>) {
        let Self::Carries(connection) = self else { return };
        let Poll::Ready(ended) = connection.poll_without_shutdown(cx) else { return };
        // An error is told to whoever reads the answer, too.
        *self = match (ended, std::mem::replace(self, Self::Broken)) {
            (Ok(()), Self::Carries(connection)) => Self::GivesBack(connection.into_parts()),
            _ => Self::Broken,
        };
    }

    /// The connection, if another answer may follow.
    async fn end(mut self) -> Option<Io> {
        poll_fn(|cx| {
            self.poll(cx);
            if let Self::Carries(_) = self { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        match self {
            Self::GivesBack(parts) if parts.read_buf.is_empty() => Some(parts.io.into_inner().io),
            _ => None,
        }
    }
}

/// Whether another answer may follow this one.
fn stays_open(response: &Response<Incoming>) -> bool {
    let headers = response.headers();
    let closes = headers
        .get_all(CONNECTION)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("close")));
    let ends = headers.contains_key(CONTENT_LENGTH)
        || headers.contains_key(TRANSFER_ENCODING)
        || response.status() == StatusCode::NO_CONTENT;
    response.version() == Version::HTTP_11 && !closes && ends
}

/// The body's pieces. Only an answer that is read to its end leaves the connection where the next one begins.
fn chunks(
    body: Incoming,
    carrier: Carrier,
    idle: Option<Arc<Idle>>,
) -> impl Stream<Item = Result<Bytes, hyper::Error>> + Send {
    stream::unfold(Some((body, carrier, idle)), |state| async move {
        let (mut body, mut carrier, idle) = state?;
        loop {
            let frame = poll_fn(|cx| {
                carrier.poll(cx);
                Pin::new(&mut body).poll_frame(cx)
            });
            match frame.await {
                Some(Ok(frame)) => {
                    // Trailers say nothing that we need.
                    if let Ok(chunk) = frame.into_data() {
                        return Some((Ok(chunk), Some((body, carrier, idle))));
                    }
                }
                Some(Err(error)) => return Some((Err(error), None)),
                None => {
                    let idle = idle?;
                    idle.put(carrier.end().await?);
                    return None;
                }
            }
        }
    })
}

/// A connection on which the request has been sent and the first byte of the answer has been read, for a reader that
/// knows neither: what it writes goes nowhere, and then it reads the answer from its beginning.
struct Asked {
    io: Io,
    first: Option<u8>,
    asked: bool,
}

impl AsyncRead for Asked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.asked {
            // A client that hears something before it has written takes it for noise. It is not woken when it has, but polled
            // again by the one task that carries it.
            return Poll::Pending;
        }
        if buffer.remaining() > 0
            && let Some(first) = self.first.take()
        {
            buffer.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Asked {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.asked = true;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Connections that wait for their next request.
#[derive(Default)]
pub(super) struct Idle {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// Each since when, the one that waits longest first.
    connections: Vec<(Io, Instant)>,
    /// Closes what waits for too long; there while anything waits.
    closing: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle").finish_non_exhaustive()
    }
}

impl Idle {
    /// The connection that was used last and still stands.
    pub(super) fn take(&self) -> Option<Io> {
        let mut waiting = self.waiting();
        while let Some((mut io, _)) = waiting.connections.pop() {
            if is_quiet(&mut io) {
                return Some(io);
            }
        }
        None
    }

    fn put(self: &Arc<Self>, io: Io) {
        let mut waiting = self.waiting();
        // A runtime that ended took its tasks with it.
        if waiting.closing.as_ref().is_none_or(JoinHandle::is_finished) {
            waiting.closing = Some(tokio::spawn(close_idle(Arc::downgrade(self))));
        }
        waiting.connections.push((io, Instant::now()));
    }

    /// Closes what waits for too long; when to look again, if anything is left.
    fn expire(&self) -> Option<Instant> {
        let mut waiting = self.waiting();
        waiting.connections.retain(|(_, since)| since.elapsed() < LONGEST_IDLE);
        let next = waiting.connections.first().map(|(_, since)| *since + LONGEST_IDLE);
        if next.is_none() {
            waiting.closing = None;
        }
        next
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether nothing came from a connection, not even its end.
fn is_quiet(io: &mut Io) -> bool {
    let mut byte = [0];
    let read = pin!(io.read(&mut byte));
    read.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

async fn close_idle(idle: Weak<Idle>) {
    let mut next = Instant::now() + LONGEST_IDLE;
    loop {
        sleep_until(next).await;
        let Some(idle) = idle.upgrade() else { return };
        match idle.expire() {
            Some(later) => next = later,
            None => return,
        }
    }
}
