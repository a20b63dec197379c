//! The devboxes, snapshots and objects that a part of a run owns.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eval_record::{Cause, ResourceEnd, ResourceKind, ResourceRequest, TrialKey};
use runloop_types::{
    BlueprintCreateParams, BlueprintId, DevboxCreateParams, DevboxId, DevboxStatus, Metadata,
    NetworkPolicyId, NetworkPolicyParams, ObjectId, SnapshotId, SnapshotParams,
};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::failure::Failure;
use crate::platform::{Platform, PlatformError, PlatformErrorKind};
use crate::pressure::carried;
use crate::session::Session;
use crate::{labels, launch};

/// How long a target may wait for a devbox to run before it names it. From then on it can be ended at any time.
const FIRST_ANSWER: Duration = Duration::from_secs(30);

/// What one attempt owns, or all preparations. Devboxes end when their handle is dropped, wherever that happens: at the end,
/// on an error, in a canceled or panicked task.
pub(crate) struct Scope<P> {
    pub(crate) session: Arc<Session<P>>,
    pub(crate) trial: Option<(TrialKey, u32)>,
    /// Requests that must not be cut short: creations, whose answers hold ids, and shutdowns.
    tracker: TaskTracker,
    /// Snapshots and objects: kind, key and id.
    leftovers: Mutex<Vec<(ResourceKind, String, String)>>,
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

    /// Makes a devbox that runs, for as long as its handle lives; `life` is how long that may be.
    pub(crate) async fn devbox(
        self: &Arc<Self>,
        purpose: &'static str,
        mut params: DevboxCreateParams,
        life: Duration,
    ) -> Result<Devbox<P>, Failure> {
        let request = self.request(ResourceKind::Devbox, purpose);
        params.metadata.get_or_insert_default().extend(self.labels(&request));
        let options = &self.session.options;
        let launch = params.launch_parameters.get_or_insert_default();
        let patience = if options.keep_devboxes { Duration::MAX } else { options.limits.keep_alive };
        let is_renewed = launch::dead_mans_switch(launch, life, patience);
        let scope = Arc::clone(self);
        self.protect(async move {
            let session = &scope.session;
            let key = request.key.clone();
            let limit = session.options.limits.provision;
            let create = session.platform.create_devbox(&params, &key, limit.min(FIRST_ANSWER));
            let view = session
                .ask(request, create, |view| view.id.as_str())
                .await
                .map_err(|error| Failure::call(Cause::ProvisionFailed, "create a devbox", &error))?;
            // From here on the handle ends it, whatever happens.
            let devbox = Devbox { id: view.id.clone(), key, scope: Arc::clone(&scope) };
            if is_renewed {
                session.renewals.begin(view.id.clone());
            }
            let runs = session.await_status(view, &DevboxStatus::Running, limit, "start a devbox");
            tokio::select! {
                runs = runs => match runs {
                    Ok(()) => Ok(devbox),
                    // Nobody has worked in it yet, so that nobody is to blame.
                    Err(Failure { unauthorized, message, .. }) => {
                        Err(Failure { unauthorized, ..Failure::new(Cause::ProvisionFailed, message) })
                    }
                },
                () = session.halt.cancelled() => {
                    Err(Failure::call(Cause::ProvisionFailed, "create a devbox", &interrupted()))
                }
            }
        })
        .await
    }

    /// Takes a snapshot of a suspended devbox; a target that wants it running gets it so.
    pub(crate) async fn snapshot(
        self: &Arc<Self>,
        devbox: &DevboxId,
        name: String,
    ) -> Result<SnapshotId, Failure> {
        let (scope, devbox) = (Arc::clone(self), devbox.clone());
        self.protect(async move {
            let session = &scope.session;
            let mut outcome = scope.take_snapshot(&devbox, &name).await;
            if matches!(&outcome, Err(error) if error.has_status(400)) {
                session.resume(&devbox).await?;
                outcome = scope.take_snapshot(&devbox, &name).await;
            }
            match outcome {
                Ok(id) => Ok(id),
                Err(error) => Err(session.blame(&devbox, "take a snapshot", &error).await),
            }
        })
        .await
    }

    async fn take_snapshot(&self, devbox: &DevboxId, name: &str) -> Result<SnapshotId, PlatformError> {
        let request = self.request(ResourceKind::Snapshot, "snapshot");
        let key = request.key.clone();
        let metadata = Some(self.labels(&request));
        let params = SnapshotParams { name: Some(name.to_owned()), metadata, commit_message: None };
        let take = self.session.platform.snapshot(devbox, &params, &key);
        let id = self.session.ask(request, take, SnapshotId::as_str).await?;
        self.leftovers().push((ResourceKind::Snapshot, key, id.to_string()));
        Ok(id)
    }

