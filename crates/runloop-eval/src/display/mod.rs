//! What a person sees while a run goes on: lines, and on a terminal a live region below them. All on standard error.

mod line;
mod live;
mod progress;
mod target;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use eval_record::{Budget, Event, EventKind, Outcome, Spent, TrialKey, TrialResult};

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

#[derive(Debug)]
enum Shown {
    News(Event),
    Past(Box<Past>),
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

/// Shows events on a thread of its own, so that a slow terminal holds nothing up.
///
/// What waits for a terminal that is stopped is not bounded: a run that waited for it would renew the time of no devbox, and
/// events that were dropped would be missing in the counts. It is no more than what the run tells meanwhile, and the greater
/// part of that, the verdicts, is kept for the summary anyway.
#[derive(Debug)]
pub(crate) struct Display {
    sender: Option<Sender<Shown>>,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    pub(crate) fn start(mode: Mode, purpose: Purpose) -> Self {
        let (sender, receiver) = channel();
        let thread = match mode {
            Mode::Quiet => None,
            Mode::Lines => Some(std::thread::spawn(move || print_lines(&receiver, purpose))),
            Mode::Live => Some(std::thread::spawn(move || Live::new(purpose).follow(&receiver))),
        };
        Self { sender: thread.is_some().then_some(sender), thread }
    }

    pub(crate) fn show(&self, event: &Event) {
        self.send(|| Shown::News(event.clone()));
    }

    /// Takes an earlier part of the run into account.
    pub(crate) fn recall(&self, past: Past) {
        self.send(|| Shown::Past(Box::new(past)));
    }

    fn send(&self, shown: impl FnOnce() -> Shown) {
        if let Some(sender) = &self.sender {
            // The thread ends only with us.
            let _ = sender.send(shown());
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn print_lines(events: &Receiver<Shown>, purpose: Purpose) {
    let mut finished = 0;
    let mut planned = 0;
    let mut concurrency = None;
    for shown in events {
        let event = match shown {
            Shown::News(event) => event,
            Shown::Past(past) => {
                (planned, finished, concurrency) =
                    (past.planned, past.verdicts.len(), Some(past.concurrency));
                continue;
            }
        };
        if let Some(line) = target::line(&event, concurrency) {
            say!("{line}");
        }
        match event.kind {
            EventKind::RunStarted(header) => {
                (planned, concurrency) = (header.planned.len(), Some(header.concurrency));
            }
            EventKind::RoundPlanned { planned: more } => {
                planned += more.len();
                say!("{}", line::round(&more));
            }
            EventKind::AgentDecided { agent, repetitions, why } => {
                say!("{}", line::decided(&agent, repetitions, &why));
            }
            EventKind::TrialFinished(result) => {
                finished += 1;
                say!("{}", line::verdict(&result, purpose, finished, planned));
            }
            EventKind::AttemptFailed { trial, attempt, cause, message, .. } => {
                say!("{}", line::retry(&trial, attempt, cause, &message));
            }
            _ => {}
        }
    }
}
