//! A run against its baseline.

use super::judge::Judge;
use super::{Decision, Example, Reference, Regression, ScenarioDifference};
use crate::Trial;
use crate::compare::{Change, detectable};
use crate::statistics::{ALPHA, NEAR, Stratum, look_level, mean, permutation};
use crate::trial::shared_digest;

/// A scenario with scores and one digest in the baseline and in the run.
struct Pair<'a> {
    scenario: &'a str,
    stratum: Stratum,
    /// Its line of the baseline.
    place: Option<String>,
}

impl Judge<'_> {
    pub(super) fn regression(&mut self, reference: Option<&Reference>) {
        let Some(allowed) = self.limits.max_regression else { return };
        let Some(reference) = reference else {
            return self.undecided("there is no baseline to compare with".to_owned(), Vec::new());
        };
        let is_only = self.summary.per_agent.len() == 1;
        let Some((name, before)) = reference.agent(&self.verdict.agent, is_only) else {
            let there: Vec<&str> = reference.baseline.agents.keys().map(String::as_str).collect();
            let message = format!(
                "the baseline {} has no agent {:?}, it has: {}",
                reference.file,
                self.verdict.agent,
                there.join(", ")
            );
            return self.undecided(message, Vec::new());
        };
        let mut pairs: Vec<Pair<'_>> = Vec::new();
        let mut missing = Vec::new();
        for (scenario, old) in before {
            let line = reference.lines.get(&(name.to_owned(), scenario.to_owned()));
            let place = line.map(|line| format!("{}:{line}", reference.file));
            let trials = self.of_scenario(scenario);
            let after: Vec<f64> = trials.iter().filter_map(|trial| trial.score).collect();
            let problem = if trials.is_empty() {
                "is not in the run"
            } else if shared_digest(trials) != Some(&old.digest) {
                "has another definition than in the baseline"
            } else if after.is_empty() {
                "has no score"
            } else {
                let stratum = Stratum { before: old.scores.clone(), after };
                pairs.push(Pair { scenario, stratum, place });
                continue;
            };
            let logs = trials.iter().find_map(|trial| trial.logs.clone());
            missing.push(Example { message: problem.to_owned(), place, logs, ..self.about(scenario) });
        }
        if !missing.is_empty() || pairs.is_empty() {
            let (count, all) = (missing.len(), before.len());
            let message = format!("{count} of {all} scenarios cannot be compared with the baseline");
            self.undecided(message, missing);
        }
        let new = self.scenarios.keys().filter(|scenario| !before.contains_key(**scenario)).count();
        if new > 0 {
            self.verdict.notes.push(format!("{new} scenarios are not in the baseline and were not compared"));
        }
        if !pairs.is_empty() {
            self.weigh(allowed, &pairs);
        }
    }

    fn undecided(&mut self, message: String, examples: Vec<Example>) {
        self.add(Decision::Undecided, "max_regression", message, examples);
    }

    /// Decides on the scenarios that can be compared.
    fn weigh(&mut self, allowed: f64, pairs: &[Pair<'_>]) {
        let seed = self.summary.run.seed;
        let strata: Vec<Stratum> = pairs.iter().map(|pair| pair.stratum.clone()).collect();
        let test = permutation(&strata, seed);
        let change = Change::of(strata.iter(), seed);
        let detectable_drop = detectable(strata.iter());
        let mut scenarios: Vec<ScenarioDifference> = pairs.iter().filter_map(difference).collect();
        scenarios.sort_by(|a, b| a.difference.total_cmp(&b.difference));
        let drop = -change.difference.unwrap_or_default();
        if let Some(least) = detectable_drop.filter(|least| *least > allowed + NEAR) {
            self.verdict.notes.push(format!(
                "with so many trials a drop shows 4 times of 5 from {least:.3}; more trials see smaller ones"
            ));
        }
        let said =
            format!("the mean score dropped by {drop:.3} against the baseline, more than {allowed:.3}");
        let (p, level) = (test.drop, self.level());
        if drop <= allowed + NEAR {
        } else if p <= level {
            let message = format!("{said} (p = {p:.4})");
            self.add(Decision::Fail, "max_regression", message, self.dropped(&scenarios));
        } else if test.least > level {
            let message = format!("{said}, and with so few trials it could be chance (p = {p:.3}): run more");
            self.undecided(message, self.dropped(&scenarios));
        } else {
            self.verdict.notes.push(format!("{said}, but no further than chance goes (p = {p:.3})"));
        }
        let paired = pairs.len() as u64;
        self.verdict.regression = Some(Regression { paired, change, p, detectable_drop, scenarios });
    }

    /// Scenarios below the baseline, the largest drop first.
    fn dropped(&self, scenarios: &[ScenarioDifference]) -> Vec<Example> {
        let dropped = scenarios.iter().filter(|scenario| scenario.difference < -NEAR);
        let describe = |scenario: &ScenarioDifference| {
            let scored = self.of_scenario(&scenario.scenario).iter().filter(|trial| trial.score.is_some());
            let worst =
                scored.min_by(|a, b| a.score.unwrap_or_default().total_cmp(&b.score.unwrap_or_default()));
            Example {
                repetition: worst.map(|trial| trial.key.repetition),
                message: format!(
                    "{:.3} of {} → {:.3} of {}",
                    scenario.before, scenario.before_trials, scenario.after, scenario.after_trials
                ),
                place: scenario.place.clone(),
                logs: worst.and_then(|trial| trial.logs.clone()),
                ..self.about(&scenario.scenario)
            }
        };
        dropped.map(describe).collect()
    }

    /// Largest p-value that is called a drop.
    fn level(&self) -> f64 {
        let repetitions = self.trials.iter().map(|trial| trial.key.repetition).max().unwrap_or(0);
        self.summary.run.rounds.map_or(ALPHA, |rounds| look_level(&rounds, repetitions))
    }

    fn of_scenario(&self, scenario: &str) -> &[&Trial] {
        self.scenarios.get(scenario).map_or(&[], Vec::as_slice)
    }
}

fn difference(pair: &Pair<'_>) -> Option<ScenarioDifference> {
    let Stratum { before, after } = &pair.stratum;
    let (before_trials, after_trials) = (before.len() as u64, after.len() as u64);
    let (before, after) = (mean(before)?, mean(after)?);
    Some(ScenarioDifference {
        scenario: pair.scenario.to_owned(),
        before,
        before_trials,
        after,
        after_trials,
        difference: after - before,
        interval: pair.stratum.interval(),
        place: pair.place.clone(),
    })
}
