//! Commands of a devbox.

use std::time::Duration;

use runloop_types::{DevboxAsyncExecutionDetailView, ExecuteAsyncParams, ExecuteParams, ExecutionStatus};
use uuid::Uuid;

use crate::error::{Error, PollingTimeout};
use crate::execution_stream::OutputKind;
use crate::handles::{Devbox, ExecOptions, ExecResult, Execution};
use crate::lines::ByLine;
use crate::wait::Deadline;

/// Longest time that `execute` holds, in seconds.
const LONGEST_OPTIMISTIC: u64 = 25;

/// An answer may come this much after the hold.
const ANSWER_GRACE: Duration = Duration::from_secs(60);

impl Devbox {
    /// Runs a command to its end, however long that takes, and gives all of its output.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error`]; a command that fails is no error, see [`ExecResult::success`].
    pub async fn exec(&self, command: impl Into<String>) -> Result<ExecResult, Error> {
        self.exec_opts(command, &ExecOptions::default()).await
    }

    /// [`Devbox::exec`] with options.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::PollingTimeout`] if the command takes too long; its last value has the execution's id.
    pub async fn exec_opts(
        &self,
        command: impl Into<String>,
        options: &ExecOptions,
    ) -> Result<ExecResult, Error> {
        let deadline = options.deadline();
        let view = self.execute(command.into(), options, deadline).await?;
        let execution = self.execution(view.execution_id.clone());
        let view = match view.status {
            ExecutionStatus::Completed => view,
            _ => execution.finish(options, deadline, Some(view)).await?,
        };
        execution.all_output(view, options.max_output).await
    }

    /// The first call: starts the command and often sees its end.
    async fn execute(
        &self,
        command: String,
        options: &ExecOptions,
        deadline: Deadline,
    ) -> Result<DevboxAsyncExecutionDetailView, Error> {
        let hold = deadline.left(Duration::from_secs(LONGEST_OPTIMISTIC));
        // Whole seconds, and no more than are left: what remains is waited for by the next call.
        let seconds = u32::try_from(hold.as_secs().max(1)).unwrap_or(u32::MAX);
        let params = ExecuteParams {
            command,
            command_id: options.command_id.clone().unwrap_or_else(|| Uuid::now_v7().to_string()),
            // Unset means the longest hold.
            optimistic_timeout: (u64::from(seconds) < LONGEST_OPTIMISTIC).then_some(seconds),
            shell_name: options.shell_name.clone(),
        };
        let call = self.client.devboxes().execute(&self.id, &params, Some(options.last_n));
        let call = call.timeout(Duration::from_secs(LONGEST_OPTIMISTIC) + ANSWER_GRACE).send();
        let Some(most) = options.timeout.and_then(|timeout| timeout.checked_add(Duration::from_secs(5)))
        else {
            return call.await;
        };
        match tokio::time::timeout(most, call).await {
            Ok(answer) => answer,
            Err(_) => {
                if options.kill_on_timeout {
                    // It never told its id. Servers may use the command's: worth one try.
                    let _ = self.execution(params.command_id.as_str()).kill(true).max_retries(0).send().await;
                }
                Err(Error::PollingTimeout(Box::new(PollingTimeout {
                    what: format!("command {} in devbox {}", params.command_id, self.id),
                    waited: most,
                    attempts: 1,
                    last_value: None,
                })))
            }
        }
    }

    /// Runs a command to its end and hands its output to `on_output` as it is printed, in pieces that need not be lines.
    ///
    /// A broken output stream does not fail the command: what did not arrive is still in the result. If `on_output` panics,
    /// that is the caller's panic; the command goes on.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Devbox::exec_opts`].
    pub async fn exec_with(
        &self,
        command: impl Into<String>,
        options: &ExecOptions,
        on_output: impl FnMut(OutputKind, &str) + Send,
    ) -> Result<ExecResult, Error> {
        let deadline = options.deadline();
        let execution = self.spawn(command, options).await?;
        let view = execution.finish_streaming(options, deadline, on_output).await?;
        execution.all_output(view, options.max_output).await
    }

    /// [`Devbox::exec_with`] line by line: `on_line` gets each line of each output without its end, as soon as that is
    /// printed, and at last what has no end. What a line is, [`LineSplitter`](crate::LineSplitter) tells.
    ///
    /// ```no_run
    /// # use runloop_client::{Devbox, ExecOptions};
    /// # async fn example(devbox: Devbox) -> Result<(), runloop_client::Error> {
    /// devbox.exec_lines("make", &ExecOptions::default(), |kind, line| println!("{kind:?}: {line}")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Devbox::exec_opts`].
    pub async fn exec_lines(
        &self,
        command: impl Into<String>,
        options: &ExecOptions,
        on_line: impl FnMut(OutputKind, &str) + Send,
    ) -> Result<ExecResult, Error> {
        let mut lines = ByLine::new(on_line);
        let result = self.exec_with(command, options, |kind, text| lines.push(kind, text)).await;
        lines.finish();
        result
    }

    /// Starts a command and gives a handle on it at once.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error`] if it cannot be started.
    #[doc(alias = "exec_async")]
    pub async fn spawn(&self, command: impl Into<String>, options: &ExecOptions) -> Result<Execution, Error> {
        let params = ExecuteAsyncParams {
            command: command.into(),
            attach_stdin: options.attach_stdin.then_some(true),
            shell_name: options.shell_name.clone(),
        };
        let view = self.client.devboxes().execute_async(&self.id, &params).send().await?;
        Ok(self.execution(view.execution_id))
    }

    /// A handle on a command that runs or ran in this devbox; sends nothing.
    pub fn execution(&self, id: impl Into<runloop_types::ExecutionId>) -> Execution {
        Execution::new(self.client.clone(), self.id.clone(), id.into())
    }
}
