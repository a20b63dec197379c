//! What can go wrong.

use std::path::PathBuf;
use std::time::Duration;

use runloop_types::{
    BlueprintView, DevboxAsyncExecutionDetailView, DevboxSnapshotAsyncStatusView, DevboxView, ExecutionId,
};

use crate::request::{Malformed, Method};

/// A failed call.
///
/// `Display` says what failed and where, but not why the layer below failed: that is `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with an error status.
    #[error(transparent)]
    Status(Box<StatusError>),
    /// No answer came, or not all of it.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// An answer came that cannot be understood.
    #[error(transparent)]
    Decode(Box<DecodeError>),
    /// The request cannot be sent as asked.
    #[error("{reason}")]
    InvalidRequest {
        /// What is wrong with it.
        reason: String,
    },
    /// A wait ran out of time.
    #[error(transparent)]
    PollingTimeout(Box<PollingTimeout>),
    /// A wait ended in a state that will not become the one waited for.
    #[error(transparent)]
    WrongState(Box<WrongState>),
    /// The object store did not take or give an object's bytes.
    #[error(transparent)]
    Presigned(Box<PresignedError>),
    /// A local file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// `read`, `write`, ...
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The server could not deliver standard input.
    #[error(
        "standard input of execution {execution} was not taken: it ended, or was started without `attach_stdin`"
    )]
    StdInRefused {
        /// The execution.
        execution: ExecutionId,
    },
    /// The output stream of an execution broke the rules of server-sent events.
    #[error("{method} {path}: malformed event stream: {reason}")]
    MalformedStream {
        /// Method of the request.
        method: Method,
        /// Its path.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// The server answered with an error status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method} {path}: {status} {message} ({}{})", request_text(request_id.as_deref()), attempts_text(*attempts))]
#[non_exhaustive]
pub struct StatusError {
    /// Method of the request.
    pub method: Method,
    /// Path of the request, without its query.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The `code` of the body, if it is not just the status again.
    pub code: Option<String>,
    /// What the server says, shortened.
    pub message: String,
    /// The body as text, shortened to 64 KiB.
    pub body: String,
    /// Names the request in the server's logs: what the server called it, else what we called it.
    pub request_id: Option<String>,
    /// Attempts made, the first one included.
    pub attempts: u32,
    /// The pause that the server asks for.
    pub retry_after: Option<Duration>,
    /// Whether another attempt could have ended better.
    pub retryable: bool,
}

/// How the way to the server failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportKind {
    /// No connection: refused, unreachable, unknown host, bad certificate.
    Connect,
    /// No connection in time.
    ConnectTimeout,
    /// Nothing arrived for as long as allowed.
    ReadTimeout,
    /// The whole call took longer than allowed; see [`Call::total_timeout`](crate::Call::total_timeout).
    TotalTimeout,
    /// The connection broke before the answer was complete.
    Interrupted,
    /// The answer is larger than this client accepts.
    TooLarge,
    /// The request could not be put together or followed (such as too many redirects).
    Request,
}

impl TransportKind {
    fn text(self) -> &'static str {
        match self {
            Self::Connect => "could not connect",
            Self::ConnectTimeout => "could not connect in time",
            Self::ReadTimeout => "no data arrived in time",
            Self::TotalTimeout => "the call took longer than allowed",
            Self::Interrupted => "the connection broke",
            Self::TooLarge => "the answer is too large",
            Self::Request => "the request could not be sent",
        }
    }

    /// Whether another attempt could end better.
    pub(crate) fn is_retryable(self) -> bool {
        !matches!(self, Self::TotalTimeout | Self::TooLarge | Self::Request)
    }
}

/// No answer came, or not all of it.
#[derive(Debug, thiserror::Error)]
#[error("{method} {path}: {} ({})", kind.text(), attempts_text(*attempts))]
#[non_exhaustive]
pub struct TransportError {
    /// Method of the request.
    pub method: Method,
    /// Path of the request, without its query.
    pub path: String,
    /// How it failed.
    pub kind: TransportKind,
    /// Attempts made, the first one included.
    pub attempts: u32,
    /// The `x-request-id` that was sent.
    pub request_id: Option<String>,
    /// What the HTTP library says; never holds a URL.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// An answer came that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("{method} {path}: cannot understand the answer (status {status}): {excerpt:?}")]
#[non_exhaustive]
pub struct DecodeError {
    /// Method of the request.
    pub method: Method,
    /// Path of the request, without its query.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The beginning of the body.
    pub excerpt: String,
    /// Why it cannot be understood.
    #[source]
    source: Malformed,
}

impl DecodeError {
    pub(crate) fn new(method: Method, path: String, status: u16, excerpt: String, source: Malformed) -> Self {
        Self { method, path, status, excerpt, source }
    }
}

/// The object store did not take or give an object's bytes. Never holds the URL, which is a credential.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the object's bytes: {}", kind.text())]
#[non_exhaustive]
pub struct PresignedError {
    /// `upload` or `download`.
    pub action: &'static str,
    /// How it failed.
    pub kind: PresignedKind,
}

/// How a transfer from or to the object store failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum PresignedKind {
    /// The API gave no usable URL.
    BadUrl,
    /// The API gave a header that cannot be sent.
    BadHeader,
    /// The store answered with this status, and this code if it gave one.
    Status {
        /// HTTP status.
        status: u16,
        /// The store's word for it; may be empty.
        code: String,
    },
    /// Nothing arrived for this long.
    Silent(Duration),
    /// The way to the store failed.
    Transport(Box<dyn std::error::Error + Send + Sync>),
}

