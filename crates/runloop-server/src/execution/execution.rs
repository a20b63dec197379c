//! One command and what is known of it.

use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use runloop_sandbox::{ExecError, ExecSpec, LinuxBox, Process, Sandbox, Stdin, User};
use runloop_types::{DevboxAsyncExecutionDetailView, DevboxId, DevboxLog, ExecutionId, ExecutionStatus};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::sync::{Mutex, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::output_log::OutputLog;
use super::pump::pump;
use crate::clock::now_ms;
use crate::error::{ApiError, ApiResult, without_room};

/// Exit status of a command that was killed: 128 + SIGKILL.
const KILLED: i32 = 137;

const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;

/// How long the output of an ended command must be silent before the command counts as completed while processes that
/// it left behind hold its output open.
const SILENCE: Duration = Duration::from_millis(100);

/// How long to wait for that silence.
const LONGEST_SETTLING: Duration = Duration::from_millis(500);

/// How long a command may let its standard input run full before a send gives up.
const STDIN_PATIENCE: Duration = Duration::from_secs(10);

/// Who asked for a command. In words of the API's logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Launch and suspend commands.
    SetupCommands,
    /// The main process.
    Entrypoint,
    /// A client.
    Exec,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::SetupCommands => "setup_commands",
            Self::Entrypoint => "entrypoint",
            Self::Exec => "exec",
        }
    }
}

/// One of a command's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputStream {
    Stdout,
    Stderr,
}

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// A bash command line.
    pub(crate) line: String,
    pub(crate) attach_stdin: bool,
    pub(crate) source: Source,
    /// Environment below the devbox's own: defaults such as `HOME`.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Who runs it, if not the devbox's user.
    pub(crate) user: Option<User>,
}

/// A command that was started.
#[derive(Debug)]
pub(crate) struct Execution {
    pub(crate) id: ExecutionId,
    devbox_id: DevboxId,
    line: String,
    source: Source,
    start_ms: i64,
    end_ms: AtomicI64,
    stdout: Arc<OutputLog>,
    stderr: Arc<OutputLog>,
    process: Process,
    attach_stdin: bool,
    stdin: Mutex<Option<pipe::Sender>>,
    exit: watch::Sender<Option<i32>>,
    /// Whose room decides what a result is worth.
    sandbox: Sandbox,
    started: std::time::Instant,
    /// What is told instead of the result.
    without_room: OnceLock<ApiError>,
}

impl Execution {
    /// Starts a command in a fresh login shell in the home directory.
    ///
    /// # Errors
    /// When the box is gone or cannot start a process.
    pub(crate) async fn start(
        sandbox: &Sandbox,
        linux_box: &LinuxBox,
        devbox_id: DevboxId,
        id: ExecutionId,
        command: Command,
        output_dir: &Path,
        tasks: &TaskTracker,
    ) -> Result<Arc<Self>, ExecError> {
        let spec = ExecSpec {
            argv: vec!["/bin/bash".into(), "-l".into(), "-c".into(), command.line.clone().into()],
            env: command.env,
            cwd: None,
            user: command.user,
            stdin: if command.attach_stdin { Stdin::Pipe } else { Stdin::Null },
        };
        let start_ms = now_ms();
        let started = std::time::Instant::now();
        let mut process = linux_box.exec(spec).await?;
        // Not named for the execution: a client may have chosen that name.
        let file = Uuid::now_v7().simple();
        let log = |stream| Arc::new(OutputLog::new(output_dir.join(format!("{file}.{stream}"))));
        let (stdout, stderr) = (log("stdout"), log("stderr"));
        let pipes = [(process.stdout.take(), &stdout), (process.stderr.take(), &stderr)];
        let exited = CancellationToken::new();
        let mut drained = Vec::new();
        for (pipe, log) in pipes {
            let Some(pipe) = pipe else {
                log.close();
                continue;
            };
            let (sender, receiver) = oneshot::channel();
            drained.push(receiver);
            tasks.spawn(pump(pipe, Arc::clone(log), exited.clone(), sender));
        }
        let execution = Arc::new(Self {
            id,
            devbox_id,
            line: command.line,
            source: command.source,
            start_ms,
            end_ms: AtomicI64::new(0),
            stdout,
            stderr,
            stdin: Mutex::new(process.stdin.take()),
            process,
            attach_stdin: command.attach_stdin,
            exit: watch::Sender::new(None),
            sandbox: sandbox.clone(),
            started,
            without_room: OnceLock::new(),
        });
        tasks.spawn(Arc::clone(&execution).see_through(exited, drained));
        Ok(execution)
    }

