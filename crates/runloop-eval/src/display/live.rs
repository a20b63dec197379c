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

/// Time between two pictures: more than that nobody sees.
const PICTURES: Duration = Duration::from_millis(100);

/// Time between two estimates of the intervals: they take milliseconds, pictures come often.
const ESTIMATES: Duration = Duration::from_secs(1);

/// Share of the time that estimates may take, as a divisor: with ten thousand scenarios they take a while.
const ESTIMATING: u32 = 20;

/// The state behind the live region.
pub(super) struct Live {
    purpose: Purpose,
    region: MultiProgress,
    bar: ProgressBar,
    rows: Vec<ProgressBar>,
    running: BTreeMap<TrialKey, Running>,
    progress: Progress,
    started: Instant,
    /// When the next picture is due.
    next_picture: Instant,
    next_estimate: Instant,
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
            next_picture: Instant::now(),
            next_estimate: Instant::now(),
            colour,
            concurrency: None,
            outage: None,
        }
    }

    /// Shows events until their source is gone, then takes the region away.
    pub(super) fn follow(mut self, events: &Receiver<Shown>) {
        loop {
            // Whatever comes until then goes into the same picture.
            let due = self.next_picture.saturating_duration_since(Instant::now());
            match events.recv_timeout(due) {
                Ok(event) => self.apply(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= self.next_picture {
                self.draw();
                self.next_picture = Instant::now() + PICTURES;
            }
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
        let now = Instant::now();
        if now >= self.next_estimate {
            self.progress.estimate();
            self.next_estimate = now + ESTIMATES.max(now.elapsed() * ESTIMATING);
        }
        self.bar.set_position(self.progress.finished as u64);
        // While the target is down there is nothing else to say.
        let progress = || {
            let now_ms = jiff::Timestamp::now().as_millisecond();
            self.coloured(&self.progress.text(self.started.elapsed(), now_ms))
        };
        self.bar.set_message(self.outage.clone().unwrap_or_else(progress));

        let more = self.running.len().saturating_sub(SHOWN);
        // The last line counts those that have none.
        let shown = if more > 0 { SHOWN - 1 } else { SHOWN };
        let mut lines: Vec<String> = self
            .running
            .iter()
            .take(shown)
            .map(|(trial, running)| {
                let seconds = running.since.elapsed().as_secs();
                let again = if running.attempt > 1 {
                    format!("  attempt {}", running.attempt)
                } else {
                    String::new()
                };
                let trial = line::printable(&trial.to_string());
                format!("{:>9} {seconds:>4}s  {trial}{again}", running.phase.as_str())
            })
            .collect();
        if more > 0 {
            lines.push(format!("{:>15} and {} more", "", more + 1));
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
