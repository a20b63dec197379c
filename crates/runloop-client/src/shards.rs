//! Several HTTP clients for one purpose, so that not all calls share one HTTP/2 connection.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use reqwest::Version;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::Fault;
use crate::long_poll::Connections;

/// HTTP clients of one pool. Each is made when the ones before it are busy.
#[derive(Debug)]
pub(crate) struct Shards {
    first: Arc<Shard>,
    others: Vec<Arc<Shard>>,
    /// With this many calls in flight a shard is busy.
    busy: usize,
}

#[derive(Debug)]
struct Shard {
    client: OnceLock<reqwest::Client>,
    /// For calls with headers of their own, which stay with the server they are for.
    staying: OnceLock<reqwest::Client>,
    long_polls: OnceLock<Connections>,
    in_flight: AtomicUsize,
    /// A place for each connection, closed when the server shares one connection among all calls; `None` if there may
    /// be any number.
    places: Option<Arc<Semaphore>>,
}

impl Shards {
    /// `most_connections` is for each shard, and counts only while the server speaks HTTP/1.1.
    pub(crate) fn new(count: usize, busy: usize, most_connections: Option<usize>) -> Self {
        let shard = || {
            let places = most_connections.map(|most| Arc::new(Semaphore::new(most)));
            Arc::new(Shard {
                client: OnceLock::new(),
                staying: OnceLock::new(),
                long_polls: OnceLock::new(),
                in_flight: AtomicUsize::new(0),
                places,
            })
        };
        // A connection carries at least one call: nobody queues for one shard's while another has none.
        let busy = most_connections.map_or(busy, |most| busy.min(most));
        Self { first: shard(), others: (1..count).map(|_| shard()).collect(), busy }
    }

    /// A place in the first shard that is not busy, else in the one with the fewest calls in flight: few calls at a
    /// time always find the same connections.
    pub(crate) async fn lease(&self) -> Lease {
        let mut chosen = &self.first;
        let mut fewest = chosen.in_flight.load(Ordering::Relaxed);
        for shard in &self.others {
            if fewest < self.busy {
                break;
            }
            let in_flight = shard.in_flight.load(Ordering::Relaxed);
            if in_flight < fewest {
                (chosen, fewest) = (shard, in_flight);
            }
        }
        chosen.in_flight.fetch_add(1, Ordering::Relaxed);
        // Counted from here on: who gives up while queueing is counted off again.
        let mut lease = Lease { shard: Arc::clone(chosen), place: None };
        if let Some(places) = &chosen.places {
            // An error means that they are closed: everybody may go ahead.
            lease.place = Arc::clone(places).acquire_owned().await.ok();
        }
        lease
    }
}

/// A call's place in a shard, until its answer is read.
#[derive(Debug)]
pub(crate) struct Lease {
    shard: Arc<Shard>,
    place: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// The shard's HTTP client, or the one that stays with the server; made if there is none yet.
    pub(crate) fn client(
        &self,
        staying: bool,
        make: impl FnOnce() -> Result<reqwest::Client, Fault>,
    ) -> Result<&reqwest::Client, Fault> {
        let cell = if staying { &self.shard.staying } else { &self.shard.client };
        match cell.get() {
            Some(client) => Ok(client),
            None => {
                let client = make()?;
                Ok(cell.get_or_init(|| client))
            }
        }
    }

    /// The shard's connections for long polls; made if there are none yet.
    pub(crate) fn long_polls(&self, make: impl FnOnce() -> Connections) -> &Connections {
        self.shard.long_polls.get_or_init(make)
    }

    /// Notes what the server speaks: over HTTP/2 calls share connections, and nobody has to queue for a place.
    pub(crate) fn speaks(&self, version: Version) {
        if let Some(place) = &self.place
            && version == Version::HTTP_2
        {
            place.semaphore().close();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shard.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// Which shard a lease is in.
    fn index(shards: &Shards, lease: &Lease) -> usize {
        let mut all = std::iter::once(&shards.first).chain(&shards.others);
        all.position(|shard| Arc::ptr_eq(shard, &lease.shard)).unwrap()
    }

    #[tokio::test]
    async fn one_call_after_the_other_stays_in_the_first_shard() {
        let shards = Shards::new(8, 4, Some(20));
        for _ in 0..100 {
            assert_eq!(index(&shards, &shards.lease().await), 0);
        }
    }

    #[tokio::test]
    async fn shards_fill_up_in_order_and_are_then_evenly_loaded() {
        let shards = Shards::new(3, 2, None);
        let mut leases = Vec::new();
        for expected in [0, 0, 1, 1, 2, 2, 0, 1, 2, 0] {
            let lease = shards.lease().await;
            assert_eq!(index(&shards, &lease), expected);
            leases.push(lease);
        }
        // The third lease was in shard 1, which is still busy; without the fourth it is not.
        leases.drain(2..4);
        leases.remove(5);
        assert_eq!(index(&shards, &shards.lease().await), 1);
    }

    #[tokio::test]
    async fn nobody_queues_while_another_shard_has_a_place() {
        let shards = Shards::new(3, 32, Some(2));
        let leases: Vec<_> = (0..6).map(|_| shards.lease().now_or_never().unwrap()).collect();
        let indices: Vec<_> = leases.iter().map(|lease| index(&shards, lease)).collect();
        assert_eq!(indices, [0, 0, 1, 1, 2, 2]);
    }

    #[tokio::test]
    async fn connections_are_limited_until_the_server_speaks_http2() {
        let shards = Shards::new(2, 1, Some(1));
        let first = shards.lease().await;
        let second = shards.lease().await;
        assert!(shards.lease().now_or_never().is_none());
        // Giving up leaves nothing behind.
        assert_eq!(shards.first.in_flight.load(Ordering::Relaxed), 1);
        first.speaks(Version::HTTP_11);
        assert!(shards.lease().now_or_never().is_none());
        drop(first);
        let third = shards.lease().now_or_never().unwrap();
        let mut queued = std::pin::pin!(shards.lease());
        assert!(queued.as_mut().now_or_never().is_none());
        third.speaks(Version::HTTP_2);
        assert_eq!(index(&shards, &queued.await), 0);
        drop(second);
    }
}
