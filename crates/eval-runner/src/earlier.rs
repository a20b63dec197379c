//! What an earlier part of a run came to.

use std::collections::{BTreeMap, HashMap};

use eval_record::{History, Ledger, Outcome, Spent, TrialKey, TrialState};

/// What a run goes on from.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// Verdicts that stand: their trials are not repeated.
    pub verdicts: BTreeMap<TrialKey, Outcome>,
    /// Trials of rounds that were planned, in their order: they are part of the plan.
    pub announced: Vec<TrialKey>,
    /// The last attempt at each trial that has none; the next one has the number after it.
    pub attempts: HashMap<TrialKey, u32>,
    /// What may have been left at the target; it is ended first.
    pub ledger: Ledger,
    /// What it took of the budget.
    pub spent: Spent,
}

impl From<History> for Earlier {
    /// Scores stand. Invalid and canceled trials are done again.
    fn from(history: History) -> Self {
        let History { mut verdicts, announced, mut attempts, ledger, spent, .. } = history;
        verdicts.retain(|_, outcome| outcome.state == TrialState::Scored);
        attempts.retain(|trial, _| !verdicts.contains_key(trial));
        Self { verdicts, announced, attempts, ledger, spent }
    }
}
