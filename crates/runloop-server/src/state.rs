//! What all handlers share.

use std::path::PathBuf;
use std::sync::Arc;

use runloop_sandbox::{Base, Sandbox};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Keyhole;
use crate::blueprint::BuildLogs;
use crate::devbox::Registry;
use crate::idempotency::Replays;
use crate::signing::Signer;
use crate::store::Store;

/// The server behind its routes.
pub(crate) type Shared = Arc<App>;

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) sandbox: Sandbox,
    pub(crate) devboxes: Registry,
    pub(crate) builds: BuildLogs,
    pub(crate) replays: Arc<Replays>,
    pub(crate) keyhole: Keyhole,
    pub(crate) signer: Signer,
    /// Everything that goes on beside requests.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the server shuts down.
    pub(crate) stop: CancellationToken,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// Bytes of objects, one file each.
    pub(crate) object_dir: PathBuf,
    /// Long outputs and uploads on their way, gone with the server.
    pub(crate) scratch_dir: PathBuf,
    /// What every devbox stands on.
    pub(crate) base: Base,
    /// Host directories that devboxes may read.
    pub(crate) expose: Vec<PathBuf>,
}
