//! Agents that run beside the harness and drive their devbox through the API.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eval_record::{Capture, Captured, Masker};
use runloop_types::DevboxId;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::HostAccess;
use crate::command::Ended;
use crate::failure::Failure;

/// How long output may still arrive from a pipe that something outside of the process group holds open.
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

/// Runs a command in a process group of its own, which is killed at the end, whatever the end is.
pub(crate) async fn run(run: HostRun<'_>) -> Result<Ended, Failure> {
    let failed = |doing: &str| {
        let doing = doing.to_owned();
        move |error: std::io::Error| Failure::harness(format!("cannot {doing} the agent: {error}"))
    };
    let directory = tempfile::tempdir().map_err(failed("make a directory for"))?;
    let statement = directory.path().join("problem_statement.md");
    std::fs::write(&statement, run.statement).map_err(failed("write the problem statement for"))?;

    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(run.command)
        .current_dir(&run.access.directory)
        .env_clear()
        .envs(&run.access.environment)
        .envs(&run.environment)
        .env("RUNLOOP_BASE_URL", &run.access.base_url)
        .env("RUNLOOP_API_KEY", &run.access.api_key)
        .env("RUNLOOP_DEVBOX_ID", run.devbox.as_str())
        .env("PROBLEM_STATEMENT_FILE", &statement)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(failed("start"))?;
    let mut group = Group(child.id());
    let stdout = child.stdout.take().map(|pipe| Reader::start(pipe, run.output_limit));
    let stderr = child.stderr.take().map(|pipe| Reader::start(pipe, run.output_limit));

    let exit_status = match timeout(run.timeout, child.wait()).await {
        Ok(status) => Some(code(status.map_err(failed("wait for"))?)),
        Err(_) => {
            group.signal("TERM").await;
            if timeout(run.grace, child.wait()).await.is_err() {
                kill(&mut child).await;
            }
            None
        }
    };
    group.signal("KILL").await;
    group.0 = None;
    let stdout = Reader::finish(stdout, run.masker).await;
    let stderr = Reader::finish(stderr, run.masker).await;
    Ok(Ended { exit_status, stdout, stderr })
}

async fn kill(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "cannot kill an agent beside the harness");
    }
}

/// A process group that ends with this, also when the trial is canceled.
struct Group(Option<u32>);

impl Group {
    /// Through `sh`, whose `kill` takes a group, because the standard library has no safe call for it.
    async fn signal(&self, name: &str) {
        let Some(command) = self.command(name) else { return };
        let mut command = Command::from(command);
        if let Err(error) = command.status().await {
            tracing::warn!(%error, "cannot signal an agent beside the harness");
        }
    }

    fn command(&self, name: &str) -> Option<std::process::Command> {
        let mut command = std::process::Command::new("sh");
        command.arg("-c").arg(format!("kill -{name} -{} 2>/dev/null", self.0?));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(command)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Waited for, so that nothing outlives the trial.
        if let Some(mut command) = self.command("KILL") {
            let _ = command.status();
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

fn code(status: std::process::ExitStatus) -> i32 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    status.code().or(signal.map(|signal| 128 + signal)).unwrap_or(-1)
}
