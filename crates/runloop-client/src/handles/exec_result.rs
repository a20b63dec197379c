//! What a command came to.

use runloop_types::ExecutionId;

/// The outcome of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecResult {
    /// Its id.
    pub execution_id: ExecutionId,
    /// Its exit status; 128 + signal for a killed command.
    #[doc(alias = "exit_code")]
    pub exit_status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Whether some of standard output is missing.
    pub stdout_truncated: bool,
    /// Standard error.
    pub stderr: String,
    /// Whether some of standard error is missing.
    pub stderr_truncated: bool,
    /// The last lines of an output whose end is missing above, as the server gave them.
    pub(super) stdout_end: Option<String>,
    pub(super) stderr_end: Option<String>,
}

impl ExecResult {
    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.exit_status == Some(0)
    }

    /// Whether it exited with anything but 0. A command without an exit status neither succeeded nor failed.
    pub fn failed(&self) -> bool {
        self.exit_status.is_some_and(|status| status != 0)
    }

    /// The last `lines` lines of standard output, without line feeds at the end.
    ///
    /// Of output that was longer than [`ExecOptions::max_output`](crate::ExecOptions::max_output) only [`ExecOptions::last_n`](crate::ExecOptions::last_n) lines are known at its
    /// end: more than these are never given.
    ///
    /// ```no_run
    /// # async fn example(devbox: runloop_client::Devbox) -> Result<(), runloop_client::Error> {
    /// let result = devbox.exec("seq 1000000").await?;
    /// assert_eq!(result.last_stdout(2), "999999\n1000000");
    /// # Ok(()) }
    /// ```
    pub fn last_stdout(&self, lines: usize) -> &str {
        last_lines(self.stdout_end.as_deref().unwrap_or(&self.stdout), lines)
    }

    /// The last `lines` lines of standard error; see [`ExecResult::last_stdout`].
    pub fn last_stderr(&self, lines: usize) -> &str {
        last_lines(self.stderr_end.as_deref().unwrap_or(&self.stderr), lines)
    }
}

/// The last lines of a text, without line feeds at its end.
fn last_lines(text: &str, lines: usize) -> &str {
    let text = text.trim_end_matches('\n');
    match lines.checked_sub(1) {
        None => "",
        Some(before) => match text.rmatch_indices('\n').nth(before) {
            Some((at, _)) => &text[at + 1..],
            None => text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_a_text() {
        for (text, lines, last) in [
            ("a\nb\nc\n", 2, "b\nc"),
            ("a\nb\nc", 1, "c"),
            ("a\nb", 9, "a\nb"),
            ("a\n\nb\n\n\n", 2, "\nb"),
            ("a\n", 0, ""),
            ("", 3, ""),
            ("\n\n", 3, ""),
        ] {
            assert_eq!(last_lines(text, lines), last, "{text:?} {lines}");
        }
    }

    #[test]
    fn a_command_without_an_exit_status_neither_succeeded_nor_failed() {
        let result = |exit_status| ExecResult { exit_status, ..ExecResult::default() };
        assert!(!result(None).success() && !result(None).failed());
        assert!(result(Some(0)).success() && !result(Some(0)).failed());
        assert!(!result(Some(3)).success() && result(Some(3)).failed());
    }
}
