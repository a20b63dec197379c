//! One devbox: what is known of it, and its state.

use std::ffi::OsString;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runloop_sandbox::{LinuxBox, User};
use runloop_types::{
    BlueprintId, DevboxFailureReason, DevboxId, DevboxShutdownReason, DevboxStatus, DevboxView,
    LaunchParameters, Metadata, SnapshotId, StateTransition,
};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::idle::{IdleClock, IdlePolicy};
use crate::clock::now_ms;
use crate::error::{ApiError, ApiResult};
use crate::execution::{Execution, Executions};
use crate::lock::lock;

/// Transitions kept of one devbox; of more, the oldest are forgotten.
const MOST_TRANSITIONS: usize = 1000;

/// What a devbox is, from its creation on.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) launch: LaunchParameters,
    pub(crate) blueprint_id: Option<BlueprintId>,
    pub(crate) snapshot_id: Option<SnapshotId>,
    pub(crate) user: User,
    pub(crate) launch_commands: Vec<String>,
    pub(crate) entrypoint: Option<String>,
    pub(crate) suspend_commands: Vec<String>,
    pub(crate) suspend_budget: Duration,
    /// Values to be kept out of messages.
    pub(crate) secrets: Vec<SecretString>,
}

/// The machine behind a devbox that is up or suspended.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) linux_box: LinuxBox,
    /// Environment that each command gets below what the devbox's creator set.
    pub(crate) shell_env: Arc<Vec<(OsString, OsString)>>,
}

/// One devbox.
#[derive(Debug)]
pub(crate) struct Devbox {
    pub(crate) id: DevboxId,
    pub(crate) create_time_ms: i64,
    pub(crate) identity: Identity,
    pub(crate) executions: Executions,
    pub(crate) clock: IdleClock,
    /// Held while the devbox is suspended, resumed or snapshot, so that these happen one after the other.
    pub(crate) one_at_a_time: tokio::sync::Mutex<()>,
    /// Held for reading while a command is started: whoever holds it for writing knows that none is half started.
    pub(crate) starting: tokio::sync::RwLock<()>,
    /// Cancelled when the state is final.
    pub(crate) ended: CancellationToken,
    state: Mutex<State>,
    status: watch::Sender<DevboxStatus>,
}

#[derive(Debug)]
struct State {
    name: Option<String>,
    metadata: Metadata,
    transitions: Vec<StateTransition>,
    end_time_ms: Option<i64>,
    failure_reason: Option<DevboxFailureReason>,
    shutdown_reason: Option<DevboxShutdownReason>,
    live: Option<Live>,
    entrypoint: Option<Arc<Execution>>,
    snapshots_under_way: usize,
}

/// How a devbox ends.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Shutdown(DevboxShutdownReason),
    Failure {
        reason: DevboxFailureReason,
        /// For people: what happened.
        message: String,
    },
}

impl Devbox {
    /// A devbox that is asked for.
    pub(crate) fn new(
        id: DevboxId,
        identity: Identity,
        name: Option<String>,
        metadata: Metadata,
        idle: IdlePolicy,
        first: DevboxStatus,
    ) -> Self {
        let create_time_ms = now_ms();
        let state = State {
            name,
            metadata,
            transitions: vec![transition(first.clone(), create_time_ms, None)],
            end_time_ms: None,
            failure_reason: None,
            shutdown_reason: None,
            live: None,
            entrypoint: None,
            snapshots_under_way: 0,
        };
        Self {
            id,
            create_time_ms,
            identity,
            executions: Executions::default(),
            clock: IdleClock::new(idle),
            one_at_a_time: tokio::sync::Mutex::default(),
            starting: tokio::sync::RwLock::default(),
            ended: CancellationToken::new(),
            state: Mutex::new(state),
            status: watch::Sender::new(first),
        }
    }

    /// A devbox of a server that is gone. One that was alive then has failed.
    pub(crate) fn of_dead_server(view: DevboxView, idle: IdlePolicy) -> Self {
        let identity = Identity {
            launch: view.launch_parameters,
            blueprint_id: view.blueprint_id,
            snapshot_id: view.snapshot_id,
            user: User::default(),
            launch_commands: Vec::new(),
            entrypoint: None,
            suspend_commands: Vec::new(),
            suspend_budget: Duration::ZERO,
            secrets: Vec::new(),
        };
        let alive = !view.status.is_final();
        let state = State {
            name: view.name,
            metadata: view.metadata,
            transitions: view.state_transitions,
            end_time_ms: view.end_time_ms,
            failure_reason: view.failure_reason,
            shutdown_reason: view.shutdown_reason,
            live: None,
            entrypoint: None,
            snapshots_under_way: 0,
        };
        let devbox = Self {
            id: view.id,
            create_time_ms: view.create_time_ms,
            identity,
            executions: Executions::default(),
            clock: IdleClock::new(idle),
            one_at_a_time: tokio::sync::Mutex::default(),
            starting: tokio::sync::RwLock::default(),
            ended: CancellationToken::new(),
            state: Mutex::new(state),
            status: watch::Sender::new(view.status),
        };
        if alive {
            devbox.end(End::Failure {
                reason: DevboxFailureReason::HealthCheckFailed,
                message: "the server that held this devbox ended".into(),
            });
        }
        devbox
    }

