//! Where scorers run: anything that can run a command and hand out files.

use std::future::Future;
use std::time::Duration;

/// A devbox seen by a scorer. Paths are relative to the working directory, or absolute.
///
/// An error of a method means that the workspace broke, never that a command failed: it makes the trial invalid.
pub trait Workspace: Send + Sync {
    /// Why the workspace could not do its part.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Runs a bash command line in the working directory and waits for its end or its timeout, after which everything
    /// it started is killed.
    fn exec(&self, command: &Command) -> impl Future<Output = Result<Output, Self::Error>> + Send;

    /// Writes a file, with its parent directories, replacing whatever stands there (also a link).
    fn write(&self, path: &str, content: &[u8]) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Reads a file; `None` if there is none.
    fn read(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, Self::Error>> + Send;

    /// The regular files below a directory whose name ends in one of `extensions` (`.py`), each with its content. Links
    /// are not followed; files over `max_file_bytes` are left out. An absent directory has no files.
    fn files(
        &self,
        directory: &str,
        extensions: &[String],
        max_file_bytes: u64,
    ) -> impl Future<Output = Result<Vec<WorkspaceFile>, Self::Error>> + Send;
}

/// A command of a scorer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// A bash command line.
    pub line: String,
    /// Environment on top of the devbox's.
    pub env: Vec<(String, String)>,
    /// Longest time.
    pub timeout: Duration,
}

/// What a command did. Output is bounded by the workspace, head and tail; the last line is always whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Exit status (128 + signal for a killed command); `None` when it ran out of time.
    pub exit_status: Option<i32>,
    /// Standard output, as it may be shown.
    pub stdout: String,
    /// Standard output word for word, where `stdout` hides something of it.
    pub hidden_stdout: Option<String>,
    /// Standard error.
    pub stderr: String,
    /// Whether something was cut from the middle of standard output: a count of what it says would be wrong then.
    pub stdout_cut: bool,
}

impl Output {
    /// Standard output as a verdict reads it: nothing that is hidden from people may change a score.
    pub(crate) fn answer(&self) -> &str {
        self.hidden_stdout.as_deref().unwrap_or(&self.stdout)
    }
}

/// A file of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceFile {
    /// Relative to the working directory.
    pub path: String,
    /// Its content.
    pub content: Vec<u8>,
}
