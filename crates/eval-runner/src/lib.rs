//! Runs trials: preparation, agents, reaping, scoring, concurrency.
//!
//! [`run()`] takes a [`Plan`] through a [`Platform`], which is a Runloop API behind [`ClientPlatform`], and tells an
//! [`EventSink`](eval_record::EventSink) what happens. A trial is scenario × agent × repetition; each attempt at it goes
//! through these phases:
//!
//! | phase | what happens |
//! | --- | --- |
//! | preparing | files and setup commands of the environment become a snapshot, the agent's installation another on top: once per run, many wait for one |
//! | starting | the agent's devbox is forked from it |
//! | agent | the agent works, under its timeout |
//! | reaping | the devbox is suspended, which ends every process in it, and the work is handed over |
//! | scoring | the scorers run: in a fork of a snapshot (`snapshot`), in the prepared environment afresh (`pristine`), or in place (`same`) |
//!
//! What an agent does, also failing, timing out, or leaving something that cannot be judged, gives a score. What
//! infrastructure, scorers or this harness do wrong makes the trial invalid, with a [`Cause`](eval_record::Cause).
//!
//! A [`Pressure`] between the run and its client lowers what is asked at once where the target complains, and holds
//! everything back while it is down. Attempts that an outage broke are made again and use up no retries; what could not be
//! seen in time, such as whether an agent ended before its timeout, is no verdict.
//!
//! An agent's command starts in the working directory. It finds the task in the file `$PROBLEM_STATEMENT_FILE` and, up to
//! 100 KiB, in the variable `PROBLEM_STATEMENT`; `ADDITIONAL_CONTEXT` is the scenario's as JSON. `.runloop-eval` in the
//! home directory is the harness's; at the top of a working directory it is never carried over.
//!
//! In `snapshot` and `same` the agent's own disk is scored, with all it installed or replaced there; only the start-up file
//! of login shells is emptied first. Where an agent may cheat, `pristine` is the mode to use. An agent that leaves a disk on
//! which no scorer can work (full, closed, another thing where the working directory was) scores 0: it is not excused.
//!
//! In `pristine` the artifacts are, unless paths are declared, the git diff of the working directory against what was
//! prepared, made without anything that the agent's `.git` says: what is ignored by git is not carried over. Where the agent
//! destroyed the checkout the diff is made in the fresh devbox instead. Where there never was one, the artifacts are all of
//! the working directory.
//!
//! Beside its verdict a trial may get flags: signs that the agent saw or changed what judges it. They change no verdict.
//!
//! What is carried over is still the agent's code: scorers that import it run it, and a `unittest.py` in the working
//! directory stands before the standard one. Test commands that do not want that say so (`python3 -I`, `python3 -P`).

mod archive;
mod artifacts;
mod attempt;
mod budget;
#[cfg(test)]
mod budget_tests;
mod client_platform;
mod command;
mod contamination;
mod deadline;
mod earlier;
mod ending;
mod failure;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fixtures;
mod git;
mod host;
mod keep_alive;
mod labels;
mod launch;
mod leftovers;
mod meter;
mod network;
mod options;
mod patience;
mod plan;
mod platform;
mod prepare;
mod pressure;
mod progress;
#[cfg(test)]
mod real_tests;
mod reap;
#[cfg(test)]
mod resume_tests;
mod run;
mod schedule;
mod scope;
mod session;
mod shares;
mod shell;
mod stop;
mod supervisor;
#[cfg(test)]
mod tests;
mod usage;
mod work;
mod workspace;

pub use client_platform::ClientPlatform;
pub use earlier::Earlier;
pub use leftovers::{Leftover, leftovers};
pub use options::{Cancellation, Clock, HostAccess, Limits, RunOptions};
pub use plan::{Plan, Trial};
pub use platform::{Labelled, OutputStream, Platform, PlatformError, PlatformErrorKind, Reply};
pub use pressure::Pressure;
pub use run::{RunOutcome, run};
pub use schedule::{Adaptive, StoppingRule};
pub use stop::Stopped;
pub use supervisor::init;
