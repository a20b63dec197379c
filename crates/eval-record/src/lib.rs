//! Events of a run, the run directory, and format versions.
//!
//! A run directory holds `run.json` (what was planned), `events.jsonl` (what happened, one [`Event`] a line), `trials/`
//! (what agents and scorers printed) and `run.lock`, held by the one program that writes to it. [`Recorder`] writes it from
//! a thread of its own; [`read_events`] reads it back, also when the program that wrote it was killed, and [`Follower`]
//! while it is written. A [`Ledger`] is what a run may have alive at its target, a [`History`] what it
//! goes on from, with an [`Outcome`] of each trial.

mod broken;
mod capture;
mod event;
mod flag;
mod follow;
mod history;
mod invocation;
mod ledger;
mod lock;
mod mask;
mod names;
mod older;
mod outcome;
mod patch;
mod queue;
mod read;
mod recorder;
mod redact;
mod resource;
mod rounds;
mod run_directory;
mod sink;
mod spellings;
mod spent;
mod syncer;
mod usage;

pub use capture::{Capture, Captured};
pub use event::{
    AgentEnd, Cause, Event, EventKind, FORMAT, KEEP_ALIVE, LOCAL, Phase, PlannedTrial, Resumed, RunHeader,
    ScenarioSource, ScorerScore, Throttle, TrialKey, TrialResult, TrialState,
};
pub use flag::{Flag, FlagKind};
pub use follow::{Batch, Follower};
pub use history::History;
pub use invocation::{Invocation, TypedLimits};
pub use ledger::{Ledger, Resource};
pub use lock::RunLock;
pub use mask::Masker;
pub use names::{attempt_directory, problem_file, safe_name};
pub use outcome::{Digests, Outcome};
pub use patch::without_binary_content;
pub use read::{EventReader, ReadError, RecordedEvents, read_events};
pub use recorder::{RecordError, Recorder};
pub use resource::{ResourceEnd, ResourceKind, ResourceRequest};
pub use rounds::Rounds;
pub use run_directory::{RunDirectory, RunDirectoryError};
pub use sink::{EventSink, Then};
pub use spent::{Budget, Held, Spent};
pub use usage::Usage;
