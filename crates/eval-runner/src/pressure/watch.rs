//! Watches over the target while a run goes on: asks it when there is doubt, waits while it is down, ends the run when
//! that takes too long or the key is taken no more, and puts into the record what the gate did.

use std::sync::Arc;
use std::time::Duration;

use eval_record::{Cause, EventKind, Throttle};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::gate::News;
use super::lane::{Lane, in_lane};
use crate::platform::{Platform, PlatformError, PlatformErrorKind};
use crate::session::Session;

/// For the answer to a probe.
const PROBE: Duration = Duration::from_secs(10);

/// Pause after the first probe that failed; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a probe found.
enum Found {
    Up,
    Refused(PlatformError),
    Down(PlatformError),
}

impl<P: Platform> Session<P> {
    /// Watches over the target until this is dropped.
    pub(crate) fn watch(self: &Arc<Self>) -> AbortOnDropHandle<()> {
        let session = Arc::clone(self);
        AbortOnDropHandle::new(tokio::spawn(async move {
            tokio::select! {
                biased;
                () = session.halt.cancelled() => {}
                () = session.follow() => {}
            }
            // Devboxes still have to end, or at least that has to be tried.
            session.options.pressure.release();
        }))
    }

    async fn follow(&self) {
        let pressure = &self.options.pressure;
        loop {
            match pressure.news().await {
                News::Lowered { creations, limit } => {
                    self.emit(EventKind::Throttled { what: throttle(creations), limit });
                }
                News::Lifted { creations } => {
                    self.emit(EventKind::ThrottleLifted { what: throttle(creations) });
                }
                News::Doubt => match self.probe().await {
                    Found::Up => pressure.trust(),
                    Found::Refused(error) => return self.refused(&error),
                    Found::Down(error) => {
                        if self.outage(error).await.is_none() {
                            return;
                        }
                    }
                },
            }
        }
    }

    /// Waits until the target is back; `None` if the run stops instead.
    async fn outage(&self, mut error: PlatformError) -> Option<()> {
        let pressure = &self.options.pressure;
        let since = pressure.shut();
        let since_ms = self.now_ms() - millis(since.elapsed());
        let mut pause = FIRST_PAUSE;
        loop {
            let left = self.options.max_outage.saturating_sub(since.elapsed());
            if left.is_zero() {
                let message = format!(
                    "the target was down for {} s, which is as long as it is waited for: {error}",
                    since.elapsed().as_secs()
                );
                self.stop(Cause::TargetDown, message);
                return None;
            }
            let pause_now = pause.min(left);
            self.emit(EventKind::TargetDown {
                since_ms,
                error: self.masker.mask_text(&error.message),
                next_try_ms: self.now_ms() + millis(pause_now),
            });
            sleep(pause_now).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.probe().await {
                Found::Up => {
                    self.emit(EventKind::TargetBack { since_ms });
                    pressure.open();
                    return Some(());
                }
                Found::Refused(error) => {
                    self.refused(&error);
                    return None;
                }
                Found::Down(latest) => error = latest,
            }
        }
    }

    fn refused(&self, error: &PlatformError) {
        self.stop(Cause::Unauthorized, format!("the target does not take the key any more: {error}"));
    }

    async fn probe(&self) -> Found {
        let asked = Instant::now();
        let answer = in_lane(Lane::Probe, timeout(PROBE, self.platform.probe())).await;
        let silent = || {
            let message = format!("no answer within {} s", asked.elapsed().as_secs());
            Err(PlatformError::new(PlatformErrorKind::Unreachable, message))
        };
        match answer.unwrap_or_else(|_| silent()) {
            Ok(()) => Found::Up,
            Err(error) => match error.kind {
                PlatformErrorKind::Status(401 | 403) => Found::Refused(error),
                PlatformErrorKind::Status(..500) | PlatformErrorKind::TooLarge => Found::Up,
                _ => Found::Down(error),
            },
        }
    }

    fn now_ms(&self) -> i64 {
        self.options.clock.now_ms()
    }
}

fn throttle(creations: bool) -> Throttle {
    if creations { Throttle::Creations } else { Throttle::Requests }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