    /// Stores an archive that mounts can name.
    pub(crate) async fn archive(
        self: &Arc<Self>,
        name: String,
        content: Vec<u8>,
    ) -> Result<ObjectId, Failure> {
        let request = self.request(ResourceKind::Object, "files");
        let metadata = self.labels(&request);
        let scope = Arc::clone(self);
        self.protect(async move {
            let session = &scope.session;
            let key = request.key.clone();
            let store = session.platform.store_archive(&name, &metadata, content, &key);
            match session.ask(request, store, ObjectId::as_str).await {
                Ok(id) => {
                    scope.leftovers().push((ResourceKind::Object, key, id.to_string()));
                    Ok(id)
                }
                Err(error) => Err(Failure::call(Cause::ApiError, "upload the environment's files", &error)),
            }
        })
        .await
    }

    /// Builds a blueprint and leaves it for later runs. One that cannot be built is deleted.
    pub(crate) async fn blueprint(
        self: &Arc<Self>,
        mut params: BlueprintCreateParams,
        timeout: Duration,
    ) -> Result<BlueprintId, Failure> {
        let request = self.request(ResourceKind::Blueprint, "environment");
        params.metadata.get_or_insert_default().extend(self.labels(&request));
        let scope = Arc::clone(self);
        self.protect(async move {
            let session = &scope.session;
            let key = request.key.clone();
            let failed = |error: PlatformError| {
                let is_about_it = error.is_refusal() || error.kind == PlatformErrorKind::BadEnd;
                let cause = if is_about_it { Cause::PrepareFailed } else { Cause::ApiError };
                Failure::call(cause, &format!("build blueprint `{}`", params.name), &error)
            };
            let create = session.platform.create_blueprint(&params, &key);
            let id = session.ask(request, create, BlueprintId::as_str).await.map_err(failed)?;
            let built = tokio::select! {
                built = session.platform.await_blueprint(&id, timeout) => built,
                () = session.halt.cancelled() => Err(interrupted()),
            };
            match built {
                Ok(()) => {
                    session.keep(&key);
                    Ok(id)
                }
                Err(error) => {
                    session.end(ResourceKind::Blueprint, &key, id.as_str(), ResourceEnd::Ended).await;
                    Err(failed(error))
                }
            }
        })
        .await
    }

    /// Makes a network policy and leaves it for later runs: it has no labels by which it could be told whose it is.
    pub(crate) async fn network_policy(
        self: &Arc<Self>,
        params: NetworkPolicyParams,
    ) -> Result<NetworkPolicyId, Failure> {
        let request = self.request(ResourceKind::NetworkPolicy, "network");
        let scope = Arc::clone(self);
        self.protect(async move {
            let session = &scope.session;
            let key = request.key.clone();
            let create = session.platform.create_network_policy(&params, &key);
            let created = session.ask(request, create, NetworkPolicyId::as_str).await;
            session.keep(&key);
            created
                .map_err(|error| Failure::call(Cause::ProvisionFailed, "set up the network policy", &error))
        })
        .await
    }

    /// Waits until all devboxes whose handles were dropped have ended, then deletes snapshots, newest first because they
    /// stand on each other, and objects. What does not answer in time is left to [`Session::sweep`].
    pub(crate) async fn finish(&self) {
        self.tracker.close();
        self.session.answered(&self.tracker).await;
        let mut leftovers = std::mem::take(&mut *self.leftovers());
        leftovers.reverse();
        for kind in ResourceKind::ALL {
            let of_kind = leftovers.extract_if(.., |(one, ..)| *one == kind).map(|(_, key, id)| (key, id));
            let of_kind: Vec<_> = of_kind.collect();
            self.session.end_all(kind, of_kind, ResourceEnd::Ended).await;
        }
    }

    fn request(&self, resource: ResourceKind, purpose: &str) -> ResourceRequest {
        ResourceRequest {
            key: self.session.fresh_key(),
            resource,
            purpose: purpose.to_owned(),
            trial: self.trial.as_ref().map(|(trial, _)| trial.clone()),
            attempt: self.trial.as_ref().map(|(_, attempt)| *attempt),
        }
    }

    fn labels(&self, request: &ResourceRequest) -> Metadata {
        labels::of(&self.session.options.run_id, request)
    }

    fn leftovers(&self) -> MutexGuard<'_, Vec<(ResourceKind, String, String)>> {
        self.leftovers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn interrupted() -> PlatformError {
    PlatformError::new(PlatformErrorKind::Unreachable, "the run was interrupted")
}

/// A devbox that ends when this is dropped.
pub(crate) struct Devbox<P: Platform> {
    pub(crate) id: DevboxId,
    key: String,
    scope: Arc<Scope<P>>,
}

impl<P: Platform> Devbox<P> {
    /// Leaves it alive for people, beyond the run.
    pub(crate) fn keep(&self) {
        self.scope.session.keep(&self.key);
    }
}

impl<P: Platform> Drop for Devbox<P> {
    fn drop(&mut self) {
        let session = &self.scope.session;
        session.renewals.end(&self.id);
        if session.is_kept(&self.key) {
            return;
        }
        // Without a runtime there is nobody to run it: the keep-alive time of the devbox ends it then.
        if tokio::runtime::Handle::try_current().is_ok() {
            let (session, key, id) = (Arc::clone(session), self.key.clone(), self.id.clone());
            self.scope.tracker.spawn(async move {
                session.end(ResourceKind::Devbox, &key, id.as_str(), ResourceEnd::Ended).await
            });
        }
    }
}
