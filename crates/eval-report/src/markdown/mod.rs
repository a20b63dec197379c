//! `summary.md`: a run for a step summary or a comment on GitHub or GitLab.
//!
//! A headline, what the gate decided and why, a row for each agent, a row for each scenario, and a line for each failed and each invalid trial with its
//! cause and the path of its logs. At most [`LIMIT`] bytes, less than a comment may have.
//!
//! Everything that somebody else wrote (names, messages, paths) stands in code spans, where nothing is markup, a link, a
//! mention or a reference. A code span ends at a backtick and a cell of a table at a `|`, even in a code span, so these
//! become `'` and `¦`.

mod code;
mod gate;
mod page;

pub use gate::render as render_gate;
pub use page::{LIMIT, render, write};
