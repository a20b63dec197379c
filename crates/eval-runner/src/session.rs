//! What all parts of a run share, and the devboxes, snapshots and objects that a part of it owns.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use eval_record::{Cause, Event, EventKind, EventSink, Masker, TrialKey};
use runloop_types::{
    DevboxCreateParams, DevboxFailureReason, DevboxId, DevboxShutdownReason, DevboxStatus, DevboxView,
    Metadata, ObjectId, SnapshotId, SnapshotParams,
};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::budget::Account;
use crate::failure::Failure;
use crate::patience::Failures;
use crate::platform::{Platform, PlatformError};
use crate::pressure::carried;
use crate::{Cancellation, RunOptions, Stopped};

/// Metadata key that names the run on everything it creates.
pub(crate) const RUN_KEY: &str = "runloop-eval.run";

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
    sink: Arc<dyn EventSink>,
    ledger: Mutex<Ledger>,
    /// Whether a devbox may exist that nobody knows of, because the answer to its creation was lost.
    uncertain: AtomicBool,
}

/// Devboxes that were created and not ended yet.
#[derive(Debug, Default)]
struct Ledger {
    living: BTreeSet<DevboxId>,
    kept: BTreeSet<DevboxId>,
}

impl<P: Platform> Session<P> {
    pub(crate) fn new(
        platform: Arc<P>,
        options: RunOptions,
        sink: Arc<dyn EventSink>,
        cancel: Cancellation,
    ) -> Arc<Self> {
        let masker = options.masker();
        let halt = cancel.stop.child_token();
        let account = Account::new(&options.budget, &options.spent, &options.finished);
        Arc::new(Self {
            platform,
            options,
            masker,
            cancel,
            halt,
            stopped: OnceLock::new(),
            account,
            sink,
            ledger: Mutex::default(),
            uncertain: AtomicBool::new(false),
        })
    }

