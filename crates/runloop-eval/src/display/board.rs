//! What is shown of a run: kept by those who tell, read by the thread that shows.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use eval_record::{Event, EventKind, Phase, TrialKey};

use super::progress::Progress;
use super::{Past, Purpose, line, target};

/// Lines that wait to be shown.
const WAITING: usize = 10_000;

/// The state of a run, and the lines that nobody has seen yet. It is as large as what runs at once, however long nobody
/// looks: a terminal may be stopped, or a pipe not read, and the run goes on.
#[derive(Debug)]
pub(super) struct Board {
    purpose: Purpose,
    /// Whether an outage is shown as a state, not as lines.
    has_region: bool,
    pub(super) progress: Progress,
    pub(super) running: BTreeMap<TrialKey, Running>,
    /// The line about an outage that goes on.
    pub(super) outage: Option<String>,
    concurrency: Option<u32>,
    lines: VecDeque<String>,
    left_out: u64,
    /// Nothing more will be told.
    pub(super) is_over: bool,
}

/// A trial that has no verdict yet.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) phase: Phase,
    pub(super) attempt: u32,
    pub(super) since: Instant,
}

impl Board {
    pub(super) fn new(purpose: Purpose, has_region: bool) -> Self {
        Self {
            purpose,
            has_region,
            progress: Progress::new(purpose),
            running: BTreeMap::new(),
            outage: None,
            concurrency: None,
            lines: VecDeque::new(),
            left_out: 0,
            is_over: false,
        }
    }

    /// Takes an earlier part of the run, of which no line is shown.
    pub(super) fn recall(&mut self, past: &Past) {
        self.concurrency = Some(past.concurrency);
        self.progress.start(past.planned, past.seed, past.budget);
        self.progress.recall(&past.verdicts, past.spent.clone());
    }

    /// Takes what happens; says whether there is a new line.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        let lines = self.lines.len();
        if self.has_region {
            // Only a region shows it.
            self.progress.spend(event);
        }
        if let Some(line) = target::line(event, self.concurrency) {
            if self.has_region && matches!(event.kind, EventKind::TargetDown { .. }) {
                self.outage = Some(line);
            } else {
                self.say(line);
            }
        }
        match &event.kind {
            EventKind::TargetBack { .. } => self.outage = None,
            EventKind::RunStarted(header) => {
                self.concurrency = Some(header.concurrency);
                self.progress.start(header.planned.len(), header.seed, header.budget);
            }
            EventKind::RoundPlanned { planned } => {
                self.progress.planned += planned.len();
                self.say(line::round(planned));
            }
            EventKind::AgentDecided { agent, repetitions, why } => {
                self.say(line::decided(agent, *repetitions, why));
            }
            EventKind::PhaseStarted { trial, attempt, phase } if self.has_region => {
                let running = Running { phase: *phase, attempt: *attempt, since: Instant::now() };
                self.running.insert(trial.clone(), running);
            }
            EventKind::AttemptFailed { trial, attempt, cause, message, .. } => {
                self.say(line::retry(trial, *attempt, *cause, message));
            }
            EventKind::TrialFinished(result) => {
                self.running.remove(&result.trial);
                self.progress.add(result);
                let Progress { finished, planned, .. } = self.progress;
                self.say(line::verdict(result, self.purpose, finished, planned));
            }
            _ => {}
        }
        self.lines.len() > lines
    }

    fn say(&mut self, line: String) {
        self.lines.push_back(line);
        if self.lines.len() > WAITING {
            self.lines.pop_front();
            self.left_out += 1;
        }
    }

    /// The lines that are new, each once.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let left_out = std::mem::take(&mut self.left_out);
        let note =
            format!("{:>9} {left_out} lines that nothing read in time; the record has all of it", "LEFT OUT");
        let note = (left_out > 0).then_some(note);
        note.into_iter().chain(std::mem::take(&mut self.lines)).collect()
    }
}

#[cfg(test)]
mod tests {
    use eval_record::{TrialResult, TrialState};

    use super::*;

    #[test]
    fn what_nobody_reads_is_counted_and_does_not_grow() {
        let mut board = Board::new(Purpose::Judge, false);
        let finished = WAITING + 25;
        for repetition in 1..=finished as u32 {
            let trial = TrialKey { scenario: "s".into(), agent: "a".into(), repetition };
            let result = TrialResult {
                score: Some(1.0),
                passed: Some(true),
                ..TrialResult::bare(trial, "", TrialState::Scored)
            };
            assert!(
                board.take(&Event { at_ms: 0, kind: EventKind::TrialFinished(Box::new(result)) })
                    || board.left_out > 0
            );
        }
        let lines = board.lines();
        assert_eq!(lines.len(), WAITING + 1);
        assert!(lines[0].contains("25 lines"), "{}", lines[0]);
        assert!(lines[1].contains("(26/"), "the newest are kept: {}", lines[1]);
        assert_eq!(board.progress.finished, finished, "each is counted");
        assert!(board.lines().is_empty());
    }
}
