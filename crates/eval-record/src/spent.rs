//! What a run has taken: a fold over its events.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{EventKind, TrialKey, Usage};

/// What a run may take. `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Minutes of all its devboxes together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_devbox_minutes: Option<f64>,
    /// US dollars of all its agents together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
}

impl Budget {
    /// Whether nothing is limited.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}

/// What a run has taken so far: devbox time, and what agents say they used, in all attempts of all its parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spent {
    /// Since when each devbox is there, by its id.
    living: HashMap<String, i64>,
    ended_ms: u64,
    usage: Usage,
    /// Of failed attempts, until their trial has its verdict, which counts them too.
    open: HashMap<TrialKey, Usage>,
    last_ms: i64,
}

impl Spent {
    /// Takes the next event.
    pub fn take(&mut self, at_ms: i64, event: &EventKind) {
        match event {
            EventKind::RunStarted(_) | EventKind::RunResumed { .. } => self.interrupted(),
            EventKind::DevboxCreated { devbox_id, .. } => {
                self.living.insert(devbox_id.to_string(), at_ms);
            }
            EventKind::DevboxEnded { devbox_id } => {
                if let Some(since) = self.living.remove(devbox_id.as_str()) {
                    self.ended_ms = self.ended_ms.saturating_add(between(since, at_ms));
                }
            }
            EventKind::AttemptFailed { trial, usage: Some(usage), .. } => {
                let open = self.open.entry(trial.clone()).or_default();
                *open = open.plus(*usage);
            }
            EventKind::TrialFinished(result) => {
                self.open.remove(&result.trial);
                self.usage = self.usage.plus(result.usage.unwrap_or_default());
            }
            _ => {}
        }
        self.last_ms = self.last_ms.max(at_ms);
    }

    /// A part of the run ended without a word: what lived then is counted until the last that is known, and attempts whose
    /// trial begins anew were made all the same.
    fn interrupted(&mut self) {
        self.ended_ms = self.devbox_ms(self.last_ms);
        self.living.clear();
        self.usage = self.usage();
        self.open.clear();
    }

    /// Milliseconds of all devboxes until now, those that still live included.
    pub fn devbox_ms(&self, now_ms: i64) -> u64 {
        let living = self.living.values().map(|since| between(*since, now_ms));
        living.fold(self.ended_ms, u64::saturating_add)
    }

    /// The same until the last event.
    pub fn devbox_ms_so_far(&self) -> u64 {
        self.devbox_ms(self.last_ms)
    }

    /// Devboxes that live.
    pub fn living(&self) -> usize {
        self.living.len()
    }

    /// What agents say they used.
    pub fn usage(&self) -> Usage {
        self.open.values().fold(self.usage, |sum, usage| sum.plus(*usage))
    }
}

fn between(since: i64, until: i64) -> u64 {
    u64::try_from(until.saturating_sub(since)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, TrialResult, TrialState};

    fn key(repetition: u32) -> TrialKey {
        TrialKey { scenario: "s".into(), agent: "a".into(), repetition }
    }

    fn made(id: &str) -> EventKind {
        EventKind::DevboxCreated { devbox_id: id.into(), purpose: "agent".into(), trial: None }
    }

    fn ended(id: &str) -> EventKind {
        EventKind::DevboxEnded { devbox_id: id.into() }
    }

    fn cost(usd: f64) -> Option<Usage> {
        Some(Usage { cost_usd: Some(usd), ..Usage::default() })
    }

    fn failed(repetition: u32, usage: Option<Usage>) -> EventKind {
        let (cause, message) = (Cause::DevboxLost, String::new());
        EventKind::AttemptFailed { trial: key(repetition), attempt: 1, cause, message, usage }
    }

    fn finished(repetition: u32, usage: Option<Usage>) -> EventKind {
        EventKind::TrialFinished(Box::new(TrialResult {
            trial: key(repetition),
            digest: String::new(),
            state: TrialState::Scored,
            score: Some(1.0),
            passed: Some(true),
            cause: None,
            message: None,
            attempts: 1,
            durations_ms: Default::default(),
            agent_end: None,
            usage,
            scores: Vec::new(),
            flags: Vec::new(),
            logs: None,
        }))
    }

    fn fold(events: &[(i64, EventKind)]) -> Spent {
        let mut spent = Spent::default();
        events.iter().for_each(|(at_ms, event)| spent.take(*at_ms, event));
        spent
    }

    #[test]
    fn devboxes_are_added_up_also_while_they_live() {
        let spent = fold(&[(100, made("x")), (150, made("y")), (200, ended("x")), (210, ended("unknown"))]);
        assert_eq!((spent.devbox_ms(1150), spent.living()), (100 + 1000, 1));
        assert_eq!(spent.devbox_ms_so_far(), 100 + 60);
    }

    #[test]
    fn every_attempt_counts_once() {
        let spent = fold(&[(0, failed(1, cost(0.5))), (1, failed(2, cost(0.25)))]);
        assert_eq!(spent.usage().cost_usd, Some(0.75));
        // A verdict counts the attempts before it.
        let spent = fold(&[(0, failed(1, cost(0.5))), (1, finished(1, cost(0.75)))]);
        assert_eq!(spent.usage().cost_usd, Some(0.75));
        assert_eq!(fold(&[(0, failed(1, None)), (1, finished(1, None))]).usage(), Usage::default());
    }

    #[test]
    fn what_a_killed_part_of_the_run_took_is_not_forgotten() {
        let spent = fold(&[
            (0, made("x")),
            (10, failed(1, cost(0.5))),
            (50, finished(2, cost(1.0))),
            (90_000, EventKind::RunResumed { remaining: 1 }),
            (90_010, finished(1, cost(0.25))),
        ]);
        assert_eq!((spent.devbox_ms_so_far(), spent.living()), (50, 0));
        assert_eq!(spent.usage().cost_usd, Some(1.75));
    }
}
