//! Warnings of devboxes that will be evicted.

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, StreamExt};
use runloop_types::{DevboxEvictionEventView, DevboxId};

use crate::client::Client;
use crate::error::Error;
use crate::event_stream::{Broke, Ended, EventStream, Feed};
use crate::request::Request;
use crate::resources::Devboxes;

/// The pause before the first new connection; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A [`Stream`] of the account's devboxes that will be evicted, each at most once. It never ends by itself: drop it.
///
/// On each connection the service tells all evictions that are pending, so that one which is announced while there is
/// none is not missed. A connection that ends is made again after half a second, which doubles up to half a minute as
/// long as nothing new comes. Only an error that would come again, such as a key that is refused, ends the stream.
///
/// ```no_run
/// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
/// use futures::TryStreamExt;
///
/// let mut evictions = client.devboxes().watch_evictions();
/// while let Some(eviction) = evictions.try_next().await? {
///     client.devbox(eviction.devbox_id).suspend(Default::default()).await?;
/// }
/// # Ok(()) }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct EvictionWatch {
    evictions: EventStream<Evictions>,
}

impl std::fmt::Debug for EvictionWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EvictionWatch").finish_non_exhaustive()
    }
}

impl Devboxes {
    /// Devboxes of the account that will be evicted, as that is announced. Advisory and on best effort.
    ///
    /// SDK 1 to 3.
    pub fn watch_evictions(&self) -> EvictionWatch {
        let evictions = Evictions { told: HashSet::new() };
        EvictionWatch { evictions: EventStream::new(self.client.clone(), evictions) }
    }
}

impl Stream for EvictionWatch {
    type Item = Result<DevboxEvictionEventView, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.evictions.poll_next_unpin(cx)
    }
}

struct Evictions {
    /// Devboxes that were told. An id takes few bytes, and an account has few evictions.
    told: HashSet<DevboxId>,
}

impl Feed for Evictions {
    type Item = DevboxEvictionEventView;

    fn request(&mut self) -> Result<Request<()>, Error> {
        Request::get("/v1/devboxes/evictions/watch", &[])
    }

    fn read(&mut self, data: &[u8]) -> serde_json::Result<Option<DevboxEvictionEventView>> {
        let event: DevboxEvictionEventView = serde_json::from_slice(data)?;
        Ok(self.told.insert(event.devbox_id.clone()).then_some(event))
    }

    async fn ended(&mut self, _client: &Client) -> Result<Ended, Error> {
        Ok(Ended::Connection)
    }

    fn pause(&self, _how: Broke, times: u32, _max_retries: u32, jitter: f64) -> Option<Duration> {
        let pause = FIRST_PAUSE.saturating_mul(1 << times.min(16)).min(LONGEST_PAUSE);
        Some(pause.mul_f64(1.0 - 0.25 * jitter.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_from_half_a_second_to_half_a_minute_and_never_gives_up() {
        let watch = Evictions { told: HashSet::new() };
        let pauses: Vec<f64> = [0, 1, 2, 5, 6, 7, u32::MAX]
            .map(|times| watch.pause(Broke::Failed, times, 0, 0.0).unwrap().as_secs_f64())
            .to_vec();
        assert_eq!(pauses, [0.5, 1.0, 2.0, 16.0, 30.0, 30.0, 30.0]);
        assert_eq!(watch.pause(Broke::Quiet, 0, 0, 1.0), Some(Duration::from_millis(375)));
    }
}
