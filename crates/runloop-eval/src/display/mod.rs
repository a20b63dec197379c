//! What a person sees while a run goes on: lines, and on a terminal a live region below them. All on standard error.

mod board;
mod line;
mod lines;
mod live;
mod progress;
mod target;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use eval_record::{Budget, Event, EventSink, Outcome, Spent, TrialKey, TrialResult};

use self::board::Board;
pub(crate) use self::line::printable;
use self::live::Live;

/// What the verdicts are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To judge agents: a pass is good.
    Judge,
    /// To judge the benchmark: the oracle must pass and nothing else may.
    Validate,
}

impl Purpose {
    /// Whether a scored trial came out as it should.
    fn is_good(self, result: &TrialResult) -> bool {
        let passed = result.passed == Some(true);
        match self {
            Self::Judge => passed,
            Self::Validate => passed == (result.trial.agent == "oracle"),
        }
    }
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nothing.
    Quiet,
    /// A line for each verdict.
    Lines,
    /// A line for each verdict, and a live region.
    Live,
}

impl Mode {
    /// What fits the terminal and the flags.
    pub(crate) fn choose(quiet: bool, verbose: u8) -> Self {
        // Logs and a live region would overwrite each other.
        match (quiet, verbose, std::io::stderr().is_terminal()) {
            (true, ..) => Self::Quiet,
            (false, 0, true) => Self::Live,
            _ => Self::Lines,
        }
    }
}

/// An earlier part of the run: it counts, but is not told again.
#[derive(Debug)]
pub(crate) struct Past {
    /// Trials of the whole run.
    pub(crate) planned: usize,
    pub(crate) seed: u64,
    pub(crate) concurrency: u32,
    pub(crate) budget: Budget,
    /// Those that stand.
    pub(crate) verdicts: BTreeMap<TrialKey, Outcome>,
    pub(crate) spent: Spent,
}

/// Shows events on a thread of its own, so that a terminal that is slow, or stopped, holds nothing up: a run that waited for
/// it would renew the time of no devbox.
#[derive(Debug)]
pub(crate) struct Display {
    /// `None` if nothing is shown.
    shared: Option<Arc<Shared>>,
    thread: Option<JoinHandle<()>>,
}

/// What is shown, and that there is something new.
#[derive(Debug)]
struct Shared {
    board: Mutex<Board>,
    news: Condvar,
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for news, no longer than that.
    fn wait(&self, board: MutexGuard<'_, Board>, most: Option<Duration>) {
        match most {
            Some(most) => drop(self.news.wait_timeout(board, most)),
            None => drop(self.news.wait(board)),
        }
    }
}

impl Display {
    pub(crate) fn start(mode: Mode, purpose: Purpose) -> Self {
        if mode == Mode::Quiet {
            return Self { shared: None, thread: None };
        }
        let board = Mutex::new(Board::new(purpose, mode == Mode::Live));
        let shared = Arc::new(Shared { board, news: Condvar::new() });
        let seen = Arc::clone(&shared);
        let thread = std::thread::spawn(move || match mode {
            Mode::Live => Live::new().follow(&seen),
            _ => lines::follow(&seen),
        });
        Self { shared: Some(shared), thread: Some(thread) }
    }

    /// Takes an earlier part of the run into account.
    pub(crate) fn recall(&self, past: &Past) {
        if let Some(shared) = &self.shared {
            shared.board().recall(past);
        }
    }
}

impl EventSink for Display {
    fn event(&self, event: &Event) {
        if let Some(shared) = &self.shared
            && shared.board().take(event)
        {
            shared.news.notify_one();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.board().is_over = true;
            shared.news.notify_one();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
