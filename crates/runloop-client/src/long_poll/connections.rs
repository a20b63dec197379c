//! The connections of one shard.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, select_all};
use tokio::sync::{Mutex as Turn, Semaphore};

use super::connect::{Connector, Io, Protocol};
use super::{http1, http2};
use crate::error::TransportKind;
use crate::http::Fault;

/// Connections that are made at the same time: a thousand waits that begin together shall not all be busy with it.
const CONNECTING: usize = 32;

/// The connections of one shard: few of HTTP/2 that all share, or one of HTTP/1.1 for each request in flight.
#[derive(Debug)]
pub(crate) struct Connections {
    connector: Arc<Connector>,
    /// The one that has room first, so that those that are not needed any more fall idle.
    shared: Mutex<Vec<http2::Shared>>,
    /// Most of those that are shared; `None` if there may be any number.
    most_shared: Option<usize>,
    /// Who makes a connection that others may share.
    sharing: Turn<()>,
    /// Places for connections of somebody's own that are being made.
    connecting: Semaphore,
    /// Connections that were ever made.
    made: AtomicUsize,
    idle: Arc<http1::Idle>,
}

/// A way to send one request.
pub(crate) struct Way(Kind);

enum Kind {
    Own(Io, Arc<http1::Idle>),
    Shared(http2::Room),
}

/// The answer to a request that is sent.
pub(crate) type Answer = BoxFuture<'static, Result<reqwest::Response, Fault>>;

/// What those who may share a connection find.
enum Found {
    Way(Way),
    /// Everybody needs a connection of their own.
    Nothing,
    /// There are as many connections as there may be, and none has room.
    Full(Vec<http2::Shared>),
}

impl Way {
    /// Whether others may go it at the same time.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.0, Kind::Shared(_))
    }

    /// Sends a request whose body, if any, is in memory. What comes back waits for its answer, whose body is read as it comes.
    pub(crate) fn send(self, request: reqwest::Request) -> Result<Answer, Fault> {
        Ok(match self.0 {
            Kind::Own(io, idle) => http1::exchange(io, &request, idle).boxed(),
            Kind::Shared(room) => http2::exchange(room, request)?.boxed(),
        })
    }
}

impl Connections {
    /// `most_shared` is the number of connections of HTTP/2.
    pub(crate) fn new(connector: Arc<Connector>, most_shared: Option<usize>) -> Self {
        Self {
            connector,
            shared: Mutex::default(),
            most_shared,
            sharing: Turn::new(()),
            connecting: Semaphore::new(CONNECTING),
            made: AtomicUsize::new(0),
            idle: Arc::default(),
        }
    }

    /// A way for a request, as soon as there is one: that takes as long as others need theirs, but no longer than a
    /// connection may take where one has to be made.
    ///
    /// Boxed, so that whoever waits for an answer has no room for what it takes to connect.
    pub(crate) fn way(&self) -> BoxFuture<'_, Result<Way, Fault>> {
        match self.standing() {
            Some(way) => std::future::ready(Ok(way)).boxed(),
            None => self.queue().boxed(),
        }
    }

    /// A way over a connection that is there.
    fn standing(&self) -> Option<Way> {
        if let Some(io) = self.idle.take() {
            return Some(self.own(io));
        }
        let mut shared = self.shared();
        let room = shared.iter().find_map(http2::Shared::room);
        shared.retain(http2::Shared::is_open);
        room.map(|room| Way(Kind::Shared(room)))
    }

    async fn queue(&self) -> Result<Way, Fault> {
        loop {
            match self.in_time(self.share()).await? {
                Found::Way(way) => return Ok(way),
                Found::Nothing => break,
                // Not in time, as it is not the server that is waited for.
                Found::Full(shared) => {
                    let rooms = shared.into_iter().map(|shared| shared.room_in_turn().boxed());
                    if let (Some(room), ..) = select_all(rooms).await {
                        return Ok(Way(Kind::Shared(room)));
                    }
                    // One of them ended: another may be made.
                }
            }
        }
        // Never closed, so that there is no error.
        let _place = self.in_time(self.connecting.acquire().map(Ok)).await?.ok();
        match self.standing() {
            Some(way) => Ok(way),
            None => Box::pin(self.connect()).await,
        }
    }

    /// A way over a connection that others share, too, made if none has room.
    async fn share(&self) -> Result<Found, Fault> {
        let _turn = self.sharing.lock().await;
        if let Some(way) = self.standing() {
            return Ok(Found::Way(way));
        }
        if self.connector.speaks_http1() {
            return Ok(Found::Nothing);
        }
        if let Some(most) = self.most_shared {
            let shared = self.shared();
            if shared.len() >= most {
                return Ok(Found::Full(shared.clone()));
            }
        }
        Box::pin(self.connect()).await.map(Found::Way)
    }

    /// Who waits while others connect waits for the server, too: not longer than it lets nobody connect.
    async fn in_time<T>(&self, connecting: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let mut connecting = pin!(connecting);
        loop {
            let before = self.made.load(Ordering::Relaxed);
            match tokio::time::timeout(self.connector.timeout(), &mut connecting).await {
                Ok(output) => return output,
                Err(_) if self.made.load(Ordering::Relaxed) != before => {}
                Err(_) => return Err(late()),
            }
        }
    }

    async fn connect(&self) -> Result<Way, Fault> {
        let made = self.make();
        let way = tokio::time::timeout(self.connector.timeout(), made).await.map_err(|_| late())??;
        self.made.fetch_add(1, Ordering::Relaxed);
        Ok(way)
    }

    async fn make(&self) -> Result<Way, Fault> {
        let (io, protocol) = self.connector.connect().await?;
        if protocol == Protocol::Http1 {
            return Ok(self.own(io));
        }
        let shared = http2::Shared::over(io, self.connector.is_far()).await?;
        let ended = || Fault { kind: TransportKind::Connect, source: "the connection ended at once".into() };
        let room = shared.room().ok_or_else(ended)?;
        self.shared().push(shared);
        Ok(Way(Kind::Shared(room)))
    }

    fn own(&self, io: Io) -> Way {
        Way(Kind::Own(io, Arc::clone(&self.idle)))
    }

    fn shared(&self) -> MutexGuard<'_, Vec<http2::Shared>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn late() -> Fault {
    Fault { kind: TransportKind::ConnectTimeout, source: "no connection in time".into() }
}
