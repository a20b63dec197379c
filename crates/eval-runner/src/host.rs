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
    let processes = Processes { group: child.id(), mark: format!("RUNLOOP_DEVBOX_ID={}", run.devbox) };
    let stdout = child.stdout.take().map(|pipe| Reader::start(pipe, run.output_limit));
    let stderr = child.stderr.take().map(|pipe| Reader::start(pipe, run.output_limit));

    let exit_status = match timeout(run.timeout, child.wait()).await {
        Ok(status) => Some(code(status.map_err(failed("wait for"))?)),
        Err(_) => {
            processes.ask().await;
            if timeout(run.grace, child.wait()).await.is_err() {
                kill(&mut child).await;
            }
            None
        }
    };
    // Its drop ends them.
    if let Err(error) = tokio::task::spawn_blocking(move || drop(processes)).await {
        tracing::warn!(%error, "cannot end an agent beside the harness");
    }
    let stdout = Reader::finish(stdout, run.masker).await;
    let stderr = Reader::finish(stderr, run.masker).await;
    Ok(Ended { exit_status, stdout, stderr })
}

async fn kill(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "cannot kill an agent beside the harness");
    }
}

/// All that an agent started: its process group, and what left the group but still carries the devbox's id in its
/// environment. Ends with this, also when the trial is canceled. A process that left the group *and* emptied its environment
/// is not found: an agent beside the harness is the user's own program, trusted as such.
struct Processes {
    group: Option<u32>,
    mark: String,
}

impl Processes {
    /// Asks the group to end.
    async fn ask(&self) {
        let Some(group) = self.group else { return };
        let mut command = Command::from(kill_command("TERM", &format!("-{group}")));
        if let Err(error) = command.status().await {
            tracing::warn!(%error, "cannot signal an agent beside the harness");
        }
    }
}

impl Drop for Processes {
    /// Blocks for a moment, so that nothing outlives the trial.
    fn drop(&mut self) {
        let kill = |target: &str| {
            if let Err(error) = kill_command("KILL", target).status() {
                tracing::warn!(%error, "cannot kill an agent beside the harness");
            }
        };
        if let Some(group) = self.group {
            kill(&format!("-{group}"));
        }
        // What is killed may just have started something.
        for _ in 0..5 {
            let strays = strays(&self.mark);
            if strays.is_empty() {
                return;
            }
            kill(&strays.join(" "));
        }
    }
}

/// Through `sh`, whose `kill` takes groups, because the standard library has no safe call for that.
fn kill_command(signal: &str, targets: &str) -> std::process::Command {
    let mut command = std::process::Command::new("sh");
    command.arg("-c").arg(format!("kill -{signal} {targets} 2>/dev/null"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Ids of the processes that live with this entry in the environment they were started with. Only Linux tells.
fn strays(mark: &str) -> Vec<String> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let is_stray = |id: &String| {
        std::fs::read(format!("/proc/{id}/environ")).is_ok_and(|environment| {
            environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
        })
    };
    ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())).filter(is_stray).collect()
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
