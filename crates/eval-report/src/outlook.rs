//! With adaptive trials: is enough known of an agent, or could further rounds change what is known?
//!
//! **With a gate** it is enough when further repetitions, up to the most there may be, would hardly change what the gate says.
//! The mean score, the pass rate, the floors: from the trials so far it is known how far such a value still moves. With nᵢ
//! trials of scenario i of k now, mᵢ at the end, and the variance vᵢ of one, by chance as far as √Σ vᵢ(1/nᵢ − 1/mᵢ) / k, and
//! enough is known when that does not reach to the limit. The chance that it did is at most 5 % for all looks together: the
//! stochastic curtailment of K. K. G. Lan, R. Simon and M. Halperin, "Stochastically curtailed testing in long-term clinical
//! trials", Communications in Statistics C 1 (1982), 207-219. A regression is called one at once when the gate's own test does,
//! at the level that this look has ([`look_level`]); that there is none, when the drop at the
//! end would hardly be one that the test then calls one.
//!
//! **Without a gate**, or with one that asks nothing of scores, it is enough when the mean score is known to within
//! `half_width`: that of these very scenarios, whose repetitions tell nothing about others. Its interval is that of the normal
//! distribution, at 5 % shared out equally between all looks.
//!
//! The variance of a scenario's trials has one more trial added to it, half of it with the score 0 and half with 1: after
//! three passes nobody knows that the fourth will pass (A. Agresti and B. A. Coull, American Statistician 52 (1998), 119-126,
//! for the same reason add four).
//!
//! **All scenarios are repeated equally often**, also those whose trials agree. Repeating only those that do not agree would
//! save trials and spoil the mean: a scenario that an agent passes 4 times of 5 would often be left alone after three passes,
//! but never after two and a failure, and seem better than it is. `cargo xtask stats` shows by how much.

use std::collections::BTreeMap;

use eval_record::{Event, EventKind, PlannedTrial, Rounds, RunHeader, TrialResult};

use crate::baseline::BaselineScenario;
use crate::gate::{AgentVerdict, Decision, Limits, Reference, judge};
use crate::statistics::normal::normal_quantile;
use crate::statistics::{ALPHA, NEAR, look_level};
use crate::trial::shared_digest;
use crate::{Summary, Trial};

/// When enough is known.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked of each agent.
    pub limits: Option<Limits>,
    /// What it is held against.
    pub reference: Option<Reference>,
    /// How trials are added.
    pub rounds: Rounds,
    /// Whether the run has one agent only.
    pub is_only: bool,
    /// Seed of the statistics.
    pub seed: u64,
}

/// Whether further trials could change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlook {
    Settled,
    Open,
}

/// The values of a scenario's trials.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Sample {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    /// Of one trial, with a trial added that is half 0 and half 1.
    fn variance(&self) -> f64 {
        let count = self.count + 1.0;
        let mean = (self.sum + 0.5) / count;
        ((self.squares + 0.5) / count - mean * mean).max(0.0)
    }

    /// The sum of squares about the mean.
    fn scatter(&self) -> f64 {
        if self.count > 0.0 { (self.squares - self.sum * self.sum / self.count).max(0.0) } else { 0.0 }
    }
}

/// The scenarios of an agent that have scores, and how many trials of each may follow.
#[derive(Debug, Default)]
struct Samples {
    scenarios: BTreeMap<String, Sample>,
    more: f64,
}

impl Samples {
    fn of(trials: &[Trial], more: u32, value: impl Fn(&Trial) -> Option<f64>) -> Self {
        let mut scenarios: BTreeMap<String, Sample> = BTreeMap::new();
        for trial in trials {
            if let Some(value) = value(trial) {
                scenarios.entry(trial.key.scenario.clone()).or_default().add(value);
            }
        }
        Self { scenarios, more: f64::from(more) }
    }

    fn only(&self, scenario: &str) -> Self {
        let found = self.scenarios.get_key_value(scenario);
        Self {
            scenarios: found.map(|(name, sample)| (name.clone(), *sample)).into_iter().collect(),
            more: self.more,
        }
    }

    fn mean(&self) -> Option<f64> {
        let count: f64 = self.scenarios.values().map(|sample| sample.count).sum();
        let sum: f64 = self.scenarios.values().map(|sample| sample.sum).sum();
        (count > 0.0).then_some(sum / count)
    }

    /// The standard error of the mean over scenarios.
    fn error(&self) -> f64 {
        self.spread(|sample| sample.variance() / sample.count)
    }