    /// Waits for the command and its output, then marks it completed.
    async fn see_through(self: Arc<Self>, exited: CancellationToken, drained: Vec<oneshot::Receiver<()>>) {
        // A box that died has killed the command.
        let code = self.process.wait().await.map_or(KILLED, |status| status.code());
        exited.cancel();
        for drained in drained {
            // Always an error: the sender is dropped when the pipe is drained.
            let _ = drained.await;
        }
        self.settle().await;
        self.end_ms.store(now_ms(), Ordering::Relaxed);
        *self.stdin.lock().await = None;
        if let Some(error) = without_room(&self.sandbox, self.started) {
            let _ = self.without_room.set(error);
        }
        self.exit.send_replace(Some(code));
    }

    /// Waits until both outputs are closed, or silent while something still holds them open.
    async fn settle(&self) {
        let deadline = Instant::now() + LONGEST_SETTLING;
        let (mut stdout, mut stderr) = (self.stdout.subscribe(), self.stderr.subscribe());
        loop {
            let stdout_closed = stdout.borrow_and_update().closed;
            let stderr_closed = stderr.borrow_and_update().closed;
            if stdout_closed && stderr_closed {
                return;
            }
            tokio::select! {
                _ = stdout.changed(), if !stdout_closed => {}
                _ = stderr.changed(), if !stderr_closed => {}
                () = tokio::time::sleep(SILENCE) => return,
                () = tokio::time::sleep_until(deadline) => return,
            }
        }
    }

    /// The command line.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// One of the outputs.
    pub(crate) fn output(&self, which: OutputStream) -> &Arc<OutputLog> {
        match which {
            OutputStream::Stdout => &self.stdout,
            OutputStream::Stderr => &self.stderr,
        }
    }

