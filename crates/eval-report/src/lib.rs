//! Statistics and reports over the events of a run.
//!
//! [`SummaryFold`] (or [`Summary::from_events`], of events that are there already) makes of the events of a run, finished or not, the
//! [`Summary`], which is everything that is reported; [`json`], [`csv`],
//! [`junit`], [`markdown`], [`github`], [`html`] and [`table`] write it down. [`mod@compare`] puts two of them side by side,
//! [`gate`] decides on one, also against a committed [`baseline`], and [`outlook`] says whether further trials could change that.
//! Nothing here runs anything or reads a clock: the same events give the same bytes.

mod attempt;
pub mod baseline;
pub mod compare;
pub mod csv;
mod flags;
pub mod gate;
pub mod github;
mod group;
pub mod html;
pub mod json;
pub mod junit;
mod labels;
pub mod markdown;
pub mod outlook;
mod spending;
pub mod statistics;
mod summary;
pub mod table;
mod tally;
mod text;
mod trial;
mod why;

pub use attempt::{Attempt, Span};
pub use group::{AgentRow, Bounds, GroupRow, Measures, PhaseDurations, ScenarioRow};
pub use spending::{Spending, dollars};
pub use statistics::{Interval, MeanInterval, PassK};
pub use summary::{Decided, FORMAT, Run, Summary, SummaryFold};
pub use tally::Tally;
pub use text::one_line;
pub use trial::{Trial, TrialStatus};
pub use why::blame;