    /// Where the devbox is in its life.
    pub(crate) fn status(&self) -> DevboxStatus {
        self.status.borrow().clone()
    }

    /// Follows the status.
    pub(crate) fn subscribe(&self) -> watch::Receiver<DevboxStatus> {
        self.status.subscribe()
    }

    /// Enters a state that is not final; false if the devbox has ended.
    pub(crate) fn enter(&self, status: DevboxStatus) -> bool {
        self.enter_if(|_| true, status)
    }

    /// Enters a state that is not final if the present one allows it.
    pub(crate) fn enter_if(&self, allowed: impl FnOnce(&DevboxStatus) -> bool, status: DevboxStatus) -> bool {
        let mut state = lock(&self.state);
        let present = self.status();
        if present.is_final() || !allowed(&present) {
            return false;
        }
        state.note(transition(status.clone(), now_ms(), None));
        self.status.send_replace(status);
        true
    }

    /// Ends the devbox, once: answers the machine that is to be destroyed, `None` if it had ended before.
    pub(crate) fn end(&self, end: End) -> Option<Option<LinuxBox>> {
        let mut state = lock(&self.state);
        if self.status().is_final() {
            return None;
        }
        let now = now_ms();
        state.end_time_ms = Some(now);
        let (status, message) = match end {
            End::Shutdown(reason) => {
                state.shutdown_reason = Some(reason);
                (DevboxStatus::Shutdown, None)
            }
            End::Failure { reason, message } => {
                let message = format!("{reason}: {message}");
                state.failure_reason = Some(reason);
                (DevboxStatus::Failure, Some(message))
            }
        };
        state.note(transition(status.clone(), now, message));
        state.entrypoint = None;
        let live = state.live.take();
        self.status.send_replace(status);
        self.ended.cancel();
        Some(live.map(|live| live.linux_box))
    }

    /// Gives the devbox its machine; hands it back if the devbox has ended meanwhile.
    pub(crate) fn attach(&self, live: Live) -> Result<(), Live> {
        let mut state = lock(&self.state);
        if self.status().is_final() {
            return Err(live);
        }
        state.live = Some(live);
        Ok(())
    }

    /// The machine, whatever the status.
    pub(crate) fn live(&self) -> Option<Live> {
        lock(&self.state).live.clone()
    }

    /// The machine of a devbox that can run commands.
    ///
    /// # Errors
    /// 400 that says what to do when it cannot.
    pub(crate) fn running(&self) -> ApiResult<Live> {
        let status = self.status();
        let advice = match status {
            DevboxStatus::Running => match self.live() {
                Some(live) => return Ok(live),
                None => "it has just ended",
            },
            DevboxStatus::Suspended | DevboxStatus::Suspending => "resume it first",
            DevboxStatus::Failure | DevboxStatus::Shutdown => "it is gone for good: create another",
            _ => "wait until it is running",
        };
        Err(ApiError::bad_request(format!("devbox `{}` is {status}: {advice}", self.id)))
    }

    /// The main process of the present boot.
    pub(crate) fn entrypoint(&self) -> Option<Arc<Execution>> {
        lock(&self.state).entrypoint.clone()
    }

    /// Notes the main process.
    pub(crate) fn set_entrypoint(&self, entrypoint: Option<Arc<Execution>>) {
        lock(&self.state).entrypoint = entrypoint;
    }

    /// Marks a snapshot under way until the guard is dropped.
    pub(crate) fn begin_snapshot(self: &Arc<Self>) -> SnapshotUnderWay {
        lock(&self.state).snapshots_under_way += 1;
        SnapshotUnderWay(Arc::clone(self))
    }

    /// Whether a snapshot is being taken.
    pub(crate) fn is_being_snapshot(&self) -> bool {
        lock(&self.state).snapshots_under_way > 0
    }

    /// Changes name and metadata where given; an empty name clears it.
    pub(crate) fn update(&self, name: Option<String>, metadata: Option<Metadata>) {
        let mut state = lock(&self.state);
        if let Some(name) = name {
            state.name = Some(name).filter(|name| !name.is_empty());
        }
        if let Some(metadata) = metadata {
            state.metadata = metadata;
        }
    }

