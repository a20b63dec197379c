//! What can go wrong.

use std::path::PathBuf;
use std::time::Duration;

use runloop_types::{
    BenchmarkJobView, BlueprintView, DevboxAsyncExecutionDetailView, DevboxSnapshotAsyncStatusView,
    DevboxView, ExecutionId, ScenarioRunView,
};

use crate::request::{Malformed, Method};
use crate::response::RawResponse;

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
    /// Bytes that were asked for as text are not UTF-8.
    #[error("{what} is not UTF-8 text")]
    InvalidText {
        /// What was read, such as `object obj_1`.
        what: String,
        /// Where it is not.
        source: std::str::Utf8Error,
    },
    /// The server could not deliver standard input.
    #[error(
        "standard input of execution {execution} was not taken: it ended, or was started without `attach_stdin`"
    )]
    StdInRefused {
        /// The execution.
        execution: ExecutionId,
    },
    /// An event stream broke the rules of server-sent events.
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

/// What kind of failure an [`Error`] is. The names are those of the official SDKs' exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 400: the request means nothing, or not in the present state.
    BadRequest,
    /// 401: the key is unknown.
    Authentication,
    /// 403: the key may not do this.
    PermissionDenied,
    /// 404: there is no such thing.
    NotFound,
    /// 409: its state does not allow it, or somebody else was faster.
    Conflict,
    /// 422: the values are of the right form and impossible.
    UnprocessableEntity,
    /// 429: too many requests.
    RateLimit,
    /// 500 and above: the server's fault.
    InternalServer,
    /// Any other error status, such as 408.
    OtherStatus,
    /// No answer, or not all of it.
    Connection,
    /// Nothing arrived in time.
    Timeout,
    /// An answer that cannot be understood.
    Decode,
    /// The call cannot be made as asked; nothing was sent.
    InvalidRequest,
    /// A wait ran out of time.
    PollingTimeout,
    /// A wait ended in another state.
    WrongState,
    /// The object store failed.
    ObjectStore,
    /// A local file could not be read or written.
    File,
    /// Standard input of an execution was not taken.
    StdIn,
}

/// The server answered with an error status. `Debug` does not show the body.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
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

impl std::fmt::Debug for StatusError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A body may repeat what was sent, and is long.
        f.debug_struct("StatusError")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("body_bytes", &self.body.len())
            .field("request_id", &self.request_id)
            .field("attempts", &self.attempts)
            .field("retry_after", &self.retry_after)
            .field("retryable", &self.retryable)
            .finish()
    }
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
#[error("{method} {path}: cannot understand the answer (status {status}, {}{}){}", request_text(request_id.as_deref()), attempts_text(*attempts), excerpt_text(excerpt))]
#[non_exhaustive]
pub struct DecodeError {
    /// Method of the request.
    pub method: Method,
    /// Path of the request, without its query.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The beginning of a body that is no JSON at all, such as the page of a proxy. Empty for others: what came in the
    /// wrong shape may hold credentials.
    pub excerpt: String,
    /// Names the request in the server's logs: what the server called it, else what we called it.
    pub request_id: Option<String>,
    /// Attempts made, the one that was answered included.
    pub attempts: u32,
    /// Why it cannot be understood.
    #[source]
    source: Malformed,
}

impl DecodeError {
    pub(crate) fn new(raw: &RawResponse, source: Malformed) -> Self {
        let is_json = raw.body.trim_ascii_start().first().is_none_or(|byte| b"{[\"".contains(byte));
        let excerpt = match source {
            Malformed::Json(_) if !is_json => raw.body.get(..200).unwrap_or(&raw.body),
            _ => &[],
        };
        Self {
            method: raw.method,
            path: raw.path.clone(),
            status: raw.status,
            excerpt: String::from_utf8_lossy(excerpt).into_owned(),
            request_id: raw.request_id().map(str::to_owned),
            attempts: raw.attempts,
            source,
        }
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
    /// Of a scenario run.
    ScenarioRun(Box<ScenarioRunView>),
    /// Of a benchmark job.
    BenchmarkJob(Box<BenchmarkJobView>),
}

impl LastValue {
    /// The state it shows, as on the wire.
    pub fn status(&self) -> &str {
        match self {
            Self::Devbox(view) => view.status.as_str(),
            Self::Execution(view) => view.status.as_str(),
            Self::Snapshot(view) => view.status.as_str(),
            Self::Blueprint(view) => view.status.as_str(),
            Self::ScenarioRun(view) => view.state.as_str(),
            Self::BenchmarkJob(view) => view.state.as_str(),
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
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Status(error) => match error.status {
                400 => ErrorKind::BadRequest,
                401 => ErrorKind::Authentication,
                403 => ErrorKind::PermissionDenied,
                404 => ErrorKind::NotFound,
                409 => ErrorKind::Conflict,
                422 => ErrorKind::UnprocessableEntity,
                429 => ErrorKind::RateLimit,
                500.. => ErrorKind::InternalServer,
                _ => ErrorKind::OtherStatus,
            },
            Self::Transport(error) => match error.kind {
                TransportKind::ConnectTimeout | TransportKind::ReadTimeout | TransportKind::TotalTimeout => {
                    ErrorKind::Timeout
                }
                TransportKind::Request => ErrorKind::InvalidRequest,
                TransportKind::Connect | TransportKind::Interrupted | TransportKind::TooLarge => {
                    ErrorKind::Connection
                }
            },
            Self::Decode(_) | Self::MalformedStream { .. } | Self::InvalidText { .. } => ErrorKind::Decode,
            Self::InvalidRequest { .. } => ErrorKind::InvalidRequest,
            Self::PollingTimeout(_) => ErrorKind::PollingTimeout,
            Self::WrongState(_) => ErrorKind::WrongState,
            Self::Presigned(_) => ErrorKind::ObjectStore,
            Self::File { .. } => ErrorKind::File,
            Self::StdInRefused { .. } => ErrorKind::StdIn,
        }
    }

    /// The server's word for what went wrong, if it is more than the status.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Status(error) => error.code.as_deref(),
            _ => None,
        }
    }

    /// Attempts made, if the call got as far as one.
    pub fn attempts(&self) -> Option<u32> {
        match self {
            Self::Status(error) => Some(error.attempts),
            Self::Transport(error) => Some(error.attempts),
            Self::Decode(error) => Some(error.attempts),
            _ => None,
        }
    }

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
            Self::Decode(error) => error.request_id.as_deref(),
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

    /// Time ran out: on the connection, on the answer, on the whole call, or on a wait.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout | ErrorKind::PollingTimeout)
    }

    /// 500 and above: the server's fault.
    pub fn is_server_error(&self) -> bool {
        self.kind() == ErrorKind::InternalServer
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

fn excerpt_text(excerpt: &str) -> String {
    if excerpt.is_empty() { String::new() } else { format!(": {excerpt:?}") }
}

fn attempts_text(attempts: u32) -> String {
    match attempts {
        0 => "nothing was sent".to_owned(),
        1 => "1 attempt".to_owned(),
        n => format!("{n} attempts"),
    }
}

fn last_status(value: Option<&LastValue>) -> &str {
    value.map_or("nothing", LastValue::status)
}
