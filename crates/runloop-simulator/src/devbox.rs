//! A devbox: a state, a few files, and commands that are timers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use runloop_types::{
    DevboxAsyncExecutionDetailView, DevboxCreateParams, DevboxFailureReason, DevboxId, DevboxShutdownReason,
    DevboxStatus, DevboxView, ExecutionId, ExecutionStatus, InitiatorType, LaunchParameters, StateTransition,
};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::command::{Deed, Disk, Done};
use crate::error::ApiError;
use crate::world::{Shared, now_ms};

/// The keep-alive of a devbox that names none.
const KEEP_ALIVE_SECONDS: i64 = 3600;

/// A simulated devbox.
pub(crate) struct Devbox {
    pub(crate) id: DevboxId,
    create_time_ms: i64,
    params: DevboxCreateParams,
    status: watch::Sender<DevboxStatus>,
    state: Mutex<State>,
    /// How long it runs without a renewal.
    keep_alive: Duration,
}

struct State {
    end_time_ms: Option<i64>,
    failure_reason: Option<DevboxFailureReason>,
    shutdown_reason: Option<DevboxShutdownReason>,
    /// When it began to run, or was renewed last.
    renewed: Instant,
    transitions: Vec<StateTransition>,
    disk: Disk,
    executions: HashMap<ExecutionId, Arc<Execution>>,
    /// Cancelled when everything that runs is killed.
    processes: CancellationToken,
    snapshots_under_way: usize,
    random: fastrand::Rng,
}

/// Why a devbox ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Asked,
    Broken,
    /// Nobody renewed its keep-alive.
    Forgotten,
}

/// A command that runs or ran.
pub(crate) struct Execution {
    pub(crate) id: ExecutionId,
    line: String,
    done: watch::Sender<Option<Done>>,
    killed: CancellationToken,
}

impl Devbox {
    /// A devbox that is being made, with the files of what it starts from.
    pub(crate) fn new(id: DevboxId, params: DevboxCreateParams, disk: Disk, seed: u64) -> Arc<Self> {
        let now = now_ms();
        let status = DevboxStatus::Provisioning;
        let launch = params.launch_parameters.as_ref();
        let seconds = launch.and_then(|launch| launch.keep_alive_time_seconds).unwrap_or(KEEP_ALIVE_SECONDS);
        Arc::new(Self {
            id,
            create_time_ms: now,
            params,
            keep_alive: Duration::from_secs(seconds.try_into().unwrap_or_default()),
            state: Mutex::new(State {
                end_time_ms: None,
                failure_reason: None,
                shutdown_reason: None,
                renewed: Instant::now(),
                transitions: vec![transition(&status, now)],
                disk,
                executions: HashMap::new(),
                processes: CancellationToken::new(),
                snapshots_under_way: 0,
                random: fastrand::Rng::with_seed(seed),
            }),
            status: watch::Sender::new(status),
        })
    }

    pub(crate) fn status(&self) -> DevboxStatus {
        self.status.borrow().clone()
    }

    /// Enters a state that is not final, from one of these; false from any other.
    pub(crate) fn enter(&self, from: &[DevboxStatus], to: DevboxStatus) -> bool {
        let mut state = self.state();
        if !from.contains(&self.status()) {
            return false;
        }
        state.transitions.push(transition(&to, now_ms()));
        state.renewed = Instant::now();
        self.status.send_replace(to);
        true
    }

    /// Ends it; false if it had ended. Its files and commands are gone, so that ended devboxes take next to nothing.
    pub(crate) fn end(&self, end: End) -> bool {
        let mut state = self.state();
        if self.status().is_final() {
            return false;
        }
        let now = now_ms();
        state.end_time_ms = Some(now);
        let status = match end {
            End::Broken => {
                state.failure_reason = Some(DevboxFailureReason::HealthCheckFailed);
                DevboxStatus::Failure
            }
            End::Asked => {
                state.shutdown_reason = Some(DevboxShutdownReason::ApiShutdown);
                DevboxStatus::Shutdown
            }
            End::Forgotten => {
                state.shutdown_reason = Some(DevboxShutdownReason::KeepAliveTimeout);
                DevboxStatus::Shutdown
            }
        };
        state.transitions.push(transition(&status, now));
        state.disk = Disk::new();
        state.executions = HashMap::new();
        self.status.send_replace(status);
        state.processes.cancel();
        true
    }

    /// Renews its time.
    pub(crate) fn renew(&self) -> Result<(), ApiError> {
        let mut state = self.state();
        if self.status().is_final() {
            return Err(ApiError::bad_request(format!("devbox `{}` has ended", self.id)));
        }
        state.renewed = Instant::now();
        Ok(())
    }

    /// Waits until it has run for too long without a renewal; false if it ended otherwise.
    pub(crate) async fn forgotten(&self) -> bool {
        let mut status = self.status.subscribe();
        loop {
            let end = self.state().renewed + self.keep_alive;
            tokio::select! {
                _ = status.wait_for(DevboxStatus::is_final) => return false,
                () = tokio::time::sleep_until(end) => {}
            }
            // The time of one that does not run stands still: it begins anew when it runs.
            let is_over = self.state().renewed + self.keep_alive <= Instant::now();
            if is_over && self.status() == DevboxStatus::Running {
                return true;
            }
            if status.wait_for(|status| status.is_final() || *status == DevboxStatus::Running).await.is_err()
            {
                return false;
            }
        }
    }

    /// A time of this devbox's own chance.
    pub(crate) fn draw(&self, span: crate::Span) -> Duration {
        span.draw(&mut self.state().random)
    }

    /// Whether something of this likelihood happens to this devbox.
    pub(crate) fn chance(&self, likelihood: f64) -> bool {
        self.state().random.f64() < likelihood
    }

