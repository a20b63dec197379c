//! What a run has taken: a fold over its events.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{EventKind, KEEP_ALIVE, LOCAL, Phase, ResourceEnd, ResourceKind, TrialKey, Usage};

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

/// What is kept of a budget of money for an attempt under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// US dollars.
    pub usd: f64,
    /// Whether that is the most that the attempt is expected to cost; else nothing is known of its agent, and this is all
    /// that was left.
    pub is_known: bool,
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
    unsaid: Unsaid,
    /// Of trials under way, until they have their verdict, which counts all of their attempts.
    open: HashMap<TrialKey, Open>,
    last_ms: i64,
    /// Whether its devboxes end when it does, however it does: those of the local target.
    dies_with_run: bool,
}

/// What attempts may have cost that worked and did not say it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Unsaid {
    /// US dollars that were kept for them.
    usd: f64,
    /// Those of whose agents nothing was known, by agent.
    unknown: HashMap<String, u32>,
}

/// A trial under way.
#[derive(Debug, Clone, Default, PartialEq)]
struct Open {
    /// What failed attempts said.
    usage: Usage,
    /// Failed attempts that worked and said no cost.
    silent: u32,
    /// What is kept for the attempt that is made now.
    held: Option<Held>,
    /// Whether the agent of that attempt has begun.
    has_worked: bool,
}

impl Unsaid {
    /// An attempt worked and did not say what it cost.
    fn add(&mut self, trial: &TrialKey, held: Option<Held>) {
        match held {
            Some(Held { usd, is_known: true }) => self.usd += usd,
            Some(Held { is_known: false, .. }) => *self.unknown.entry(trial.agent.clone()).or_default() += 1,
            None => {}
        }
    }
}

