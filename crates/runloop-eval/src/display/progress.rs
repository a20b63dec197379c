//! What the bar of a live region says: verdicts so far, the mean with its interval, what is left.

use std::collections::BTreeMap;
use std::time::Duration;

use eval_record::{Budget, Cause, Event, Outcome, Spent, TrialKey, TrialResult, TrialState};
use eval_report::{MeanInterval, Tally};

use super::Purpose;
use super::line::printable;

/// Agents whose means are shown; of more, none is: the table at the end has them.
const AGENTS: usize = 3;

/// Verdicts before which nobody can say how long the rest takes.
const ENOUGH: usize = 3;

/// The verdicts of a run so far.
#[derive(Debug)]
pub(super) struct Progress {
    purpose: Purpose,
    pub(super) planned: usize,
    pub(super) finished: usize,
    /// Of those, the ones of an earlier part of the run.
    recalled: usize,
    seed: u64,
    good: usize,
    bad: usize,
    invalid: BTreeMap<Cause, usize>,
    agents: BTreeMap<String, Agent>,
    spent: Spent,
    budget: Budget,
}

#[derive(Debug, Default)]
struct Agent {
    tally: Tally,
    interval: Option<MeanInterval>,
    is_stale: bool,
}

/// The scores of an agent, of which there are more since its interval was estimated.
pub(super) struct Stale {
    agent: String,
    tally: Tally,
    seed: u64,
}

impl Stale {
    /// The interval of the mean; none where it says nothing.
    pub(super) fn estimate(self) -> (String, Option<MeanInterval>) {
        (self.agent, self.tally.interval(self.seed).filter(|interval| !interval.degenerate))
    }
}

