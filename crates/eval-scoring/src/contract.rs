//! What a scoring contract asks and what comes of it.

use std::time::Duration;

use runloop_types::{CustomScript, Expect, PassRate, Scorer};
use serde::{Deserialize, Serialize};

/// One scoring function, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSpec {
    /// Its name.
    pub name: String,
    /// Its share of the score; all sum to 1.
    pub weight: f64,
    /// What it does.
    pub scorer: Scorer,
    /// For ast-grep: whether a match is wanted.
    pub expect: Expect,
    /// For test scorers: score by the share of passed tests.
    pub pass_rate: Option<PassRate>,
    /// For custom scorers: the script.
    pub custom_script: Option<CustomScript>,
    /// Its time, after which it gives no score.
    pub timeout: Duration,
    /// For kinds that run a command: a time below that, after which what it checks has failed and scores 0.
    pub fails_after: Option<Duration>,
}

/// What came of one scoring function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionScore {
    /// Its name.
    pub name: String,
    /// Its share of the score.
    pub weight: f64,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: FunctionOutcome,
    /// Why there is no score, in a sentence; `None` when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What it printed, after the message if there is one; bounded.
    pub output: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// How one scoring function ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FunctionOutcome {
    /// It gave a score from 0 to 1.
    Complete {
        /// The score.
        score: f64,
    },
    /// It gave no score, or one outside 0 to 1.
    Error,
    /// It ran out of time.
    Timeout,
}
