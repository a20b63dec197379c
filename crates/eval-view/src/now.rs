//! What is going on in a run: the trials that have begun and have no verdict.

use std::collections::HashMap;

use eval_record::{Cause, Event, EventKind, Phase, TrialKey};

/// A trial that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Running {
    pub(crate) trial: TrialKey,
    /// The attempt, from 1.
    pub(crate) attempt: u32,
    pub(crate) doing: Doing,
    /// Unix milliseconds when it began to do that.
    pub(crate) since_ms: i64,
    /// Unix milliseconds when the attempt began.
    pub(crate) started_ms: i64,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Doing {
    Waiting,
    In(Phase),
    Failed(Cause),
}

/// The fold over events that tells it.
#[derive(Debug, Default)]
pub(crate) struct Now {
    running: HashMap<TrialKey, Running>,
}

impl Now {
    pub(crate) fn add(&mut self, event: &Event) {
        match &event.kind {
            EventKind::AttemptStarted { trial, attempt, .. } => {
                let running = Running {
                    trial: trial.clone(),
                    attempt: *attempt,
                    doing: Doing::Waiting,
                    since_ms: event.at_ms,
                    started_ms: event.at_ms,
                };
                self.running.insert(trial.clone(), running);
            }
            EventKind::PhaseStarted { trial, phase, .. } => self.does(trial, Doing::In(*phase), event.at_ms),
            EventKind::AttemptFailed { trial, cause, .. } => {
                self.does(trial, Doing::Failed(*cause), event.at_ms);
            }
            EventKind::TrialFinished(result) => drop(self.running.remove(&result.trial)),
            EventKind::RunStarted(_) | EventKind::RunResumed(_) | EventKind::RunFinished { .. } => {
                self.running.clear();
            }
            _ => {}
        }
    }

    fn does(&mut self, trial: &TrialKey, doing: Doing, since_ms: i64) {
        if let Some(running) = self.running.get_mut(trial) {
            (running.doing, running.since_ms) = (doing, since_ms);
        }
    }

    /// The longest running first.
    pub(crate) fn running(&self) -> Vec<Running> {
        let mut running: Vec<Running> = self.running.values().cloned().collect();
        running.sort_by(|a, b| (a.started_ms, &a.trial).cmp(&(b.started_ms, &b.trial)));
        running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scenario: &str) -> TrialKey {
        TrialKey { scenario: scenario.into(), agent: "x".into(), repetition: 1 }
    }

    fn now(kinds: Vec<EventKind>) -> Now {
        let mut now = Now::default();
        for (at, kind) in kinds.into_iter().enumerate() {
            now.add(&Event { at_ms: at as i64, kind });
        }
        now
    }

    #[test]
    fn a_trial_runs_from_its_attempt_to_its_verdict_through_phases_and_retries() {
        let (a, b) = (key("a"), key("b"));
        let begun = |trial: &TrialKey, attempt| EventKind::AttemptStarted {
            trial: trial.clone(),
            attempt,
            held: None,
        };
        let mut events = vec![
            begun(&b, 1),
            begun(&a, 1),
            EventKind::PhaseStarted { trial: a.clone(), attempt: 1, phase: Phase::Agent },
            EventKind::AttemptFailed {
                trial: b.clone(),
                attempt: 1,
                cause: Cause::DevboxLost,
                message: String::new(),
                usage: None,
            },
        ];
        let running = now(events.clone()).running();
        let told: Vec<_> = running.iter().map(|r| (r.trial.scenario.as_str(), r.doing, r.since_ms)).collect();
        assert_eq!(told, [("b", Doing::Failed(Cause::DevboxLost), 3), ("a", Doing::In(Phase::Agent), 2)]);

        events.push(begun(&b, 2));
        let running = now(events.clone()).running();
        let told: Vec<_> = running.iter().map(|r| (r.trial.scenario.as_str(), r.attempt, r.doing)).collect();
        assert_eq!(told, [("a", 1, Doing::In(Phase::Agent)), ("b", 2, Doing::Waiting)]);

        events.push(EventKind::RunFinished { complete: false, interrupted: true });
        assert!(now(events).running().is_empty(), "nothing runs in a run that is over");
    }
}
