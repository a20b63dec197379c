//! Waiting for something to become ready: long polls and plain polling.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::{Error, LastValue, PollingTimeout};
use crate::retry::backoff;
use crate::transport::Transport;

/// An answered hold shorter than this did not hold: the next one waits a little.
const QUICK: Duration = Duration::from_millis(200);

/// How long to wait in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitOptions {
    /// Longest wait; `None` waits for ever. At least one request is always made.
    pub timeout: Option<Duration>,
}

impl Default for WaitOptions {
    /// Two minutes, as the official SDKs have it.
    fn default() -> Self {
        Self::within(Duration::from_secs(120))
    }
}

impl WaitOptions {
    /// Waits for at most `timeout`.
    pub fn within(timeout: Duration) -> Self {
        Self { timeout: Some(timeout) }
    }

    /// Waits for as long as it takes.
    pub fn forever() -> Self {
        Self { timeout: None }
    }

    pub(crate) fn deadline(self) -> Deadline {
        let started = Instant::now();
        // A time that cannot be counted to never comes.
        Deadline { started, end: self.timeout.and_then(|timeout| started.checked_add(timeout)) }
    }
}

/// One deadline for a whole wait, whatever it is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    started: Instant,
    end: Option<Instant>,
}

impl Deadline {
    /// Time left; `most` if that is less.
    pub(crate) fn left(&self, most: Duration) -> Duration {
        self.end.map_or(most, |end| end.saturating_duration_since(Instant::now()).min(most))
    }
}

/// How to poll an endpoint that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollingConfig {
    /// Pause between two polls.
    pub interval: Duration,
    /// Most polls; 0 counts as 1.
    pub max_attempts: u32,
    /// Longest time in all.
    pub timeout: Option<Duration>,
}

impl Default for PollingConfig {
    /// 120 polls, a second apart.
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), max_attempts: 120, timeout: None }
    }
}

impl PollingConfig {
    /// Polls every `interval` for at most `timeout`.
    pub fn within(timeout: Duration, interval: Duration) -> Self {
        Self { interval, max_attempts: u32::MAX, timeout: Some(timeout) }
    }
}

/// Long-polls with `round(hold)` until it answers.
///
/// A 408, a timeout and a broken or refused connection mean "not yet". Other failures that may pass (429, 5xx) are
/// retried as for any call, as often in a row as the client retries; everything else ends the wait. Rounds that end
/// at once are spread out, so that a server that is down or does not hold is not hammered.
pub(crate) async fn hold<T, F>(
    transport: &Transport,
    deadline: Deadline,
    longest_hold: Duration,
    what: impl FnOnce() -> (String, Option<LastValue>),
    mut round: impl FnMut(Duration) -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut attempts = 0;
    let mut quick = 0;
    let mut failures = 0;
    loop {
        let hold = deadline.left(longest_hold);
        if attempts > 0 && hold.is_zero() {
            let (what, last_value) = what();
            let waited = deadline.started.elapsed();
            return Err(Error::PollingTimeout(Box::new(PollingTimeout { what, waited, attempts, last_value })));
        }
        attempts += 1;
        let begun = Instant::now();
        match round(hold).await {
            Ok(value) => return Ok(value),
            Err(error) if error.is_not_yet() => {
                failures = 0;
                if begun.elapsed() < QUICK {
                    // From 1/16 s up to 2 s.
                    sleep(deadline.left(backoff(quick, (transport.jitter)()).min(Duration::from_secs(32)) / 16)).await;
                    quick += 1;
                } else {
                    quick = 0;
                }
            }
            Err(error) if error.is_retryable() && failures < transport.max_retries => {
                let pause = error.retry_after().filter(|pause| !pause.is_zero() && *pause <= Duration::from_secs(60));
                sleep(deadline.left(pause.unwrap_or_else(|| backoff(failures, (transport.jitter)())))).await;
                failures += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// What a poll found.
pub(crate) enum Polled<T> {
    /// The end.
    Done(T),
    /// Not yet; this is how it looks.
    Pending(LastValue),
}

/// Polls with `call` until it is done.
pub(crate) async fn poll<T, F>(
    config: PollingConfig,
    what: impl FnOnce() -> String,
    mut call: impl FnMut() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<Polled<T>, Error>>,
{
    let started = Instant::now();
    let mut attempts = 0;
    loop {
        let last_value = match call().await? {
            Polled::Done(value) => return Ok(value),
            Polled::Pending(last_value) => last_value,
        };
        attempts += 1;
        let waited = started.elapsed();
        let left = config.timeout.map(|timeout| timeout.saturating_sub(waited));
        if attempts >= config.max_attempts || left.is_some_and(|left| left.is_zero()) {
            let what = what();
            let last_value = Some(last_value);
            return Err(Error::PollingTimeout(Box::new(PollingTimeout { what, waited, attempts, last_value })));
        }
        sleep(left.map_or(config.interval, |left| left.min(config.interval))).await;
    }
}