    /// The standard deviation of what further trials may move it by.
    fn motion(&self) -> f64 {
        self.spread(|sample| sample.variance() * (1.0 / sample.count - 1.0 / (sample.count + self.more)))
    }

    fn spread(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        let count = self.scenarios.len() as f64;
        if count == 0.0 { 0.0 } else { self.scenarios.values().map(of).sum::<f64>().max(0.0).sqrt() / count }
    }
}

impl Question {
    /// Why the results of an agent are enough, in a sentence without a full stop; `None` if they are not. The same for the
    /// same results.
    pub fn enough(&self, agent: &str, results: &[TrialResult]) -> Option<String> {
        let summary = self.summary(results);
        let trials = &summary.trials;
        let repetitions = trials.iter().map(|trial| trial.key.repetition).max().unwrap_or(0);
        let more = self.rounds.max.saturating_sub(repetitions);
        let scores = Samples::of(trials, more, |trial| trial.score);
        let in_baseline = |reference: &&Reference| reference.agent(agent, self.is_only).is_some();
        let reference = self.reference.as_ref().filter(in_baseline);
        let before = reference.and_then(|reference| reference.agent(agent, self.is_only));
        let before = before.map(|(_, scenarios)| scenarios);
        let asks = |limits: &&Limits| asks_for_scores(limits, reference);
        let Some(limits) = self.limits.as_ref().filter(asks) else {
            return self.narrow(&scores);
        };
        let missing = summary.total.without_score();
        if missing > u64::from(limits.max_invalid.unwrap_or(0)) {
            return Some(format!("{missing} trials have no score, so the gate cannot pass any more"));
        }
        let verdict = judge(limits, reference, &summary).agents.into_iter().next().unwrap_or_default();
        let passes = Samples::of(trials, more, |trial| {
            trial.score.map(|_| f64::from(u8::from(trial.passed == Some(true))))
        });
        let mut limits_on_means = vec![(limits.min_score, &scores), (limits.min_pass_rate, &passes)];
        let floors: Vec<(f64, Samples)> =
            limits.floors.iter().map(|(scenario, floor)| (*floor, scores.only(scenario))).collect();
        limits_on_means.extend(floors.iter().map(|(floor, samples)| (Some(*floor), samples)));
        let means: Vec<(Outlook, bool)> = limits_on_means
            .into_iter()
            .filter_map(|(limit, samples)| {
                let (limit, mean) = (limit?, samples.mean()?);
                let is_missed = mean < limit - NEAR;
                let settled = (mean - limit).abs() + NEAR >= self.doubt() * samples.motion();
                // Exactly at the limit nothing is settled while anything may follow.
                let settled = settled && (more == 0 || (mean - limit).abs() > NEAR);
                Some((if settled { Outlook::Settled } else { Outlook::Open }, is_missed))
            })
            .collect();
        let fails = means.iter().any(|(outlook, is_missed)| *outlook == Outlook::Settled && *is_missed)
            || fails_by(&verdict, "max_regression")
            || fails_by(&verdict, "max_flagged")
            || fails_by(&verdict, "max_cost");
        if fails {
            return Some("the gate fails, and further trials would hardly change that".to_owned());
        }
        let is_settled = means.iter().all(|(outlook, _)| *outlook == Outlook::Settled)
            && self.regression(limits, &verdict, before, trials, &scores) == Outlook::Settled;
        is_settled.then(|| match verdict.decision {
            Decision::Pass => "the gate passes, and further trials would hardly change that".to_owned(),
            Decision::Fail => "the gate fails, and further trials would hardly change that".to_owned(),
            Decision::Undecided => "further trials would not decide the gate".to_owned(),
        })
    }

    /// Of a run that has these results only.
    fn summary(&self, results: &[TrialResult]) -> Summary {
        let planned = |result: &TrialResult| PlannedTrial {
            trial: result.trial.clone(),
            digest: result.digest.clone(),
            metadata: BTreeMap::new(),
        };
        let planned = results.iter().map(planned).collect();
        let header =
            RunHeader { planned, seed: self.seed, rounds: Some(self.rounds), ..RunHeader::default() };
        let verdicts = results.iter().map(|result| EventKind::TrialFinished(Box::new(result.clone())));
        let events: Vec<Event> = std::iter::once(EventKind::RunStarted(Box::new(header)))
            .chain(verdicts)
            .map(|kind| Event { at_ms: 0, kind })
            .collect();
        Summary::from_events(&events)
    }

