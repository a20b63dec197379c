//! Executions: commands run in a devbox.

use std::time::Duration;

use runloop_types::{
    DevboxAsyncExecutionDetailView, DevboxId, DevboxSendStdInResult, ExecutionId, ExecutionStatus,
    KillParams, SendStdInParams, WaitForStatusParams,
};

use crate::call::Call;
use crate::error::{Error, LastValue};
use crate::execution_stream::{ExecutionStream, OutputKind};
use crate::request::Request;
use crate::resources::devbox_commands::with_last_n;
use crate::resources::devboxes::{HOLD_GRACE, check_statuses};
use crate::resources::{refuse, resource};
use crate::wait::{Deadline, WaitOptions, hold};

/// Longest hold that a server grants.
const LONGEST_HOLD: Duration = Duration::from_secs(25);

resource! {
    /// Endpoints of executions; from [`Client::executions`](crate::Client::executions). Commands are started by
    /// [`Devboxes::execute_async`](crate::Devboxes::execute_async) and its like.
    Executions
}

impl Executions {
    /// What an execution is at present, with the last `last_n` (100 unless set) lines of each output. 404 if there is no
    /// such devbox or execution.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(
        &self,
        devbox: impl AsRef<str>,
        execution: impl AsRef<str>,
        last_n: Option<u32>,
    ) -> Call<DevboxAsyncExecutionDetailView> {
        let request = Request::get("/v1/devboxes/{}/executions/{}", &[devbox.as_ref(), execution.as_ref()]);
        self.client.call(request.map(|request| with_last_n(request, last_n)))
    }

    /// One hold: answers as soon as the execution is in one of `statuses`, or fails with 408 after `hold` (at most
    /// 25 s). It is not retried. 400 if a status does not exist or the devbox cannot run commands, 404 if there is no such
    /// devbox or execution. `last_n` is how many lines of each output the answer holds: 100 unless set.
    ///
    /// SDK 1 to 3.
    pub fn wait_for_status(
        &self,
        devbox: impl AsRef<str>,
        execution: impl AsRef<str>,
        statuses: &[ExecutionStatus],
        hold: Duration,
        last_n: Option<u32>,
    ) -> Call<DevboxAsyncExecutionDetailView> {
        let hold = hold.min(LONGEST_HOLD);
        let params =
            WaitForStatusParams { statuses: statuses.to_vec(), timeout_seconds: Some(hold.as_secs_f64()) };
        let path = "/v1/devboxes/{}/executions/{}/wait_for_status";
        let request = check_statuses(statuses)
            .and_then(|()| Request::post(path, &[devbox.as_ref(), execution.as_ref()])?.json(&params));
        self.client.call(
            request.map(|request| with_last_n(request, last_n).timeout(hold + HOLD_GRACE).max_retries(0)),
        )
    }

    /// Waits until an execution is completed, however long that takes.
    ///
    /// # Errors
    /// [`Error::PollingTimeout`] if it takes longer than `options` allow; the command goes on.
    pub async fn await_completed(
        &self,
        devbox: &DevboxId,
        execution: &ExecutionId,
        options: WaitOptions,
        last_n: Option<u32>,
    ) -> Result<DevboxAsyncExecutionDetailView, Error> {
        self.await_completed_until(devbox, execution, options.deadline(), last_n, None).await
    }

    pub(crate) async fn await_completed_until(
        &self,
        devbox: &DevboxId,
        execution: &ExecutionId,
        deadline: Deadline,
        last_n: Option<u32>,
        known: Option<DevboxAsyncExecutionDetailView>,
    ) -> Result<DevboxAsyncExecutionDetailView, Error> {
        hold(
            self.client.transport(),
            deadline,
            LONGEST_HOLD,
            || {
                (
                    format!("execution {execution} to complete"),
                    known.map(|view| LastValue::Execution(Box::new(view))),
                )
            },
            |hold| {
                self.wait_for_status(devbox, execution, &[ExecutionStatus::Completed], hold, last_n).send()
            },
        )
        .await
    }

    /// Kills a command, with all that it started if `process_group` is set; it then completes. 404 if there is no such
    /// devbox or execution.
    ///
    /// SDK 1 to 3.
    pub fn kill(
        &self,
        devbox: impl AsRef<str>,
        execution: impl AsRef<str>,
        process_group: bool,
    ) -> Call<DevboxAsyncExecutionDetailView> {
        let params = KillParams { kill_process_group: process_group.then_some(true) };
        let request =
            Request::post("/v1/devboxes/{}/executions/{}/kill", &[devbox.as_ref(), execution.as_ref()]);
        self.client.call(request.and_then(|request| request.json(&params)))
    }

    /// Writes to standard input, or signals; needs `attach_stdin` at the start. Exactly one of a text that is not empty
    /// and a signal: anything else is refused before it is sent. Never retried, because text that arrived must not arrive
    /// twice. 404 if there is no such devbox or execution.
    ///
    /// SDK 1 to 3.
    pub fn send_std_in(
        &self,
        devbox: impl AsRef<str>,
        execution: impl AsRef<str>,
        params: &SendStdInParams,
    ) -> Call<DevboxSendStdInResult> {
        let path = "/v1/devboxes/{}/executions/{}/send_std_in";
        let request = Request::post(path, &[devbox.as_ref(), execution.as_ref()]);
        let one = matches!((&params.text, &params.signal), (Some(text), None) if !text.is_empty())
            || matches!((&params.text, &params.signal), (None, Some(_)));
        let request = if one {
            request.and_then(|request| request.json(params))
        } else {
            Err(refuse("standard input takes either a text or a signal"))
        };
        self.client.call(request.map(|request| request.max_retries(0)))
    }

    /// Standard output from its beginning, until the command ends.
    ///
    /// SDK 1 to 3.
    pub fn stream_stdout_updates(&self, devbox: &DevboxId, execution: &ExecutionId) -> ExecutionStream {
        ExecutionStream::new(self.client.clone(), devbox.clone(), execution.clone(), OutputKind::Stdout)
    }

    /// Standard error from its beginning, until the command ends.
    ///
    /// SDK 1 to 3.
    pub fn stream_stderr_updates(&self, devbox: &DevboxId, execution: &ExecutionId) -> ExecutionStream {
        ExecutionStream::new(self.client.clone(), devbox.clone(), execution.clone(), OutputKind::Stderr)
    }
}
