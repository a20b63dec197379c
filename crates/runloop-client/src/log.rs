//! Lines about calls on standard error, for those who ask with `RUNLOOP_LOG`.

use std::fmt::Display;
use std::io::Write as _;

/// How much [`ClientBuilder::log`](crate::ClientBuilder::log) writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LogLevel {
    /// A line for each call.
    Info,
    /// Also one for each attempt that failed and is made again.
    Debug,
}

/// Writes a line, if this level is wanted.
pub(crate) fn line(wanted: Option<LogLevel>, level: LogLevel, what: impl Display) {
    if wanted.is_some_and(|wanted| wanted >= level) {
        // Whoever closed standard error does not want to know.
        let _ = writeln!(std::io::stderr().lock(), "runloop: {what}");
    }
}
