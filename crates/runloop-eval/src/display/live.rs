//! The live region: a bar with the mean so far, and a line for each running trial.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use eval_record::{EventKind, Phase, TrialKey};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::progress::Progress;
use super::{Past, Purpose, Shown, line, target};

/// Lines for running trials; more are counted in the last one.
const SHOWN: usize = 8;

/// Time between two estimates of the intervals: they take milliseconds, pictures come often.
const ESTIMATES: Duration = Duration::from_secs(1);

/// The state behind the live region.
pub(super) struct Live {
    purpose: Purpose,
    region: MultiProgress,
    bar: ProgressBar,
    rows: Vec<ProgressBar>,
    running: BTreeMap<TrialKey, Running>,
    progress: Progress,
    started: Instant,
    estimated: Option<Instant>,
    colour: bool,
    concurrency: Option<u32>,
    /// The line about an outage that goes on.
    outage: Option<String>,
}

struct Running {
    phase: Phase,
    attempt: u32,
    since: Instant,
}

impl Live {
    pub(super) fn new(purpose: Purpose) -> Self {
        let region = MultiProgress::new();
        let bar =
            region.add(ProgressBar::new(0).with_style(style("{bar:20.green/dim} {pos}/{len} {wide_msg}")));
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        Self {
            purpose,
            region,
            bar,
            rows: Vec::new(),
            running: BTreeMap::new(),
            progress: Progress::new(purpose),
            started: Instant::now(),
            estimated: None,
            colour,
            concurrency: None,
            outage: None,
        }
    }

    /// Shows events until their source is gone, then takes the region away.
    pub(super) fn follow(mut self, events: &Receiver<Shown>) {
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

    fn apply(&mut self, shown: Shown) {
        let event = match shown {
            Shown::News(event) => event,
            Shown::Past(past) => return self.recall(*past),
        };
        self.progress.spend(&event);
        if let Some(line) = target::line(&event, self.concurrency) {
            let goes_on = matches!(event.kind, EventKind::TargetDown { .. });
            if goes_on {
                self.outage = Some(self.coloured(&line));
            } else {
                self.say(&line);
            }
        }
        match event.kind {
            EventKind::TargetBack { .. } => self.outage = None,
            EventKind::RunStarted(header) => {
                self.concurrency = Some(header.concurrency);
                self.progress.start(header.planned.len(), header.seed, header.budget);
                self.bar.set_length(header.planned.len() as u64);
            }
            EventKind::RoundPlanned { planned } => {
                self.progress.planned += planned.len();
                self.bar.set_length(self.progress.planned as u64);
                self.say(&line::round(&planned));
            }
            EventKind::AgentDecided { agent, repetitions, why } => {
                self.say(&line::decided(&agent, repetitions, &why));
            }
            EventKind::PhaseStarted { trial, attempt, phase } => {
                self.running.insert(trial, Running { phase, attempt, since: Instant::now() });
            }
            EventKind::AttemptFailed { trial, attempt, cause, message, .. } => {
                self.say(&line::retry(&trial, attempt, cause, &message));
            }
            EventKind::TrialFinished(result) => {
                self.running.remove(&result.trial);
                self.progress.add(&result);
                let Progress { finished, planned, .. } = self.progress;
                self.say(&line::verdict(&result, self.purpose, finished, planned));
            }
            _ => {}
        }
    }

    fn recall(&mut self, past: Past) {
        let Past { planned, seed, concurrency, budget, verdicts, spent } = past;
        self.concurrency = Some(concurrency);
        self.progress.start(planned, seed, budget);
        self.progress.recall(&verdicts, spent);
        self.bar.set_length(planned as u64);
    }

    /// A line above the region.
    fn say(&self, text: &str) {
        // A closed terminal is no reason to stop.
        let _ = self.region.println(self.coloured(text));
    }

    fn coloured(&self, text: &str) -> String {
        if self.colour { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() }
    }

    fn draw(&mut self) {
        if self.estimated.is_none_or(|at| at.elapsed() >= ESTIMATES) {
            self.progress.estimate();
            self.estimated = Some(Instant::now());
        }
        self.bar.set_position(self.progress.finished as u64);
        // While the target is down there is nothing else to say.
        let progress = || {
            let now_ms = jiff::Timestamp::now().as_millisecond();
            self.coloured(&self.progress.text(self.started.elapsed(), now_ms))
        };
        self.bar.set_message(self.outage.clone().unwrap_or_else(progress));

        let mut lines: Vec<String> = self
            .running
            .iter()
            .map(|(trial, running)| {
                let seconds = running.since.elapsed().as_secs();
                let again = if running.attempt > 1 {
                    format!("  attempt {}", running.attempt)
                } else {
                    String::new()
                };
                line::printable(&format!("{:>9} {seconds:>4}s  {trial}{again}", running.phase.as_str()))
            })
            .collect();
        if lines.len() > SHOWN {
            let more = lines.len() - (SHOWN - 1);
            lines.truncate(SHOWN - 1);
            lines.push(format!("{:>15} and {more} more", ""));
        }
        while self.rows.len() < lines.len() {
            self.rows.push(self.region.add(ProgressBar::new_spinner().with_style(style("{wide_msg:.dim}"))));
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
