//! Long polls over HTTP/2: streams of one connection.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, stream};
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::{Ping, RecvStream};
use hyper::{Request, Uri};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::connect::Io;
use crate::error::TransportKind;
use crate::http::{Cause, Fault};

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
#[derive(Clone)]
pub(super) struct Shared {
    requests: SendRequest<Bytes>,
    /// One for each stream that the server allows. Closed when there is no room any more, and never will be.
    places: Arc<Semaphore>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("places", &self.places).finish_non_exhaustive()
    }
}

/// Room for one request on a connection, which is taken until its answer has been read.
pub(super) struct Room {
    requests: SendRequest<Bytes>,
    place: OwnedSemaphorePermit,
}

impl Shared {
    /// Begins to speak HTTP/2. With `far`, a peer that went silent is noticed.
    ///
    /// The connection stands when the server has said how many streams it allows: what is opened beyond that it refuses.
    pub(super) async fn over(io: Io, far: bool) -> Result<Self, Fault> {
        let mut builder = Builder::new();
        builder
            // What nobody has said yet; see `Driver::begin`.
            .initial_max_send_streams(0)
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(MOST_HEADERS)
            .enable_push(false);
        let broken = |error: h2::Error| Fault { kind: TransportKind::Connect, source: error.into() };
        let (requests, connection) = builder.handshake(io).await.map_err(broken)?;
        let places = Arc::new(Semaphore::new(0));
        let mut driver = Driver { connection, places: Arc::clone(&places), issued: 0 };
        driver.begin().await.map_err(Fault::interrupted)?;
        tokio::spawn(run(driver, far));
        Ok(Self { requests, places })
    }

    /// Whether there is room, or will be some day.
    pub(super) fn is_open(&self) -> bool {
        !self.places.is_closed()
    }

    /// Room for a request, if there is some now.
    pub(super) fn room(&self) -> Option<Room> {
        self.enter(Arc::clone(&self.places).try_acquire_owned().ok()?)
    }

    /// Room for a request as soon as there is some, for those first who came first; `None` if there will be none.
    pub(super) async fn room_in_turn(self) -> Option<Room> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        self.enter(place)
    }

    fn enter(&self, place: OwnedSemaphorePermit) -> Option<Room> {
        match self.requests.clone().ready().now_or_never() {
            Some(Ok(requests)) => Some(Room { requests, place }),
            // It takes nothing new, even if it still carries what is under way.
            _ => {
                self.places.close();
                None
            }
        }
    }
}

/// What carries a connection.
struct Driver {
    connection: Connection<Io, Bytes>,
    places: Arc<Semaphore>,
    /// Places that there are, taken and free.
    issued: usize,
}