    /// How many standard deviations are beyond doubt: all looks before the last share 5 %.
    fn doubt(&self) -> f64 {
        let early = self.rounds.sizes().len().saturating_sub(1).max(1) as f64;
        normal_quantile(1.0 - ALPHA / early)
    }

    fn narrow(&self, scores: &Samples) -> Option<String> {
        let looks = self.rounds.sizes().len() as f64;
        let half = normal_quantile(1.0 - ALPHA / (2.0 * looks)) * scores.error();
        (scores.mean().is_some() && half <= self.rounds.half_width)
            .then(|| format!("the mean score of these scenarios is known to within {half:.3}"))
    }

    /// Whether the drop at the end would hardly be one that the test then calls one.
    fn regression(
        &self,
        limits: &Limits,
        verdict: &AgentVerdict,
        before: Option<&BTreeMap<String, BaselineScenario>>,
        trials: &[Trial],
        scores: &Samples,
    ) -> Outlook {
        let (Some(allowed), Some(before)) = (limits.max_regression, before) else { return Outlook::Settled };
        let is_said = verdict.reasons.iter().any(|reason| reason.limit == "max_regression");
        if verdict.regression.is_none() || !is_comparable(before, trials) {
            // Further trials do not change that.
            return Outlook::Settled;
        }
        if is_said {
            return Outlook::Open;
        }
        let mut now = Samples { more: scores.more, ..Samples::default() };
        let (mut difference, mut error) = (0.0, 0.0);
        for (scenario, old) in before {
            let Some(sample) = scores.scenarios.get(scenario) else { continue };
            let mut past = Sample::default();
            old.scores.iter().for_each(|score| past.add(*score));
            if past.count == 0.0 {
                continue;
            }
            difference += sample.sum / sample.count - past.sum / past.count;
            let variance = (sample.scatter() + past.scatter()) / (sample.count + past.count);
            error += variance * (1.0 / past.count + 1.0 / (sample.count + scores.more));
            now.scenarios.insert(scenario.clone(), *sample);
        }
        let count = now.scenarios.len() as f64;
        if count == 0.0 {
            return Outlook::Settled;
        }
        let last = look_level(&self.rounds, self.rounds.max);
        let called = allowed.max(normal_quantile(1.0 - last) * error.sqrt() / count);
        let is_safe = difference / count - self.doubt() * now.motion() >= -called - NEAR;
        if is_safe { Outlook::Settled } else { Outlook::Open }
    }
}

fn asks_for_scores(limits: &Limits, reference: Option<&Reference>) -> bool {
    limits.min_score.is_some()
        || limits.min_pass_rate.is_some()
        || !limits.floors.is_empty()
        || (limits.max_regression.is_some() && reference.is_some())
}

/// Whether these are trials of all scenarios of the baseline as they were.
fn is_comparable(before: &BTreeMap<String, BaselineScenario>, trials: &[Trial]) -> bool {
    let mut scenarios: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        scenarios.entry(&trial.key.scenario).or_default().push(trial);
    }
    before.iter().all(|(name, old)| {
        scenarios.get(name.as_str()).is_some_and(|trials| shared_digest(trials) == Some(&old.digest))
    })
}

fn fails_by(verdict: &AgentVerdict, limit: &str) -> bool {
    verdict.reasons.iter().any(|reason| reason.limit == limit && reason.decision == Decision::Fail)
}

#[cfg(test)]
mod tests {
    use eval_record::{TrialKey, TrialState};

    use super::*;
    use crate::baseline::Baseline;

    fn result(scenario: &str, repetition: u32, score: Option<f64>) -> TrialResult {
        TrialResult {
            score,
            passed: score.map(|score| score >= 1.0),
            ..TrialResult::bare(
                TrialKey { scenario: scenario.to_owned(), agent: "a".to_owned(), repetition },
                "d",
                if score.is_some() { TrialState::Scored } else { TrialState::Invalid },
            )
        }
    }

    /// Sixteen scenarios with these scores each.
    fn sixteen(scores: &[f64]) -> Vec<TrialResult> {
        (0..16)
            .flat_map(|nth| {
                let of = move |(score, repetition): (&f64, u32)| {
                    result(&format!("s{nth:02}"), repetition, Some(*score))
                };
                scores.iter().zip(1..).map(of).collect::<Vec<_>>()
            })
            .collect()
    }

