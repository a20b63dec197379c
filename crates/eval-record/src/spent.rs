//! What a run has taken: a fold over its events.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{EventKind, ResourceEnd, ResourceKind, TrialKey, Usage};

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
    /// Devboxes that were asked for, by the keys of the requests.
    asked: HashSet<String>,
    /// Since when each devbox is there, by that key.
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
            EventKind::ResourceRequested(request) if request.resource == ResourceKind::Devbox => {
                self.asked.insert(request.key.clone());
            }
            EventKind::ResourceCreated { key, .. } if self.asked.remove(key) => {
                self.living.insert(key.clone(), at_ms);
            }
            // Nobody knows when it really ended; what it took after its maker's death is nobody's.
            EventKind::ResourceEnded { key, how: ResourceEnd::Reaped } => {
                self.asked.remove(key);
                if let Some(since) = self.living.remove(key) {
                    self.ended_ms = self.ended_ms.saturating_add(between(since, self.last_ms));
                }
                return;
            }
            // One that is kept for people is still at work.
            EventKind::ResourceEnded { key, how: ResourceEnd::Ended | ResourceEnd::Refused } => {
                self.asked.remove(key);
                if let Some(since) = self.living.remove(key) {
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
        self.asked.clear();
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
    use crate::{Cause, ResourceRequest, TrialResult, TrialState};

    fn key(repetition: u32) -> TrialKey {
        TrialKey { scenario: "s".into(), agent: "a".into(), repetition }
    }

    fn asked(key: &str, resource: ResourceKind) -> EventKind {
        let (key, purpose) = (key.to_owned(), "agent".to_owned());
        EventKind::ResourceRequested(ResourceRequest { key, resource, purpose, trial: None, attempt: None })
    }

    fn made(key: &str) -> EventKind {
        EventKind::ResourceCreated { key: key.into(), id: "id".into() }
    }

    fn ended(key: &str, how: ResourceEnd) -> EventKind {
        EventKind::ResourceEnded { key: key.into(), how }
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
            score: Some(1.0),
            passed: Some(true),
            usage,
            ..TrialResult::bare(key(repetition), "", TrialState::Scored)
        }))
    }

    fn fold(events: &[(i64, EventKind)]) -> Spent {
        let mut spent = Spent::default();
        events.iter().for_each(|(at_ms, event)| spent.take(*at_ms, event));
        spent
    }

    #[test]
    fn devboxes_are_added_up_also_while_they_live() {
        let spent = fold(&[
            (90, asked("x", ResourceKind::Devbox)),
            (95, asked("snapshot", ResourceKind::Snapshot)),
            (100, made("x")),
            (110, made("snapshot")),
            (120, asked("y", ResourceKind::Devbox)),
            (125, asked("refused", ResourceKind::Devbox)),
            (130, ended("refused", ResourceEnd::Refused)),
            (150, made("y")),
            (160, ended("y", ResourceEnd::Kept)),
            (200, ended("x", ResourceEnd::Ended)),
            (210, ended("unknown", ResourceEnd::Ended)),
        ]);
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
            (0, asked("x", ResourceKind::Devbox)),
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
