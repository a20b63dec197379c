//! Requests as values: what to send, without sending it.
//!
//! A resource module builds a [`Request`]; the transport sends it. Nothing here does I/O, so that what an endpoint
//! puts on the wire can be tested by looking at the value.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::byte_stream::ByteStream;
use crate::error::Error;
use crate::file_source::FileSource;
use crate::options::{Options, invalid};
use crate::query::Query;

/// Everything but RFC 3986's unreserved characters, so that a value never changes the shape of a URL.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// HTTP methods that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Does everything else.
    Post,
    /// Used by one endpoint only.
    Delete,
}

impl Method {
    /// The method's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which connection pool a request uses, so that long holds and big transfers never block short calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// Short calls.
    Api,
    /// Long polls (paths that end in `/wait_for_status`), event streams, and what is answered when [work](WORK) is done: open
    /// for long, with little to carry.
    Wait,
    /// Uploads and downloads.
    Transfer,
}

/// What a request carries.
#[derive(Debug)]
pub(crate) enum Body {
    /// Nothing.
    Empty,
    /// JSON, serialised once and shared by all attempts.
    Json(Bytes),
    /// A form with the text field `path` and the file part `file`.
    Upload { path: String, file: FileSource },
}

/// Requests that are answered when some work is done, or after a hold: thousands of them are open as waits are.
const WORK: [&str; 4] = ["/execute", "/execute_sync", "/create_and_await_running", "/snapshot_disk"];

/// How long a request may take when the caller does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeoutClass {
    /// The client's usual read timeout (30 s unless configured).
    Usual,
    /// The client's transfer timeout (600 s unless configured): endpoints that wait for work to be done.
    Long,
}

/// The part of a request that does not depend on what it answers.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) method: Method,
    /// Percent-encoded, begins with `/`.
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) body: Body,
    pub(crate) accept: &'static str,
    pub(crate) timeout_class: TimeoutClass,
    pub(crate) options: Options,
}

impl Parts {
    /// Whether it is answered when something happens.
    pub(crate) fn is_hold(&self) -> bool {
        self.path.ends_with("/wait_for_status") || self.accept == "text/event-stream"
    }

    pub(crate) fn pool(&self) -> Pool {
        if self.is_hold() || WORK.iter().any(|work| self.path.ends_with(work)) {
            Pool::Wait
        } else if self.path.ends_with("/upload_file") || self.path.ends_with("/download_file") {
            Pool::Transfer
        } else {
            Pool::Api
        }
    }

    /// Sets a field of the JSON body, which is made if there is none yet; null stays an explicit null.
    pub(crate) fn set_body_field(&mut self, name: &str, value: Value) -> Result<(), Error> {
        let refuse = |why: &str| {
            invalid(format!("the field {name:?} cannot be added to {} {}: {why}", self.method, self.path))
        };
        let mut fields = match &self.body {
            _ if self.method == Method::Get => return Err(refuse("a GET has no body")),
            Body::Upload { .. } => return Err(refuse("its body is a form")),
            Body::Empty => serde_json::Map::new(),
            Body::Json(bytes) => match serde_json::from_slice(bytes) {
                Ok(Value::Object(fields)) => fields,
                _ => return Err(refuse("its body is not an object")),
            },
        };
        fields.insert(name.to_owned(), value);
        let bytes = serde_json::to_vec(&fields).map_err(|error| refuse(&error.to_string()))?;
        self.body = Body::Json(bytes.into());
        Ok(())
    }

    /// Whether the body can be sent a second time.
    pub(crate) fn is_replayable(&self) -> bool {
        match &self.body {
            Body::Empty | Body::Json(_) => true,
            Body::Upload { file, .. } => file.is_replayable(),
        }
    }
}

