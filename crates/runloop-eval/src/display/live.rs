//! The live region: a bar with the mean so far, and a line for each running trial.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use eval_record::{Event, EventKind, Phase, TrialKey, TrialResult, TrialState};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Purpose, line};

/// Lines for running trials; more are counted in the last one.
const SHOWN: usize = 8;

/// The state behind the live region.
pub(super) struct Live {
    purpose: Purpose,
    region: MultiProgress,
    bar: ProgressBar,
    rows: Vec<ProgressBar>,
    running: BTreeMap<TrialKey, Running>,
    tally: Tally,
}

struct Running {
    phase: Phase,
    since: Instant,
}

#[derive(Default)]
struct Tally {
    planned: usize,
    finished: usize,
    good: usize,
    bad: usize,
    invalid: usize,
    score: f64,
}

impl Live {
    pub(super) fn new(purpose: Purpose) -> Self {
        let region = MultiProgress::new();
        let bar = region.add(ProgressBar::new(0).with_style(style("{bar:28.green/dim} {pos}/{len} {msg}")));
        Self { purpose, region, bar, rows: Vec::new(), running: BTreeMap::new(), tally: Tally::default() }
    }

    /// Shows events until their source is gone, then takes the region away.
    pub(super) fn follow(mut self, events: &Receiver<Event>) {
        loop {
            match events.recv_timeout(Duration::from_millis(100)) {
                Ok(event) => {
                    self.apply(event);
                    // Whatever else has come goes into the same picture.
                    while let Ok(event) = events.try_recv() {
                        self.apply(event);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.draw();
        }
        self.rows.iter().chain([&self.bar]).for_each(ProgressBar::finish_and_clear);
    }

    fn apply(&mut self, event: Event) {
        match event.kind {
            EventKind::RunStarted(header) => {
                self.tally.planned = header.planned.len();
                self.bar.set_length(header.planned.len() as u64);
            }
            EventKind::PhaseStarted { trial, phase, .. } => {
                self.running.insert(trial, Running { phase, since: Instant::now() });
            }
            EventKind::TrialFinished(result) => self.finish(&result),
            _ => {}
        }
    }

    fn finish(&mut self, result: &TrialResult) {
        self.running.remove(&result.trial);
        let tally = &mut self.tally;
        tally.finished += 1;
        tally.score += result.score.unwrap_or_default();
        match result.state {
            TrialState::Scored if self.purpose.is_good(result) => tally.good += 1,
            TrialState::Scored => tally.bad += 1,
            TrialState::Invalid => tally.invalid += 1,
            TrialState::Canceled => {}
        }
        let text = line::verdict(result, self.purpose, tally.finished, tally.planned);
        // A closed terminal is no reason to stop.
        let _ = self.region.println(text);
    }

    fn draw(&mut self) {
        let tally = &self.tally;
        let mut message = match self.purpose {
            Purpose::Judge => format!("{} passed, {} failed", tally.good, tally.bad),
            Purpose::Validate => format!("{} as they should be, {} broken", tally.good, tally.bad),
        };
        if tally.invalid > 0 {
            message += &format!(", {} invalid", tally.invalid);
        }
        let scored = tally.good + tally.bad;
        if scored > 0 && self.purpose == Purpose::Judge {
            message += &format!(" · mean {:.3}", tally.score / scored as f64);
        }
        self.bar.set_position(tally.finished as u64);
        self.bar.set_message(message);

        let mut lines: Vec<String> = self
            .running
            .iter()
            .map(|(trial, running)| {
                let seconds = running.since.elapsed().as_secs();
                line::printable(&format!("{:>9} {seconds:>4}s  {trial}", running.phase.as_str()))
            })
            .collect();
        if lines.len() > SHOWN {
            let more = lines.len() - (SHOWN - 1);
            lines.truncate(SHOWN - 1);
            lines.push(format!("{:>15} and {more} more", ""));
        }
        while self.rows.len() < lines.len() {
            self.rows.push(self.region.add(ProgressBar::new_spinner().with_style(style("{msg:.dim}"))));
        }
        while self.rows.len() > lines.len() {
            if let Some(row) = self.rows.pop() {
                row.finish_and_clear();
                self.region.remove(&row);
            }
        }
        for (row, line) in self.rows.iter().zip(lines) {
            row.set_message(line);
        }
    }
}

/// A template of ours; a mistake in one shows the default style.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