    fn question(limits: Option<Limits>) -> Question {
        let rounds = Rounds { min: 3, max: 20, half_width: 0.05 };
        Question { limits, reference: None, rounds, is_only: true, seed: 1 }
    }

    fn asked(question: &Question, results: &[TrialResult]) -> Option<String> {
        question.enough("a", results)
    }

    fn at_least(score: f64) -> Question {
        question(Some(Limits { min_score: Some(score), ..Limits::default() }))
    }

    #[test]
    fn a_limit_far_away_is_decided_soon_and_a_near_one_late() {
        let good = sixteen(&[1.0, 1.0, 1.0, 0.0]);
        assert!(asked(&at_least(0.4), &good).is_some_and(|why| why.contains("passes")));
        assert!(asked(&at_least(0.95), &good).is_some_and(|why| why.contains("fails")));
        assert_eq!(asked(&at_least(0.72), &good), None);
        assert_eq!(asked(&at_least(0.75), &good), None, "exactly there");
        let all: Vec<f64> = (0..20).map(|n| f64::from(u8::from(n % 4 > 0))).collect();
        assert!(asked(&at_least(0.72), &sixteen(&all)).is_some(), "nothing follows");
    }

    #[test]
    fn three_passes_do_not_promise_twenty() {
        assert_eq!(asked(&at_least(1.0), &sixteen(&[1.0; 3])), None);
    }

    #[test]
    fn one_floor_that_is_open_keeps_the_agent_open() {
        let limits = Limits {
            min_score: Some(0.2),
            floors: BTreeMap::from([("s03".to_owned(), 0.6)]),
            ..Limits::default()
        };
        assert_eq!(asked(&question(Some(limits)), &sixteen(&[1.0, 1.0, 0.0])), None);
    }

    #[test]
    fn without_a_gate_the_interval_decides() {
        assert_eq!(asked(&question(None), &sixteen(&[1.0, 0.0, 1.0])), None);
        let many: Vec<f64> = (0..60).map(|n| f64::from(u8::from(n % 2 > 0))).collect();
        let why = asked(&question(None), &sixteen(&many)).expect("enough");
        assert!(why.contains("known to within 0.0"), "{why}");
        let only_invalid = Limits { max_invalid: Some(2), ..Limits::default() };
        assert_eq!(asked(&question(Some(only_invalid)), &sixteen(&[1.0, 0.0, 1.0])), None);
    }

    #[test]
    fn what_has_no_score_cannot_be_repeated_away() {
        let mut results = sixteen(&[1.0; 3]);
        results[5] = result("s01", 3, None);
        assert!(asked(&at_least(0.9), &results).is_some_and(|why| why.contains("cannot pass")));
    }

    #[test]
    fn a_drop_beyond_chance_ends_it_and_so_does_none_at_all() {
        let baseline = |score: f64| {
            let scores = vec![score; 5];
            let scenario = BaselineScenario { score, scores, passed: 0, digest: "d".to_owned() };
            let scenarios = (0..16).map(|nth| (format!("s{nth:02}"), scenario.clone())).collect();
            Baseline { agents: BTreeMap::from([("a".to_owned(), scenarios)]), ..Baseline::default() }
        };
        let against = |score: f64| {
            let mut question = question(Some(Limits { max_regression: Some(0.05), ..Limits::default() }));
            question.reference = Some(Reference {
                baseline: baseline(score),
                file: "b.json".to_owned(),
                lines: BTreeMap::new(),
            });
            question
        };
        assert!(asked(&against(1.0), &sixteen(&[0.0, 0.0, 1.0])).is_some_and(|why| why.contains("fails")));
        assert!(asked(&against(0.2), &sixteen(&[1.0; 3])).is_some_and(|why| why.contains("passes")));
        let mut redefined = against(0.7);
        assert_eq!(asked(&redefined, &sixteen(&[1.0, 1.0, 0.0])), None);
        if let Some(scenarios) = redefined.reference.as_mut().and_then(|r| r.baseline.agents.get_mut("a")) {
            scenarios.values_mut().take(1).for_each(|scenario| scenario.digest = "another".to_owned());
        }
        let why = asked(&redefined, &sixteen(&[1.0, 1.0, 0.0])).expect("no trial makes it comparable");
        assert!(why.contains("would not decide"), "{why}");
        let mut unknown = against(1.0);
        unknown.reference = None;
        assert_eq!(asked(&unknown, &sixteen(&[0.0, 0.0, 1.0])), None, "without a baseline as without a gate");
    }
}