impl Progress {
    pub(super) fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            planned: 0,
            finished: 0,
            recalled: 0,
            seed: 0,
            good: 0,
            bad: 0,
            invalid: BTreeMap::new(),
            agents: BTreeMap::new(),
            spent: Spent::default(),
            budget: Budget::default(),
        }
    }

    /// Learns how much there is to do, and what it may take.
    pub(super) fn start(&mut self, planned: usize, seed: u64, budget: Budget) {
        (self.planned, self.seed, self.budget) = (planned, seed, budget);
    }

    /// Counts what an event took.
    pub(super) fn spend(&mut self, event: &Event) {
        self.spent.take(event.at_ms, &event.kind);
    }

    /// Takes an earlier part of the run, which took none of the time of this one.
    pub(super) fn recall(&mut self, verdicts: &BTreeMap<TrialKey, Outcome>, spent: Spent) {
        verdicts.iter().for_each(|(trial, outcome)| self.add(&outcome.result(trial)));
        self.recalled = verdicts.len();
        self.spent = spent;
    }

    /// Takes a verdict.
    pub(super) fn add(&mut self, result: &TrialResult) {
        self.finished += 1;
        match result.state {
            TrialState::Scored if self.purpose.is_good(result) => self.good += 1,
            TrialState::Scored => self.bad += 1,
            TrialState::Invalid => {
                *self.invalid.entry(result.cause.unwrap_or(Cause::HarnessError)).or_default() += 1;
            }
            TrialState::Canceled => {}
        }
        let agent = self.agents.entry(result.trial.agent.clone()).or_default();
        agent.tally.add(result);
        agent.is_stale = true;
    }

    /// What the intervals are to be estimated from again. That takes a while, so not for every picture, and not here.
    pub(super) fn stale(&mut self) -> Vec<Stale> {
        let stale = self.agents.iter_mut().filter(|(_, agent)| agent.is_stale);
        stale
            .map(|(name, agent)| {
                agent.is_stale = false;
                Stale { agent: name.clone(), tally: agent.tally.clone(), seed: self.seed }
            })
            .collect()
    }

    /// Takes new intervals of agents.
    pub(super) fn renew(&mut self, intervals: Vec<(String, Option<MeanInterval>)>) {
        for (agent, interval) in intervals {
            if let Some(agent) = self.agents.get_mut(&agent) {
                agent.interval = interval;
            }
        }
    }

    /// What the bar says after so much time; in colours of a terminal. `now_ms` is in Unix milliseconds.
    pub(super) fn text(&self, elapsed: Duration, now_ms: i64) -> String {
        let mut text = match self.purpose {
            Purpose::Judge => format!("{} passed, {} failed", self.good, self.bad),
            Purpose::Validate => format!("{} as they should be, {} broken", self.good, self.bad),
        };
        let invalid: usize = self.invalid.values().sum();
        if invalid > 0 {
            let causes: Vec<&str> = self.invalid.keys().map(|cause| cause.as_str()).collect();
            text += &format!(", \x1b[1;33m{invalid} invalid ({})\x1b[0m", causes.join(", "));
        }
        if self.purpose == Purpose::Judge && self.agents.len() <= AGENTS {
            for (name, agent) in &self.agents {
                let Some(mean) = agent.tally.mean() else { continue };
                // A mean of different agents says nothing about any.
                let name = if self.agents.len() > 1 { printable(name) } else { "mean".to_owned() };
                text += &format!(" · {name} {mean:.3}");
                if let Some(interval) = agent.interval {
                    text += &format!(" [{:.2}, {:.2}]", interval.low, interval.high);
                }
            }
        }
        let left = self.planned.saturating_sub(self.finished);
        let share = self.planned as f64 / self.finished.max(1) as f64;
        let is_early = self.finished < ENOUGH || left == 0;
        let forecast = |spent: f64| if is_early { spent } else { spent * share };
        let Budget { max_devbox_minutes, max_cost_usd } = self.budget;
        let minutes = self.spent.devbox_ms(now_ms) as f64 / 60_000.0;
        if let Some(most) = max_devbox_minutes {
            text += &format!(" · {minutes:.1} of {most} devbox minutes");
            if forecast(minutes) > most {
                text += &format!(" (\x1b[1;33mabout {:.0} are needed\x1b[0m)", forecast(minutes));
            }
        }
        match (self.spent.usage().cost_usd, max_cost_usd) {
            (cost, Some(most)) => {
                let cost = cost.unwrap_or_default();
                text += &format!(" · ${cost:.2} of ${most:.2}");
                if forecast(cost) > most {
                    text += &format!(" (\x1b[1;33mabout ${:.2} is needed\x1b[0m)", forecast(cost));
                }
            }
            (Some(cost), None) if is_early => text += &format!(" · ${cost:.2}"),
            (Some(cost), None) => text += &format!(" · ${cost:.2} of about ${:.2}", forecast(cost)),
            (None, None) => {}
        }
        let news = self.finished - self.recalled;
        if news >= ENOUGH && left > 0 {
            let seconds = (elapsed.as_secs_f64() * left as f64 / news as f64).ceil() as u64;
            text += &match seconds {
                0..90 => format!(" · about {seconds} s left"),
                90..5400 => format!(" · about {} m left", seconds.div_ceil(60)),
                _ => format!(" · about {:.1} h left", seconds as f64 / 3600.0),
            };
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use eval_record::{EventKind, ResourceKind, ResourceRequest, Usage};

    use super::*;

    fn result(scenario: &str, agent: &str, score: Option<f64>) -> TrialResult {
        TrialResult {
            score,
            passed: score.map(|score| score >= 1.0),
            cause: score.is_none().then_some(Cause::DevboxLost),
            ..TrialResult::bare(
                TrialKey { scenario: scenario.into(), agent: agent.into(), repetition: 1 },
                "",
                if score.is_some() { TrialState::Scored } else { TrialState::Invalid },
            )
        }
    }

    fn after(planned: usize, results: &[TrialResult], seconds: u64) -> String {
        let mut progress = Progress::new(Purpose::Judge);
        progress.start(planned, 7, Budget::default());
        for result in results {
            progress.spend(&finished(result));
            progress.add(result);
        }
        let estimates = progress.stale().into_iter().map(Stale::estimate).collect();
        progress.renew(estimates);
        anstream::adapter::strip_str(&progress.text(Duration::from_secs(seconds), 0)).to_string()
    }

    fn finished(result: &TrialResult) -> Event {
        Event { at_ms: 0, kind: EventKind::TrialFinished(Box::new(result.clone())) }
    }

    #[test]
    fn a_budget_shows_what_is_spent_of_it_and_whether_it_will_do() {
        let text = |most: f64| {
            let mut progress = Progress::new(Purpose::Judge);
            let budget = Budget { max_devbox_minutes: Some(9.5), max_cost_usd: Some(most) };
            progress.start(6, 7, budget);
            let asked = EventKind::ResourceRequested(ResourceRequest {
                key: "k".to_owned(),
                resource: ResourceKind::Devbox,
                purpose: "agent".to_owned(),
                trial: None,
                attempt: None,
            });
            let created = EventKind::ResourceCreated { key: "k".to_owned(), id: "dbx_1".to_owned() };
            for kind in [asked, created] {
                progress.spend(&Event { at_ms: 0, kind });
            }
            for scenario in ["a", "b", "c"] {
                let usage = Some(Usage { cost_usd: Some(0.5), ..Usage::default() });
                let result = TrialResult { usage, ..result(scenario, "x", Some(1.0)) };
                progress.spend(&finished(&result));
                progress.add(&result);
            }
            anstream::adapter::strip_str(&progress.text(Duration::from_secs(3), 180_000)).to_string()
        };
        assert!(text(5.0).contains(" · 3.0 of 9.5 devbox minutes · $1.50 of $5.00 · "), "{}", text(5.0));
        assert!(text(2.0).contains("$1.50 of $2.00 (about $3.00 is needed)"), "{}", text(2.0));
    }

    #[test]
    fn the_mean_comes_with_its_interval_and_the_time_left() {
        let results = [result("a", "x", Some(1.0)), result("b", "x", Some(0.0)), result("c", "x", Some(0.5))];
        assert_eq!(after(9, &results, 10), "1 passed, 2 failed · mean 0.500 [0.00, 1.00] · about 20 s left");
        assert_eq!(after(3, &results, 10), "1 passed, 2 failed · mean 0.500 [0.00, 1.00]");
        assert_eq!(after(9, &results[..1], 10), "1 passed, 0 failed · mean 1.000", "too early to tell");
    }

    #[test]
    fn invalid_trials_are_called_out_and_are_not_in_the_mean() {
        let text = after(4, &[result("a", "x", Some(1.0)), result("b", "x", None)], 1);
        assert_eq!(text, "1 passed, 0 failed, 1 invalid (devbox_lost) · mean 1.000");
    }

    #[test]
    fn agents_are_not_averaged_together() {
        let mut results = vec![result("a", "oracle", Some(1.0)), result("a", "nop", Some(0.0))];
        assert_eq!(after(4, &results, 1), "1 passed, 1 failed · nop 0.000 · oracle 1.000");
        results.extend(["p", "q"].map(|agent| result("a", agent, Some(0.0))));
        assert_eq!(after(4, &results, 1), "1 passed, 3 failed", "four would not fit");
    }

    #[test]
    fn cost_is_extrapolated() {
        let paid = |scenario| TrialResult {
            usage: Some(Usage { cost_usd: Some(0.5), ..Usage::default() }),
            ..result(scenario, "x", Some(1.0))
        };
        let text = after(12, &[paid("a"), paid("b"), paid("c")], 60);
        assert!(text.ends_with(" · $1.50 of about $6.00 · about 3 m left"), "{text}");
    }
}