impl Spent {
    /// Takes the next event.
    pub fn take(&mut self, at_ms: i64, event: &EventKind) {
        match event {
            EventKind::RunStarted(header) => {
                self.interrupted(at_ms);
                self.dies_with_run = header.target == LOCAL;
            }
            EventKind::RunResumed(_) => self.interrupted(at_ms),
            EventKind::ResourceRequested(request) if request.resource == ResourceKind::Devbox => {
                self.asked.insert(request.key.clone());
            }
            EventKind::ResourceCreated { key, .. } if self.asked.remove(key) => {
                self.living.insert(key.clone(), at_ms);
            }
            // Nobody knows when it really ended.
            EventKind::ResourceEnded { key, how: ResourceEnd::Reaped } => {
                self.asked.remove(key);
                if let Some(since) = self.living.remove(key) {
                    self.ended_ms = self.ended_ms.saturating_add(between(since, self.outlived(at_ms)));
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
            EventKind::AttemptStarted { trial, held, .. } => {
                let open = self.open.entry(trial.clone()).or_default();
                (open.held, open.has_worked) = (*held, false);
            }
            EventKind::PhaseStarted { trial, phase: Phase::Agent, .. } => {
                self.open.entry(trial.clone()).or_default().has_worked = true;
            }
            EventKind::AttemptFailed { trial, usage, .. } => {
                let open = self.open.entry(trial.clone()).or_default();
                let usage = usage.unwrap_or_default();
                open.usage = open.usage.plus(usage);
                let held = open.held.take();
                if std::mem::take(&mut open.has_worked) && usage.cost_usd.is_none() {
                    open.silent = open.silent.saturating_add(1);
                    self.unsaid.add(trial, held);
                }
            }
            EventKind::TrialFinished(result) => {
                let open = self.open.remove(&result.trial).unwrap_or_default();
                let usage = result.usage.unwrap_or_default();
                // More are silent than those before it: then the last one is.
                let is_silent = usage.cost_usd.is_none() || usage.silent_attempts > open.silent;
                if open.has_worked && is_silent {
                    self.unsaid.add(&result.trial, open.held);
                }
                self.usage = self.usage.plus(usage);
            }
            _ => {}
        }
        self.last_ms = self.last_ms.max(at_ms);
    }

    /// A part of the run ended without a word: what lived then is counted until the last that is known or, where devboxes
    /// outlive their run, for as long as they may have done so. Attempts whose trial begins anew were made all the same.
    fn interrupted(&mut self, at_ms: i64) {
        self.ended_ms = self.devbox_ms(self.outlived(at_ms));
        self.living.clear();
        self.asked.clear();
        self.usage = self.usage();
        self.unsaid = self.unsaid();
        self.open.clear();
    }

    /// Until when what lived at the last event may have lived, if it was gone by now.
    fn outlived(&self, now_ms: i64) -> i64 {
        let most = if self.dies_with_run { 0 } else { KEEP_ALIVE.as_millis() as i64 };
        self.last_ms.saturating_add(most).min(now_ms).max(self.last_ms)
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
        self.open.values().fold(self.usage, |sum, open| sum.plus(open.usage))
    }

    /// US dollars that a budget has to count: what agents say, and for attempts that worked and said nothing, those under way
    /// among them, what was kept.
    pub fn charged_usd(&self) -> f64 {
        self.usage().cost_usd.unwrap_or_default() + self.unsaid().usd
    }

    /// Attempts that worked and said no cost while nothing was known of their agent, by agent; those under way among them.
    pub fn silent_attempts(&self) -> HashMap<String, u32> {
        self.unsaid().unknown
    }

    fn unsaid(&self) -> Unsaid {
        let mut unsaid = self.unsaid.clone();
        for (trial, open) in self.open.iter().filter(|(_, open)| open.has_worked) {
            unsaid.add(trial, open.held);
        }
        unsaid
    }
}

fn between(since: i64, until: i64) -> u64 {
    u64::try_from(until.saturating_sub(since)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, ResourceRequest, Resumed, TrialResult, TrialState};

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
        let header = crate::RunHeader { target: "local".to_owned(), ..Default::default() };
        let spent = fold(&[
            (0, EventKind::RunStarted(Box::new(header))),
            (0, asked("x", ResourceKind::Devbox)),
            (0, made("x")),
            (10, failed(1, cost(0.5))),
            (50, finished(2, cost(1.0))),
            (90_000, EventKind::RunResumed(Resumed::default())),
            (90_010, finished(1, cost(0.25))),
        ]);
        assert_eq!((spent.devbox_ms_so_far(), spent.living()), (50, 0));
        assert_eq!(spent.usage().cost_usd, Some(1.75));
    }

    /// An attempt whose agent works, and for which this is kept.
    fn works(repetition: u32, held: Option<Held>) -> [(i64, EventKind); 2] {
        let (trial, attempt) = (key(repetition), 1);
        let started = EventKind::AttemptStarted { trial: trial.clone(), attempt, held };
        [(0, started), (0, EventKind::PhaseStarted { trial, attempt, phase: Phase::Agent })]
    }

    fn known(usd: f64) -> Option<Held> {
        Some(Held { usd, is_known: true })
    }

    #[test]
    fn what_was_kept_counts_where_an_attempt_worked_and_said_nothing() {
        let charged = |held, then: &[EventKind]| {
            let then = then.iter().map(|kind| (1, kind.clone()));
            let spent = fold(&works(1, held).into_iter().chain(then).collect::<Vec<_>>());
            (spent.charged_usd(), spent.silent_attempts().get("a").copied())
        };
        let unknown = Some(Held { usd: 9.0, is_known: false });
        let resumed = || EventKind::RunResumed(Resumed::default());
        assert_eq!(charged(known(2.0), &[]), (2.0, None), "it may have cost that already");
        assert_eq!(charged(known(2.0), &[resumed()]), (2.0, None), "killed");
        assert_eq!(charged(known(2.0), &[failed(1, None), resumed()]), (2.0, None));
        assert_eq!(charged(known(2.0), &[failed(1, cost(0.5)), resumed()]), (0.5, None));
        assert_eq!(charged(known(2.0), &[finished(1, None)]), (2.0, None));
        assert_eq!(charged(known(2.0), &[finished(1, cost(0.5))]), (0.5, None));
        assert_eq!(charged(unknown, &[resumed()]), (0.0, Some(1)), "nobody knows how much of it");
        assert_eq!(charged(unknown, &[finished(1, None)]), (0.0, Some(1)));
        assert_eq!(charged(None, &[finished(1, None)]), (0.0, None), "without a budget");
        let idle = EventKind::AttemptStarted { trial: key(1), attempt: 1, held: known(2.0) };
        assert_eq!(fold(&[(0, idle), (1, resumed())]).charged_usd(), 0.0, "the agent never began");
    }

    #[test]
    fn of_several_attempts_each_counts_as_it_spoke() {
        let said = |cost: f64, silent_attempts| {
            Some(Usage { cost_usd: Some(cost), silent_attempts, ..Usage::default() })
        };
        let attempts = |first: Option<Usage>, both: Option<Usage>| {
            let [a, b] = works(1, known(2.0));
            let [c, d] = works(1, known(3.0));
            fold(&[a, b, (1, failed(1, first)), c, d, (2, finished(1, both))]).charged_usd()
        };
        assert_eq!(attempts(cost(0.5), said(0.75, 0)), 0.75, "both spoke");
        assert_eq!(attempts(None, said(0.25, 1)), 2.25, "the first was silent");
        assert_eq!(attempts(cost(0.5), said(0.5, 1)), 3.5, "the second was silent");
        assert_eq!(attempts(None, None), 5.0);
    }

    #[test]
    fn a_killed_run_took_as_much_as_it_lived_and_what_outlived_it_counts() {
        let killed = |target: &str, at_ms| {
            let header = crate::RunHeader { target: target.to_owned(), ..Default::default() };
            fold(&[
                (0, EventKind::RunStarted(Box::new(header))),
                (0, asked("x", ResourceKind::Devbox)),
                (0, made("x")),
                (30_000, EventKind::Heartbeat),
                (at_ms, EventKind::RunResumed(Resumed::default())),
            ])
            .devbox_ms_so_far()
        };
        assert_eq!(killed("local", 90_000), 30_000, "its devboxes died with it");
        assert_eq!(killed("https://example.com", 90_000), 90_000, "until it was ended");
        assert_eq!(killed("https://example.com", 9_000_000), 630_000, "or ended by itself");
    }
}