    pub(crate) fn emit(&self, kind: EventKind) {
        self.account.take(&kind);
        self.sink.event(&self.masker.mask_event(Event { at_ms: self.options.clock.now_ms(), kind }));
        if self.sink.failure().is_some() {
            self.halt.cancel();
        }
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

    /// Waits until a devbox is `wanted`.
    pub(crate) async fn await_status(
        &self,
        view: DevboxView,
        wanted: &DevboxStatus,
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
        let limit = self.options.limits.transition;
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
        self.await_status(view, &DevboxStatus::Suspended, doing).await
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
        self.await_status(view, &DevboxStatus::Running, doing).await
    }

    /// Devboxes that were kept for people.
    pub(crate) fn kept(&self) -> Vec<DevboxId> {
        self.ledger().kept.iter().cloned().collect()
    }

    /// Devboxes that could not be ended.
    pub(crate) fn living(&self) -> Vec<DevboxId> {
        self.ledger().living.iter().cloned().collect()
    }

    /// Ends what still lives, also what only the target knows of.
    pub(crate) async fn sweep(self: &Arc<Self>) {
        let mut ids: BTreeSet<DevboxId> = self.living().into_iter().collect();
        // Asked again if the answer fails: this is the last chance.
        for _ in 0..2 {
            if ids.is_empty() && !self.uncertain.load(Ordering::Relaxed) {
                break;
            }
            match self.platform.living_devboxes(RUN_KEY, &self.options.run_id).await {
                Ok(found) => {
                    ids.extend(found);
                    break;
                }
                Err(error) => tracing::warn!(%error, "cannot list the devboxes of the run"),
            }
        }
        let kept = self.ledger().kept.clone();
        for id in ids.difference(&kept) {
            let (session, id) = (Arc::clone(self), id.clone());
            unharmed(async move { session.end(&id).await }).await;
        }
    }

    async fn end(&self, id: &DevboxId) {
        let mut outcome = self.platform.shutdown(id, false).await;
        if outcome.is_err() {
            // A snapshot may be under way, and a lost answer deserves a second request anyway.
            outcome = self.platform.shutdown(id, true).await;
        }
        match outcome {
            Ok(()) => {
                if self.ledger().living.remove(id) {
                    self.emit(EventKind::DevboxEnded { devbox_id: id.clone() });
                }
            }
            Err(error) => tracing::warn!(devbox = %id, %error, "cannot shut a devbox down"),
        }
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

/// Does one step of a cleanup. Whatever breaks in it, the next one is done.
async fn unharmed(step: impl Future<Output = ()> + Send + 'static) {
    if let Err(error) = tokio::spawn(step).await {
        tracing::error!(%error, "a step of the cleanup broke");
    }
}

/// Keeps a server that does not hold from being asked in a tight loop.
pub(crate) async fn pause_if_quick(asked: Instant, hold: Duration) {
    if asked.elapsed() < Duration::from_millis(50).min(hold / 2) {
        tokio::time::sleep(Duration::from_millis(100).min(hold)).await;
    }
}

/// The devboxes, snapshots and objects of one attempt, or of all preparations. Devboxes end when their handle is dropped,
/// wherever that happens: at the end, on an error, in a canceled or panicked task.
pub(crate) struct Scope<P> {
    pub(crate) session: Arc<Session<P>>,
    pub(crate) trial: Option<(TrialKey, u32)>,
    /// Requests that must not be cut short: creations, whose answers hold ids, and shutdowns.
    tracker: TaskTracker,
    leftovers: Mutex<Leftovers>,
}

#[derive(Debug, Default)]
struct Leftovers {
    snapshots: Vec<SnapshotId>,
    objects: Vec<ObjectId>,
}

impl<P: Platform> Scope<P> {
    pub(crate) fn new(session: &Arc<Session<P>>, trial: Option<(TrialKey, u32)>) -> Arc<Self> {
        Arc::new(Self {
            session: Arc::clone(session),
            trial,
            tracker: TaskTracker::new(),
            leftovers: Mutex::default(),
        })
    }

    /// Runs a request in a task of its own: if the caller is canceled, the answer is still taken care of.
    async fn protect<T: Send + 'static>(
        self: &Arc<Self>,
        request: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        // Through a channel and not as the task's output: what nobody takes is then dropped inside the tracked task, and
        // the shutdown that a dropped devbox begins is tracked too.
        let (sender, receiver) = oneshot::channel();
        self.tracker.spawn(carried(async move { drop(sender.send(request.await)) }));
        receiver.await.unwrap_or_else(|_| Err(Failure::harness("a request of the harness broke")))
    }

    /// Runs something that [`Scope::finish`] waits for.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.tracker.spawn(task)
    }

    /// Makes a devbox that runs.
    pub(crate) async fn devbox(
        self: &Arc<Self>,
        purpose: &'static str,
        mut params: DevboxCreateParams,
    ) -> Result<Devbox<P>, Failure> {
        self.label(params.metadata.get_or_insert_default(), purpose);
        let scope = Arc::clone(self);
        self.protect(async move {
            let session = &scope.session;
            let view = match session.platform.create_devbox(&params, session.options.limits.provision).await {
                Ok(view) => view,
                Err(error) => {
                    if !error.is_refusal() {
                        session.uncertain.store(true, Ordering::Relaxed);
                    }
                    return Err(Failure::call(Cause::ProvisionFailed, "create a devbox", &error));
                }
            };
            session.ledger().living.insert(view.id.clone());
            // From here on the handle ends it, whatever happens.
            let devbox = Devbox { id: view.id.clone(), scope: Arc::clone(&scope) };
            session.emit(EventKind::DevboxCreated {
                devbox_id: view.id.clone(),
                purpose: purpose.to_owned(),
                trial: scope.trial.as_ref().map(|(trial, _)| trial.clone()),
            });
            if view.status == DevboxStatus::Running {
                return Ok(devbox);
            }
            let why = match (&view.failure_reason, &view.shutdown_reason) {
                (Some(reason), _) => format!("{}: {reason}", view.status),
                (None, Some(reason)) => format!("{}: {reason}", view.status),
                (None, None) => format!("still {}", view.status),
            };
            Err(Failure::new(Cause::ProvisionFailed, format!("devbox {} does not run ({why})", view.id)))
        })
        .await
    }

    /// Takes a snapshot of a suspended devbox; a target that wants it running gets it so.
    pub(crate) async fn snapshot(
        self: &Arc<Self>,
        devbox: &DevboxId,
        name: String,
    ) -> Result<SnapshotId, Failure> {
        let mut metadata = Metadata::new();
        self.label(&mut metadata, "snapshot");
        let params = SnapshotParams { name: Some(name), metadata: Some(metadata), commit_message: None };
        let (scope, devbox) = (Arc::clone(self), devbox.clone());
        self.protect(async move {
            let session = &scope.session;
            let mut outcome = session.platform.snapshot(&devbox, &params).await;
            if matches!(&outcome, Err(error) if error.has_status(400)) {
                session.resume(&devbox).await?;
                outcome = session.platform.snapshot(&devbox, &params).await;
            }
            match outcome {
                Ok(id) => {
                    scope.leftovers().snapshots.push(id.clone());
                    Ok(id)
                }
                Err(error) => Err(session.blame(&devbox, "take a snapshot", &error).await),
            }
        })
        .await
    }

    /// Stores an archive that mounts can name.
    pub(crate) async fn archive(
        self: &Arc<Self>,
        name: String,
        content: Vec<u8>,
    ) -> Result<ObjectId, Failure> {
        let mut metadata = Metadata::new();
        self.label(&mut metadata, "files");
        let scope = Arc::clone(self);
        self.protect(async move {
            match scope.session.platform.store_archive(&name, &metadata, content).await {
                Ok(id) => {
                    scope.leftovers().objects.push(id.clone());
                    Ok(id)
                }
                Err(error) => Err(Failure::call(Cause::ApiError, "upload the environment's files", &error)),
            }
        })
        .await
    }

    /// Waits until all devboxes whose handles were dropped have ended, then deletes snapshots, newest first because they
    /// stand on each other, and objects.
    pub(crate) async fn finish(&self) {
        self.tracker.close();
        self.tracker.wait().await;
        let Leftovers { snapshots, objects } = std::mem::take(&mut *self.leftovers());
        for id in snapshots.into_iter().rev() {
            let session = Arc::clone(&self.session);
            unharmed(async move {
                if let Err(error) = session.platform.delete_snapshot(&id).await {
                    tracing::warn!(snapshot = %id, %error, "cannot delete a snapshot");
                }
            })
            .await;
        }
        for id in objects {
            let session = Arc::clone(&self.session);
            unharmed(async move {
                if let Err(error) = session.platform.delete_object(&id).await {
                    tracing::warn!(object = %id, %error, "cannot delete an object");
                }
            })
            .await;
        }
    }

    fn label(&self, metadata: &mut Metadata, purpose: &str) {
        metadata.insert(RUN_KEY.to_owned(), self.session.options.run_id.clone());
        metadata.insert("runloop-eval.purpose".to_owned(), purpose.to_owned());
        if let Some((trial, attempt)) = &self.trial {
            metadata.insert("runloop-eval.scenario".to_owned(), trial.scenario.clone());
            metadata.insert("runloop-eval.agent".to_owned(), trial.agent.clone());
            metadata.insert("runloop-eval.trial".to_owned(), trial.repetition.to_string());
            metadata.insert("runloop-eval.attempt".to_owned(), attempt.to_string());
        }
    }

    fn leftovers(&self) -> MutexGuard<'_, Leftovers> {
        self.leftovers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A devbox that ends when this is dropped.
pub(crate) struct Devbox<P: Platform> {
    pub(crate) id: DevboxId,
    scope: Arc<Scope<P>>,
}

impl<P: Platform> Devbox<P> {
    /// Leaves it alive for people, beyond the run.
    pub(crate) fn keep(&self) {
        let mut ledger = self.scope.session.ledger();
        ledger.living.remove(&self.id);
        ledger.kept.insert(self.id.clone());
    }
}

impl<P: Platform> Drop for Devbox<P> {
    fn drop(&mut self) {
        let session = &self.scope.session;
        if session.ledger().kept.contains(&self.id) {
            return;
        }
        // Without a runtime there is nobody to run it: the keep-alive time of the devbox ends it then.
        if tokio::runtime::Handle::try_current().is_ok() {
            let (session, id) = (Arc::clone(session), self.id.clone());
            self.scope.tracker.spawn(async move { session.end(&id).await });
        }
    }
}