impl PresignedKind {
    fn text(&self) -> String {
        match self {
            Self::BadUrl => "the API gave no usable URL".to_owned(),
            Self::BadHeader => "the API gave a header that cannot be sent".to_owned(),
            Self::Status { status, code } if code.is_empty() => format!("the store answered {status}"),
            Self::Status { status, code } => format!("the store answered {status} {code}"),
            Self::Silent(time) => format!("nothing arrived for {time:?}"),
            Self::Transport(error) => {
                // The store's host name is part of the URL: only the innermost reason is shown.
                let mut cause: &dyn std::error::Error = error.as_ref();
                while let Some(source) = cause.source() {
                    cause = source;
                }
                cause.to_string()
            }
        }
    }
}

/// The last answer that a wait got.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum LastValue {
    /// Of a devbox.
    Devbox(Box<DevboxView>),
    /// Of an execution.
    Execution(Box<DevboxAsyncExecutionDetailView>),
    /// Of a snapshot.
    Snapshot(Box<DevboxSnapshotAsyncStatusView>),
    /// Of a blueprint.
    Blueprint(Box<BlueprintView>),
}

impl LastValue {
    /// The state it shows, as on the wire.
    pub fn status(&self) -> &str {
        match self {
            Self::Devbox(view) => view.status.as_str(),
            Self::Execution(view) => view.status.as_str(),
            Self::Snapshot(view) => view.status.as_str(),
            Self::Blueprint(view) => view.status.as_str(),
        }
    }
}

/// A wait ran out of time. What was waited for goes on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} took longer than {waited:.1?} ({attempts} polls, last seen: {})", last_status(last_value.as_ref()))]
#[non_exhaustive]
pub struct PollingTimeout {
    /// What was waited for, such as `execution exec_1 to complete`.
    pub what: String,
    /// How long.
    pub waited: Duration,
    /// Requests made.
    pub attempts: u32,
    /// The last answer, if any came.
    pub last_value: Option<LastValue>,
}

/// A wait ended in a state that will not become the one waited for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} ended as {}{}", last_value.status(), reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
#[non_exhaustive]
pub struct WrongState {
    /// What was waited for, such as `devbox dbx_1 to run`.
    pub what: String,
    /// Why, if the server says so.
    pub reason: Option<String>,
    /// What it became.
    pub last_value: LastValue,
}

impl Error {
    /// The HTTP status, if the server answered with an error status.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(error) => Some(error.status),
            _ => None,
        }
    }

    /// Names the request in the server's logs.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Status(error) => error.request_id.as_deref(),
            Self::Transport(error) => error.request_id.as_deref(),
            _ => None,
        }
    }

    /// Whether the same call could succeed later, though all its retries were used up.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Status(error) => error.retryable,
            Self::Transport(error) => error.kind.is_retryable(),
            _ => false,
        }
    }

    /// 404: there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// 409: its state does not allow it.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// 401 or 403: the key is unknown or may not do this.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
    }

    /// 429: too many requests.
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(429)
    }

    /// The server could not be reached at all.
    pub fn is_connect(&self) -> bool {
        self.transport_kind()
            .is_some_and(|kind| matches!(kind, TransportKind::Connect | TransportKind::ConnectTimeout))
    }

    /// Time ran out: on the connection, on the answer, or on a wait.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::PollingTimeout(_) => true,
            _ => self.transport_kind().is_some_and(|kind| {
                use TransportKind::{ConnectTimeout, ReadTimeout, TotalTimeout};
                matches!(kind, ConnectTimeout | ReadTimeout | TotalTimeout)
            }),
        }
    }

    /// The pause that the server asks for before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(error) => error.retry_after,
            _ => None,
        }
    }

    /// How the way to the server failed.
    pub fn transport_kind(&self) -> Option<TransportKind> {
        match self {
            Self::Transport(error) => Some(error.kind),
            _ => None,
        }
    }

    /// In a long poll or an event stream: nothing happened yet, ask again.
    pub(crate) fn is_not_yet(&self) -> bool {
        match self {
            Self::Status(error) => error.status == 408,
            Self::Transport(error) => error.kind.is_retryable(),
            _ => false,
        }
    }
}

fn request_text(request_id: Option<&str>) -> String {
    request_id.map(|id| format!("request {id}, ")).unwrap_or_default()
}

fn attempts_text(attempts: u32) -> String {
    match attempts {
        1 => "1 attempt".to_owned(),
        n => format!("{n} attempts"),
    }
}

fn last_status(value: Option<&LastValue>) -> &str {
    value.map_or("nothing", LastValue::status)
}
