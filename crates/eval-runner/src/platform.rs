//! What a run needs of a Runloop API.

use std::future::Future;
use std::time::Duration;

use eval_record::{Capture, ResourceKind};
use runloop_types::{
    BlueprintCreateParams, BlueprintId, DevboxAsyncExecutionDetailView, DevboxCreateParams, DevboxId,
    DevboxStatus, DevboxView, ExecuteParams, ExecutionId, Metadata, NetworkPolicyId, NetworkPolicyParams,
    NetworkPolicyView, ObjectId, SnapshotId, SnapshotParams,
};

/// A Runloop API, reduced to what a run calls: [`ClientPlatform`](crate::ClientPlatform), or a scripted one in tests.
///
/// Each method is one call, retried below this trait; an error is final. What creates something takes a `key`: asked twice
/// under one key, there is still one of it.
pub trait Platform: Send + Sync + 'static {
    /// Creates a devbox and waits up to `timeout` for it to run; answers it in whatever state it is in then.
    fn create_devbox(
        &self,
        params: &DevboxCreateParams,
        key: &str,
        timeout: Duration,
    ) -> impl Reply<DevboxView>;

    /// Makes sure that the target answers and takes the key, with the cheapest call there is, made once.
    fn probe(&self) -> impl Reply<()>;

    /// A devbox as it is.
    fn devbox(&self, id: &DevboxId) -> impl Reply<DevboxView>;

    /// Holds until a devbox is in one of `statuses`; `None` if `hold` ran out first.
    fn wait_devbox(
        &self,
        id: &DevboxId,
        statuses: &[DevboxStatus],
        hold: Duration,
    ) -> impl Reply<Option<DevboxView>>;

    /// Suspends a devbox: its disk stays, its processes end. Answers at once, perhaps before it is done.
    fn suspend(&self, id: &DevboxId) -> impl Reply<DevboxView>;

    /// Resumes a suspended devbox. Answers at once, perhaps before it is done.
    fn resume(&self, id: &DevboxId) -> impl Reply<DevboxView>;

    /// Ends a devbox; `force` also while a snapshot of it is taken. One that has ended already is no error.
    fn shutdown(&self, id: &DevboxId, force: bool) -> impl Reply<()>;

    /// Starts the keep-alive time of a devbox again.
    fn keep_alive(&self, id: &DevboxId) -> impl Reply<()>;

    /// What has not ended and carries this label, with this value if one is given, newest first. Network policies have no
    /// labels.
    fn labelled(&self, kind: ResourceKind, label: &str, value: Option<&str>) -> impl Reply<Vec<Labelled>>;

    /// Starts a command and holds until it ends or `params.optimistic_timeout` ran out, at most 25 s; the view has the last
    /// `last_n` lines of each output.
    fn execute(
        &self,
        id: &DevboxId,
        params: &ExecuteParams,
        last_n: u32,
    ) -> impl Reply<DevboxAsyncExecutionDetailView>;

    /// Holds until a command ended; `None` if `hold` ran out first.
    fn wait_execution(
        &self,
        devbox: &DevboxId,
        execution: &ExecutionId,
        hold: Duration,
        last_n: u32,
    ) -> impl Reply<Option<DevboxAsyncExecutionDetailView>>;

    /// Kills a command with its process group.
    fn kill(&self, devbox: &DevboxId, execution: &ExecutionId) -> impl Reply<()>;

    /// Adds a completed command's whole output to `capture`.
    fn output(
        &self,
        devbox: &DevboxId,
        execution: &ExecutionId,
        stream: OutputStream,
        capture: Capture,
    ) -> impl Reply<Capture>;

    /// Writes a file; the path is absolute, below `~/`, or relative to the home directory.
    fn upload(&self, id: &DevboxId, path: &str, content: Vec<u8>) -> impl Reply<()>;

    /// Reads a file of at most `limit` bytes.
    fn download(&self, id: &DevboxId, path: &str, limit: u64) -> impl Reply<Vec<u8>>;

    /// Takes a snapshot of a devbox's disk and waits until it is complete.
    fn snapshot(&self, id: &DevboxId, params: &SnapshotParams, key: &str) -> impl Reply<SnapshotId>;

    /// Deletes a snapshot. One that is gone is no error.
    fn delete_snapshot(&self, id: &SnapshotId) -> impl Reply<()>;

    /// Stores a gzipped tar archive.
    fn store_archive(
        &self,
        name: &str,
        metadata: &Metadata,
        content: Vec<u8>,
        key: &str,
    ) -> impl Reply<ObjectId>;

    /// Deletes an object. One that is gone is no error.
    fn delete_object(&self, id: &ObjectId) -> impl Reply<()>;

    /// Network policies of this name.
    fn network_policies(&self, name: &str) -> impl Reply<Vec<NetworkPolicyView>>;

    /// Creates a network policy.
    fn create_network_policy(&self, params: &NetworkPolicyParams, key: &str) -> impl Reply<NetworkPolicyId>;

    /// The newest usable blueprint of this name that carries this metadata.
    fn find_blueprint(&self, name: &str, key: &str, value: &str) -> impl Reply<Option<BlueprintId>>;

    /// Begins to build a blueprint.
    fn create_blueprint(&self, params: &BlueprintCreateParams, key: &str) -> impl Reply<BlueprintId>;

    /// Waits up to `timeout` until a blueprint is usable.
    fn await_blueprint(&self, id: &BlueprintId, timeout: Duration) -> impl Reply<()>;

    /// Deletes a blueprint. One that is gone is no error.
    fn delete_blueprint(&self, id: &BlueprintId) -> impl Reply<()>;

    /// Deletes a network policy. One that is gone is no error.
    fn delete_network_policy(&self, id: &NetworkPolicyId) -> impl Reply<()>;
}

/// Something at the target, and its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// Its id.
    pub id: String,
    /// Its labels.
    pub labels: Metadata,
}

/// What a call comes to.
pub trait Reply<T>: Future<Output = Result<T, PlatformError>> + Send {}

impl<T, F: Future<Output = Result<T, PlatformError>> + Send> Reply<T> for F {}

/// One of a command's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A call failed for good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlatformError {
    /// How.
    pub kind: PlatformErrorKind,
    /// What was called and what came of it, with all there is to say.
    pub message: String,
}

/// How a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformErrorKind {
    /// The API refused with this status.
    Status(u16),
    /// The answer was larger than allowed.
    TooLarge,
    /// No usable answer.
    Unreachable,
    /// What was waited for came to a bad end, or took too long.
    BadEnd,
}

impl PlatformError {
    /// A failure with its text.
    pub fn new(kind: PlatformErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The API understood and refused: asking again changes nothing.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.kind, PlatformErrorKind::Status(status) if (400..500).contains(&status) && !matches!(status, 408 | 409 | 429))
    }

    /// The key was refused, not what was asked for.
    pub(crate) fn is_unauthorized(&self) -> bool {
        matches!(self.kind, PlatformErrorKind::Status(401 | 403))
    }

    /// The API refused what was asked of a devbox, which may be because of what an agent did there.
    pub(crate) fn may_be_agents(&self) -> bool {
        self.is_refusal() && !self.is_unauthorized()
    }

    /// Asking again may end better.
    pub(crate) fn may_pass(&self) -> bool {
        match self.kind {
            PlatformErrorKind::Unreachable => true,
            PlatformErrorKind::Status(_) => !self.is_refusal(),
            PlatformErrorKind::TooLarge | PlatformErrorKind::BadEnd => false,
        }
    }

    pub(crate) fn has_status(&self, wanted: u16) -> bool {
        self.kind == PlatformErrorKind::Status(wanted)
    }
}