/// Why a body that arrived could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("not the expected JSON: {0}")]
    Json(String),
    #[error("not UTF-8 text")]
    Text(#[from] std::str::Utf8Error),
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        // What the text in quotes is, is the server's secret or ours; the rest says what was expected, and where.
        let text = error.to_string();
        Self::Json(match (text.find('"'), text.rfind('"')) {
            (Some(begin), Some(end)) if begin < end => format!("{}...{}", &text[..=begin], &text[end..]),
            _ => text,
        })
    }
}

/// How the answer becomes a `T`.
pub(crate) enum Finish<T> {
    /// The whole body is read first.
    Body(fn(Bytes) -> Result<T, Malformed>),
    /// The body is handed out as it arrives.
    Stream(fn(ByteStream) -> T),
}

impl<T> Clone for Finish<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Finish<T> {}

/// A request that answers a `T`.
///
/// The endpoint methods of the resource handles build these. Build one yourself for an endpoint that this crate does
/// not know yet, and send it with [`Client::send`](crate::Client::send).
pub struct Request<T> {
    /// Boxed, because a request is handed on from future to future, each of which has room for it.
    pub(crate) parts: Box<Parts>,
    pub(crate) finish: Finish<T>,
    answers: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Bodies may hold secret values.
        f.debug_struct("Request")
            .field("method", &self.parts.method)
            .field("path", &self.parts.path)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Request<T> {
    /// A GET that answers JSON. `template` is a path with a `{}` for each of `values`.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if a value is empty, `.` or `..`: it would name another path.
    pub fn get(template: &str, values: &[&str]) -> Result<Self, Error> {
        Self::new(Method::Get, template, values)
    }

    /// A POST that answers JSON, without a body until [`Request::json`] adds one.
    ///
    /// # Errors
    /// As [`Request::get`].
    pub fn post(template: &str, values: &[&str]) -> Result<Self, Error> {
        Self::new(Method::Post, template, values)
    }

    /// A DELETE that answers JSON.
    ///
    /// # Errors
    /// As [`Request::get`].
    pub fn delete(template: &str, values: &[&str]) -> Result<Self, Error> {
        Self::new(Method::Delete, template, values)
    }

    fn new(method: Method, template: &str, values: &[&str]) -> Result<Self, Error> {
        Ok(Self::encoded(method, path(template, values)?))
    }

    /// At a path that is percent-encoded already.
    pub(crate) fn encoded(method: Method, path: String) -> Self {
        let parts = Box::new(Parts {
            method,
            path,
            query: Query::default(),
            body: Body::Empty,
            accept: "application/json",
            timeout_class: TimeoutClass::Usual,
            options: Options::default(),
        });
        let finish = Finish::Body(|bytes| Ok(serde_json::from_slice(&bytes)?));
        Self { parts, finish, answers: PhantomData }
    }
}

impl<T> Request<T> {
    /// Adds a JSON body.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if the value cannot be JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(|error| Error::InvalidRequest {
            reason: format!("the body of {} {} cannot be JSON: {error}", self.parts.method, self.parts.path),
        })?;
        self.parts.body = Body::Json(bytes.into());
        Ok(self)
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.parts.query.push(name, value.to_string());
        self
    }

    /// Adds every field of `params` to the query; see [`Query`].
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if the value is not a map of plain values.
    pub fn query_from(mut self, params: &impl Serialize) -> Result<Self, Error> {
        self.parts.query.extend(params)?;
        Ok(self)
    }

    /// Uses the long timeout: for endpoints that answer only after work is done.
    pub(crate) fn long(mut self) -> Self {
        self.parts.timeout_class = TimeoutClass::Long;
        self
    }

    pub(crate) fn upload(mut self, path: &str, file: FileSource) -> Self {
        self.parts.body = Body::Upload { path: path.to_owned(), file };
        self.long()
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.parts.options.timeout = Some(timeout);
        self
    }

    pub(crate) fn max_retries(mut self, retries: u32) -> Self {
        self.parts.options.max_retries = Some(retries);
        self
    }

    /// The answer's body does not matter, if it comes with a good status.
    pub(crate) fn empty(self) -> Request<()> {
        self.finish_with("application/json", Finish::Body(|_| Ok(())))
    }

    /// The answer is plain text.
    pub(crate) fn text(self) -> Request<String> {
        self.finish_with("text/plain", Finish::Body(|bytes| Ok(std::str::from_utf8(&bytes)?.to_owned())))
    }

    /// The answer is handed out as it arrives.
    pub(crate) fn stream(self, accept: &'static str) -> Request<ByteStream> {
        self.finish_with(accept, Finish::Stream(|stream| stream))
    }

    fn finish_with<U>(mut self, accept: &'static str, finish: Finish<U>) -> Request<U> {
        self.parts.accept = accept;
        Request { parts: self.parts, finish, answers: PhantomData }
    }
}

