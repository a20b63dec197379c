//! What all parts of a run share.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use eval_record::{
    Cause, Event, EventKind, EventSink, Ledger, Masker, Resource, ResourceEnd, ResourceKind, ResourceRequest,
};
use runloop_types::{DevboxFailureReason, DevboxId, DevboxShutdownReason, DevboxStatus, DevboxView};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::budget::Account;
use crate::ending::Closing;
use crate::failure::Failure;
use crate::keep_alive::Renewals;
use crate::patience::Failures;
use crate::platform::{Platform, PlatformError, PlatformErrorKind};
use crate::{Cancellation, Earlier, RunOptions, Stopped};

/// What all parts of a run share.
pub(crate) struct Session<P> {
    pub(crate) platform: Arc<P>,
    pub(crate) options: RunOptions,
    pub(crate) masker: Masker,
    pub(crate) cancel: Cancellation,
    /// Cancelled when the record fails: results that are not kept are worth nothing.
    pub(crate) halt: CancellationToken,
    /// What ended the run before its plan, other than the user.
    pub(crate) stopped: OnceLock<Stopped>,
    pub(crate) account: Account,
    pub(crate) renewals: Renewals,
    pub(crate) closing: Closing,
    sink: Arc<dyn EventSink>,
    ledger: Mutex<Ledger>,
    /// Keys of requests that are under way.
    asked: Mutex<HashSet<String>>,
    /// Keys of what an earlier part of the run left where this part cannot reach.
    pub(crate) elsewhere: OnceLock<HashSet<String>>,
    keys: Keys,
}

/// Keys of requests that no other process ever used.
struct Keys {
    prefix: String,
    next: AtomicU64,
}

impl Keys {
    fn new() -> Self {
        let mut prefix = Uuid::new_v4().simple().to_string();
        prefix.truncate(16);
        Self { prefix, next: AtomicU64::new(1) }
    }
}

impl<P: Platform> Session<P> {
    pub(crate) fn new(
        platform: Arc<P>,
        options: RunOptions,
        earlier: &Earlier,
        sink: Arc<dyn EventSink>,
        cancel: Cancellation,
    ) -> Arc<Self> {
        let masker = options.masker();
        let halt = cancel.stop.child_token();
        let closing = Closing::new(&halt);
        let account = Account::new(&options.budget, earlier);
        Arc::new(Self {
            platform,
            options,
            masker,
            cancel,
            halt,
            stopped: OnceLock::new(),
            account,
            renewals: Renewals::default(),
            closing,
            sink,
            ledger: Mutex::default(),
            asked: Mutex::default(),
            elsewhere: OnceLock::new(),
            keys: Keys::new(),
        })
    }

    pub(crate) fn emit(&self, kind: EventKind) {
        self.account.take(&kind);
        self.sink.event(&self.event(kind));
        self.halt_without_record();
    }

    fn event(&self, kind: EventKind) -> Event {
        self.masker.mask_event(Event { at_ms: self.options.clock.now_ms(), kind })
    }

    fn halt_without_record(&self) {
        if self.sink.failure().is_some() {
            self.halt.cancel();
        }
    }

    /// A key for a request.
    pub(crate) fn fresh_key(&self) -> String {
        format!("{}-{}", self.keys.prefix, self.keys.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Asks the target for something. The request leaves only once it is in the record.
    pub(crate) async fn ask<T>(
        &self,
        request: ResourceRequest,
        send: impl Future<Output = Result<T, PlatformError>>,
        id: impl FnOnce(&T) -> &str,
    ) -> Result<T, PlatformError> {
        let key = request.key.clone();
        self.asked().insert(key.clone());
        let asked = key.clone();
        let _asked = OnDrop(move || _ = self.asked().remove(&asked));
        let (written, is_written) = oneshot::channel();
        let event = self.event(EventKind::ResourceRequested(request));
        self.ledger().take(&event.kind);
        self.account.take(&event.kind);
        self.sink.event_then(&event, Box::new(move || _ = written.send(())));
        if is_written.await.is_err() {
            self.halt_without_record();
            self.note(EventKind::ResourceEnded { key, how: ResourceEnd::Refused });
            let message = "nothing was asked for, because the record of the run cannot be written";
            return Err(PlatformError::new(PlatformErrorKind::Unreachable, message));
        }
        let answer = send.await;
        match &answer {
            Ok(made) => self.note(EventKind::ResourceCreated { key, id: id(made).to_owned() }),
            Err(error) if error.is_refusal() => {
                self.note(EventKind::ResourceEnded { key, how: ResourceEnd::Refused });
            }
            // It may exist: the sweep looks for it.
            Err(_) => {}
        }
        answer
    }

    /// Records what became of something that was asked for.
    fn note(&self, event: EventKind) {
        self.ledger().take(&event);
        self.emit(event);
    }

    /// Leaves something alive beyond the run.
    pub(crate) fn keep(&self, key: &str) {
        self.note_end(key, ResourceEnd::Kept);
    }

    /// Whether it was left alive on purpose.
    pub(crate) fn is_kept(&self, key: &str) -> bool {
        self.ledger().get(key).is_some_and(|resource| resource.is_kept)
    }

    pub(crate) fn file(&self, path: &str, content: Vec<u8>) {
        self.sink.file(path, content);
    }

    pub(crate) fn record_failure(&self) -> Option<String> {
        self.sink.failure()
    }

    /// Why a call about a devbox failed: because the devbox is gone, or because the API does not work.
    pub(crate) async fn blame(&self, id: &DevboxId, doing: &str, error: &PlatformError) -> Failure {
        match self.platform.devbox(id).await {
            Ok(view) if view.status.is_final() => lost(doing, &view),
            Err(gone) if gone.has_status(404) => {
                Failure::new(Cause::DevboxLost, format!("cannot {doing}: devbox {id} is gone"))
            }
            _ => Failure::call(Cause::ApiError, doing, error),
        }
    }

    /// Waits until a devbox is `wanted`, for up to `limit`.
    pub(crate) async fn await_status(
        &self,
        view: DevboxView,
        wanted: &DevboxStatus,
        limit: Duration,
        doing: &str,
    ) -> Result<(), Failure> {
        if view.status == *wanted {
            return Ok(());
        }
        if view.status.is_final() {
            return Err(lost(doing, &view));
        }
        let id = view.id;
        let statuses = [wanted.clone(), DevboxStatus::Failure, DevboxStatus::Shutdown];
        let deadline = Instant::now() + limit;
        let mut failures = Failures::default();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let message =
                    format!("cannot {doing}: devbox {id} was not {wanted} within {} s", limit.as_secs());
                return Err(Failure::new(Cause::ApiError, message));
            }
            let asked = Instant::now();
            match self.platform.wait_devbox(&id, &statuses, left).await {
                Ok(Some(view)) if view.status == *wanted => return Ok(()),
                Ok(Some(view)) => return Err(lost(doing, &view)),
                Ok(None) => {
                    failures = Failures::default();
                    pause_if_quick(asked, left).await;
                }
                Err(error) => {
                    if !failures.passed(&error).await {
                        return Err(self.blame(&id, doing, &error).await);
                    }
                }
            }
        }
    }

