//! Agents that run beside the harness and drive their devbox through the API.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use eval_record::{Capture, Captured, Masker};
use runloop_types::DevboxId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::HostAccess;
use crate::command::Ended;
use crate::failure::Failure;
use crate::supervisor::{self, LAST_BREATH, Report};

/// How long output may still arrive from a pipe that something outside of the agent holds open.
const DRAIN: Duration = Duration::from_secs(1);

/// What an agent beside the harness is started with.
pub(crate) struct HostRun<'a> {
    pub(crate) access: &'a HostAccess,
    pub(crate) command: &'a str,
    pub(crate) devbox: &'a DevboxId,
    pub(crate) statement: &'a str,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) timeout: Duration,
    /// Between asking it to end and ending it.
    pub(crate) grace: Duration,
    pub(crate) output_limit: usize,
    pub(crate) masker: &'a Masker,
}

/// Runs a command under a supervisor, which ends all that it started, whatever the end is.
pub(crate) async fn run(run: HostRun<'_>) -> Result<Ended, Failure> {
    let directory = tempfile::tempdir().map_err(failed("make a directory for"))?;
    let statement = directory.path().join("problem_statement.md");
    std::fs::write(&statement, run.statement).map_err(failed("write the problem statement for"))?;

    let mut command = supervisor::command(run.command, directory.path()).ok_or_else(|| {
        Failure::harness("agents beside the harness need a `main` that calls eval_runner::init() first")
    })?;
    command
        .current_dir(&run.access.directory)
        .env_clear()
        .envs(&run.access.environment)
        .envs(&run.environment)
        .env("RUNLOOP_BASE_URL", &run.access.base_url)
        .env("RUNLOOP_API_KEY", &run.access.api_key)
        .env("RUNLOOP_DEVBOX_ID", run.devbox.as_str())
        .env("PROBLEM_STATEMENT_FILE", &statement);
    let mut supervised = Supervised::start(command).map_err(failed("start"))?;
    let stdout = supervised.child.stdout.take().map(|pipe| Reader::start(pipe, run.output_limit));
    let stderr = supervised.child.stderr.take().map(|pipe| Reader::start(pipe, run.output_limit));

    let (report, is_late) = match timeout(run.timeout, supervised.report()).await {
        Ok(report) => (report, false),
        Err(_) => {
            supervised.ask().await;
            let report = match timeout(run.grace, supervised.report()).await {
                Ok(report) => report,
                Err(_) => supervised.end().await,
            };
            (report, true)
        }
    };
    let exit_status = match report {
        Ok(Report::Ended { exit_status, is_left }) => {
            if is_left {
                tracing::warn!(devbox = %run.devbox, "not all of an agent beside the harness could be ended");
            }
            exit_status
        }
        Ok(Report::NotStarted(why)) => {
            return Err(Failure::harness(format!("cannot start the agent: {why}")));
        }
        Err(error) => return Err(failed("supervise")(error)),
    };
    let stdout = Reader::finish(stdout, run.masker).await;
    let stderr = Reader::finish(stderr, run.masker).await;
    Ok(Ended { exit_status: (!is_late).then_some(exit_status), stdout, stderr })
}

fn failed(doing: &str) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::harness(format!("cannot {doing} the agent: {error}"))
}

/// An agent under its supervisor. Ends with this, also when the trial is canceled.
struct Supervised {
    child: Child,
    /// Another handle of the socket's, for when nobody can await.
    socket: std::os::unix::net::UnixStream,
    orders: OwnedWriteHalf,
    reports: Lines<BufReader<OwnedReadHalf>>,
}

impl Supervised {
    fn start(mut command: std::process::Command) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped());
        ours.set_nonblocking(true)?;
        let socket = ours.try_clone()?;
        let (reports, orders) = UnixStream::from_std(ours)?.into_split();
        let child = Command::from(command).spawn()?;
        Ok(Self { child, socket, orders, reports: BufReader::new(reports).lines() })
    }

    /// How the agent ended, once it did and nothing is left of it. Goes on where it was when it is called again.
    async fn report(&mut self) -> io::Result<Report> {
        match self.reports.next_line().await? {
            Some(line) => Ok(serde_json::from_str(&line)?),
            None => Err(io::Error::other("its supervisor died")),
        }
    }

    /// Asks the agent's process group to end.
    async fn ask(&mut self) {
        // A supervisor that is gone already needs no order.
        let _ = self.orders.write_all(b"t").await;
    }

    /// Ends the agent and all it started.
    async fn end(&mut self) -> io::Result<Report> {
        let _ = self.orders.shutdown().await;
        match timeout(LAST_BREATH.saturating_mul(2), self.report()).await {
            Ok(report) => report,
            Err(_) => Err(io::Error::other("its supervisor does not end it")),
        }
    }
}

impl Drop for Supervised {
    /// Blocks for the moment that the supervisor takes, so that nothing outlives the trial.
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Write);
        let deadline = Instant::now() + LAST_BREATH;
        loop {
            match self.socket.read(&mut [0; 256]) {
                Ok(1..) => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return,
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(left) = Timespec::try_from(left) else { return };
            let mut awaited = [PollFd::new(&self.socket, PollFlags::IN)];
            if !matches!(poll(&mut awaited, Some(&left)), Ok(1..) | Err(Errno::INTR)) {
                tracing::warn!("not all of an agent beside the harness could be ended");
                return;
            }
        }
    }
}

/// Reads a pipe to its end. What was read so far is at hand at any time, for a pipe that something keeps open.
struct Reader {
    capture: Arc<Mutex<Capture>>,
    task: JoinHandle<()>,
}

impl Reader {
    fn start(mut pipe: impl AsyncRead + Unpin + Send + 'static, limit: usize) -> Self {
        let capture = Arc::new(Mutex::new(Capture::new(limit)));
        let shared = Arc::clone(&capture);
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
                shared.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..count]);
            }
        });
        Self { capture, task }
    }

    async fn finish(reader: Option<Self>, masker: &Masker) -> Captured {
        let Some(mut reader) = reader else { return Captured::default() };
        if timeout(DRAIN, &mut reader.task).await.is_err() {
            reader.task.abort();
        }
        let capture = reader.capture.lock().unwrap_or_else(PoisonError::into_inner).clone();
        capture.finish(masker)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}
