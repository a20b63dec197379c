//! The factory of boxes.

use std::path::PathBuf;

use crate::guarantees::{DriverKind, Guarantees, Probe};
use crate::linux_box::LinuxBox;
use crate::spec::{BoxSpec, SnapshotId};

/// Call this in the first line of `main`, before threads are started and secrets are loaded.
///
/// In the re-executed helper process it never returns; otherwise it does nothing.
pub fn init() {
    todo!()
}

/// Which driver to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DriverChoice {
    /// The best that works; the process driver only inside a container or with `allow_weak`.
    #[default]
    Auto,
    /// This one or an error.
    Only(DriverKind),
}

/// How a sandbox is opened.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Directory for layers and boxes; created if absent. Locked while in use.
    pub state_dir: PathBuf,
    /// Which driver to use.
    pub driver: DriverChoice,
    /// Accept the process driver on a bare host, and specs that the driver cannot enforce.
    pub allow_weak: bool,
    /// Program that calls [`init`] first in its `main`; `None` for the running program itself.
    pub helper: Option<PathBuf>,
}

/// Why no sandbox could be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {}

/// Why a box could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {}

/// Makes boxes. Cheap to clone; the last clone that is dropped ends the helper process and with it every box.
#[derive(Debug, Clone)]
pub struct Sandbox {}

impl Sandbox {
    /// Opens the sandbox over a state directory: removes what a dead predecessor left there, picks a driver by trying,
    /// starts the helper process.
    ///
    /// # Errors
    /// When no driver works, the chosen one does not, or the state directory is unusable or in use.
    pub async fn open(options: SandboxOptions) -> Result<Self, OpenError> {
        let _ = options;
        todo!()
    }

    /// Tries what this machine offers, without opening anything. Used by `doctor`.
    pub fn probe(options: &SandboxOptions) -> Probe {
        let _ = options;
        todo!()
    }

    /// What boxes of this sandbox guarantee.
    pub fn guarantees(&self) -> &Guarantees {
        todo!()
    }

    /// Makes a box that is ready to run commands.
    ///
    /// # Errors
    /// When the spec names a snapshot or base that is not there, asks for what the driver cannot enforce (unless
    /// `allow_weak`), or the kernel refuses.
    pub async fn create(&self, spec: BoxSpec) -> Result<LinuxBox, CreateError> {
        let _ = spec;
        todo!()
    }

    /// Whether a snapshot is there (snapshots outlive the process that took them).
    pub fn has_snapshot(&self, id: &SnapshotId) -> bool {
        let _ = id;
        todo!()
    }

    /// Deletes a snapshot. Boxes and snapshots made from it go on to work; its disk space is freed with the last of them.
    /// An unknown id is not an error.
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub async fn delete_snapshot(&self, id: &SnapshotId) -> std::io::Result<()> {
        let _ = id;
        todo!()
    }

    /// Ends every box and the helper process, and waits until they are gone.
    pub async fn close(&self) {
        todo!()
    }
}
