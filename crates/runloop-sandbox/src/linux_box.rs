//! One isolated environment.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use tokio::net::unix::pipe;

use crate::guarantees::Guarantees;
use crate::spec::{SnapshotId, User};

/// A command to run in a box.
#[derive(Debug, Clone, Default)]
pub struct ExecSpec {
    /// Program and arguments; the program is looked up in the command's `PATH`.
    pub argv: Vec<OsString>,
    /// Environment on top of the box's.
    pub env: Vec<(OsString, OsString)>,
    /// Working directory, absolute or relative to the home directory; `None` for the home directory.
    pub cwd: Option<PathBuf>,
    /// Who runs it; `None` for the box's user.
    pub user: Option<User>,
    /// Where standard input comes from.
    pub stdin: Stdin,
}

/// Where a command's standard input comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Null,
    /// A pipe that the caller writes.
    Pipe,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It exited with this status.
    Exited(i32),
    /// This signal killed it.
    Signaled(i32),
}

impl ExitStatus {
    /// As a shell reports it: the status, or 128 + signal.
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signaled(signal) => 128 + signal,
        }
    }
}

/// A running command. It goes on when this is dropped; it ends with its box at the latest.
#[derive(Debug)]
pub struct Process {
    /// Standard output; `None` once taken.
    pub stdout: Option<pipe::Receiver>,
    /// Standard error; `None` once taken.
    pub stderr: Option<pipe::Receiver>,
    /// Standard input, for [`Stdin::Pipe`]; `None` once taken.
    pub stdin: Option<pipe::Sender>,
}

impl Process {
    /// Waits for the command itself (not for processes it left behind, which may still hold its output open).
    /// May be called again and gives the same answer. Cancellation-safe.
    ///
    /// # Errors
    /// When the box died first.
    pub async fn wait(&self) -> Result<ExitStatus, ExecError> {
        todo!()
    }

    /// Sends a signal to the command alone, or to its whole process group. Ended commands are not an error.
    ///
    /// # Errors
    /// When the box is gone.
    pub async fn signal(&self, signal: i32, group: bool) -> Result<(), ExecError> {
        let _ = (signal, group);
        todo!()
    }
}

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecError {}

/// Why a file operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {}

/// Why a snapshot failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// For reading; a directory or special file is an error, so that a pipe planted in the box blocks nobody.
    Read,
    /// Created or emptied, for writing; missing parent directories are made. Owned by the box's user.
    Write {
        /// Permission bits of a new file, such as `0o644`.
        mode: u32,
    },
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// Plain tar.
    Tar,
    /// Gzipped tar.
    TarGz,
}

/// What went wrong inside a box, found by the watcher or the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoxFailure {
    /// The memory limit was hit and processes were killed.
    OutOfMemory,
    /// The disk limit was hit and processes were killed.
    OutOfDisk,
    /// The box's first process is gone without having been asked.
    Lost,
}

/// A live box. Cheap to clone; all clones are the same box.
#[derive(Debug, Clone)]
pub struct LinuxBox {}

impl LinuxBox {
    /// The home directory of the box's user, as commands inside see it. The process driver has no private root, so
    /// there it is a directory of the host.
    pub fn home(&self) -> &Path {
        todo!()
    }

    /// What this box guarantees.
    pub fn guarantees(&self) -> &Guarantees {
        todo!()
    }

    /// Starts a command in a session and process group of its own.
    ///
    /// # Errors
    /// When the box is gone or cannot fork. A program that does not exist is not an error here: it ends with status 127
    /// and says so on standard error, 126 for one that cannot be executed.
    pub async fn exec(&self, spec: ExecSpec) -> Result<Process, ExecError> {
        let _ = spec;
        todo!()
    }

    /// Opens a file inside the box: the path is resolved there, so no link can lead out. Absolute, or relative to the
    /// home directory.
    ///
    /// # Errors
    /// When the path cannot be opened in that mode, or the box is gone.
    pub async fn open(&self, path: &Path, mode: OpenMode) -> Result<File, FileError> {
        let _ = (path, mode);
        todo!()
    }

    /// Makes a directory and its parents, owned by the box's user.
    ///
    /// # Errors
    /// When a parent is not a directory, or the box is gone.
    pub async fn create_dir_all(&self, path: &Path) -> Result<(), FileError> {
        let _ = path;
        todo!()
    }

    /// Unpacks an archive into a directory of the box (made if absent), inside the box and as its user. Entries that
    /// would leave the directory (`..`, absolute names, links that lead out) are refused with an error that names them.
    ///
    /// # Errors
    /// When the archive is damaged or hostile, the disk is full, or the box is gone.
    pub async fn unpack(&self, archive: File, format: ArchiveFormat, target: &Path) -> Result<(), FileError> {
        let _ = (archive, format, target);
        todo!()
    }

    /// Stops every process where it stands.
    ///
    /// # Errors
    /// When the box is gone.
    pub async fn freeze(&self) -> Result<(), ExecError> {
        todo!()
    }

    /// Lets frozen processes go on.
    ///
    /// # Errors
    /// When the box is gone.
    pub async fn thaw(&self) -> Result<(), ExecError> {
        todo!()
    }

    /// Kills every process in the box, however it hid (sessions, double forks, ignored signals), waits until none is
    /// left, and empties memory file systems. The disk stays. This is the API's `suspend`.
    ///
    /// # Errors
    /// When the box is gone.
    pub async fn kill_all(&self) -> Result<(), ExecError> {
        todo!()
    }

    /// Takes a snapshot of the disk. In constant time when no process runs in the box (after [`LinuxBox::kill_all`], say);
    /// otherwise processes are stopped while the writable layer is copied.
    ///
    /// # Errors
    /// When the disk is full or the box is gone.
    pub async fn snapshot(&self) -> Result<SnapshotId, SnapshotError> {
        todo!()
    }

    /// What went wrong inside so far, if anything.
    pub fn failure(&self) -> Option<BoxFailure> {
        todo!()
    }

    /// Resolves when the box is gone, whoever ended it.
    pub async fn gone(&self) {
        todo!()
    }

    /// Kills everything in the box, waits until it is gone, deletes its writable layer. May be called again.
    pub async fn destroy(&self) {
        todo!()
    }

    /// The user that runs commands.
    pub fn user(&self) -> &User {
        todo!()
    }
}
