//! A call that is ready to be awaited.

use std::future::IntoFuture;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::request::{Parts, Request};
use crate::response::{RawResponse, Response};

/// An endpoint call. Nothing is sent until it is awaited; options can be set before.
///
/// ```no_run
/// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
/// let view = client.devboxes().retrieve("dbx_1").timeout(std::time::Duration::from_secs(5)).await?;
/// # Ok(()) }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    client: Client,
    request: Result<Request<T>, Error>,
}

impl<T> std::fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Call").field(&self.request).finish()
    }
}

impl<T> Call<T> {
    pub(crate) fn new(client: Client, request: Result<Request<T>, Error>) -> Self {
        Self { client, request }
    }

    fn with(mut self, change: impl FnOnce(&mut Parts) -> Result<(), Error>) -> Self {
        self.request = self.request.and_then(|mut request| change(&mut request.parts).map(|()| request));
        self
    }

    /// Names the call: the server carries out calls of one name only once. A fresh name is made up otherwise, and kept
    /// over all retries of this call. GETs have no such name.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.with(|parts| {
            parts.options.idempotency_key = Some(key.into());
            Ok(())
        })
    }

    /// Sets a header, in place of the client's header of that name.
    ///
    /// One that cannot be sent makes the call end as [`Error::InvalidRequest`]; nothing is sent then.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|parts| parts.options.set_header(name, value))
    }

    /// Sets a query parameter, in place of one of that name.
    pub fn query_param(self, name: &str, value: impl ToString) -> Self {
        self.with(|parts| {
            parts.query.set(name, value.to_string());
            Ok(())
        })
    }

    /// Sets a field of the JSON body, in place of one of that name: for fields that this crate does not know, and for
    /// an explicit `null` where leaving a field out means something else.
    ///
    /// On a call without a JSON body object (a GET, an upload) it makes the call end as [`Error::InvalidRequest`].
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use serde_json::Value;
    ///
    /// let params = runloop_client::types::DevboxCreateParams::default();
    /// let view = client.devboxes().create(&params).body_field("entrypoint", Value::Null).await?;
    /// # Ok(()) }
    /// ```
    pub fn body_field(self, name: &str, value: impl Into<Value>) -> Self {
        self.with(|parts| parts.set_body_field(name, value.into()))
    }

    /// Longest silence before and within the answer, of each attempt.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|parts| {
            parts.options.timeout = Some(timeout);
            Ok(())
        })
    }

    /// Longest time of the whole call: all attempts, the pauses between them, and the answer to its last byte, also
    /// where that is streamed. No limit unless set. A retry that could only begin later is not waited for.
    pub fn total_timeout(self, timeout: Duration) -> Self {
        self.with(|parts| {
            parts.options.total_timeout = Some(timeout);
            Ok(())
        })
    }

    /// Retries after the first attempt.
    pub fn max_retries(self, retries: u32) -> Self {
        self.with(|parts| {
            parts.options.max_retries = Some(retries);
            Ok(())
        })
    }

    /// Sends it.
    ///
    /// # Errors
    /// [`Error`], after all retries that may help.
    pub fn send(self) -> impl Future<Output = Result<T, Error>> {
        // In parts, as the arguments of an async function are kept until it ends.
        let Self { client, request } = self;
        async move {
            match request {
                Ok(request) => client.transport().send(request).await,
                Err(error) => Err(error),
            }
        }
    }

    /// Sends it; the value comes beside the answer it was read from: status, headers, request id, attempts, time.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let answer = client.devboxes().retrieve("dbx_1").with_response().await?;
    /// println!("{} after {:?}: {}", answer.raw.status, answer.raw.elapsed, answer.value.status.as_str());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Call::send`].
    pub async fn with_response(self) -> Result<Response<T>, Error> {
        self.client.transport().respond(self.request?).await
    }

    /// Sends it; the answer comes as it is, read to its end and not decoded.
    ///
    /// # Errors
    /// As [`Call::send`], but for [`Error::Decode`].
    pub async fn send_raw(self) -> Result<RawResponse, Error> {
        self.client.transport().send_raw(self.request?).await
    }
}

impl<T: 'static> IntoFuture for Call<T> {
    type Output = Result<T, Error>;
    type IntoFuture = BoxFuture<'static, Result<T, Error>>;

    fn into_future(self) -> Self::IntoFuture {
        self.send().boxed()
    }
}
