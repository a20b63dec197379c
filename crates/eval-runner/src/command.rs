//! Runs a command in a devbox, to its end or its timeout.

use std::time::Duration;

use eval_record::{Capture, Captured};
use runloop_types::{DevboxAsyncExecutionDetailView, DevboxId, DevboxStatus, ExecuteParams, ExecutionStatus};
use tokio::time::Instant;
use uuid::Uuid;

use crate::platform::{OutputStream, Platform, PlatformError, PlatformErrorKind};
use crate::session::{Session, pause_if_quick};

/// Longest hold of an execution.
const HOLD: Duration = Duration::from_secs(25);

/// How long a killed command may take to say its last.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How long the whole output of an ended command may take to arrive.
const REPLAY: Duration = Duration::from_secs(60);

/// Exit status of a command that was killed.
const KILLED: i32 = 128 + 9;

/// Lines of each output that come with the answer; more cost another request.
const LINES: u32 = 1000;

/// What a command did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ended {
    /// `None`: it ran out of time and was killed.
    pub(crate) exit_status: Option<i32>,
    pub(crate) stdout: Captured,
    pub(crate) stderr: Captured,
}

impl Ended {
    /// The end of what it said, errors first, for a message.
    pub(crate) fn tail(&self) -> String {
        let said = [&self.stderr, &self.stdout].map(|captured| captured.tail(1000));
        let said: Vec<&str> = said.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        if said.is_empty() { "it printed nothing".to_owned() } else { said.join("\n") }
    }
}

impl<P: Platform> Session<P> {
    /// Runs a bash command line in the home directory. When its time is over, its process group is killed; what has left
    /// the group lives on until the devbox is suspended.
    pub(crate) async fn command(
        &self,
        devbox: &DevboxId,
        line: String,
        timeout: Duration,
        output_limit: usize,
    ) -> Result<Ended, PlatformError> {
        let deadline = Instant::now() + timeout;
        let hold = timeout.min(HOLD).as_secs().max(1);
        let params = ExecuteParams {
            command: line,
            command_id: Uuid::now_v7().to_string(),
            optimistic_timeout: u32::try_from(hold).ok(),
            shell_name: None,
        };
        let mut view = self.platform.execute(devbox, &params, LINES).await?;
        let execution = view.execution_id.clone();
        let mut timed_out = false;
        while view.status != ExecutionStatus::Completed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                timed_out = true;
                break;
            }
            let asked = Instant::now();
            match self.platform.wait_execution(devbox, &execution, left.min(HOLD), LINES).await? {
                Some(answer) => view = answer,
                None => pause_if_quick(asked, left).await,
            }
        }
        if timed_out {
            // A kill that fails is no reason to give up: whatever still runs ends when the devbox is suspended.
            match self.platform.kill(devbox, &execution).await {
                Ok(()) => {
                    if let Some(answer) =
                        self.platform.wait_execution(devbox, &execution, LAST_WORDS, LINES).await?
                    {
                        view = answer;
                    }
                }
                Err(error) => tracing::warn!(%devbox, %error, "cannot kill a command that ran out of time"),
            }
        }
        let exit_status = if timed_out { None } else { Some(view.exit_status.unwrap_or(-1)) };
        if exit_status.is_some_and(|status| status < 0 || status == KILLED) {
            self.still_there(devbox).await?;
        }
        let stdout = self.output(&view, OutputStream::Stdout, output_limit).await?;
        let stderr = self.output(&view, OutputStream::Stderr, output_limit).await?;
        Ok(Ended { exit_status, stdout, stderr })
    }

    /// A command that was killed may have been killed with its whole devbox, which is nobody's verdict. The target may take
    /// a moment to know of it.
    async fn still_there(&self, devbox: &DevboxId) -> Result<(), PlatformError> {
        let params = ExecuteParams {
            command: "exit 0".to_owned(),
            command_id: Uuid::now_v7().to_string(),
            optimistic_timeout: Some(1),
            shell_name: None,
        };
        let answer = self.platform.execute(devbox, &params, 1).await;
        if answer.is_ok_and(|view| view.exit_status == Some(0)) {
            return Ok(());
        }
        let ended = [DevboxStatus::Failure, DevboxStatus::Shutdown];
        match self.platform.wait_devbox(devbox, &ended, LAST_WORDS).await {
            Ok(Some(view)) if view.status.is_final() => {
                let message = format!("devbox {devbox} ended with the command");
                Err(PlatformError::new(PlatformErrorKind::BadEnd, message))
            }
            _ => Ok(()),
        }
    }

    async fn output(
        &self,
        view: &DevboxAsyncExecutionDetailView,
        stream: OutputStream,
        limit: usize,
    ) -> Result<Captured, PlatformError> {
        let (text, truncated) = match stream {
            OutputStream::Stdout => (&view.stdout, view.stdout_truncated),
            OutputStream::Stderr => (&view.stderr, view.stderr_truncated),
        };
        let mut tail = Capture::new(limit);
        tail.push(text.as_deref().unwrap_or_default().as_bytes());
        // The stream of a command that still runs would not end.
        let replayable = truncated == Some(true) && view.status == ExecutionStatus::Completed;
        if !replayable {
            return Ok(tail.finish(&self.masker));
        }
        let whole = self.platform.output(&view.devbox_id, &view.execution_id, stream, Capture::new(limit));
        match tokio::time::timeout(REPLAY, whole).await {
            Ok(whole) => Ok(whole?.finish(&self.masker)),
            Err(_) => Ok(tail.finish(&self.masker)),
        }
    }
}