    /// Kills everything that runs.
    pub(crate) fn kill_all(&self) {
        let mut state = self.state();
        state.processes.cancel();
        state.processes = CancellationToken::new();
    }

    pub(crate) fn disk(&self) -> Disk {
        self.state().disk.clone()
    }

    /// Does something with the files of a running devbox.
    pub(crate) fn with_disk<T>(&self, work: impl FnOnce(&mut Disk) -> T) -> Result<T, ApiError> {
        let mut state = self.state();
        self.running()?;
        Ok(work(&mut state.disk))
    }

    pub(crate) fn begin_snapshot(&self) {
        self.state().snapshots_under_way += 1;
    }

    pub(crate) fn end_snapshot(&self) {
        self.state().snapshots_under_way -= 1;
    }

    pub(crate) fn is_being_snapshot(&self) -> bool {
        self.state().snapshots_under_way > 0
    }

    fn running(&self) -> Result<(), ApiError> {
        match self.status() {
            DevboxStatus::Running => Ok(()),
            other => Err(ApiError::bad_request(format!("devbox `{}` is {other}, not running", self.id))),
        }
    }

    /// Starts a command, or finds the one that was started under this id.
    pub(crate) fn execute(
        self: &Arc<Self>,
        id: ExecutionId,
        line: String,
        world: &Shared,
    ) -> Result<Arc<Execution>, ApiError> {
        let mut state = self.state();
        if let Some(known) = state.executions.get(&id) {
            return if known.line == line {
                Ok(Arc::clone(known))
            } else {
                Err(ApiError::conflict(format!("the command id `{id}` is taken by another command")))
            };
        }
        self.running()?;
        let deed = Deed::of(&line, &world.script, &mut state.random);
        let execution = Arc::new(Execution {
            id: id.clone(),
            line,
            done: watch::Sender::new(None),
            killed: state.processes.child_token(),
        });
        state.executions.insert(id, Arc::clone(&execution));
        if deed.time.is_zero() && !deed.dies {
            let done = deed.apply(&mut state.disk);
            execution.done.send_replace(Some(done));
        } else {
            tokio::spawn(Arc::clone(self).work(Arc::clone(&execution), deed, Arc::clone(world)));
        }
        Ok(execution)
    }

    async fn work(self: Arc<Self>, execution: Arc<Execution>, deed: Deed, world: Shared) {
        let in_time = tokio::select! {
            biased;
            () = execution.killed.cancelled() => false,
            () = tokio::time::sleep(deed.time) => true,
        };
        if deed.dies && in_time {
            world.end(&self, End::Broken);
        }
        let mut state = self.state();
        // Killed between the end of its time and this: it did nothing.
        let done = if execution.killed.is_cancelled() { Done::killed() } else { deed.apply(&mut state.disk) };
        execution.done.send_replace(Some(done));
    }

    pub(crate) fn execution(&self, id: &str) -> Result<Arc<Execution>, ApiError> {
        let found = self.state().executions.get(&ExecutionId::from(id)).cloned();
        found.ok_or_else(|| ApiError::not_found("execution", id))
    }

    /// A command as the API shows it.
    pub(crate) fn execution_view(&self, execution: &Execution) -> DevboxAsyncExecutionDetailView {
        let done = execution.done.borrow().clone();
        DevboxAsyncExecutionDetailView {
            devbox_id: self.id.clone(),
            execution_id: execution.id.clone(),
            status: if done.is_some() { ExecutionStatus::Completed } else { ExecutionStatus::Running },
            exit_status: done.as_ref().map(|done| done.exit_status),
            shell_name: None,
            stdout: Some(done.map(|done| done.stdout).unwrap_or_default()),
            stdout_truncated: Some(false),
            stderr: Some(String::new()),
            stderr_truncated: Some(false),
        }
    }

    /// The devbox as the API shows it.
    pub(crate) fn view(&self) -> DevboxView {
        let state = self.state();
        DevboxView {
            id: self.id.clone(),
            status: self.status(),
            create_time_ms: self.create_time_ms,
            end_time_ms: state.end_time_ms,
            launch_parameters: self.launch(),
            metadata: self.params.metadata.clone().unwrap_or_default(),
            state_transitions: state.transitions.clone(),
            blueprint_id: self.params.blueprint_id.clone(),
            snapshot_id: self.params.snapshot_id.clone(),
            failure_reason: state.failure_reason.clone(),
            shutdown_reason: state.shutdown_reason.clone(),
            initiator_type: Some(InitiatorType::Api),
            name: self.params.name.clone(),
            ..DevboxView::default()
        }
    }

    fn launch(&self) -> LaunchParameters {
        self.params.launch_parameters.clone().unwrap_or_default()
    }

    /// Waits until the devbox is in one of these states; `None` when the time is over.
    pub(crate) async fn wait_for(&self, statuses: &[DevboxStatus], hold: Duration) -> Option<DevboxView> {
        let mut status = self.status.subscribe();
        let wait = status.wait_for(|status| statuses.contains(status));
        tokio::time::timeout(hold, wait).await.ok()?.ok()?;
        Some(self.view())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Execution {
    /// Waits for the end; false when the time is over.
    pub(crate) async fn wait(&self, hold: Duration) -> bool {
        let mut done = self.done.subscribe();
        let wait = done.wait_for(Option::is_some);
        tokio::time::timeout(hold, wait).await.is_ok()
    }

    pub(crate) fn kill(&self) {
        self.killed.cancel();
    }
}

fn transition(status: &DevboxStatus, at_ms: i64) -> StateTransition {
    StateTransition { status: Some(status.clone()), transition_time_ms: at_ms.into(), failure_reason: None }
}
