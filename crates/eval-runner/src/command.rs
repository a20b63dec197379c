//! Runs a command in a devbox, to its end or its timeout.

use std::time::Duration;

use eval_record::{Capture, Captured};
use runloop_types::{
    DevboxAsyncExecutionDetailView, DevboxId, DevboxStatus, ExecuteParams, ExecutionId, ExecutionStatus,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::patience::{Failures, insist};
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

/// How long after the end of a command's time its state must be known. Later than that, it is unknown what it was then.
const BLIND: Duration = Duration::from_secs(30);

/// How soon a target that is not in trouble tells that a command's time is over.
const PROMPT: Duration = Duration::from_secs(1);

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
        let hold = timeout.min(HOLD).as_secs().max(1);
        let params = ExecuteParams {
            command: line,
            command_id: Uuid::now_v7().to_string(),
            optimistic_timeout: u32::try_from(hold).ok(),
            shell_name: None,
        };
        let outages = self.options.pressure.outages();
        let asked = Instant::now();
        let mut view = insist(|| self.platform.execute(devbox, &params, LINES)).await?;
        let answered = Instant::now();
        // The request may have had to wait before it was sent, but what it asked for has run at least while it was held.
        let began = answered.checked_sub(Duration::from_secs(hold)).map_or(asked, |began| began.max(asked));
        let deadline = began + timeout;
        if self.options.pressure.outages() > outages {
            seen_in_time(answered.saturating_duration_since(asked + timeout))?;
        }
        let execution = view.execution_id.clone();
        let is_over = view.status == ExecutionStatus::Completed
            || self.watch_command(devbox, &mut view, deadline).await?;
        let exit_status = if is_over {
            Some(view.exit_status.unwrap_or(-1))
        } else {
            self.kill_late(devbox, &execution, &mut view, deadline).await?
        };
        if exit_status.is_some_and(|status| status < 0 || status == KILLED) {
            self.still_there(devbox).await?;
        }
        let stdout = self.output(&view, OutputStream::Stdout, output_limit).await?;
        let stderr = self.output(&view, OutputStream::Stderr, output_limit).await?;
        Ok(Ended { exit_status, stdout, stderr })
    }

    /// Waits for the end of a command; `false` if its time was over first.
    async fn watch_command(
        &self,
        devbox: &DevboxId,
        view: &mut DevboxAsyncExecutionDetailView,
        deadline: Instant,
    ) -> Result<bool, PlatformError> {
        let execution = view.execution_id.clone();
        let mut failures = Failures::default();
        while view.status != ExecutionStatus::Completed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let asked = Instant::now();
            let wait = || self.platform.wait_execution(devbox, &execution, left.min(HOLD), LINES);
            match insist(wait).await {
                Ok(Some(answer)) => *view = answer,
                Ok(None) => {
                    failures = Failures::default();
                    pause_if_quick(asked, left).await;
                }
                Err(error) => {
                    if !failures.passed(&error).await {
                        return Err(error);
                    }
                }
            }
        }
        seen_in_time(Instant::now().saturating_duration_since(deadline))?;
        Ok(true)
    }

    /// Kills a command whose time is over. Its exit status if it turns out to have ended by itself, which nobody could see
    /// while the target did not answer.
    async fn kill_late(
        &self,
        devbox: &DevboxId,
        execution: &ExecutionId,
        view: &mut DevboxAsyncExecutionDetailView,
        deadline: Instant,
    ) -> Result<Option<i32>, PlatformError> {
        let killed = self.platform.kill(devbox, execution).await;
        let late = Instant::now().saturating_duration_since(deadline);
        seen_in_time(late)?;
        // What still runs ends when the devbox is suspended. But whoever learns late that the time was over has to know how
        // things stand.
        let excused = |error: PlatformError| {
            if late > PROMPT && error.may_pass() {
                return Err(error);
            }
            tracing::warn!(%devbox, %error, "cannot kill a command that ran out of time");
            Ok(None)
        };
        if let Err(error) = killed {
            return excused(error);
        }
        match insist(|| self.platform.wait_execution(devbox, execution, LAST_WORDS, LINES)).await {
            Ok(Some(answer)) => *view = answer,
            Ok(None) => {}
            Err(error) => return excused(error),
        }
        let has_ended = view.status == ExecutionStatus::Completed && late > PROMPT;
        Ok(view.exit_status.filter(|status| has_ended && (0..KILLED).contains(status)))
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
        if truncated == Some(true) {
            // The view may begin in the middle of anything.
            tail.begins_in_a_cut();
        }
        if !replayable {
            return Ok(tail.finish(&self.masker));
        }
        let whole =
            insist(|| self.platform.output(&view.devbox_id, &view.execution_id, stream, Capture::new(limit)));
        match tokio::time::timeout(REPLAY, whole).await {
            Ok(whole) => Ok(whole?.finish(&self.masker)),
            Err(_) => Ok(tail.finish(&self.masker)),
        }
    }
}

/// A command of which is known only late that it has ended, or that its time was over, had more time than it may have, or
/// ended in time and nobody saw it: no verdict rests on that.
fn seen_in_time(late: Duration) -> Result<(), PlatformError> {
    if late <= BLIND {
        return Ok(());
    }
    let message =
        format!("the target did not answer until {} s after the time of a command was over", late.as_secs());
    Err(PlatformError::new(PlatformErrorKind::Unreachable, message))
}
