//! A handle on one command.

use std::time::Duration;

use futures::future::{Either, select};
use futures::{StreamExt, stream};
use runloop_types::{DevboxAsyncExecutionDetailView, DevboxId, ExecutionId, SendStdInParams, StdinSignal};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::execution_stream::{ExecutionStream, OutputKind};
use crate::handles::{ExecOptions, ExecResult};
use crate::lines::ByLine;
use crate::wait::{Deadline, WaitOptions};

/// After the end of a command, its output streams get this long to deliver what is left.
const STREAM_GRACE: Duration = Duration::from_secs(30);

/// One output of a result.
struct Whole {
    text: String,
    truncated: bool,
    end: Option<String>,
}

/// A handle on one command: a client and two ids. Dropping it does not end the command.
#[derive(Debug, Clone)]
pub struct Execution {
    client: Client,
    devbox: DevboxId,
    id: ExecutionId,
}

impl Execution {
    pub(crate) fn new(client: Client, devbox: DevboxId, id: ExecutionId) -> Self {
        Self { client, devbox, id }
    }

    /// Its id.
    pub fn id(&self) -> &ExecutionId {
        &self.id
    }

    /// The devbox it runs in.
    pub fn devbox_id(&self) -> &DevboxId {
        &self.devbox
    }

    /// What it is at present, with the last lines of its output.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_state")]
    pub fn info(&self) -> Call<DevboxAsyncExecutionDetailView> {
        self.client.executions().retrieve(&self.devbox, &self.id, None)
    }

    /// Waits until it is completed, with the last lines of its output.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::PollingTimeout`] if that takes too long; the command goes on.
    pub async fn wait(&self, options: WaitOptions) -> Result<DevboxAsyncExecutionDetailView, Error> {
        self.client.executions().await_completed(&self.devbox, &self.id, options, None).await
    }

    /// Waits until it is completed, as `options` say, and gives all of its output.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::PollingTimeout`] if that takes too long.
    pub async fn result(&self, options: &ExecOptions) -> Result<ExecResult, Error> {
        let deadline = WaitOptions { timeout: options.timeout }.deadline();
        let view = self.finish(options, deadline, None).await?;
        self.all_output(view, options.max_output).await
    }

    /// [`Execution::result`] while output is handed to `on_output`, from its beginning and as it is printed: see
    /// [`Devbox::exec_with`](crate::Devbox::exec_with).
    ///
    /// ```no_run
    /// # use runloop_client::ExecOptions;
    /// # async fn example(devbox: runloop_client::Devbox) -> Result<(), runloop_client::Error> {
    /// let execution = devbox.spawn("make", &ExecOptions::default()).await?;
    /// let result = execution.result_with(&ExecOptions::default(), |_, text| print!("{text}")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Execution::result`].
    pub async fn result_with(
        &self,
        options: &ExecOptions,
        on_output: impl FnMut(OutputKind, &str) + Send,
    ) -> Result<ExecResult, Error> {
        let deadline = WaitOptions { timeout: options.timeout }.deadline();
        let view = self.finish_streaming(options, deadline, on_output).await?;
        self.all_output(view, options.max_output).await
    }

    /// [`Execution::result`] while each line of output is handed to `on_line`: see
    /// [`Devbox::exec_lines`](crate::Devbox::exec_lines).
    ///
    /// ```no_run
    /// # use runloop_client::ExecOptions;
    /// # async fn example(execution: runloop_client::Execution) -> Result<(), runloop_client::Error> {
    /// execution.result_lines(&ExecOptions::default(), |kind, line| println!("{kind:?}: {line}")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Execution::result`].
    pub async fn result_lines(
        &self,
        options: &ExecOptions,
        on_line: impl FnMut(OutputKind, &str) + Send,
    ) -> Result<ExecResult, Error> {
        let mut lines = ByLine::new(on_line);
        let result = self.result_with(options, |kind, text| lines.push(kind, text)).await;
        lines.finish();
        result
    }

    /// Kills it, with all that it started if `process_group` is set.
    ///
    /// SDK 1 to 3.
    pub fn kill(&self, process_group: bool) -> Call<DevboxAsyncExecutionDetailView> {
        self.client.executions().kill(&self.devbox, &self.id, process_group)
    }

    /// Standard output from its beginning, until the command ends.
    ///
    /// SDK 1 to 3.
    pub fn stdout(&self) -> ExecutionStream {
        self.client.executions().stream_stdout_updates(&self.devbox, &self.id)
    }

    /// Standard error from its beginning, until the command ends.
    ///
    /// SDK 1 to 3.
    pub fn stderr(&self) -> ExecutionStream {
        self.client.executions().stream_stderr_updates(&self.devbox, &self.id)
    }

