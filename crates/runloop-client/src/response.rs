//! An answer beside the value that it became.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;

use crate::error::{DecodeError, Error};
use crate::request::{Malformed, Method};

/// What [`Call::with_response`](crate::Call::with_response) answers: the value, and the answer it was read from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Response<T> {
    /// As the call alone would have answered.
    pub value: T,
    /// Status, headers, and how the call went.
    pub raw: RawResponse,
}

impl<T> Response<T> {
    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Response<U> {
        Response { value: map(self.value), raw: self.raw }
    }
}

/// An answer with a good status, as it came. `Debug` shows neither headers nor body: they may hold credentials.
#[derive(Clone)]
#[non_exhaustive]
pub struct RawResponse {
    /// Method of the request.
    pub method: Method,
    /// Path of the request, without its query.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The answer's body; empty if it is handed out as a stream.
    pub body: Bytes,
    /// Attempts made, the last one included.
    pub attempts: u32,
    /// From the call to its answer: all attempts, and the pauses between them.
    pub elapsed: Duration,
    /// The `x-request-id` that was sent.
    pub(crate) sent_id: Option<HeaderValue>,
}

impl std::fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawResponse")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .field("body_bytes", &self.body.len())
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

impl RawResponse {
    /// A header's text; `None` if it is missing or no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Names the request in the server's logs: what the server called it, else what we called it.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-request-id").or_else(|| self.sent_id.as_ref()?.to_str().ok())
    }

    /// Reads the body as JSON of any shape.
    ///
    /// # Errors
    /// [`Error::Decode`] if it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.decode(|bytes| Ok(serde_json::from_slice(&bytes)?))
    }

    pub(crate) fn decode<T>(&self, decode: fn(Bytes) -> Result<T, Malformed>) -> Result<T, Error> {
        decode(self.body.clone()).map_err(|source| Error::Decode(Box::new(DecodeError::new(self, source))))
    }
}