    /// 507 if output of the command was lost because the server could not store it, or if the host's disk was full while it
    /// ran. Nothing can be told of such a command:
    /// what is missing could be what it was run for.
    ///
    /// # Errors
    /// That is what it is for.
    pub(crate) fn check_output(&self) -> ApiResult<()> {
        if let Some(error) = self.without_room.get() {
            return Err(error.clone());
        }
        for (name, log) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if let Some(why) = log.lost() {
                return Err(ApiError::out_of_storage(format!(
                    "the {name} of execution `{}` is lost: the server could not store it ({why}); make room where \
                     its data directory is and run the command again",
                    self.id
                )));
            }
        }
        Ok(())
    }

    /// Waits until output is lost, possibly for ever.
    pub(crate) async fn output_lost(&self) {
        let (mut stdout, mut stderr) = (self.stdout.subscribe(), self.stderr.subscribe());
        // Neither sender is dropped while this is borrowed.
        tokio::select! {
            _ = stdout.wait_for(|progress| progress.lost) => {}
            _ = stderr.wait_for(|progress| progress.lost) => {}
        }
    }

    /// Exit status, once completed.
    pub(crate) fn exit_status(&self) -> Option<i32> {
        *self.exit.borrow()
    }

    /// Follows the completion.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<i32>> {
        self.exit.subscribe()
    }

    /// Waits for the completion and answers the exit status.
    pub(crate) async fn completed(&self) -> i32 {
        let mut exit = self.subscribe();
        match exit.wait_for(Option::is_some).await {
            Ok(code) => code.unwrap_or(KILLED),
            Err(_) => KILLED,
        }
    }

    /// Kills the command, or its whole process group, and waits a moment for its completion.
    ///
    /// # Errors
    /// When the box is gone.
    pub(crate) async fn kill(&self, group: bool) -> Result<(), ExecError> {
        const PATIENCE: Duration = Duration::from_secs(2);
        self.process.signal(SIGKILL, group).await?;
        if tokio::time::timeout(PATIENCE, self.completed()).await.is_err() {
            tracing::debug!(execution = %self.id, "a killed command has not completed yet");
        }
        Ok(())
    }

    /// Whether standard input can be sent at all.
    pub(crate) fn has_stdin(&self) -> bool {
        self.attach_stdin
    }

    /// Writes to standard input; false if the command does not take it (any more).
    pub(crate) async fn send_text(&self, text: &str) -> bool {
        let write = async {
            let mut stdin = self.stdin.lock().await;
            match stdin.as_mut() {
                Some(pipe) => pipe.write_all(text.as_bytes()).await.is_ok(),
                None => false,
            }
        };
        tokio::time::timeout(STDIN_PATIENCE, write).await.unwrap_or(false)
    }

    /// Closes standard input; false if it was closed before.
    pub(crate) async fn close_stdin(&self) -> bool {
        self.stdin.lock().await.take().is_some()
    }

    /// Interrupts the command and what it runs, as Ctrl-C at a terminal would; false if it has ended.
    pub(crate) async fn interrupt(&self) -> bool {
        self.exit_status().is_none() && self.process.signal(SIGINT, true).await.is_ok()
    }

    /// The view with the last lines of both outputs.
    ///
    /// # Errors
    /// 507 when output was lost, or the host's disk full.
    pub(crate) fn view(&self, lines: usize) -> ApiResult<DevboxAsyncExecutionDetailView> {
        // Read before the rest: what is completed has all its output, and it is known what that is worth.
        let exit_status = self.exit_status();
        self.check_output()?;
        let (stdout, stderr) = (self.stdout.tail(lines), self.stderr.tail(lines));
        Ok(DevboxAsyncExecutionDetailView {
            devbox_id: self.devbox_id.clone(),
            execution_id: self.id.clone(),
            status: if exit_status.is_some() { ExecutionStatus::Completed } else { ExecutionStatus::Running },
            exit_status,
            shell_name: None,
            stdout: Some(stdout.text),
            stdout_truncated: Some(stdout.truncated),
            stderr: Some(stderr.text),
            stderr_truncated: Some(stderr.truncated),
        })
    }

    /// What the devbox's log tells of this command: its start, its last lines, its end.
    pub(crate) fn log_entries(&self, lines: usize) -> Vec<DevboxLog> {
        let entry = |level: &str, timestamp_ms| DevboxLog {
            level: level.into(),
            source: self.source.as_str().into(),
            timestamp_ms,
            cmd_id: Some(self.id.to_string()),
            ..DevboxLog::default()
        };
        let exit = self.exit_status();
        let end_ms = if exit.is_some() { self.end_ms.load(Ordering::Relaxed) } else { now_ms() };
        let mut entries = vec![DevboxLog { cmd: Some(self.line.clone()), ..entry("info", self.start_ms) }];
        for (level, log) in [("info", &self.stdout), ("error", &self.stderr)] {
            let tail = log.tail(lines);
            entries.extend(
                tail.text
                    .lines()
                    .map(|line| DevboxLog { message: Some(line.to_owned()), ..entry(level, end_ms) }),
            );
        }
        if let Err(error) = self.check_output() {
            entries.push(DevboxLog { message: Some(error.message().to_owned()), ..entry("error", end_ms) });
        }
        if let Some(code) = exit {
            let level = if code == 0 { "info" } else { "error" };
            entries.push(DevboxLog { exit_code: Some(code), ..entry(level, end_ms) });
        }
        entries
    }
}
