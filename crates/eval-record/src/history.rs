//! How far a run came: a fold over its events, from which it can go on.

use std::collections::{BTreeMap, HashMap};

use crate::{Digests, Event, EventKind, Ledger, Outcome, Spent, TrialKey};

/// What a run came to so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Whether it ever began.
    pub began: bool,
    /// The last verdict of each trial.
    pub verdicts: BTreeMap<TrialKey, Outcome>,
    /// Trials of the rounds after the first, in the order in which they were planned.
    pub announced: Vec<TrialKey>,
    /// The number of the last attempt at each trial.
    pub attempts: HashMap<TrialKey, u32>,
    /// What may live at its target.
    pub ledger: Ledger,
    /// What it took.
    pub spent: Spent,
    digests: Digests,
}

impl History {
    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        self.spent.take(event.at_ms, &event.kind);
        match &event.kind {
            EventKind::RunStarted(_) => self.began = true,
            EventKind::RoundPlanned { planned } => {
                self.announced.extend(planned.iter().map(|planned| planned.trial.clone()));
            }
            EventKind::PlanChanged { planned } => {
                for planned in planned {
                    self.verdicts.remove(&planned.trial);
                }
            }
            EventKind::AttemptStarted { trial, attempt, .. } => match self.attempts.get_mut(trial) {
                Some(last) => *last = (*last).max(*attempt),
                None => drop(self.attempts.insert(trial.clone(), *attempt)),
            },
            EventKind::TrialFinished(result) => {
                let outcome = Outcome::of(result, &mut self.digests);
                self.verdicts.insert(result.trial.clone(), outcome);
            }
            kind => self.ledger.take(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PlannedTrial, Resumed, TrialResult, TrialState};

    fn key(repetition: u32) -> TrialKey {
        TrialKey { scenario: "s".into(), agent: "a".into(), repetition }
    }

    fn verdict(repetition: u32, state: TrialState, digest: &str) -> EventKind {
        EventKind::TrialFinished(Box::new(TrialResult::bare(key(repetition), digest, state)))
    }

    fn history(kinds: impl IntoIterator<Item = EventKind>) -> History {
        let mut history = History::default();
        for kind in kinds {
            history.take(&Event { at_ms: 0, kind });
        }
        history
    }

    #[test]
    fn the_last_verdict_and_the_last_attempt_count() {
        let history = history([
            EventKind::RunStarted(Box::default()),
            EventKind::AttemptStarted { trial: key(1), attempt: 1, held: None },
            EventKind::AttemptStarted { trial: key(1), attempt: 2, held: None },
            verdict(1, TrialState::Canceled, "d"),
            EventKind::RunFinished { complete: false, interrupted: true },
            EventKind::RunResumed(Resumed::default()),
            EventKind::AttemptStarted { trial: key(1), attempt: 3, held: None },
            verdict(1, TrialState::Scored, "d"),
        ]);
        assert_eq!(history.attempts[&key(1)], 3);
        assert_eq!(history.verdicts[&key(1)].state, TrialState::Scored);
        assert!(history.began);
    }

    #[test]
    fn a_verdict_on_what_was_defined_otherwise_is_void() {
        let planned =
            vec![PlannedTrial { trial: key(1), digest: "new".into(), metadata: Default::default() }];
        let void = history([
            verdict(1, TrialState::Scored, "old"),
            verdict(2, TrialState::Scored, "old"),
            EventKind::PlanChanged { planned: planned.clone() },
        ]);
        assert_eq!(void.verdicts.keys().collect::<Vec<_>>(), [&key(2)]);
        let again = history([EventKind::PlanChanged { planned }, verdict(1, TrialState::Scored, "new")]);
        assert_eq!(again.verdicts.len(), 1);
    }
}