    /// The devbox as the API shows it.
    pub(crate) fn view(&self) -> DevboxView {
        let state = lock(&self.state);
        DevboxView {
            id: self.id.clone(),
            status: self.status(),
            capabilities: Vec::new(),
            create_time_ms: self.create_time_ms,
            end_time_ms: state.end_time_ms,
            launch_parameters: self.identity.launch.clone(),
            metadata: state.metadata.clone(),
            state_transitions: state.transitions.clone(),
            blueprint_id: self.identity.blueprint_id.clone(),
            snapshot_id: self.identity.snapshot_id.clone(),
            failure_reason: state.failure_reason.clone(),
            shutdown_reason: state.shutdown_reason.clone(),
            initiator_type: Some("api".into()),
            initiator_id: None,
            name: state.name.clone(),
            gateway_specs: None,
            mcp_specs: None,
            tunnel: None,
        }
    }

    /// Waits until the devbox is in one of these states; `None` when the time is over or the server stops.
    pub(crate) async fn wait_for(
        &self,
        statuses: &[DevboxStatus],
        timeout: Duration,
        stop: &CancellationToken,
    ) -> Option<DevboxView> {
        let mut status = self.subscribe();
        let wait = async {
            loop {
                status.borrow_and_update();
                // Judged by the view itself: the status may have moved on since the wake-up.
                let view = self.view();
                if statuses.contains(&view.status) {
                    return view;
                }
                if status.changed().await.is_err() {
                    return view;
                }
            }
        };
        tokio::select! {
            view = wait => Some(view),
            () = tokio::time::sleep(timeout) => None,
            () = stop.cancelled() => None,
        }
    }
}

impl State {
    fn note(&mut self, transition: StateTransition) {
        if self.transitions.len() >= MOST_TRANSITIONS {
            self.transitions.remove(0);
        }
        self.transitions.push(transition);
    }
}

fn transition(status: DevboxStatus, at_ms: i64, failure_reason: Option<String>) -> StateTransition {
    StateTransition { status: Some(status), transition_time_ms: at_ms.into(), failure_reason }
}

/// Marks a snapshot under way.
#[derive(Debug)]
pub(crate) struct SnapshotUnderWay(Arc<Devbox>);

impl Drop for SnapshotUnderWay {
    fn drop(&mut self) {
        lock(&self.0.state).snapshots_under_way -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devbox::idle::IdleAction;

    fn devbox() -> Devbox {
        let idle = IdlePolicy {
            after: Duration::from_secs(3600),
            action: IdleAction::Shutdown(DevboxShutdownReason::KeepAliveTimeout),
            activity_counts: false,
        };
        let view = DevboxView { status: DevboxStatus::Shutdown, ..DevboxView::default() };
        let identity = Devbox::of_dead_server(view, idle.clone()).identity;
        Devbox::new("dbx_1".into(), identity, None, Metadata::new(), idle, DevboxStatus::Provisioning)
    }

    fn end() -> End {
        End::Shutdown(DevboxShutdownReason::ApiShutdown)
    }

    #[test]
    fn a_final_state_is_never_left() {
        let devbox = devbox();
        assert!(devbox.enter(DevboxStatus::Running));
        assert!(devbox.end(end()).is_some());
        assert!(devbox.end(end()).is_none());
        assert!(!devbox.enter(DevboxStatus::Running));
        let view = devbox.view();
        assert_eq!(view.status, DevboxStatus::Shutdown);
        assert_eq!(view.shutdown_reason, Some(DevboxShutdownReason::ApiShutdown));
        assert!(view.end_time_ms.is_some() && devbox.ended.is_cancelled());
        assert_eq!(view.state_transitions.len(), 3);
    }

    #[test]
    fn what_was_alive_when_its_server_died_has_failed() {
        let view = DevboxView { status: DevboxStatus::Suspended, ..devbox().view() };
        let idle = IdlePolicy { after: Duration::ZERO, action: IdleAction::Suspend, activity_counts: true };
        let view = Devbox::of_dead_server(view, idle).view();
        assert_eq!(view.failure_reason, Some(DevboxFailureReason::HealthCheckFailed));
        assert_eq!(view.status, DevboxStatus::Failure);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_answers_with_a_status_that_was_asked_for_or_not_at_all() {
        let devbox = Arc::new(devbox());
        let stop = CancellationToken::new();
        let wait = |statuses: &'static [DevboxStatus]| {
            let (devbox, stop) = (Arc::clone(&devbox), stop.clone());
            tokio::spawn(async move { devbox.wait_for(statuses, Duration::from_secs(10), &stop).await })
        };
        let running = wait(&[DevboxStatus::Running]);
        let suspended = wait(&[DevboxStatus::Suspended]);
        tokio::task::yield_now().await;
        devbox.enter(DevboxStatus::Running);
        assert_eq!(running.await.unwrap().unwrap().status, DevboxStatus::Running);
        devbox.end(end());
        assert_eq!(suspended.await.unwrap(), None, "a final state that was not asked for is not an answer");
    }

    #[test]
    fn advice_comes_with_the_refusal() {
        let devbox = devbox();
        assert!(devbox.running().unwrap_err().message().contains("wait until it is running"));
        devbox.end(end());
        assert!(devbox.running().unwrap_err().message().contains("create another"));
    }
}
