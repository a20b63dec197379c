//! The events of an axon, as they are published.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Stream, StreamExt};
use runloop_types::{AxonEventView, AxonId};

use crate::client::Client;
use crate::error::Error;
use crate::event_stream::{Ended, EventStream, Feed};
use crate::request::Request;
use crate::resources::Axons;

/// A [`Stream`] of an axon's events, in their order, each once. It never ends by itself: drop it.
///
/// A stream that the service ends for being idle, or that breaks, is opened again after the last event that was
/// delivered.
///
/// ```no_run
/// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
/// use futures::TryStreamExt;
///
/// let mut events = client.axons().subscribe_sse("axn_1", None);
/// while let Some(event) = events.try_next().await? {
///     println!("{} {}", event.sequence, event.event_type);
///     if event.event_type == "turn.completed" {
///         break;
///     }
/// }
/// # Ok(()) }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct AxonEventStream {
    events: EventStream<Events>,
}

impl std::fmt::Debug for AxonEventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AxonEventStream").finish_non_exhaustive()
    }
}

impl Axons {
    /// The events of an axon: all of them, or those after `after_sequence`, and then each as it is published.
    ///
    /// ```no_run
    /// # use futures::TryStreamExt;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let next = client.axons().subscribe_sse("axn_1", Some(41)).try_next().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// SDK 1 to 3.
    pub fn subscribe_sse(&self, id: impl Into<AxonId>, after_sequence: Option<i64>) -> AxonEventStream {
        let events = Events { axon: id.into(), after: after_sequence };
        AxonEventStream { events: EventStream::new(self.client.clone(), events) }
    }
}

impl Stream for AxonEventStream {
    type Item = Result<AxonEventView, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

struct Events {
    axon: AxonId,
    /// The sequence of the last event that was delivered.
    after: Option<i64>,
}

impl Feed for Events {
    type Item = AxonEventView;

    fn request(&mut self) -> Result<Request<()>, Error> {
        let request = Request::get("/v1/axons/{}/subscribe/sse", &[self.axon.as_str()])?;
        Ok(match self.after {
            Some(sequence) => request.query("after_sequence", sequence),
            None => request,
        })
    }

    fn read(&mut self, data: &[u8]) -> serde_json::Result<Option<AxonEventView>> {
        let event: AxonEventView = serde_json::from_slice(data)?;
        if self.after.is_some_and(|after| event.sequence <= after) {
            return Ok(None);
        }
        self.after = Some(event.sequence);
        Ok(Some(event))
    }

    async fn ended(&mut self, _client: &Client) -> Result<Ended, Error> {
        Ok(Ended::Connection)
    }
}
