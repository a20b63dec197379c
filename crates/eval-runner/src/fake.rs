//! Platforms for tests: devboxes that answer by script, or that really run bash in a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use eval_record::{Capture, ResourceKind};
use runloop_client::{Outcome, Pass as _, TransportKind};
use runloop_types::{
    BlueprintCreateParams, BlueprintId, DevboxAsyncExecutionDetailView, DevboxCreateParams,
    DevboxFailureReason, DevboxId, DevboxStatus, DevboxView, ExecuteParams, ExecutionId, ExecutionStatus,
    Metadata, Mount, NetworkPolicyId, NetworkPolicyParams, NetworkPolicyView, ObjectId, SnapshotId,
    SnapshotParams,
};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::Pressure;
use crate::platform::{Labelled, OutputStream, Platform, PlatformError, PlatformErrorKind};
use crate::pressure::Class;

/// What a scripted command does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Does {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) takes: Duration,
    /// The devbox ends by itself instead.
    pub(crate) dies: Option<DevboxFailureReason>,
    pub(crate) panics: bool,
}

impl Does {
    pub(crate) fn exit(exit: i32) -> Self {
        Self { exit, ..Self::default() }
    }

    pub(crate) fn prints(stdout: &str) -> Self {
        Self { stdout: stdout.to_owned(), ..Self::default() }
    }

    pub(crate) fn takes(seconds: u64) -> Self {
        Self { takes: Duration::from_secs(seconds), ..Self::default() }
    }
}

type Script = Box<dyn Fn(&str, &str) -> Does + Send + Sync>;

type Trouble = Box<dyn Fn(&str, Duration) -> Option<PlatformErrorKind> + Send + Sync>;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails and nothing happened.
    Before(PlatformErrorKind),
    /// It happens, but the answer is lost.
    After,
    /// It never answers, and nothing happened.
    Hangs,
    /// It happens, if it creates something, and never answers.
    HangsAfter,
    /// The caller is canceled there.
    Panics,
}

#[derive(Debug)]
struct FakeBox {
    purpose: String,
    status: DevboxStatus,
    failure: Option<DevboxFailureReason>,
    params: DevboxCreateParams,
    home: Option<PathBuf>,
}

#[derive(Debug)]
struct FakeExecution {
    ends: Instant,
    exit: i32,
    stdout: String,
    stderr: String,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<String>,
    boxes: BTreeMap<DevboxId, FakeBox>,
    executions: BTreeMap<ExecutionId, FakeExecution>,
    snapshots: BTreeMap<SnapshotId, Option<PathBuf>>,
    deleted_snapshots: usize,
    objects: BTreeMap<ObjectId, Vec<u8>>,
    policies: Vec<NetworkPolicyView>,
    blueprints: BTreeSet<BlueprintId>,
    labels: BTreeMap<String, (ResourceKind, Metadata)>,
    count: usize,
}

impl State {
    fn is_there(&self, kind: ResourceKind, id: &str) -> bool {
        match kind {
            ResourceKind::Devbox => {
                self.boxes.get(&DevboxId::new(id)).is_some_and(|found| !found.status.is_final())
            }
            ResourceKind::Snapshot => self.snapshots.contains_key(&SnapshotId::new(id)),
            ResourceKind::Object => self.objects.contains_key(&ObjectId::new(id)),
            ResourceKind::Blueprint => self.blueprints.contains(&BlueprintId::new(id)),
            ResourceKind::NetworkPolicy => self.policies.iter().any(|policy| policy.id.as_str() == id),
        }
    }

    fn label(&mut self, kind: ResourceKind, id: &str, labels: Option<&Metadata>) {
        self.labels.insert(id.to_owned(), (kind, labels.cloned().unwrap_or_default()));
    }
}

