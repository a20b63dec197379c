//! One trial of a run, with or without a verdict.

use std::collections::BTreeMap;

use eval_record::{
    AgentEnd, Cause, Flag, FlagKind, Phase, PlannedTrial, ScorerScore, TrialKey, TrialResult, TrialState,
    Usage,
};
use serde::{Deserialize, Serialize};

use crate::Attempt;

/// How a trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialStatus {
    /// It has a score.
    Scored,
    /// It has none, and the agent is not to blame.
    Invalid,
    /// The run was interrupted first.
    Canceled,
    /// It has no verdict: the run goes on, or was killed.
    Unfinished,
}

impl TrialStatus {
    /// As in `results.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::Invalid => "invalid",
            Self::Canceled => "canceled",
            Self::Unfinished => "unfinished",
        }
    }
}

/// One trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Scenario, agent and repetition.
    #[serde(flatten)]
    pub key: TrialKey,
    /// How it stands.
    #[serde(rename = "state")]
    pub status: TrialStatus,
    /// 0 to 1; only when scored.
    pub score: Option<f64>,
    /// Whether the score reached the pass mark; only when scored.
    pub passed: Option<bool>,
    /// Why it is invalid, or canceled by the run's time or budget.
    pub cause: Option<Cause>,
    /// What there is to say about it, in a sentence. May hold text from a devbox.
    pub message: Option<String>,
    /// Attempts made.
    pub attempts: u32,
    /// Each attempt with its times, the last one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Attempt>,
    /// Milliseconds of each phase of the last attempt.
    pub durations_ms: BTreeMap<Phase, u64>,
    /// Digest of the scenario.
    pub digest: String,
    /// How the agent ended; null if it did not run.
    pub agent_end: Option<AgentEnd>,
    /// What the agent says it used in all attempts; null where it says nothing.
    pub usage: Option<Usage>,
    /// Each scorer's part.
    pub scores: Vec<ScorerScore>,
    /// Signs that it may not be worth what it says; they change nothing in the verdict.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// Directory of its logs, relative to the run directory.
    pub logs: Option<String>,
    /// Labels of the scenario.
    pub metadata: BTreeMap<String, String>,
}

/// The digest that these trials of a scenario have, if they share one: a run that went on over changed definitions may
/// have trials of both.
pub(crate) fn shared_digest<'a>(trials: &[&'a Trial]) -> Option<&'a str> {
    let first = trials.first()?.digest.as_str();
    trials.iter().all(|trial| trial.digest == first).then_some(first)
}

impl Trial {
    pub(crate) fn planned(planned: &PlannedTrial) -> Self {
        Self {
            digest: planned.digest.clone(),
            metadata: planned.metadata.clone(),
            ..Self::unfinished(planned.trial.clone())
        }
    }

    /// A trial that nothing is known of.
    pub(crate) fn unfinished(key: TrialKey) -> Self {
        Self {
            key,
            status: TrialStatus::Unfinished,
            score: None,
            passed: None,
            cause: None,
            message: None,
            attempts: 0,
            history: Vec::new(),
            durations_ms: BTreeMap::new(),
            digest: String::new(),
            agent_end: None,
            usage: None,
            scores: Vec::new(),
            flags: Vec::new(),
            logs: None,
            metadata: BTreeMap::new(),
        }
    }

    /// Begins an attempt. Those with its number or a later one are not the trial's any more: a run that was resumed makes them
    /// again.
    pub(crate) fn begin(&mut self, attempt: u32, at_ms: i64) {
        if self.status == TrialStatus::Unfinished {
            self.attempts = self.attempts.max(attempt);
        }
        self.history.retain(|earlier| earlier.attempt < attempt);
        // Most trials have one, and a run has very many trials.
        self.history.reserve_exact(1);
        self.history.push(Attempt::started(attempt, at_ms));
    }

    /// Takes a verdict; a later one replaces an earlier one.
    pub(crate) fn finish(&mut self, result: &TrialResult) {
        let score = result.score.filter(|score| (0.0..=1.0).contains(score));
        let (status, cause, message) = match (result.state, score) {
            (TrialState::Scored, Some(_)) => (TrialStatus::Scored, None, result.message.clone()),
            // Cannot be, and must not become a zero.
            (TrialState::Scored, None) => {
                let message = format!("its score is no number from 0 to 1: {:?}", result.score);
                (TrialStatus::Invalid, Some(Cause::HarnessError), Some(message))
            }
            (TrialState::Invalid, _) => (TrialStatus::Invalid, result.cause, result.message.clone()),
            (TrialState::Canceled, _) => (TrialStatus::Canceled, result.cause, result.message.clone()),
        };
        let scored = status == TrialStatus::Scored;
        *self = Self {
            key: result.trial.clone(),
            status,
            score: score.filter(|_| scored),
            passed: scored.then(|| result.passed.unwrap_or(false)),
            cause,
            message,
            attempts: result.attempts,
            history: std::mem::take(&mut self.history),
            durations_ms: result.durations_ms.clone(),
            digest: result.digest.clone(),
            agent_end: result.agent_end,
            usage: result.usage,
            scores: result.scores.clone(),
            flags: result.flags.clone(),
            logs: result.logs.clone(),
            metadata: std::mem::take(&mut self.metadata),
        };
    }

    /// The kinds of its flags, each once, in their order.
    pub fn flag_kinds(&self) -> Vec<FlagKind> {
        let mut kinds: Vec<FlagKind> = self.flags.iter().map(|flag| flag.kind).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// Milliseconds of all phases of the last attempt.
    pub fn duration_ms(&self) -> u64 {
        self.durations_ms.values().fold(0, |sum, ms| sum.saturating_add(*ms))
    }
}
