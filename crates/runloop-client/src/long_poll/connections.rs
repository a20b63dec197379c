//! The connections of one shard.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use h2::client::SendRequest;
use tokio::sync::{Mutex as Turn, Semaphore};

use super::connect::{Connector, Io, Protocol};
use super::{http1, http2};
use crate::error::{Error, TransportKind};
use crate::http::Fault;

/// Connections that are made at the same time: a thousand waits that begin together shall not all be busy with it.
const CONNECTING: usize = 32;

/// The connections of one shard: one of HTTP/2 that all share, or one of HTTP/1.1 for each request in flight.
#[derive(Debug)]
pub(crate) struct Connections {
    connector: Arc<Connector>,
    shared: Mutex<Option<http2::Shared>>,
    /// Who makes a connection that others may share.
    sharing: Turn<()>,
    /// Places for connections of somebody's own that are being made.
    connecting: Semaphore,
    idle: Arc<http1::Idle>,
}

/// A way to send one request.
enum Way {
    Own(Io),
    Shared(SendRequest<Bytes>, http2::Use),
}

/// The answer to a request that is sent.
type Answer = BoxFuture<'static, Result<reqwest::Response, Fault>>;

impl Connections {
    pub(crate) fn new(connector: Arc<Connector>) -> Self {
        Self {
            connector,
            shared: Mutex::new(None),
            sharing: Turn::new(()),
            connecting: Semaphore::new(CONNECTING),
            idle: Arc::default(),
        }
    }

    /// Sends a request whose body, if any, is in memory, and waits for its answer, whose body is read as it comes.
    ///
    /// The request is made when there is a way for it, so that those who wait for a connection are small, too.
    pub(crate) async fn send<E: From<Fault> + From<Error>>(
        &self,
        request: impl FnOnce() -> Result<reqwest::Request, Error>,
    ) -> Result<reqwest::Response, E> {
        let way = self.way().await?;
        let answer = self.ask(way, request()?)?;
        Ok(answer.await?)
    }

    fn ask(&self, way: Way, request: reqwest::Request) -> Result<Answer, Fault> {
        Ok(match way {
            Way::Own(io) => http1::exchange(io, &request, Arc::clone(&self.idle)).boxed(),
            Way::Shared(requests, in_use) => http2::exchange(requests, in_use, request)?.boxed(),
        })
    }

    /// Boxed, so that whoever waits for an answer has no room for what it takes to connect.
    fn way(&self) -> BoxFuture<'_, Result<Way, Fault>> {
        match self.standing() {
            Some(way) => std::future::ready(Ok(way)).boxed(),
            None => self.queue().boxed(),
        }
    }

    /// A way over a connection that is there.
    fn standing(&self) -> Option<Way> {
        if let Some(io) = self.idle.take() {
            return Some(Way::Own(io));
        }
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let (requests, in_use) = shared.as_ref()?.ready()?;
        Some(Way::Shared(requests, in_use))
    }

    async fn queue(&self) -> Result<Way, Fault> {
        // Who waits while another connects waits for the server, too.
        if let Some(way) = self.in_time(self.share()).await? {
            return Ok(way);
        }
        // Never closed, so that there is no error.
        let _place = self.connecting.acquire().await.ok();
        match self.standing() {
            Some(way) => Ok(way),
            None => self.in_time(Box::pin(self.connect())).await,
        }
    }

    /// A way over a connection that all share, made if there is none; `None` if everybody needs one of their own.
    async fn share(&self) -> Result<Option<Way>, Fault> {
        let _turn = self.sharing.lock().await;
        match self.standing() {
            Some(way) => Ok(Some(way)),
            None if self.connector.speaks_http1() => Ok(None),
            None => Box::pin(self.connect()).await.map(Some),
        }
    }

    async fn in_time<T>(&self, connecting: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let late = |_| Fault { kind: TransportKind::ConnectTimeout, source: "no connection in time".into() };
        tokio::time::timeout(self.connector.timeout(), connecting).await.map_err(late)?
    }

    async fn connect(&self) -> Result<Way, Fault> {
        let (io, protocol) = self.connector.connect().await?;
        if protocol == Protocol::Http1 {
            return Ok(Way::Own(io));
        }
        let broken = |source| Fault { kind: TransportKind::Connect, source };
        let shared =
            http2::Shared::over(io, self.connector.is_far()).await.map_err(|error| broken(error.into()))?;
        let (requests, in_use) =
            shared.ready().ok_or_else(|| broken("the connection ended at once".into()))?;
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(shared);
        Ok(Way::Shared(requests, in_use))
    }
}
