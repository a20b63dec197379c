//! Waiting for something to become ready: long polls and plain polling.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::error::{Error, LastValue, PollingTimeout};
use crate::retry::backoff;
use crate::transport::Transport;

/// An answered hold shorter than this did not hold: the next one waits a little.
const QUICK: Duration = Duration::from_millis(200);

/// A round that is not over this long after its hold was queueing for a connection, or its answer trickled.
const OVERDUE: Duration = Duration::from_secs(10);

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

    /// When a wait that begins now is over.
    pub(crate) fn deadline(self) -> Deadline {
        let started = Instant::now();
        // A time that cannot be counted to never comes.
        Deadline { started, end: self.timeout.and_then(|timeout| started.checked_add(timeout)) }
    }
}

impl From<PollingConfig> for WaitOptions {
    /// As long as that many polls would take, or as the timeout if that is shorter: so the official SDKs have it.
    fn from(config: PollingConfig) -> Self {
        let polls = config.interval.saturating_mul(config.max_attempts.max(1));
        Self::within(config.timeout.map_or(polls, |timeout| timeout.min(polls)))
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
            return Err(Error::PollingTimeout(Box::new(PollingTimeout {
                what,
                waited,
                attempts,
                last_value,
            })));
        }
        attempts += 1;
        let begun = Instant::now();
        let answer = {
            // Pinned here: a future that is handed on by value is kept twice. And gone before the pause.
            let round = pin!(round(hold));
            timeout(hold + OVERDUE, round).await
        };
        let Ok(answer) = answer else { continue };
        // Nothing of the answer is kept while pausing.
        let pause = match answer {
            Ok(value) => return Ok(value),
            Err(error) if error.is_not_yet() => {
                failures = 0;
                if begun.elapsed() < QUICK {
                    quick += 1;
                    // From 1/16 s up to 2 s.
                    backoff(quick - 1, (transport.jitter)()).min(Duration::from_secs(32)) / 16
                } else {
                    quick = 0;
                    Duration::ZERO
                }
            }
            Err(error) if error.is_retryable() && failures < transport.max_retries => {
                failures += 1;
                error
                    .retry_after()
                    .filter(|pause| !pause.is_zero() && *pause <= Duration::from_secs(60))
                    .unwrap_or_else(|| backoff(failures - 1, (transport.jitter)()))
            }
            Err(error) => return Err(error),
        };
        let pause = deadline.left(pause);
        if !pause.is_zero() {
            sleep(pause).await;
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
            return Err(Error::PollingTimeout(Box::new(PollingTimeout {
                what,
                waited,
                attempts,
                last_value,
            })));
        }
        sleep(left.map_or(config.interval, |left| left.min(config.interval))).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use runloop_types::{DevboxStatus, DevboxView};

    use super::*;
    use crate::client::Client;
    use crate::error::{StatusError, TransportError, TransportKind};
    use crate::request::Method;

    fn client() -> Client {
        Client::builder().api_key("ak").base_url("http://127.0.0.1:1").jitter(|| 0.0).build().unwrap()
    }

    fn status(status: u16) -> Error {
        Error::Status(Box::new(StatusError {
            method: Method::Post,
            path: String::new(),
            status,
            code: None,
            message: String::new(),
            body: String::new(),
            request_id: None,
            attempts: 1,
            retry_after: None,
            retryable: matches!(status, 408 | 409 | 429 | 500..),
        }))
    }

    fn transport(kind: TransportKind) -> Error {
        Error::Transport(Box::new(TransportError {
            method: Method::Post,
            path: String::new(),
            kind,
            attempts: 1,
            request_id: None,
            source: None,
        }))
    }