/// A scripted executor: `(purpose of the devbox, command line)` to what the command does.
pub(crate) struct Fake {
    state: Mutex<State>,
    script: Script,
    /// By number of the call, from 0.
    faults: Mutex<BTreeMap<usize, Fault>>,
    /// By name of the call, always.
    refusals: BTreeMap<String, u16>,
    /// What its calls pass, as those of a client do.
    pressure: Pressure,
    /// By name of the call and time since the first one: how the target fails, whatever is asked.
    trouble: Option<Trouble>,
    began: OnceLock<Instant>,
    /// What left the gate, and when.
    tried: Mutex<Vec<(String, Duration)>>,
    /// Where devboxes really live, if they do.
    disk: Option<TempDir>,
    /// Whether a snapshot needs a running devbox.
    snapshots_running_only: bool,
    /// Whether states change a while after they were asked for.
    slow_transitions: bool,
}

impl Fake {
    pub(crate) fn new(script: impl Fn(&str, &str) -> Does + Send + Sync + 'static) -> Self {
        Self {
            state: Mutex::default(),
            script: Box::new(script),
            faults: Mutex::default(),
            refusals: BTreeMap::new(),
            pressure: Pressure::default(),
            trouble: None,
            began: OnceLock::new(),
            tried: Mutex::default(),
            disk: None,
            snapshots_running_only: false,
            slow_transitions: false,
        }
    }

    /// Devboxes are directories and commands are run by bash there.
    pub(crate) fn real() -> Self {
        let mut fake = Self::new(|_, _| Does::default());
        fake.disk = Some(tempfile::tempdir().unwrap());
        fake
    }

    pub(crate) fn with_fault(self, call: usize, fault: Fault) -> Self {
        self.faults.lock().unwrap().insert(call, fault);
        self
    }

    /// Every call of this name and purpose (`execute scoring`) is refused.
    pub(crate) fn refusing(mut self, call: &str, status: u16) -> Self {
        self.refusals.insert(call.to_owned(), status);
        self
    }

    /// Every attempt of a call fails as `trouble` says, and passes this gate.
    pub(crate) fn troubled(
        mut self,
        pressure: &Pressure,
        trouble: impl Fn(&str, Duration) -> Option<PlatformErrorKind> + Send + Sync + 'static,
    ) -> Self {
        self.pressure = pressure.clone();
        self.trouble = Some(Box::new(trouble));
        self
    }

    /// Passes the gate and what trouble there is, with the retries of a client.
    async fn pass(&self, name: &str) -> Result<(), PlatformError> {
        let Some(trouble) = &self.trouble else { return Ok(()) };
        let class = match name.split(' ').next() {
            Some("create") => Class::Creation,
            Some("execute" | "snapshot") => Class::Work,
            Some("wait" | "wait-execution") => Class::Hold,
            _ => Class::Request,
        };
        for retries in 0.. {
            let ticket = Box::new(self.pressure.enter(class).await);
            let at = self.began.get_or_init(Instant::now).elapsed();
            self.tried.lock().unwrap().push((name.to_owned(), at));
            let Some(kind) = trouble(name, at) else {
                ticket.done(Outcome::Answered { status: 200, retry_after: None });
                return Ok(());
            };
            let failed = error(kind);
            ticket.done(match kind {
                PlatformErrorKind::Status(status) => Outcome::Answered { status, retry_after: None },
                _ => Outcome::Failed(TransportKind::Connect),
            });
            if retries == 5 || !failed.may_pass() || class == Class::Hold || name == "probe" {
                return Err(failed);
            }
            tokio::time::sleep(Duration::from_secs(1 << retries)).await;
        }
        Ok(())
    }

    pub(crate) fn snapshots_running_only(mut self) -> Self {
        self.snapshots_running_only = true;
        self
    }

    pub(crate) fn slow_transitions(mut self) -> Self {
        self.slow_transitions = true;
        self
    }

