//! A call that is ready to be awaited.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use std::future::IntoFuture;

use crate::client::Client;
use crate::error::Error;
use crate::request::Request;

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

    /// Names the call: the server carries out calls of one name only once. A fresh name is made up otherwise, and kept
    /// over all retries of this call. GETs have no such name.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        if let Ok(request) = &mut self.request {
            request.parts.idempotency_key = Some(key.into());
        }
        self
    }

    /// Longest silence before and within the answer, of each attempt.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request = self.request.map(|request| request.timeout(timeout));
        self
    }

    /// Retries after the first attempt.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.request = self.request.map(|request| request.max_retries(retries));
        self
    }

    /// Sends it.
    ///
    /// # Errors
    /// [`Error`], after all retries that may help.
    pub async fn send(self) -> Result<T, Error> {
        self.client.transport().send(self.request?).await
    }
}

impl<T: 'static> IntoFuture for Call<T> {
    type Output = Result<T, Error>;
    type IntoFuture = BoxFuture<'static, Result<T, Error>>;

    fn into_future(self) -> Self::IntoFuture {
        self.send().boxed()
    }
}