    fn what() -> (String, Option<LastValue>) {
        ("it".to_owned(), None)
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_ten_minutes_is_cut_into_holds_and_ends_on_time() {
        let client = client();
        let holds = RefCell::new(Vec::new());
        let started = Instant::now();
        let round = |hold: Duration| {
            holds.borrow_mut().push(hold.as_secs());
            async move {
                sleep(hold).await;
                Err::<(), _>(status(408))
            }
        };
        let deadline = WaitOptions::within(seconds(605.0)).deadline();
        let error = hold(client.transport(), deadline, seconds(30.0), what, round).await.unwrap_err();
        let Error::PollingTimeout(timeout) = error else { panic!("{error}") };
        assert_eq!((timeout.attempts, timeout.waited), (21, seconds(605.0)));
        assert_eq!(started.elapsed(), seconds(605.0));
        let mut expected = vec![30; 20];
        expected.push(5);
        assert_eq!(*holds.borrow(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_after_an_hour_is_found() {
        let client = client();
        let ready = Instant::now() + Duration::from_secs(3600);
        let round = |hold: Duration| async move {
            let left = ready.saturating_duration_since(Instant::now());
            sleep(hold.min(left)).await;
            if left <= hold { Ok(7) } else { Err(transport(TransportKind::ReadTimeout)) }
        };
        let found =
            hold(client.transport(), WaitOptions::forever().deadline(), seconds(25.0), what, round).await;
        assert_eq!(found.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn refused_connections_are_spread_out() {
        let client = client();
        let rounds = RefCell::new(0);
        let round = |_| {
            *rounds.borrow_mut() += 1;
            async { Err::<(), _>(transport(TransportKind::Connect)) }
        };
        let deadline = WaitOptions::within(seconds(60.0)).deadline();
        let error = hold(client.transport(), deadline, seconds(30.0), what, round).await.unwrap_err();
        assert!(matches!(error, Error::PollingTimeout(_)), "{error}");
        // 1/16 s doubling to 2 s, then every 2 s.
        let rounds = rounds.into_inner();
        assert!((30..=40).contains(&rounds), "{rounds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_that_never_ends_does_not_outlive_the_wait() {
        let client = client();
        let started = Instant::now();
        let round = |_| std::future::pending::<Result<(), _>>();
        let deadline = WaitOptions::within(seconds(205.0)).deadline();
        let error = hold(client.transport(), deadline, seconds(30.0), what, round).await.unwrap_err();
        assert!(matches!(error, Error::PollingTimeout(_)), "{error}");
        // Five rounds of 30 s and one of the 5 s left, each ended 10 s too late.
        assert_eq!(started.elapsed(), seconds(215.0));
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_a_wait_ends_its_round_and_makes_no_other() {
        struct Gone<'a>(&'a RefCell<u32>);
        impl Drop for Gone<'_> {
            fn drop(&mut self) {
                *self.0.borrow_mut() += 1;
            }
        }
        let client = client();
        let (begun, gone) = (RefCell::new(0), RefCell::new(0));
        let round = |hold| {
            *begun.borrow_mut() += 1;
            let guard = Gone(&gone);
            async move {
                sleep(hold).await;
                drop(guard);
                Err::<(), _>(status(408))
            }
        };
        let wait = hold(client.transport(), WaitOptions::forever().deadline(), seconds(30.0), what, round);
        assert!(timeout(seconds(75.0), wait).await.is_err());
        sleep(seconds(1000.0)).await;
        assert_eq!((*begun.borrow(), *gone.borrow()), (3, 3));
    }

    #[test]
    fn a_polling_configuration_says_how_long_a_hold_may_take() {
        let config = |interval, max_attempts, timeout| PollingConfig {
            interval: seconds(interval),
            max_attempts,
            timeout,
        };
        let options = |config: PollingConfig| WaitOptions::from(config).timeout;
        assert_eq!(options(PollingConfig::default()), WaitOptions::default().timeout);
        assert_eq!(options(config(2.0, 300, None)), Some(seconds(600.0)));
        assert_eq!(options(config(2.0, 300, Some(seconds(7.0)))), Some(seconds(7.0)));
        assert_eq!(options(config(2.0, 3, Some(seconds(7.0)))), Some(seconds(6.0)));
        assert_eq!(options(PollingConfig::within(seconds(9.0), seconds(1.0))), Some(seconds(9.0)));
        assert_eq!(options(config(1.0, 0, None)), Some(seconds(1.0)));
    }

    #[tokio::test(start_paused = true)]
    async fn other_errors_end_the_wait() {
        let client = client();
        for error in [status(404), status(400), transport(TransportKind::TooLarge)] {
            let mut error = Some(error);
            let round = |_| {
                let error = error.take().expect("one round");
                async { Err::<(), _>(error) }
            };
            let deadline = WaitOptions::forever().deadline();
            let result = hold(client.transport(), deadline, seconds(30.0), what, round).await;
            assert!(!matches!(result.unwrap_err(), Error::PollingTimeout(_)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stays_busy_ends_the_wait_after_the_usual_retries() {
        let client = client();
        let started = Instant::now();
        let deadline = WaitOptions::forever().deadline();
        let round = |_| async { Err::<(), _>(status(503)) };
        let error = hold(client.transport(), deadline, seconds(30.0), what, round).await.unwrap_err();
        assert_eq!(error.status(), Some(503));
        assert_eq!(started.elapsed(), seconds(1.0 + 2.0 + 4.0 + 8.0 + 16.0));
    }

    fn provisioning() -> LastValue {
        LastValue::Devbox(Box::new(DevboxView {
            status: DevboxStatus::Provisioning,
            ..DevboxView::default()
        }))
    }

    async fn polls(config: PollingConfig) -> (u32, Duration) {
        let started = Instant::now();
        let call = || async { Ok(Polled::<()>::Pending(provisioning())) };
        match poll(config, || "it".to_owned(), call).await {
            Err(Error::PollingTimeout(timeout)) => {
                assert_eq!(timeout.last_value, Some(provisioning()));
                (timeout.attempts, started.elapsed())
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn polling_ends_by_attempts_or_by_time() {
        let config = |max_attempts, timeout| PollingConfig { interval: seconds(1.0), max_attempts, timeout };
        assert_eq!(polls(PollingConfig::default()).await, (120, seconds(119.0)));
        assert_eq!(polls(config(0, None)).await, (1, Duration::ZERO));
        assert_eq!(polls(config(1, None)).await, (1, Duration::ZERO));
        assert_eq!(polls(config(100, Some(Duration::ZERO))).await, (1, Duration::ZERO));
        assert_eq!(polls(config(100, Some(seconds(2.5)))).await, (4, seconds(2.5)));
    }

    #[tokio::test(start_paused = true)]
    async fn polling_answers_at_once_when_it_is_done() {
        let started = Instant::now();
        let call = || async { Ok(Polled::Done(5)) };
        assert_eq!(poll(PollingConfig::default(), || "it".to_owned(), call).await.unwrap(), 5);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[test]
    fn a_timeout_says_what_was_waited_for() {
        let timeout = PollingTimeout {
            what: "devbox dbx_1 to be running".to_owned(),
            waited: seconds(120.04),
            attempts: 4,
            last_value: Some(provisioning()),
        };
        let text = "devbox dbx_1 to be running took longer than 120.0s (4 polls, last seen: provisioning)";
        assert_eq!(timeout.to_string(), text);
    }
}
