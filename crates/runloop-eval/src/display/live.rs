//! The live region: a bar with the mean so far, and a line for each running trial.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::board::Board;
use super::{Shared, line};

/// Lines for running trials; more are counted in the last one.
const SHOWN: usize = 8;

/// Time between two pictures: more than that nobody sees.
const PICTURES: Duration = Duration::from_millis(100);

/// Time between two estimates of the intervals: they take milliseconds, pictures come often.
const ESTIMATES: Duration = Duration::from_secs(1);

/// Share of the time that estimates may take, as a divisor: with ten thousand scenarios they take a while.
const ESTIMATING: u32 = 20;

/// The live region.
pub(super) struct Live {
    region: MultiProgress,
    bar: ProgressBar,
    rows: Vec<ProgressBar>,
    started: Instant,
    /// When the next picture is due.
    next_picture: Instant,
    next_estimate: Instant,
    colour: bool,
}

/// What a picture shows.
struct Picture {
    planned: usize,
    finished: usize,
    message: String,
    /// Of the running trials.
    rows: Vec<String>,
}

impl Live {
    pub(super) fn new() -> Self {
        let region = MultiProgress::new();
        let bar =
            region.add(ProgressBar::new(0).with_style(style("{bar:20.green/dim} {pos}/{len} {wide_msg}")));
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        let (now, rows) = (Instant::now(), Vec::new());
        Self { region, bar, rows, started: now, next_picture: now, next_estimate: now, colour }
    }

    /// Shows a board until its run is over, then takes the region away.
    pub(super) fn follow(mut self, shared: &Shared) {
        loop {
            let mut board = shared.board();
            let (lines, is_over) = (board.lines(), board.is_over);
            // Whatever comes until then goes into the same picture.
            let due = self.next_picture.saturating_duration_since(Instant::now());
            if lines.is_empty() && !is_over && !due.is_zero() {
                shared.wait(board, Some(due));
                continue;
            }
            drop(board);
            for line in lines {
                // A closed terminal is no reason to stop.
                let _ = self.region.println(self.coloured(&line));
            }
            if is_over {
                break;
            }
            if due.is_zero() {
                self.estimate(shared);
                let picture = self.picture(&shared.board());
                // Before anything is planned a bar would be full.
                if picture.planned > 0 {
                    self.draw(picture);
                }
                self.next_picture = Instant::now() + PICTURES;
            }
        }
        self.rows.iter().chain([&self.bar]).for_each(ProgressBar::finish_and_clear);
    }

    /// Brings the intervals up to date, without keeping anybody from the board meanwhile.
    fn estimate(&mut self, shared: &Shared) {
        let now = Instant::now();
        if now < self.next_estimate {
            return;
        }
        let estimates = shared.board().progress.stale();
        let estimates = estimates.into_iter().map(super::progress::Stale::estimate).collect();
        shared.board().progress.renew(estimates);
        self.next_estimate = now + ESTIMATES.max(now.elapsed() * ESTIMATING);
    }

    fn coloured(&self, text: &str) -> String {
        if self.colour { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() }
    }

    fn picture(&self, board: &Board) -> Picture {
        // While the target is down there is nothing else to say.
        let message = board.outage.clone().unwrap_or_else(|| {
            let now_ms = jiff::Timestamp::now().as_millisecond();
            board.progress.text(self.started.elapsed(), now_ms)
        });
        let more = board.running.len().saturating_sub(SHOWN);
        // The last line counts those that have none.
        let shown = if more > 0 { SHOWN - 1 } else { SHOWN };
        let mut rows: Vec<String> = board
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
            rows.push(format!("{:>15} and {} more", "", more + 1));
        }
        let (planned, finished) = (board.progress.planned, board.progress.finished);
        Picture { planned, finished, message: self.coloured(&message), rows }
    }

    fn draw(&mut self, picture: Picture) {
        self.bar.set_length(picture.planned as u64);
        self.bar.set_position(picture.finished as u64);
        self.bar.set_message(picture.message);
        while self.rows.len() < picture.rows.len() {
            self.rows.push(self.region.add(ProgressBar::new_spinner().with_style(style("{wide_msg:.dim}"))));
        }
        while self.rows.len() > picture.rows.len() {
            if let Some(row) = self.rows.pop() {
                row.finish_and_clear();
                self.region.remove(&row);
            }
        }
        for (row, line) in self.rows.iter().zip(picture.rows) {
            row.set_message(line);
        }
    }
}

/// A template of ours; a mistake in one shows the default style.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
