//! The gate: does a run reach what was asked?
//!
//! Each agent is judged for itself. The gate fails closed: a limit that is missed is a failure; where something is missing
//! that the decision rests on, or too few trials were made to tell a drop from chance, it is undecided, never a pass.
//!
//! **Regression.** The mean is taken over the scenarios of the baseline, each once. A drop of at most `max_regression` passes.
//! A larger one fails if it is more than chance: if the permutation test within scenarios gives p ≤ 0.05, so that an agent
//! that did not change fails at most once in twenty runs. If it is not, it passes, unless these scores could not have given
//! such a p in any order: then it is undecided, and more trials decide.
//!
//! **Adaptive trials.** A run that was ended by what its scores say is not one that was planned: the 0.05 is shared out
//! between the looks at its scores ([`look_level`](crate::statistics::look_level)), so that an agent that did not change still
//! fails at most once in twenty runs.

mod cost;
mod judge;
mod limits;
mod regression;
mod saved;
mod text;
mod verdict;

pub use judge::judge;
pub use limits::{Limits, Reference};
pub use saved::FILE;
pub use verdict::{AgentVerdict, Decision, Example, FORMAT, Reason, Regression, ScenarioDifference, Verdict};
