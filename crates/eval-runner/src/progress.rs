//! How far an attempt is: what is known of it even if it is canceled or breaks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eval_record::{
    AgentEnd, Captured, EventKind, Flag, Phase, ScorerScore, TrialKey, Usage, attempt_directory, safe_name,
};
use tokio::time::Instant;

use crate::platform::Platform;
use crate::session::Session;

/// Bytes of a scorer's output in the verdict; the whole is in the logs.
const EXCERPT: usize = 4096;

/// Flags of one attempt that are kept: a few say what hundreds would.
const MOST_FLAGS: usize = 20;

pub(crate) struct Progress<P> {
    session: Arc<Session<P>>,
    trial: TrialKey,
    attempt: u32,
    directory: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    durations_ms: BTreeMap<Phase, u64>,
    current: Option<(Phase, Instant)>,
    agent_end: Option<AgentEnd>,
    usage: Option<Usage>,
    scores: Vec<ScorerScore>,
    flags: Vec<Flag>,
    has_logs: bool,
}

/// What is left of an attempt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    pub(crate) durations_ms: BTreeMap<Phase, u64>,
    pub(crate) agent_end: Option<AgentEnd>,
    pub(crate) usage: Option<Usage>,
    pub(crate) scores: Vec<ScorerScore>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) logs: Option<String>,
}

impl<P: Platform> Progress<P> {
    pub(crate) fn new(session: &Arc<Session<P>>, trial: &TrialKey, attempt: u32) -> Arc<Self> {
        Arc::new(Self {
            session: Arc::clone(session),
            trial: trial.clone(),
            attempt,
            directory: attempt_directory(trial, attempt),
            state: Mutex::default(),
        })
    }

    /// Ends the phase before, begins this one.
    pub(crate) fn phase(&self, phase: Phase) {
        let mut state = self.state();
        state.close();
        state.current = Some((phase, Instant::now()));
        drop(state);
        self.session.emit(EventKind::PhaseStarted {
            trial: self.trial.clone(),
            attempt: self.attempt,
            phase,
        });
    }

    pub(crate) fn agent_ended(&self, end: AgentEnd) {
        self.state().agent_end = Some(end);
    }

    pub(crate) fn used(&self, usage: Option<Usage>) {
        self.state().usage = usage;
    }

    /// Adds signs of contamination, each once.
    pub(crate) fn flagged(&self, flags: Vec<Flag>) {
        let mut state = self.state();
        for flag in flags {
            if state.flags.len() < MOST_FLAGS && !state.flags.contains(&flag) {
                state.flags.push(flag);
            }
        }
    }

    pub(crate) fn scored(&self, scores: Vec<ScorerScore>) {
        self.state().scores = scores;
    }

    /// Keeps output of the attempt, unless there is none.
    pub(crate) fn log(&self, name: &str, content: &Captured) {
        if !content.is_empty() {
            self.log_bytes(name, content.bytes().to_vec());
        }
    }

    /// Keeps a file of the attempt. Its content must be masked.
    pub(crate) fn log_bytes(&self, name: &str, content: Vec<u8>) {
        self.state().has_logs = true;
        self.session.file(&format!("{}/{name}", self.directory), content);
    }

    /// Keeps a scorer's output; answers the excerpt for the verdict.
    pub(crate) fn scorer_output(&self, scorer: &str, output: &str) -> String {
        let output = self.session.masker.mask_text(output);
        let mut from = output.len().saturating_sub(EXCERPT);
        while !output.is_char_boundary(from) {
            from += 1;
        }
        let excerpt = output[from..].to_owned();
        if !output.is_empty() {
            self.log_bytes(&format!("scorer-{}.txt", safe_name(scorer)), output.into_bytes());
        }
        excerpt
    }

    /// Ends the last phase and tells what is known.
    pub(crate) fn finish(&self) -> Trace {
        let mut state = self.state();
        state.close();
        Trace {
            durations_ms: state.durations_ms.clone(),
            agent_end: state.agent_end,
            usage: state.usage,
            scores: state.scores.clone(),
            flags: state.flags.clone(),
            logs: state.has_logs.then(|| self.directory.clone()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn close(&mut self) {
        if let Some((phase, since)) = self.current.take() {
            let passed = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            *self.durations_ms.entry(phase).or_default() += passed;
        }
    }
}
