//! A handle on one named shell.

use crate::error::Error;
use crate::execution_stream::OutputKind;
use crate::handles::{Devbox, ExecOptions, ExecResult, Execution};

/// A shell of a devbox that keeps its directory and its environment from command to command. It is made by its first
/// command, and runs one at a time: others queue. SDK 1 and 2.
///
/// ```no_run
/// # async fn example(devbox: runloop_client::Devbox) -> Result<(), runloop_client::Error> {
/// let shell = devbox.shell("build");
/// shell.exec("cd project && export CI=1").await?;
/// let result = shell.exec("pwd; echo $CI").await?;
/// assert_eq!(result.stdout, "/home/user/project\n1\n");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct NamedShell {
    devbox: Devbox,
    name: String,
}

impl Devbox {
    /// A handle on the shell of this name; sends nothing. See [`NamedShell`].
    pub fn shell(&self, name: impl Into<String>) -> NamedShell {
        NamedShell { devbox: self.clone(), name: name.into() }
    }
}

impl NamedShell {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The devbox it is in.
    pub fn devbox(&self) -> &Devbox {
        &self.devbox
    }

    fn here(&self, options: &ExecOptions) -> ExecOptions {
        ExecOptions { shell_name: Some(self.name.clone()), ..options.clone() }
    }

    /// [`Devbox::exec`] in this shell.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// As that.
    pub async fn exec(&self, command: impl Into<String>) -> Result<ExecResult, Error> {
        self.exec_opts(command, &ExecOptions::default()).await
    }

    /// [`Devbox::exec_opts`] in this shell; the time in the queue counts.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// As that.
    pub async fn exec_opts(
        &self,
        command: impl Into<String>,
        options: &ExecOptions,
    ) -> Result<ExecResult, Error> {
        self.devbox.exec_opts(command, &self.here(options)).await
    }

    /// [`Devbox::exec_with`] in this shell.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// As that.
    pub async fn exec_with(
        &self,
        command: impl Into<String>,
        options: &ExecOptions,
        on_output: impl FnMut(OutputKind, &str) + Send,
    ) -> Result<ExecResult, Error> {
        self.devbox.exec_with(command, &self.here(options), on_output).await
    }

    /// [`Devbox::exec_lines`] in this shell.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// As that.
    pub async fn exec_lines(
        &self,
        command: impl Into<String>,
        options: &ExecOptions,
        on_line: impl FnMut(OutputKind, &str) + Send,
    ) -> Result<ExecResult, Error> {
        self.devbox.exec_lines(command, &self.here(options), on_line).await
    }

    /// [`Devbox::spawn`] in this shell.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// As that.
    #[doc(alias = "exec_async")]
    pub async fn spawn(&self, command: impl Into<String>, options: &ExecOptions) -> Result<Execution, Error> {
        self.devbox.spawn(command, &self.here(options)).await
    }
}
