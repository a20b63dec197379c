//! The dead man's switch: devboxes live on only while this harness asks for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eval_record::EventKind;
use futures::StreamExt as _;
use runloop_types::DevboxId;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::platform::Platform;
use crate::session::Session;

/// Renewals under way at once.
const AT_ONCE: usize = 32;

/// Between two events that say that the run is at work.
const PULSE: Duration = Duration::from_secs(10);

/// Devboxes whose time must be renewed.
#[derive(Debug, Default)]
pub(crate) struct Renewals(Mutex<BTreeSet<DevboxId>>);

impl Renewals {
    pub(crate) fn begin(&self, id: DevboxId) {
        self.set().insert(id);
    }

    pub(crate) fn end(&self, id: &DevboxId) {
        self.set().remove(id);
    }

    fn set(&self) -> MutexGuard<'_, BTreeSet<DevboxId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Platform> Session<P> {
    /// Renews the time of all devboxes again and again, so that each can miss two renewals. Never ends.
    pub(crate) async fn keep_alive(self: Arc<Self>) {
        let pause = (self.options.limits.keep_alive / 3).max(Duration::from_millis(1));
        let mut ticks = interval(pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let ids: Vec<DevboxId> = self.renewals.set().iter().cloned().collect();
            futures::stream::iter(ids).for_each_concurrent(AT_ONCE, |id| self.renew(id)).await;
        }
    }

    /// Tells again and again that the run is at work, while something of it may live: if it is killed, so much is known of the
    /// time that its devboxes took. Never ends.
    pub(crate) async fn pulse(self: Arc<Self>) {
        loop {
            sleep(PULSE).await;
            if !self.leaked().is_empty() {
                self.emit(EventKind::Heartbeat);
            }
        }
    }

    async fn renew(&self, id: DevboxId) {
        // One that has ended, or is suspended, answers with an error; whoever works with it finds that out by itself.
        if let Err(error) = self.platform.keep_alive(&id).await {
            tracing::debug!(devbox = %id, %error, "the devbox's time was not renewed");
        }
    }
}
