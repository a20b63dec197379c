//! Executions: commands run in a devbox.

use serde::{Deserialize, Serialize};

use crate::{DevboxId, ExecutionId};

open_enum! {
    /// Where an execution is.
    ExecutionStatus {
        /// Waits for its shell.
        Queued = "queued",
        /// Runs.
        Running = "running",
        /// Ended; `exit_status` is set.
        Completed = "completed",
    }
}

impl Default for ExecutionStatus {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// An execution with the tail of its output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxAsyncExecutionDetailView {
    /// The devbox it runs in.
    pub devbox_id: DevboxId,
    /// Its id.
    pub execution_id: ExecutionId,
    /// Where it is.
    pub status: ExecutionStatus,
    /// Exit status, once completed; 128 + signal for a killed command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_status: Option<i32>,
    /// The named shell it runs in (SDK majors 1 and 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell_name: Option<String>,
    /// The last lines of standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<String>,
    /// Whether earlier lines of standard output were cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout_truncated: Option<bool>,
    /// The last lines of standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /// Whether earlier lines of standard error were cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr_truncated: Option<bool>,
}

/// The outcome of a command that was waited for in one call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxExecutionDetailView {
    /// The devbox it ran in.
    pub devbox_id: DevboxId,
    /// Exit status.
    pub exit_status: i32,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
    /// The named shell it ran in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell_name: Option<String>,
}

/// Starts a command and returns at once. Also the body of `execute_sync`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecuteAsyncParams {
    /// A bash command line, run in a login shell in the home directory.
    pub command: String,
    /// Whether `send_std_in` will be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach_stdin: Option<bool>,
    /// A named shell that keeps its directory and variables (SDK majors 1 and 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell_name: Option<String>,
}

/// Starts a command and waits a while for its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecuteParams {
    /// A bash command line.
    pub command: String,
    /// A UUIDv7 made by the client: the same id never starts the command twice.
    pub command_id: String,
    /// Longest wait in seconds: default and maximum 25. The command is not killed when it runs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimistic_timeout: Option<u32>,
    /// A named shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell_name: Option<String>,
}

/// Ends a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KillParams {
    /// Whether the whole process group gets the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_process_group: Option<bool>,
}

open_enum! {
    /// What standard input can be told besides text.
    StdinSignal {
        /// Closes standard input.
        Eof = "EOF",
        /// SIGINT.
        Interrupt = "INTERRUPT",
    }
}

/// Exactly one of text (not empty) and signal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SendStdInParams {
    /// Text for standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A signal instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<StdinSignal>,
}

/// Whether the input arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxSendStdInResult {
    /// The devbox.
    pub devbox_id: DevboxId,
    /// The execution.
    pub execution_id: ExecutionId,
    /// Whether it was written.
    pub success: bool,
}

/// One event of an output stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecutionUpdateChunk {
    /// Text; a chunk never splits a UTF-8 character.
    pub output: String,
    /// Byte position after this chunk: resume here to repeat and lose nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// Path and content of `write_file_contents`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WriteFileContentsParams {
    /// Absolute, below `~/`, or relative to the home directory.
    pub file_path: String,
    /// UTF-8 content.
    pub contents: String,
}

/// Path of `read_file_contents`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadFileContentsParams {
    /// Absolute, below `~/`, or relative to the home directory.
    pub file_path: String,
}

/// Path of `download_file`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DownloadFileParams {
    /// Absolute, below `~/`, or relative to the home directory.
    pub path: String,
}
