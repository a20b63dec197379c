//! One isolated environment.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::unix::pipe;

use crate::guarantees::Guarantees;
use crate::life::Inner;
use crate::protocol::Request;
use crate::sandbox::CreateError;
use crate::session::{Progress, RequestError, Session};
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
    number: u64,
    progress: Progress,
    session: Arc<Session>,
    /// The box does not end while one of its commands is held.
    _handle: Arc<Handle>,
}

impl Process {
    /// Waits for the command itself (not for processes it left behind, which may still hold its output open).
    /// May be called again and gives the same answer. Cancellation-safe.
    ///
    /// # Errors
    /// When the box died first.
    pub async fn wait(&self) -> Result<ExitStatus, ExecError> {
        let mut progress = self.progress.clone();
        match progress.wait_for(Option::is_some).await {
            Ok(status) => status.ok_or(ExecError::Gone),
            Err(_) => Err(ExecError::Gone),
        }
    }

    /// Sends a signal to the command alone, or to its whole process group. Ended commands are not an error.
    ///
    /// # Errors
    /// When the box is gone.
    pub async fn signal(&self, signal: i32, group: bool) -> Result<(), ExecError> {
        let request = Request::Signal { command: self.number, signal, group };
        match self.session.ask(&request).await {
            // The life of the box that ran it is over, and so is the command.
            Err(RequestError::Gone) if self.progress.borrow().is_some() => Ok(()),
            done => done.map_err(exec_error),
        }
    }
}

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecError {
    /// The box was destroyed, or died.
    #[error("the box is gone")]
    Gone,
    /// The command makes no sense as it is.
    #[error("the command cannot be run: {0}")]
    Invalid(String),
    /// The box could not start it, for lack of processes or memory, say.
    #[error("the box could not do it: {step}")]
    Refused {
        /// What was being done.
        step: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The box had stopped and could not be started again.
    #[error("the box could not be started again")]
    Restart(#[source] Box<CreateError>),
}

/// Why a file operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The box was destroyed, or died.
    #[error("the box is gone")]
    Gone,
    /// The operation failed inside the box.
    #[error("{}: not possible in the box", path.display())]
    Io {
        /// The path as it was given.
        path: PathBuf,
        /// Why: not found, no permission, a directory, not a regular file, ...
        source: io::Error,
    },
    /// The archive is damaged or hostile, or the disk is full.
    #[error("unpacking into {} failed: {reason}", target.display())]
    Archive {
        /// The directory it was to be unpacked into.
        target: PathBuf,
        /// Which entry, and what is wrong with it.
        reason: String,
    },
    /// The box had stopped and could not be started again.
    #[error("the box could not be started again")]
    Restart(#[source] Box<CreateError>),
}

impl FileError {
    /// The kind of the underlying error, to tell "not found" from the rest.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io { source, .. } => source.kind(),
            Self::Gone => io::ErrorKind::BrokenPipe,
            Self::Archive { .. } => io::ErrorKind::InvalidData,
            Self::Restart(_) => io::ErrorKind::Other,
        }
    }
}

/// Why a snapshot failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The box was destroyed, or died.
    #[error("the box is gone")]
    Gone,
    /// Snapshots upon snapshots, more than the kernel can stack, and merging them failed.
    #[error(
        "the box stands on {layers} snapshots, which could not be merged; start a new one from an earlier state"
    )]
    TooManyLayers {
        /// How many there are.
        layers: usize,
    },
    /// Something could not be read or written.
    #[error("{step} failed")]
    Io {
        /// What was being done.
        step: &'static str,
        /// Why.
        source: io::Error,
    },
}

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
    /// The memory limit was hit and processes were killed; of a lost box, its first among them.
    OutOfMemory,
    /// The disk limit was hit and processes were killed.
    OutOfDisk,
    /// The box's first process is gone without having been asked, for no reason that is the box's own.
    Lost,
}

/// A live box. Cheap to clone; all clones are the same box. When the last clone (and the last of its running commands'
/// handles) is dropped, the box ends.
#[derive(Debug, Clone)]
pub struct LinuxBox {
    handle: Arc<Handle>,
}

/// What the clones of a box share; the box ends with it.
#[derive(Debug)]
struct Handle {
    inner: Arc<Inner>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.abandon();
    }
}