    /// Writes to standard input; the command must have been started with `attach_stdin`. Never retried: text that
    /// arrived must not arrive twice.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::StdInRefused`] if the server could not deliver it.
    pub async fn send_std_in(&self, text: impl Into<String>) -> Result<(), Error> {
        self.std_in(SendStdInParams { text: Some(text.into()), signal: None }).await
    }

    /// Closes standard input.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Execution::send_std_in`].
    pub async fn close_std_in(&self) -> Result<(), Error> {
        self.std_in(SendStdInParams { text: None, signal: Some(StdinSignal::Eof) }).await
    }

    /// Sends SIGINT through the terminal.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Execution::send_std_in`].
    pub async fn interrupt(&self) -> Result<(), Error> {
        self.std_in(SendStdInParams { text: None, signal: Some(StdinSignal::Interrupt) }).await
    }

    async fn std_in(&self, params: SendStdInParams) -> Result<(), Error> {
        let result = self.client.executions().send_std_in(&self.devbox, &self.id, &params).send().await?;
        if result.success { Ok(()) } else { Err(Error::StdInRefused { execution: self.id.clone() }) }
    }

    /// Waits for the end; kills at the deadline if the options say so.
    pub(crate) async fn finish(
        &self,
        options: &ExecOptions,
        deadline: Deadline,
        known: Option<DevboxAsyncExecutionDetailView>,
    ) -> Result<DevboxAsyncExecutionDetailView, Error> {
        let known = known.unwrap_or_else(|| DevboxAsyncExecutionDetailView {
            devbox_id: self.devbox.clone(),
            execution_id: self.id.clone(),
            ..DevboxAsyncExecutionDetailView::default()
        });
        let executions = self.client.executions();
        let waited = executions.await_completed_until(
            &self.devbox,
            &self.id,
            deadline,
            Some(options.last_n),
            Some(known),
        );
        let result = waited.await;
        if matches!(result, Err(Error::PollingTimeout(_))) && options.kill_on_timeout {
            // The timeout is the news, whatever becomes of the kill.
            if let Err(error) = self.kill(true).await {
                tracing::warn!(execution = %self.id, %error, "command that took too long could not be killed");
            }
        }
        result
    }

    /// [`Execution::finish`] while output is handed to `on_output`.
    pub(crate) async fn finish_streaming(
        &self,
        options: &ExecOptions,
        deadline: Deadline,
        mut on_output: impl FnMut(OutputKind, &str) + Send,
    ) -> Result<DevboxAsyncExecutionDetailView, Error> {
        let stdout = self.stdout().map(|chunk| (OutputKind::Stdout, chunk));
        let stderr = self.stderr().map(|chunk| (OutputKind::Stderr, chunk));
        let mut chunks = stream::select(stdout, stderr);
        let pump = async {
            while let Some((kind, chunk)) = chunks.next().await {
                match chunk {
                    Ok(chunk) => on_output(kind, &chunk.output),
                    Err(error) => tracing::warn!(execution = %self.id, %error, "output stream failed"),
                }
            }
        };
        let finish = std::pin::pin!(self.finish(options, deadline, None));
        let pump = std::pin::pin!(pump);
        match select(finish, pump).await {
            Either::Left((Ok(view), pump)) => {
                // The streams end by themselves; one that does not has lost its server.
                if tokio::time::timeout(STREAM_GRACE, pump).await.is_err() {
                    tracing::warn!(execution = %self.id, "output stream did not end with its command");
                }
                Ok(view)
            }
            Either::Left((Err(error), _)) => Err(error),
            Either::Right(((), finish)) => finish.await,
        }
    }

    /// The result with the whole output: what the view lacks is fetched.
    pub(crate) async fn all_output(
        &self,
        view: DevboxAsyncExecutionDetailView,
        most: usize,
    ) -> Result<ExecResult, Error> {
        let stdout = self.whole(view.stdout, view.stdout_truncated, || self.stdout(), most);
        let stderr = self.whole(view.stderr, view.stderr_truncated, || self.stderr(), most);
        let (stdout, stderr) = futures::future::try_join(stdout, stderr).await?;
        Ok(ExecResult {
            execution_id: self.id.clone(),
            exit_status: view.exit_status,
            stdout: stdout.text,
            stdout_truncated: stdout.truncated,
            stderr: stderr.text,
            stderr_truncated: stderr.truncated,
            stdout_end: stdout.end,
            stderr_end: stderr.end,
        })
    }

    async fn whole(
        &self,
        tail: Option<String>,
        truncated: Option<bool>,
        stream: impl FnOnce() -> ExecutionStream,
        most: usize,
    ) -> Result<Whole, Error> {
        let tail = tail.unwrap_or_default();
        if truncated != Some(true) && tail.len() <= most {
            return Ok(Whole { text: tail, truncated: false, end: None });
        }
        let (text, truncated) = stream().of_completed().head(most).await?;
        Ok(Whole { text, truncated, end: truncated.then_some(tail) })
    }
}