impl Driver {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        let ended = Pin::new(&mut self.connection).poll(cx);
        let allowed = self.connection.max_concurrent_send_streams().min(Semaphore::MAX_PERMITS);
        if allowed > self.issued {
            self.places.add_permits(allowed - self.issued);
            self.issued = allowed;
        } else if allowed < self.issued {
            // Those that are taken follow when they are free.
            self.issued -= self.places.forget_permits(self.issued - allowed);
        }
        ended
    }

    /// Until the server allows streams.
    async fn begin(&mut self) -> Result<(), Cause> {
        poll_fn(|cx| match self.poll(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Err("the server closed the connection".into())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Pending if self.issued > 0 => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Until the connection has ended. Why it did is told to each of its streams.
    async fn end(&mut self) {
        let _ = poll_fn(|cx| self.poll(cx)).await;
    }

    /// Takes all places away if none is taken, so that nobody enters a connection that is being closed.
    fn retire(&mut self) -> bool {
        let free = self.places.forget_permits(self.issued);
        let unused = free == self.issued;
        if unused {
            self.places.close();
        } else {
            self.places.add_permits(free);
        }
        unused
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.places.close();
    }
}

/// Carries a connection until it ends, is of no use any more, or its peer went silent.
async fn run(mut driver: Driver, far: bool) {
    let mut pings = if far { driver.connection.ping_pong() } else { None };
    let mut idle = 0;
    loop {
        tokio::select! {
            () = driver.end() => return,
            () = sleep(BEAT) => {}
        }
        if driver.places.available_permits() == driver.issued {
            idle += 1;
            if idle >= IDLE_BEATS && driver.retire() {
                return;
            }
            continue;
        }
        idle = 0;
        let Some(pings) = &mut pings else { continue };
        tokio::select! {
            () = driver.end() => return,
            pong = timeout(PATIENCE, pings.ping(Ping::opaque())) => {
                if !matches!(pong, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

/// Sends a request; its answer is what the future waits for.
pub(super) fn exchange(
    Room { mut requests, place }: Room,
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
    Ok(answer(response, place))
}

async fn answer(response: ResponseFuture, place: OwnedSemaphorePermit) -> Result<reqwest::Response, Fault> {
    let response = response.await.map_err(|error| Fault::interrupted(error.into()))?;
    let body = |body| reqwest::Body::wrap_stream(stream::try_unfold((body, place), chunk));
    Ok(response.map(body).into())
}

async fn chunk(
    (mut body, place): (RecvStream, OwnedSemaphorePermit),
) -> Result<Option<(Bytes, (RecvStream, OwnedSemaphorePermit))>, h2::Error> {
    let Some(chunk) = body.data().await.transpose()? else { return Ok(None) };
    body.flow_control().release_capacity(chunk.len())?;
    Ok(Some((chunk, (body, place))))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// A frame by which a server allows so many streams.
    fn allow(streams: u8) -> [u8; 15] {
        [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, streams]
    }

    /// A connection whose server allows so many streams and answers nothing.
    async fn connect(streams: u8) -> (Shared, DuplexStream) {
        let (near, mut far) = duplex(64 * 1024);
        far.write_all(&allow(streams)).await.unwrap();
        (Shared::over(Box::new(near), false).await.unwrap(), far)
    }

    /// Until everything has happened that needs no time; the clock is paused.
    async fn settle() {
        sleep(Duration::from_millis(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_stands_when_the_server_has_said_how_many_streams_it_allows() {
        let (near, mut far) = duplex(64 * 1024);
        let mut over = std::pin::pin!(Shared::over(Box::new(near), false));
        assert!(timeout(BEAT, over.as_mut()).await.is_err());
        far.write_all(&allow(2)).await.unwrap();
        assert_eq!(over.await.unwrap().places.available_permits(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_room_for_as_many_as_the_server_allows_now() {
        let (shared, mut far) = connect(2).await;
        let rooms: Vec<_> = std::iter::from_fn(|| shared.room()).collect();
        assert_eq!(rooms.len(), 2);
        drop(rooms);
        for allowed in [5, 3] {
            far.write_all(&allow(allowed)).await.unwrap();
            settle().await;
            assert_eq!(std::iter::from_fn(|| shared.room()).collect::<Vec<_>>().len(), usize::from(allowed));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_queues_for_room_has_it_before_those_who_come_later() {
        let (shared, _far) = connect(1).await;
        let room = shared.room().unwrap();
        let mut first = std::pin::pin!(shared.clone().room_in_turn());
        let mut second = std::pin::pin!(shared.clone().room_in_turn());
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        drop(room);
        assert!(shared.room().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        assert!(first.now_or_never().unwrap().is_some());
        // Its room was free at once.
        assert!(second.now_or_never().unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_ended_has_no_room_for_those_who_queue() {
        let (shared, far) = connect(1).await;
        let _room = shared.room().unwrap();
        let mut queued = std::pin::pin!(shared.clone().room_in_turn());
        assert!(queued.as_mut().now_or_never().is_none());
        drop(far);
        assert!(timeout(BEAT, queued).await.unwrap().is_none());
        assert!(!shared.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_closed_when_nobody_has_used_it_for_long() {
        let (shared, _far) = connect(2).await;
        let room = shared.room().unwrap();
        sleep(BEAT * (IDLE_BEATS + 1)).await;
        assert!(shared.is_open());
        drop(room);
        sleep(BEAT * (IDLE_BEATS - 1)).await;
        assert!(shared.is_open());
        sleep(BEAT * 2).await;
        assert!(!shared.is_open());
    }
}
