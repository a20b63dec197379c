//! Logs and usage of a devbox.

use serde::{Deserialize, Serialize};

use crate::DevboxId;

/// What happened in a devbox, oldest first. Not paged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxLogsListView {
    /// The entries.
    pub logs: Vec<DevboxLog>,
}

/// One entry of a devbox's log: the start of a command, a line of its output, or its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxLog {
    /// `info`, `error`, ...
    pub level: String,
    /// What it comes from.
    pub source: DevboxLogSource,
    /// When it was written.
    pub timestamp_ms: i64,
    /// The command line that was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<String>,
    /// The execution it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd_id: Option<String>,
    /// How the command ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The named shell it ran in. SDK 1 and 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell_name: Option<String>,
    /// A line of output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

open_enum! {
    /// What an entry of a devbox's log comes from.
    DevboxLogSource {
        /// Launch commands and mounts.
        SetupCommands = "setup_commands",
        /// The main process.
        Entrypoint = "entrypoint",
        /// Commands that were asked for.
        Exec = "exec",
        /// Reads and writes of files.
        Files = "files",
        /// Figures of use.
        Stats = "stats",
        /// The kernel.
        Kmsg = "kmsg",
    }
}

untold_by_default!(DevboxLogSource);

/// What a devbox has used so far. Seconds and products of seconds, rounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxResourceUsageView {
    /// The devbox.
    pub id: DevboxId,
    /// Its status, as text.
    pub status: String,
    /// When it was created.
    pub start_time_ms: i64,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time_ms: Option<i64>,
    /// Time since creation, suspended time included.
    pub total_elapsed_seconds: i64,
    /// Time in which it was up.
    pub total_active_seconds: i64,
    /// Cores times active seconds.
    pub vcpu_seconds: i64,
    /// GiB of memory times active seconds.
    pub memory_gb_seconds: i64,
    /// GiB of disk times elapsed seconds.
    pub disk_gb_seconds: i64,
}
