//! Executions: commands that run in a devbox, and their output.

mod events;
#[expect(clippy::module_inception, reason = "the type this module is about, beside its helpers")]
mod execution;
mod output_log;
mod pump;
mod table;
mod tail;
mod utf8;

pub(crate) use events::output_events;
pub(crate) use execution::{Command, Execution, OutputStream, Source};
pub(crate) use table::{Executions, StartError};
pub(crate) use tail::{DEFAULT_LINES, parse_last_n};
