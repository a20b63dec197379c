//! A handle on one devbox.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use runloop_types::{
    DevboxAsyncExecutionDetailView, DevboxExecutionDetailView, DevboxId, DevboxSnapshotView, DevboxView,
    ExecuteAsyncParams, ExecuteParams, ExecutionStatus, SnapshotParams,
};
use uuid::Uuid;

use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, PollingTimeout};
use crate::execution::{ExecResult, Execution};
use crate::execution_stream::OutputKind;
use crate::file_source::FileSource;
use crate::lines::ByLine;
use crate::wait::{Deadline, WaitOptions};

/// Longest time that `execute` holds, in seconds.
const LONGEST_OPTIMISTIC: u64 = 25;

/// An answer may come this much after the hold.
const ANSWER_GRACE: Duration = Duration::from_secs(60);

/// How a command is run to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOptions {
    /// Longest run time; none unless set.
    pub timeout: Option<Duration>,
    /// Whether a command that takes too long is killed, with all that it started; it is, unless set.
    pub kill_on_timeout: bool,
    /// Lines of each output that come with the answer. Longer output takes one more request, so this is large:
    /// 10 000.
    pub last_n: u32,
    /// Most bytes of each output in the result; what is beyond is cut off, and the result says so: 64 MiB.
    pub max_output: usize,
    /// Names the command: the server runs commands of one name only once. A fresh UUIDv7 unless set; used by
    /// [`Devbox::exec`] only.
    pub command_id: Option<String>,
    /// A named shell that keeps its directory and variables (SDK majors 1 and 2).
    pub shell_name: Option<String>,
    /// Whether [`Execution::send_std_in`] will be used; [`Devbox::spawn`] only.
    pub attach_stdin: bool,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self {
            timeout: None,
            kill_on_timeout: true,
            last_n: 10_000,
            max_output: 64 * 1024 * 1024,
            command_id: None,
            shell_name: None,
            attach_stdin: false,
        }
    }
}

impl ExecOptions {
    /// Kills the command after `timeout`.
    pub fn within(timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..Self::default() }
    }

    fn deadline(&self) -> Deadline {
        WaitOptions { timeout: self.timeout }.deadline()
    }
}

/// A handle on one devbox: a client and an id. Making one sends nothing, and dropping one ends nothing: call
/// [`Devbox::shutdown`].
#[derive(Debug, Clone)]
pub struct Devbox {
    client: Client,
    id: DevboxId,
}

impl Devbox {
    pub(crate) fn new(client: Client, id: DevboxId) -> Self {
        Self { client, id }
    }

    /// Its id.
    pub fn id(&self) -> &DevboxId {
        &self.id
    }

    /// The client it uses.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What it is at present.
    pub fn retrieve(&self) -> Call<DevboxView> {
        self.client.devboxes().retrieve(&self.id)
    }

    /// Runs a command to its end, however long that takes, and gives all of its output.
    ///
    /// # Errors
    /// [`Error`]; a command that fails is no error, see [`ExecResult::success`].
    pub async fn exec(&self, command: impl Into<String>) -> Result<ExecResult, Error> {
        self.exec_opts(command, &ExecOptions::default()).await
    }

    /// [`Devbox::exec`] with options.
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
    /// A broken output stream does not fail the command: what did not arrive is still in the result.
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
    /// # Errors
    /// [`Error`] if it cannot be started.
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

    /// Reads a file of UTF-8 text. Paths are absolute, begin with `~/`, or are relative to the home directory.
    pub fn read_file(&self, path: &str) -> Call<String> {
        self.client.devboxes().read_file_contents(&self.id, path)
    }

    /// Creates or overwrites a file of UTF-8 text.
    pub fn write_file(&self, path: &str, contents: &str) -> Call<DevboxExecutionDetailView> {
        self.client.devboxes().write_file_contents(&self.id, path, contents)
    }

    /// Creates or overwrites a file of any bytes.
    pub fn upload(&self, path: &str, file: impl Into<FileSource>) -> Call<()> {
        self.client.devboxes().upload_file(&self.id, path, file)
    }

    /// Reads a file of any bytes into memory.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn download(&self, path: &str) -> Result<Bytes, Error> {
        self.client.devboxes().download_file(&self.id, path).send().await?.bytes().await
    }

    /// Copies a file to a local one, which is created or overwritten; answers its size.
    ///
    /// # Errors
    /// [`Error::File`] if the local file cannot be written.
    pub async fn download_to(&self, path: &str, local: impl AsRef<Path>) -> Result<u64, Error> {
        self.client.devboxes().download_file(&self.id, path).send().await?.save_to(local).await
    }

    /// Takes a snapshot of the disk; answers when it is complete.
    pub fn snapshot(&self, params: &SnapshotParams) -> Call<DevboxSnapshotView> {
        self.client.devboxes().snapshot_disk(&self.id, params)
    }

    /// Suspends: the disk is kept, processes and memory are lost.
    ///
    /// # Errors
    /// [`Error::WrongState`] or [`Error::PollingTimeout`] if it is not suspended in the end.
    pub async fn suspend(&self, options: WaitOptions) -> Result<DevboxView, Error> {
        self.client.devboxes().suspend(&self.id).send().await?;
        self.client.devboxes().await_suspended(&self.id, options).await
    }

    /// Resumes, and waits until it runs.
    ///
    /// # Errors
    /// [`Error::WrongState`] or [`Error::PollingTimeout`] if it does not run in the end.
    pub async fn resume(&self, options: WaitOptions) -> Result<DevboxView, Error> {
        self.client.devboxes().resume(&self.id).send().await?;
        self.client.devboxes().await_running(&self.id, options).await
    }

    /// Waits until it runs.
    ///
    /// # Errors
    /// [`Error::WrongState`] or [`Error::PollingTimeout`].
    pub async fn await_running(&self, options: WaitOptions) -> Result<DevboxView, Error> {
        self.client.devboxes().await_running(&self.id, options).await
    }

    /// Resets the idle clock.
    pub fn keep_alive(&self) -> Call<()> {
        self.client.devboxes().keep_alive(&self.id)
    }

    /// Ends it for good. `force` is needed while a snapshot of it is in progress.
    pub fn shutdown(&self, force: bool) -> Call<DevboxView> {
        self.client.devboxes().shutdown(&self.id, force)
    }
}
