//! What the gate says of a run, and why.

use serde::{Deserialize, Serialize};

use crate::Interval;
use crate::compare::Change;

/// Version of [`Verdict`] as JSON; see [`crate::FORMAT`].
pub const FORMAT: u32 = 1;

/// What the gate says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Every limit is reached.
    #[default]
    Pass,
    /// Too much is missing to say.
    Undecided,
    /// A limit is missed.
    Fail,
}

impl Decision {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Undecided => "undecided",
            Self::Fail => "fail",
        }
    }
}

/// The decision on a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// [`FORMAT`].
    pub format: u32,
    /// The worst of all agents.
    pub decision: Decision,
    /// Each agent, in the order of the plan.
    pub agents: Vec<AgentVerdict>,
}

/// The decision on an agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentVerdict {
    /// The agent; empty where a run has none.
    pub agent: String,
    /// The worst of all reasons; a pass without any.
    pub decision: Decision,
    /// Why it is not a pass.
    pub reasons: Vec<Reason>,
    /// The baseline's side; null without one to compare with.
    pub regression: Option<Regression>,
    /// What else there is to know. Sentences.
    pub notes: Vec<String>,
}

/// Why it is not a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What follows of it: a failure, or no decision.
    pub decision: Decision,
    /// Key of the limit, such as `min_score`.
    pub limit: String,
    /// A sentence without a full stop.
    pub message: String,
    /// Where the limit is written, as `FILE:LINE`; null if it is from the command line.
    pub place: Option<String>,
    /// The trials or scenarios it rests on, the worst first.
    pub examples: Vec<Example>,
}

/// A trial or scenario that a reason rests on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The scenario.
    pub scenario: String,
    /// The trial of it, from 1; null where it is about all of them.
    pub repetition: Option<u32>,
    /// What it did. May hold text from a devbox.
    pub message: String,
    /// The line of the baseline, as `FILE:LINE`; null where it is not about the baseline or not known.
    pub place: Option<String>,
    /// Where the scenario is defined, as `FILE:LINE`; null if that is not known.
    #[serde(default)]
    pub source: Option<String>,
    /// Directory of the logs, relative to the run directory.
    pub logs: Option<String>,
}

/// A run against its baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// Scenarios that are compared.
    pub paired: u64,
    /// Their means and the difference, with an interval for other scenarios like these.
    #[serde(flatten)]
    pub change: Change,
    /// Chance of such a drop on these scenarios if nothing has changed.
    pub p: f64,
    /// The drop that trials like these show 4 times of 5; null if they do not vary.
    pub detectable_drop: Option<f64>,
    /// Each compared scenario, the largest drop first.
    #[serde(default)]
    pub scenarios: Vec<ScenarioDifference>,
}

/// A scenario against the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioDifference {
    /// The scenario.
    pub scenario: String,
    /// Mean score in the baseline.
    pub before: f64,
    /// Scored trials in the baseline.
    pub before_trials: u64,
    /// Mean score in the run.
    pub after: f64,
    /// Scored trials in the run.
    pub after_trials: u64,
    /// After − before.
    pub difference: f64,
    /// Its 95 % interval, for other trials of this scenario; see [`crate::statistics::newcombe()`].
    pub interval: Option<Interval>,
    /// The line of the baseline, as `FILE:LINE`; null if it is not known.
    pub place: Option<String>,
}
