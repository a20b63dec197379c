//! Whoever wants to decide when requests are sent, and learn what came of each.

use std::time::Duration;

use futures::future::BoxFuture;

use crate::error::TransportKind;
use crate::request::{Method, Parts, Pool, TimeoutClass};

/// Decides when requests are sent, and learns what came of each: for a limit on what is in flight, a rate, a circuit
/// breaker. Set by [`ClientBuilder::gate`](crate::ClientBuilder::gate).
///
/// It sees every attempt of every call, also those that the client makes again by itself, but not the transfers from and
/// to presigned URLs, which are another server's.
pub trait Gate: Send + Sync {
    /// Waits until an attempt may be sent. A call with a total timeout waits no longer than that.
    fn admit(&self, attempt: Attempt<'_>) -> BoxFuture<'static, Box<dyn Pass>>;
}

/// Leave to send one attempt. Dropped without a word if the caller gave up.
pub trait Pass: Send {
    /// The attempt was answered, up to the headers where the answer is a stream, or failed.
    fn done(self: Box<Self>, outcome: Outcome);
}

/// An attempt that wants to be sent.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// Method of the request.
    pub method: Method,
    /// Path of the request, without its query.
    pub path: &'a str,
    /// How long its answer takes by nature.
    pub traffic: Traffic,
}

/// How long the answer to a request takes by nature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Traffic {
    /// As long as the server is busy with it.
    Call,
    /// As long as some work in a devbox: a command, a snapshot.
    Work,
    /// Until something happens: long polls and event streams.
    Hold,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// An answer, with the pause that the server asks for.
    Answered {
        /// HTTP status.
        status: u16,
        /// The pause that the server asks for, if it does.
        retry_after: Option<Duration>,
    },
    /// No answer, or not all of it.
    Failed(TransportKind),
}

impl<'a> Attempt<'a> {
    pub(crate) fn of(parts: &'a Parts) -> Self {
        let traffic = match (parts.pool(), parts.timeout_class) {
            _ if parts.is_hold() => Traffic::Hold,
            (Pool::Api | Pool::Wait, TimeoutClass::Long) => Traffic::Work,
            _ => Traffic::Call,
        };
        Self { method: parts.method, path: &parts.path, traffic }
    }
}
