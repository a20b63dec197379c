//! When a trial, or the whole run, has had its time.

use std::sync::Arc;
use std::time::Duration;

use eval_record::Cause;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::failure::Failure;
use crate::platform::Platform;
use crate::session::Session;

/// The end of a trial's time, with all its attempts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    time: Duration,
}

impl Deadline {
    /// From now on; `None` is never.
    pub(crate) fn after(time: Option<Duration>) -> Self {
        Self { at: time.map(|time| Instant::now() + time), time: time.unwrap_or_default() }
    }

    /// Waits for it, and says what that means.
    pub(crate) async fn reached(self) -> Failure {
        match self.at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
        let time = self.time;
        Failure::new(
            Cause::TrialTimeout,
            format!("the trial did not end within {time:?}: raise `trial_timeout` if that is right"),
        )
    }
}

impl<P: Platform> Session<P> {
    /// Ends the run after its time, as an interruption does, until this is dropped.
    pub(crate) fn limited(self: &Arc<Self>) -> Option<AbortOnDropHandle<()>> {
        let end = Instant::now() + self.options.timeout?;
        let session = Arc::clone(self);
        Some(AbortOnDropHandle::new(tokio::spawn(async move {
            sleep_until(end).await;
            let time = session.options.timeout.unwrap_or_default();
            session.stop(Cause::RunTimeout, format!("the run's time of {time:?} was over first"));
        })))
    }
}
