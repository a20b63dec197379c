//! The attempts at a trial, with their times.

use std::collections::BTreeMap;

use eval_record::{Cause, Phase};
use serde::{Deserialize, Serialize};

/// One attempt at a trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub attempt: u32,
    /// Unix milliseconds of its begin.
    pub started_at_ms: i64,
    /// Milliseconds from its begin to its end; null if it has none yet.
    pub took_ms: Option<u64>,
    /// Milliseconds from its begin to that of each phase it came to.
    pub phases_ms: BTreeMap<Phase, u64>,
    /// Why another one was made; null for the last, whose end is that of the trial.
    pub cause: Option<Cause>,
    /// What there is to say about that. May hold text from a devbox.
    pub message: Option<String>,
}

/// A phase of an attempt, in milliseconds from its begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The phase.
    pub phase: Phase,
    /// When it began.
    pub from_ms: u64,
    /// When the next one began, or the attempt ended; `None` if it has not.
    pub to_ms: Option<u64>,
}

impl Attempt {
    pub(crate) fn started(attempt: u32, at_ms: i64) -> Self {
        Self { attempt, started_at_ms: at_ms, ..Self::default() }
    }

    /// Milliseconds from its begin; a clock that was set back gives none.
    pub(crate) fn since_ms(&self, at_ms: i64) -> u64 {
        u64::try_from(at_ms.saturating_sub(self.started_at_ms)).unwrap_or(0)
    }

    /// Its phases in the order of time.
    pub fn spans(&self) -> Vec<Span> {
        let mut begins: Vec<(u64, Phase)> = self.phases_ms.iter().map(|(phase, at)| (*at, *phase)).collect();
        begins.sort_unstable();
        let ends = begins.iter().skip(1).map(|(at, _)| Some(*at)).chain([self.took_ms]);
        begins
            .iter()
            .zip(ends)
            .map(|((from_ms, phase), to_ms)| Span { phase: *phase, from_ms: *from_ms, to_ms })
            .collect()
    }
}