impl LinuxBox {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { handle: Arc::new(Handle { inner }) }
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.handle.inner
    }

    /// The home directory of the box's user, as commands inside see it. The process driver has no private root, so
    /// there it is a directory of the host.
    pub fn home(&self) -> &Path {
        self.inner().home()
    }

    /// What this box guarantees.
    pub fn guarantees(&self) -> &Guarantees {
        self.inner().guarantees()
    }

    /// Starts a command in a session and process group of its own.
    ///
    /// # Errors
    /// When the box is gone or cannot fork. A program that does not exist is not an error here: it ends with status 127
    /// and says so on standard error, 126 for one that cannot be executed.
    pub async fn exec(&self, spec: ExecSpec) -> Result<Process, ExecError> {
        let inner = self.inner();
        if spec.argv.is_empty() {
            return Err(ExecError::Invalid("there is no program to run".into()));
        }
        let strings = spec.argv.iter().chain(spec.env.iter().flat_map(|(key, value)| [key, value]));
        if strings.into_iter().any(|text| text.as_encoded_bytes().contains(&0)) {
            return Err(ExecError::Invalid("an argument or variable contains a NUL byte".into()));
        }
        let user = spec.user.as_ref().unwrap_or(&inner.spec.user);
        let null_input = spec.stdin == Stdin::Null;
        let request = Request::Exec {
            env: inner.environment(user, spec.env),
            cwd: spec.cwd.unwrap_or_default(),
            uid: user.uid,
            argv: spec.argv,
            null_input,
        };
        let local = |source: io::Error| ExecError::Refused { step: "making a pipe".into(), source };
        let session =
            inner.session().await.map_err(|error| error.map_or(ExecError::Gone, ExecError::Restart))?;
        let (stdout, their_stdout) = io::pipe().map_err(local)?;
        let (stderr, their_stderr) = io::pipe().map_err(local)?;
        let input = if null_input { None } else { Some(io::pipe().map_err(local)?) };
        let started = {
            let mut fds = vec![their_stdout.as_fd(), their_stderr.as_fd()];
            if let Some((their_stdin, _)) = &input {
                fds.insert(0, their_stdin.as_fd());
            }
            session.start(&request, &fds).await
        };
        let (number, progress) = started.map_err(exec_error)?;
        drop((their_stdout, their_stderr));
        let stdin = match input {
            None => None,
            Some((_, ours)) => Some(pipe::Sender::from_owned_fd(ours.into()).map_err(local)?),
        };
        Ok(Process {
            stdout: Some(pipe::Receiver::from_owned_fd(stdout.into()).map_err(local)?),
            stderr: Some(pipe::Receiver::from_owned_fd(stderr.into()).map_err(local)?),
            stdin,
            number,
            progress,
            session,
            _handle: Arc::clone(&self.handle),
        })
    }

    /// Opens a file inside the box: the path is resolved there, so no link can lead out. Absolute, or relative to the
    /// home directory.
    ///
    /// # Errors
    /// When the path cannot be opened in that mode, or the box is gone.
    pub async fn open(&self, path: &Path, mode: OpenMode) -> Result<File, FileError> {
        let request = match mode {
            OpenMode::Read => Request::Read { path: path.to_owned() },
            OpenMode::Write { mode } => Request::Write { path: path.to_owned(), mode },
        };
        let session = self.session_for_files().await?;
        session.open(&request).await.map_err(|error| file_error(path, error))
    }

    /// Makes a directory and its parents, owned by the box's user.
    ///
    /// # Errors
    /// When a parent is not a directory, or the box is gone.
    pub async fn create_dir_all(&self, path: &Path) -> Result<(), FileError> {
        let session = self.session_for_files().await?;
        let request = Request::MakeDirectories { path: path.to_owned() };
        session.ask(&request).await.map_err(|error| file_error(path, error))
    }

    /// Unpacks an archive into a directory of the box (made if absent), inside the box and as its user. Entries that
    /// would leave the directory (`..`, absolute names, links that lead out) are refused with an error that names them.
    ///
    /// # Errors
    /// When the archive is damaged or hostile, the disk is full, or the box is gone.
    pub async fn unpack(&self, archive: File, format: ArchiveFormat, target: &Path) -> Result<(), FileError> {
        let session = self.session_for_files().await?;
        let local = |source: io::Error| FileError::Io { path: target.to_owned(), source };
        let (complaints, theirs) = io::pipe().map_err(local)?;
        let gzip = format == ArchiveFormat::TarGz;
        let request = Request::Unpack { target: target.to_owned(), gzip };
        let started = session.start(&request, &[archive.as_fd(), theirs.as_fd()]).await;
        let (_, mut progress) = started.map_err(|error| file_error(target, error))?;
        drop(theirs);
        let status = match progress.wait_for(Option::is_some).await {
            Ok(status) => *status,
            Err(_) => return Err(FileError::Gone),
        };
        let reason = match status {
            Some(ExitStatus::Exited(0)) => return Ok(()),
            Some(ExitStatus::Signaled(libc::SIGXFSZ)) => "a file is larger than the disk limit".to_owned(),
            Some(ExitStatus::Signaled(signal)) => format!("it was ended by signal {signal}"),
            _ => self::complaint(complaints).await.unwrap_or_else(|| "no reason was given".to_owned()),
        };
        Err(FileError::Archive { target: target.to_owned(), reason })
    }

    async fn session_for_files(&self) -> Result<Arc<Session>, FileError> {
        self.inner().session().await.map_err(|error| error.map_or(FileError::Gone, FileError::Restart))
    }

    /// Stops every process where it stands.
    ///
    /// # Errors
    /// When the box is gone.
    pub async fn freeze(&self) -> Result<(), ExecError> {
        self.inner().freeze(true).await
    }

    /// Lets frozen processes go on.
    ///
    /// # Errors
    /// When the box is gone.
    pub async fn thaw(&self) -> Result<(), ExecError> {
        self.inner().freeze(false).await
    }

    /// Kills every process in the box, however it hid (sessions, double forks, ignored signals), waits until none is
    /// left, and empties memory file systems. The disk stays. This is the API's `suspend`.
    ///
    /// # Errors
    /// When the box is gone.
    pub async fn kill_all(&self) -> Result<(), ExecError> {
        self.inner().kill_all().await
    }

    /// Begins to start a box that [`LinuxBox::kill_all`] or a snapshot stopped, for a caller who will use it soon. The next
    /// operation waits for that start, and starts the box itself, telling what goes wrong, if it failed. Needs a tokio runtime.
    pub fn warm_up(&self) {
        let inner = Arc::clone(self.inner());
        tokio::spawn(async move { drop(inner.session().await) });
    }

    /// Takes a snapshot of the disk. In constant time when no process runs in the box (after [`LinuxBox::kill_all`], say);
    /// otherwise processes are stopped while the writable layer is copied.
    ///
    /// A box that was idle is started anew by its next operation: what lay in memory file systems (`/run`, `/dev/shm`) is
    /// not kept.
    ///
    /// # Errors
    /// When the disk is full or the box is gone.
    pub async fn snapshot(&self) -> Result<SnapshotId, SnapshotError> {
        self.inner().snapshot().await
    }

    /// What went wrong inside last, if anything. Of a box that is gone unasked: what it was lost to.
    pub fn failure(&self) -> Option<BoxFailure> {
        self.inner().failure()
    }

    /// Resolves when the box is gone, whoever ended it.
    pub async fn gone(&self) {
        self.inner().gone().await;
    }

    /// Kills everything in the box and waits until it is gone. Its writable layer is removed soon after;
    /// [`Sandbox::close`](crate::Sandbox::close) waits for that. May be called again.
    pub async fn destroy(&self) {
        self.inner().destroy().await;
    }

    /// The user that runs commands.
    pub fn user(&self) -> &User {
        &self.inner().spec.user
    }
}

