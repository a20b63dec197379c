//! How what a run made is ended: in bounded time, a few at once, and whatever happens to one of them, the others are ended.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use eval_record::{LOCAL, Ledger, Resource, ResourceEnd, ResourceKind};
use futures::StreamExt as _;
use runloop_types::DevboxId;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::platform::Platform;
use crate::session::Session;
use crate::{leftovers, reap};

/// Requests that end something at once.
const AT_ONCE: usize = 32;

/// The end of a run: of its plan, or by an interruption.
#[derive(Debug)]
pub(crate) struct Closing {
    began: CancellationToken,
    since: OnceLock<Instant>,
}

impl Closing {
    /// Begins with `halt` at the latest.
    pub(crate) fn new(halt: &CancellationToken) -> Self {
        Self { began: halt.child_token(), since: OnceLock::new() }
    }

    /// The last trial has its verdict.
    pub(crate) fn begin(&self) {
        self.began.cancel();
    }

    fn has_begun(&self) -> bool {
        self.began.is_cancelled()
    }

    /// Waits until it began so long ago.
    async fn lasts(&self, time: Duration) {
        self.began.cancelled().await;
        sleep_until(*self.since.get_or_init(Instant::now) + time).await;
    }
}

impl<P: Platform> Session<P> {
    /// Waits for the end of something, but not for ever, and not at all when waiting was called off. What is waited for
    /// when the run is over has the time for the cleanup together, not one after the other.
    pub(crate) async fn bounded(&self, end: impl Future<Output = ()>) {
        let time = self.options.limits.cleanup;
        tokio::select! {
            biased;
            () = end => {}
            () = self.cancel.abandon.cancelled() => {}
            () = sleep(time) => {}
            () = self.closing.lasts(time) => {}
        }
    }

    /// Waits for requests under way. One that hangs leaves time for the rest.
    pub(crate) async fn answered(&self, requests: &TaskTracker) {
        let time = self.options.limits.cleanup;
        tokio::select! {
            biased;
            () = requests.wait() => {}
            () = sleep(time / 2) => {}
            () = self.closing.lasts(time / 4) => {}
        }
    }

    /// How long one request of a cleanup may take.
    fn patience(&self) -> Duration {
        self.options.limits.cleanup / if self.closing.has_begun() { 4 } else { 2 }
    }

    /// Ends things of one kind, given as keys and ids.
    pub(crate) async fn end_all(
        self: &Arc<Self>,
        kind: ResourceKind,
        things: impl IntoIterator<Item = (String, String)>,
        how: ResourceEnd,
    ) {
        let end = |(key, id): (String, String)| {
            let session = Arc::clone(self);
            let step = async move {
                if timeout(session.patience(), session.end(kind, &key, &id, how)).await.is_err() {
                    tracing::warn!(%kind, %id, "no answer to the request that ends it");
                }
            };
            // In a task of its own: whatever breaks in it, the others are ended.
            async move {
                if let Err(error) = tokio::spawn(step).await {
                    tracing::error!(%error, "a step of the cleanup broke");
                }
            }
        };
        futures::stream::iter(things).for_each_concurrent(AT_ONCE, end).await;
    }

    /// Ends what still lives, also what only the target knows of.
    pub(crate) async fn sweep(self: &Arc<Self>) {
        for kind in ResourceKind::ALL {
            let is_elsewhere = |key: &str| self.elsewhere.get().is_some_and(|keys| keys.contains(key));
            let mut left: Vec<Resource> = self
                .leaked()
                .into_iter()
                .filter(|resource| resource.request.resource == kind && !is_elsewhere(&resource.request.key))
                .collect();
            left.reverse();
            let is_uncertain = left.iter().any(|resource| resource.id.is_none());
            let found = if is_uncertain { self.found(kind).await } else { Some(Vec::new()) };
            let found: Option<BTreeMap<_, _>> = found.map(|found| found.into_iter().collect());
            let mut living = Vec::new();
            for Resource { request, id, .. } in left {
                match id.or_else(|| found.as_ref()?.get(&request.key).cloned()) {
                    Some(id) => living.push((request.key, id)),
                    // What is asked for in this moment may be made in the next.
                    None if found.is_none() || self.is_asked(&request.key) => {}
                    None => self.note_end(&request.key, ResourceEnd::Ended),
                }
            }
            self.end_all(kind, living, ResourceEnd::Ended).await;
        }
    }

    /// Ends what an earlier part of the run left, by its labels: what a lost end of the record asked for is among it.
    pub(crate) async fn reap_earlier(self: &Arc<Self>, ledger: Ledger) {
        self.inherit(ledger);
        let (mut unlisted, mut is_here) = (Vec::new(), self.options.target == LOCAL);
        for kind in ResourceKind::ALL {
            // Without an answer the sweep at the end has another try.
            let Some(found) = self.found(kind).await else { continue };
            is_here |= !found.is_empty();
            let living = found.iter().filter(|(key, _)| !self.is_kept(key)).cloned();
            self.end_all(kind, living, ResourceEnd::Reaped).await;
            let keys: HashSet<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
            unlisted.extend(self.leaked().into_iter().filter(|resource| {
                resource.request.resource == kind && !keys.contains(resource.request.key.as_str())
            }));
        }
        if is_here || self.knows(&unlisted).await {
            unlisted.iter().for_each(|gone| self.note_end(&gone.request.key, ResourceEnd::Reaped));
        } else {
            tracing::warn!(
                "the target knows nothing of what the run left: it was another one, or had another key"
            );
            let keys = unlisted.into_iter().map(|resource| resource.request.key);
            let _ = self.elsewhere.set(keys.collect());
        }
    }

    /// Whether the target knows a devbox of these, dead or alive: else they are not gone, but another account's. Also if that
    /// cannot be told.
    async fn knows(&self, resources: &[Resource]) -> bool {
        let devboxes = resources.iter().filter(|resource| resource.request.resource == ResourceKind::Devbox);
        let Some(id) = devboxes.filter_map(|devbox| devbox.id.clone()).next_back() else { return true };
        let answer = timeout(self.patience(), self.platform.devbox(&DevboxId::new(id))).await;
        !matches!(answer, Ok(Err(unknown)) if unknown.has_status(404))
    }

    /// What the target has of this run, keys and ids, newest first. Asked again if the answer fails: this is the last chance.
    async fn found(&self, kind: ResourceKind) -> Option<Vec<(String, String)>> {
        for _ in 0..2 {
            let list = leftovers::of_kind(&*self.platform, kind, Some(&self.options.run_id));
            match timeout(self.patience(), list).await {
                Ok(Ok(found)) => {
                    return Some(found.into_iter().filter_map(|one| Some((one.key?, one.id))).collect());
                }
                Ok(Err(error)) => tracing::warn!(%kind, %error, "cannot list what the run left"),
                Err(_) => tracing::warn!(%kind, "no answer to the request that lists what the run left"),
            }
        }
        None
    }

    /// Ends something and says so, unless it is known to be gone.
    pub(crate) async fn end(&self, kind: ResourceKind, key: &str, id: &str, how: ResourceEnd) {
        match reap::end(&*self.platform, kind, id).await {
            Ok(()) => self.note_end(key, how),
            Err(error) => tracing::warn!(%kind, %id, %error, "cannot be ended"),
        }
    }
}
