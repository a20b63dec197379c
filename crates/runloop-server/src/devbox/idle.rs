//! When an unused devbox ends or sleeps.

use std::sync::Mutex;
use std::time::Duration;

use runloop_types::DevboxShutdownReason;
use tokio::time::Instant;

use crate::lock::lock;

/// What happens when the time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IdleAction {
    Shutdown(DevboxShutdownReason),
    Suspend,
}

/// How long a devbox may be unused, and what unused means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdlePolicy {
    pub(crate) after: Duration,
    pub(crate) action: IdleAction,
    /// Whether commands and file transfers count as use. If not, only `keep_alive` does.
    pub(crate) activity_counts: bool,
}

/// The clock of one devbox.
#[derive(Debug)]
pub(crate) struct IdleClock {
    policy: IdlePolicy,
    use_: Mutex<Use>,
}

#[derive(Debug)]
struct Use {
    last: Instant,
    /// Uses that are going on.
    open: usize,
}

impl IdleClock {
    /// A clock that starts now.
    pub(crate) fn new(policy: IdlePolicy) -> Self {
        Self { policy, use_: Mutex::new(Use { last: Instant::now(), open: 0 }) }
    }

    /// What to do when [`IdleClock::expired`] resolves.
    pub(crate) fn action(&self) -> &IdleAction {
        &self.policy.action
    }

    /// Whether [`IdleClock::in_use`] makes a difference.
    pub(crate) fn counts_activity(&self) -> bool {
        self.policy.activity_counts
    }

    /// Starts the time again: at `keep_alive`, and when the devbox starts running.
    pub(crate) fn reset(&self) {
        lock(&self.use_).last = Instant::now();
    }

    /// Marks the devbox used until the guard is dropped.
    pub(crate) fn in_use(&self) -> InUse<'_> {
        if self.policy.activity_counts {
            lock(&self.use_).open += 1;
        }
        InUse(self)
    }

    /// Resolves when the devbox was unused for long enough. Cancellation-safe.
    pub(crate) async fn expired(&self) {
        loop {
            let (last, open) = {
                let used = lock(&self.use_);
                (used.last, used.open)
            };
            let now = Instant::now();
            // Use only ever moves the deadline away, so looking again at the earliest possible moment is enough.
            let deadline = if open > 0 { now + self.policy.after } else { last + self.policy.after };
            if now >= deadline {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }
}

/// Keeps a devbox in use.
#[derive(Debug)]
pub(crate) struct InUse<'a>(&'a IdleClock);

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        if self.0.policy.activity_counts {
            let mut used = lock(&self.0.use_);
            used.open -= 1;
            used.last = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn clock(activity_counts: bool) -> Arc<IdleClock> {
        let action = IdleAction::Shutdown(DevboxShutdownReason::Idle);
        Arc::new(IdleClock::new(IdlePolicy { after: HOUR, action, activity_counts }))
    }

    /// How long the clock runs from now on.
    async fn time_left(clock: &IdleClock) -> Duration {
        let start = Instant::now();
        clock.expired().await;
        Duration::from_secs(start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn an_unused_devbox_expires_on_time() {
        assert_eq!(time_left(&clock(true)).await, HOUR);
    }

    #[tokio::test(start_paused = true)]
    async fn keep_alive_starts_the_time_again() {
        let clock = clock(false);
        tokio::time::advance(HOUR / 2).await;
        clock.reset();
        assert_eq!(time_left(&clock).await, HOUR);
    }

    #[tokio::test(start_paused = true)]
    async fn activity_counts_for_after_idle_only() {
        for (counts, left) in [(true, HOUR), (false, HOUR / 2)] {
            let clock = clock(counts);
            tokio::time::advance(HOUR / 2).await;
            drop(clock.in_use());
            assert_eq!(time_left(&clock).await, left);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_running_command_keeps_the_devbox_for_as_long_as_it_runs() {
        let clock = clock(true);
        let command = Arc::clone(&clock);
        tokio::spawn(async move {
            let _running = command.in_use();
            tokio::time::sleep(HOUR * 5).await;
        });
        tokio::task::yield_now().await;
        assert!(time_left(&clock).await >= HOUR * 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_while_waiting_is_seen() {
        let clock = clock(false);
        let other = Arc::clone(&clock);
        tokio::spawn(async move {
            tokio::time::sleep(HOUR / 2).await;
            other.reset();
        });
        assert_eq!(time_left(&clock).await, HOUR + HOUR / 2);
    }
}