/// Puts percent-encoded `values` into the `{}` places of `template`.
pub(crate) fn path(template: &str, values: &[&str]) -> Result<String, Error> {
    let mut pieces = template.split("{}");
    let mut path = String::with_capacity(template.len() + values.iter().map(|v| v.len()).sum::<usize>());
    path.push_str(pieces.next().unwrap_or_default());
    let mut values = values.iter();
    for piece in pieces {
        let value = values.next().ok_or_else(|| Error::InvalidRequest {
            reason: format!("the path {template} has more places than values"),
        })?;
        if matches!(*value, "" | "." | "..") {
            return Err(Error::InvalidRequest {
                reason: format!("{value:?} cannot stand in the path {template}: give a real id or name"),
            });
        }
        path.extend(utf8_percent_encode(value, RESERVED));
        path.push_str(piece);
    }
    if values.next().is_some() {
        return Err(Error::InvalidRequest {
            reason: format!("the path {template} has fewer places than values"),
        });
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_values_are_encoded_whole() {
        assert_eq!(
            path("/v1/secrets/{}", &["a/b c%2e?#ä"]).unwrap(),
            "/v1/secrets/a%2Fb%20c%252e%3F%23%C3%A4"
        );
        assert_eq!(path("/v1/{}/x/{}", &["a-b_c.d~e", "2"]).unwrap(), "/v1/a-b_c.d~e/x/2");
    }

    #[test]
    fn values_that_would_name_another_path_are_refused() {
        for bad in ["", ".", ".."] {
            let error = path("/v1/devboxes/{}", &[bad]).unwrap_err();
            assert!(
                matches!(&error, Error::InvalidRequest { reason } if reason.contains("/v1/devboxes/{}")),
                "{error}"
            );
        }
        assert_eq!(path("/v1/secrets/{}", &["..."]).unwrap(), "/v1/secrets/...");
    }

    #[test]
    fn a_wrong_number_of_values_is_refused() {
        assert!(path("/v1/{}", &[]).is_err());
        assert!(path("/v1/{}", &["a", "b"]).is_err());
    }

    #[test]
    fn waits_and_transfers_have_their_own_pools() {
        let pool = |template: &str| Request::<()>::post(template, &[]).unwrap().parts.pool();
        assert_eq!(pool("/v1/devboxes/dbx_1/wait_for_status"), Pool::Wait);
        assert_eq!(pool("/v1/devboxes/dbx_1/upload_file"), Pool::Transfer);
        assert_eq!(pool("/v1/devboxes/dbx_1/download_file"), Pool::Transfer);
        assert_eq!(pool("/v1/devboxes/dbx_1/execute"), Pool::Wait);
        assert_eq!(pool("/v1/devboxes/dbx_1/suspend"), Pool::Api);
        let sse = Request::<()>::get("/v1/x", &[]).unwrap().stream("text/event-stream");
        assert_eq!(sse.parts.pool(), Pool::Wait);
    }

    #[test]
    fn debug_shows_no_body() {
        let request = Request::<()>::post("/v1/secrets", &[]).unwrap().json(&"hunter2").unwrap();
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