/// The text that an unpacking child left. It has ended, but what it was forked from shares the box with hostile
/// processes: neither endless text nor silence is waited for.
async fn complaint(pipe: io::PipeReader) -> Option<String> {
    use tokio::io::AsyncReadExt;
    let receiver = pipe::Receiver::from_owned_fd(pipe.into()).ok()?;
    let mut text = Vec::new();
    let mut bounded = receiver.take(4096);
    let reading = bounded.read_to_end(&mut text);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), reading).await;
    let text = String::from_utf8_lossy(&text).into_owned();
    (!text.is_empty()).then_some(text)
}

fn exec_error(error: RequestError) -> ExecError {
    match error {
        RequestError::Gone => ExecError::Gone,
        RequestError::Refused(failure) => {
            ExecError::Refused { step: failure.step.clone(), source: failure.into_error() }
        }
        RequestError::Local(source) if source.raw_os_error() == Some(libc::E2BIG) => {
            ExecError::Invalid("arguments and environment are larger than 8 MiB".into())
        }
        RequestError::Local(source) => ExecError::Refused { step: "asking the box".into(), source },
    }
}

fn file_error(path: &Path, error: RequestError) -> FileError {
    match error {
        RequestError::Gone => FileError::Gone,
        RequestError::Refused(failure) => {
            FileError::Io { path: path.to_owned(), source: failure.into_error() }
        }
        RequestError::Local(source) => FileError::Io { path: path.to_owned(), source },
    }
}
