//! How a command is run.

use std::time::Duration;

use crate::wait::{Deadline, WaitOptions};

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
    /// [`Devbox::exec`](crate::Devbox::exec) only.
    pub command_id: Option<String>,
    /// A named shell that keeps its directory and variables (SDK majors 1 and 2).
    pub shell_name: Option<String>,
    /// Whether [`Execution::send_std_in`](crate::Execution::send_std_in) will be used; [`Devbox::spawn`](crate::Devbox::spawn) only.
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

    pub(super) fn deadline(&self) -> Deadline {
        WaitOptions { timeout: self.timeout }.deadline()
    }
}