    /// Suspends a devbox, which ends every process in it, and waits until it is.
    pub(crate) async fn suspend(&self, id: &DevboxId) -> Result<(), Failure> {
        let doing = "suspend the devbox";
        let view = match self.platform.suspend(id).await {
            Ok(view) => view,
            // The first try may have worked though its answer was lost; a devbox may also have suspended itself.
            Err(error) => match self.platform.devbox(id).await {
                Ok(view) if matches!(view.status, DevboxStatus::Suspending | DevboxStatus::Suspended) => view,
                _ => return Err(self.blame(id, doing, &error).await),
            },
        };
        self.await_status(view, &DevboxStatus::Suspended, self.options.limits.transition, doing).await
    }

    /// Resumes a devbox and waits until it runs.
    pub(crate) async fn resume(&self, id: &DevboxId) -> Result<(), Failure> {
        let doing = "resume the devbox";
        let view = match self.platform.resume(id).await {
            Ok(view) => view,
            Err(error) => match self.platform.devbox(id).await {
                Ok(view) if matches!(view.status, DevboxStatus::Resuming | DevboxStatus::Running) => view,
                _ => return Err(self.blame(id, doing, &error).await),
            },
        };
        self.await_status(view, &DevboxStatus::Running, self.options.limits.transition, doing).await
    }

    /// Devboxes that were kept for people.
    pub(crate) fn kept(&self) -> Vec<DevboxId> {
        let ledger = self.ledger();
        let devboxes = ledger
            .resources()
            .into_iter()
            .filter(|resource| resource.is_kept && resource.request.resource == ResourceKind::Devbox);
        let ids: BTreeSet<DevboxId> =
            devboxes.filter_map(|resource| resource.id.clone()).map(DevboxId::new).collect();
        ids.into_iter().collect()
    }

    /// What could not be ended.
    pub(crate) fn leaked(&self) -> Vec<Resource> {
        self.ledger().leaked().into_iter().cloned().collect()
    }

    /// Whether a request is not answered yet.
    pub(crate) fn is_asked(&self, key: &str) -> bool {
        self.asked().contains(key)
    }

    /// Takes over what an earlier part of the run asked for.
    pub(crate) fn inherit(&self, ledger: Ledger) {
        *self.ledger() = ledger;
    }

    /// Records that something ended, if anyone asked for it.
    pub(crate) fn note_end(&self, key: &str, how: ResourceEnd) {
        if self.ledger().get(key).is_some() {
            self.note(EventKind::ResourceEnded { key: key.to_owned(), how });
        }
    }

    fn asked(&self) -> MutexGuard<'_, HashSet<String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic elsewhere leaves the ledger whole: every change of it is one step.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A devbox that ended by itself.
fn lost(doing: &str, view: &DevboxView) -> Failure {
    let why = view.failure_reason.as_ref().map(|reason| reason.as_str());
    let why =
        why.or(view.shutdown_reason.as_ref().map(|reason| reason.as_str())).unwrap_or("no reason given");
    let mut failure = Failure::new(
        Cause::DevboxLost,
        format!("cannot {doing}: devbox {} ended by itself ({}: {why})", view.id, view.status),
    );
    failure.exhausted = matches!(
        view.failure_reason,
        Some(DevboxFailureReason::OutOfMemory | DevboxFailureReason::OutOfDisk)
    );
    failure.shut_down = view.shutdown_reason == Some(DevboxShutdownReason::ApiShutdown);
    failure
}

/// Does something when it is dropped.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Keeps a server that does not hold from being asked in a tight loop.
pub(crate) async fn pause_if_quick(asked: Instant, hold: Duration) {
    if asked.elapsed() < Duration::from_millis(50).min(hold / 2) {
        tokio::time::sleep(Duration::from_millis(100).min(hold)).await;
    }
}