    /// The calls so far, each with the purpose of its devbox.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state.lock().unwrap().calls.clone()
    }

    pub(crate) fn count(&self, call: &str) -> usize {
        self.calls().iter().filter(|name| *name == call).count()
    }

    /// Attempts of calls within a time since the first one, answered or not, where there is trouble.
    pub(crate) fn tried(&self, time: std::ops::Range<Duration>) -> Vec<String> {
        let tried = self.tried.lock().unwrap();
        tried.iter().filter(|(_, at)| time.contains(at)).map(|(name, _)| name.clone()).collect()
    }

    /// Devboxes that were created and live.
    pub(crate) fn living(&self) -> Vec<DevboxId> {
        let state = self.state.lock().unwrap();
        state.boxes.iter().filter(|(_, b)| !b.status.is_final()).map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn params(&self, purpose: &str) -> DevboxCreateParams {
        let state = self.state.lock().unwrap();
        state.boxes.values().find(|b| b.purpose == purpose).expect("such a devbox was made").params.clone()
    }

    /// Snapshots and objects that are still there.
    pub(crate) fn leftovers(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.snapshots.len(), state.objects.len())
    }

    async fn call(&self, name: &str, id: Option<&DevboxId>) -> Result<Option<Fault>, PlatformError> {
        self.pass(name).await?;
        let (fault, name) = {
            let mut state = self.state.lock().unwrap();
            let number = state.calls.len();
            let purpose = id.and_then(|id| state.boxes.get(id)).map(|b| b.purpose.clone());
            let name = purpose.map_or_else(|| name.to_owned(), |purpose| format!("{name} {purpose}"));
            state.calls.push(name.clone());
            (self.faults.lock().unwrap().remove(&number), name)
        };
        // Every real call gives others a turn.
        tokio::task::yield_now().await;
        if let Some(status) = self.refusals.get(&name) {
            return Err(error(PlatformErrorKind::Status(*status)));
        }
        match fault {
            Some(Fault::Before(kind)) => Err(error(kind)),
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::Panics) => panic!("injected"),
            other => Ok(other),
        }
    }

    /// Something was created.
    async fn created(&self, fault: Option<Fault>) {
        if fault == Some(Fault::HangsAfter) {
            std::future::pending::<()>().await;
        }
    }

    fn answer<T>(&self, fault: Option<Fault>, value: T) -> Result<T, PlatformError> {
        match fault {
            Some(Fault::After) => Err(error(PlatformErrorKind::Unreachable)),
            _ => Ok(value),
        }
    }

    fn view(&self, id: &DevboxId) -> Result<DevboxView, PlatformError> {
        let state = self.state.lock().unwrap();
        let found = state.boxes.get(id).ok_or_else(|| error(PlatformErrorKind::Status(404)))?;
        Ok(DevboxView {
            id: id.clone(),
            status: found.status.clone(),
            failure_reason: found.failure.clone(),
            metadata: found.params.metadata.clone().unwrap_or_default(),
            ..DevboxView::default()
        })
    }

    fn set(&self, id: &DevboxId, from: DevboxStatus, to: DevboxStatus) -> Result<(), PlatformError> {
        let mut state = self.state.lock().unwrap();
        let found = state.boxes.get_mut(id).ok_or_else(|| error(PlatformErrorKind::Status(404)))?;
        if found.status != from {
            return Err(error(PlatformErrorKind::Status(400)));
        }
        found.status = to;
        Ok(())
    }

    fn home(&self, id: &DevboxId) -> Option<PathBuf> {
        self.state.lock().unwrap().boxes.get(id).and_then(|b| b.home.clone())
    }

    fn fresh(&self, prefix: &str) -> String {
        let mut state = self.state.lock().unwrap();
        state.count += 1;
        format!("{prefix}{}", state.count)
    }

    fn make_home(&self, id: &DevboxId, params: &DevboxCreateParams) -> Option<PathBuf> {
        let home = self.disk.as_ref()?.path().join(id.as_str());
        let base =
            params.snapshot_id.as_ref().and_then(|id| self.state.lock().unwrap().snapshots[id].clone());
        match base {
            Some(base) => copy(&base, &home),
            None => std::fs::create_dir(&home).unwrap(),
        }
        for mount in params.mounts.iter().flatten() {
            match mount {
                Mount::FileMount { target, content } => {
                    let path = place(&home, target);
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, content).unwrap();
                }
                Mount::ObjectMount { object_id, object_path } => {
                    let archive = self.state.lock().unwrap().objects[object_id].clone();
                    tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()))
                        .unpack(place(&home, object_path))
                        .unwrap();
                }
                other => panic!("no such mount in these tests: {other:?}"),
            }
        }
        Some(home)
    }

    async fn bash(&self, home: &Path, id: &DevboxId, line: &str) -> FakeExecution {
        let environment = {
            let state = self.state.lock().unwrap();
            state.boxes[id].params.environment_variables.clone().unwrap_or_default()
        };
        let output = tokio::process::Command::new("bash")
            .args(["-l", "-c", line])
            .current_dir(home)
            .env_clear()
            .envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", home.to_str().unwrap())])
            .envs(environment)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        FakeExecution {
            ends: Instant::now(),
            exit: output.status.code().unwrap_or(137),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn execution(&self, devbox: &DevboxId, id: &ExecutionId) -> DevboxAsyncExecutionDetailView {
        let state = self.state.lock().unwrap();
        let execution = &state.executions[id];
        let is_over = execution.ends <= Instant::now();
        DevboxAsyncExecutionDetailView {
            devbox_id: devbox.clone(),
            execution_id: id.clone(),
            status: if is_over { ExecutionStatus::Completed } else { ExecutionStatus::Running },
            exit_status: is_over.then_some(execution.exit),
            stdout: Some(if is_over { execution.stdout.clone() } else { String::new() }),
            stderr: Some(if is_over { execution.stderr.clone() } else { String::new() }),
            ..DevboxAsyncExecutionDetailView::default()
        }
    }

    async fn hold(&self, id: &ExecutionId, hold: Duration) {
        let ends = self.state.lock().unwrap().executions[id].ends;
        tokio::time::sleep_until(ends.min(Instant::now() + hold)).await;
    }

    fn running(&self, id: &DevboxId) -> Result<(), PlatformError> {
        match self.view(id)?.status {
            DevboxStatus::Running => Ok(()),
            _ => Err(error(PlatformErrorKind::Status(400))),
        }
    }
}

fn error(kind: PlatformErrorKind) -> PlatformError {
    PlatformError::new(kind, format!("scripted {kind:?}"))
}

fn place(home: &Path, path: &str) -> PathBuf {
    match path.strip_prefix('~') {
        Some(rest) => home.join(rest.trim_start_matches('/')),
        None => home.join(path),
    }
}

fn copy(from: &Path, to: &Path) {
    let done = std::process::Command::new("cp").args(["-a", "--"]).arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

impl Platform for Fake {
    async fn create_devbox(
        &self,
        params: &DevboxCreateParams,
        _: &str,
        _: Duration,
    ) -> Result<DevboxView, PlatformError> {
        let purpose = params.metadata.as_ref().unwrap()["runloop-eval.purpose"].clone();
        let fault = self.call(&format!("create {purpose}"), None).await?;
        let policy = params.launch_parameters.as_ref().and_then(|launch| launch.network_policy_id.as_ref());
        if policy.is_some_and(|id| self.state.lock().unwrap().policies.iter().all(|policy| policy.id != *id))
        {
            return Err(error(PlatformErrorKind::Status(404)));
        }
        let id = DevboxId::new(self.fresh("dbx_"));
        let home = self.make_home(&id, params);
        let made =
            FakeBox { purpose, status: DevboxStatus::Running, failure: None, params: params.clone(), home };
        {
            let mut state = self.state.lock().unwrap();
            state.boxes.insert(id.clone(), made);
            state.label(ResourceKind::Devbox, id.as_str(), params.metadata.as_ref());
        }
        self.created(fault).await;
        let view = self.view(&id)?;
        self.answer(fault, view)
    }

    async fn probe(&self) -> Result<(), PlatformError> {
        self.call("probe", None).await.map(drop)
    }

    async fn devbox(&self, id: &DevboxId) -> Result<DevboxView, PlatformError> {
        let fault = self.call("get", Some(id)).await?;
        let view = self.view(id)?;
        self.answer(fault, view)
    }

    async fn wait_devbox(
        &self,
        id: &DevboxId,
        statuses: &[DevboxStatus],
        hold: Duration,
    ) -> Result<Option<DevboxView>, PlatformError> {
        self.call("wait", Some(id)).await?;
        let view = self.view(id)?;
        let next = match view.status {
            DevboxStatus::Suspending => DevboxStatus::Suspended,
            DevboxStatus::Resuming => DevboxStatus::Running,
            status if statuses.contains(&status) => return self.view(id).map(Some),
            _ => {
                tokio::time::sleep(hold).await;
                return Ok(None);
            }
        };
        tokio::time::sleep(Duration::from_secs(3)).await;
        self.set(id, view.status, next)?;
        self.view(id).map(Some)
    }

    async fn suspend(&self, id: &DevboxId) -> Result<DevboxView, PlatformError> {
        let fault = self.call("suspend", Some(id)).await?;
        let to = if self.slow_transitions { DevboxStatus::Suspending } else { DevboxStatus::Suspended };
        self.set(id, DevboxStatus::Running, to)?;
        let view = self.view(id)?;
        self.answer(fault, view)
    }

    async fn resume(&self, id: &DevboxId) -> Result<DevboxView, PlatformError> {
        let fault = self.call("resume", Some(id)).await?;
        let to = if self.slow_transitions { DevboxStatus::Resuming } else { DevboxStatus::Running };
        self.set(id, DevboxStatus::Suspended, to)?;
        let view = self.view(id)?;
        self.answer(fault, view)
    }

    async fn shutdown(&self, id: &DevboxId, _: bool) -> Result<(), PlatformError> {
        let fault = self.call("shutdown", Some(id)).await?;
        if let Some(found) = self.state.lock().unwrap().boxes.get_mut(id)
            && !found.status.is_final()
        {
            found.status = DevboxStatus::Shutdown;
        }
        self.answer(fault, ())
    }

    async fn keep_alive(&self, id: &DevboxId) -> Result<(), PlatformError> {
        let fault = self.call("keep-alive", Some(id)).await?;
        self.running(id)?;
        self.answer(fault, ())
    }

    async fn labelled(
        &self,
        kind: ResourceKind,
        label: &str,
        value: Option<&str>,
    ) -> Result<Vec<Labelled>, PlatformError> {
        let fault = self.call(&format!("list {kind}"), None).await?;
        let state = self.state.lock().unwrap();
        let is_wanted = |labels: &Metadata| {
            labels.get(label).is_some_and(|found| value.is_none_or(|wanted| wanted == found))
        };
        let found = state
            .labels
            .iter()
            .rev()
            .filter(|(id, (of, labels))| *of == kind && state.is_there(kind, id) && is_wanted(labels));
        let found = found.map(|(id, (_, labels))| Labelled { id: id.clone(), labels: labels.clone() });
        self.answer(fault, found.collect())
    }

    async fn execute(
        &self,
        id: &DevboxId,
        params: &ExecuteParams,
        _: u32,
    ) -> Result<DevboxAsyncExecutionDetailView, PlatformError> {
        let fault = self.call("execute", Some(id)).await?;
        self.running(id)?;
        let execution = match self.home(id) {
            Some(home) => self.bash(&home, id, &params.command).await,
            None => {
                let purpose = self.state.lock().unwrap().boxes[id].purpose.clone();
                let does = (self.script)(&purpose, &params.command);
                assert!(!does.panics, "injected");
                if let Some(reason) = does.dies {
                    let mut state = self.state.lock().unwrap();
                    let dead = state.boxes.get_mut(id).unwrap();
                    (dead.status, dead.failure) = (DevboxStatus::Failure, Some(reason));
                    return Err(error(PlatformErrorKind::Status(400)));
                }
                let ends = Instant::now() + does.takes;
                FakeExecution { ends, exit: does.exit, stdout: does.stdout, stderr: String::new() }
            }
        };
        let execution_id = ExecutionId::new(params.command_id.clone());
        self.state.lock().unwrap().executions.insert(execution_id.clone(), execution);
        self.hold(&execution_id, Duration::from_secs(params.optimistic_timeout.unwrap().into())).await;
        self.answer(fault, self.execution(id, &execution_id))
    }

    async fn wait_execution(
        &self,
        devbox: &DevboxId,
        execution: &ExecutionId,
        hold: Duration,
        _: u32,
    ) -> Result<Option<DevboxAsyncExecutionDetailView>, PlatformError> {
        let fault = self.call("wait-execution", Some(devbox)).await?;
        self.running(devbox)?;
        self.hold(execution, hold).await;
        let view = self.execution(devbox, execution);
        self.answer(fault, Some(view).filter(|view| view.status == ExecutionStatus::Completed))
    }

    async fn kill(&self, devbox: &DevboxId, execution: &ExecutionId) -> Result<(), PlatformError> {
        let fault = self.call("kill", Some(devbox)).await?;
        self.running(devbox)?;
        if let Some(found) = self.state.lock().unwrap().executions.get_mut(execution) {
            (found.ends, found.exit) = (Instant::now(), 137);
        }
        self.answer(fault, ())
    }

    async fn output(
        &self,
        devbox: &DevboxId,
        execution: &ExecutionId,
        stream: OutputStream,
        mut capture: Capture,
    ) -> Result<Capture, PlatformError> {
        let fault = self.call("output", Some(devbox)).await?;
        let state = self.state.lock().unwrap();
        let execution = &state.executions[execution];
        capture.push(match stream {
            OutputStream::Stdout => execution.stdout.as_bytes(),
            OutputStream::Stderr => execution.stderr.as_bytes(),
        });
        self.answer(fault, capture)
    }

    async fn upload(&self, id: &DevboxId, path: &str, content: Vec<u8>) -> Result<(), PlatformError> {
        let fault = self.call("upload", Some(id)).await?;
        self.running(id)?;
        if let Some(home) = self.home(id) {
            let path = place(&home, path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).map_err(|_| error(PlatformErrorKind::Status(400)))?;
        }
        self.answer(fault, ())
    }

    async fn download(&self, id: &DevboxId, path: &str, limit: u64) -> Result<Vec<u8>, PlatformError> {
        let fault = self.call("download", Some(id)).await?;
        self.running(id)?;
        let content = match self.home(id) {
            Some(home) => {
                std::fs::read(place(&home, path)).map_err(|_| error(PlatformErrorKind::Status(404)))?
            }
            None => b"diff --git a/x b/x\n".to_vec(),
        };
        if content.len() as u64 > limit {
            return Err(error(PlatformErrorKind::TooLarge));
        }
        self.answer(fault, content)
    }

    async fn snapshot(
        &self,
        id: &DevboxId,
        params: &SnapshotParams,
        _: &str,
    ) -> Result<SnapshotId, PlatformError> {
        let fault = self.call("snapshot", Some(id)).await?;
        let status = self.view(id)?.status;
        if status.is_final() || (self.snapshots_running_only && status != DevboxStatus::Running) {
            return Err(error(PlatformErrorKind::Status(400)));
        }
        let snapshot = SnapshotId::new(self.fresh("snp_"));
        let disk = self.disk.as_ref().map(|disk| disk.path().join(snapshot.as_str()));
        if let (Some(disk), Some(home)) = (&disk, self.home(id)) {
            copy(&home, disk);
        }
        {
            let mut state = self.state.lock().unwrap();
            state.snapshots.insert(snapshot.clone(), disk);
            state.label(ResourceKind::Snapshot, snapshot.as_str(), params.metadata.as_ref());
        }
        self.created(fault).await;
        self.answer(fault, snapshot)
    }

    async fn delete_snapshot(&self, id: &SnapshotId) -> Result<(), PlatformError> {
        let fault = self.call("delete-snapshot", None).await?;
        let mut state = self.state.lock().unwrap();
        state.snapshots.remove(id);
        state.deleted_snapshots += 1;
        self.answer(fault, ())
    }

    async fn store_archive(
        &self,
        _: &str,
        labels: &Metadata,
        content: Vec<u8>,
        _: &str,
    ) -> Result<ObjectId, PlatformError> {
        let fault = self.call("store", None).await?;
        let id = ObjectId::new(self.fresh("obj_"));
        {
            let mut state = self.state.lock().unwrap();
            state.objects.insert(id.clone(), content);
            state.label(ResourceKind::Object, id.as_str(), Some(labels));
        }
        self.created(fault).await;
        self.answer(fault, id)
    }

    async fn delete_object(&self, id: &ObjectId) -> Result<(), PlatformError> {
        let fault = self.call("delete-object", None).await?;
        self.state.lock().unwrap().objects.remove(id);
        self.answer(fault, ())
    }

    async fn network_policies(&self, name: &str) -> Result<Vec<NetworkPolicyView>, PlatformError> {
        let fault = self.call("policies", None).await?;
        let all = self.state.lock().unwrap().policies.clone();
        self.answer(fault, all.into_iter().filter(|policy| policy.name == name).collect())
    }

    async fn create_network_policy(
        &self,
        params: &NetworkPolicyParams,
        _: &str,
    ) -> Result<NetworkPolicyId, PlatformError> {
        let fault = self.call("create-policy", None).await?;
        let id = NetworkPolicyId::new(self.fresh("npol_"));
        let name = params.name.clone().unwrap();
        let egress = runloop_types::Egress {
            allowed_hostnames: params.allowed_hostnames.clone().unwrap(),
            ..runloop_types::Egress::default()
        };
        let policy = NetworkPolicyView { id: id.clone(), name, egress, ..NetworkPolicyView::default() };
        self.state.lock().unwrap().policies.push(policy);
        self.created(fault).await;
        self.answer(fault, id)
    }

    async fn find_blueprint(&self, _: &str, _: &str, _: &str) -> Result<Option<BlueprintId>, PlatformError> {
        let fault = self.call("find-blueprint", None).await?;
        self.answer(fault, None)
    }

    async fn create_blueprint(
        &self,
        params: &BlueprintCreateParams,
        _: &str,
    ) -> Result<BlueprintId, PlatformError> {
        let fault = self.call("create-blueprint", None).await?;
        let id = BlueprintId::new(self.fresh("bpt_"));
        {
            let mut state = self.state.lock().unwrap();
            state.blueprints.insert(id.clone());
            state.label(ResourceKind::Blueprint, id.as_str(), params.metadata.as_ref());
        }
        self.created(fault).await;
        self.answer(fault, id)
    }

    async fn await_blueprint(&self, _: &BlueprintId, _: Duration) -> Result<(), PlatformError> {
        let fault = self.call("await-blueprint", None).await?;
        self.answer(fault, ())
    }

    async fn delete_blueprint(&self, id: &BlueprintId) -> Result<(), PlatformError> {
        let fault = self.call("delete-blueprint", None).await?;
        self.state.lock().unwrap().blueprints.remove(id);
        self.answer(fault, ())
    }

    async fn delete_network_policy(&self, id: &NetworkPolicyId) -> Result<(), PlatformError> {
        let fault = self.call("delete-policy", None).await?;
        self.state.lock().unwrap().policies.retain(|policy| policy.id != *id);
        self.answer(fault, ())
    }
}
