//! The gate: does a run reach what was asked?
//!
//! Each agent is judged for itself. The gate fails closed: a limit that is missed is a failure; where something is missing
//! that the decision rests on, or too few trials were made to tell a drop from chance, it is undecided, never a pass.
//!
//! **Regression.** The mean is taken over the scenarios of the baseline, each once. A drop of at most `max_regression` passes.
//! A larger one fails if it is more than chance: if the permutation test within scenarios gives p ≤ 0.05, so that an agent
//! that did not change fails at most once in twenty runs. If it is not, it passes, unless these scores could not have given
//! such a p in any order: then it is undecided, and more trials decide.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::baseline::{Baseline, BaselineScenario};
use crate::compare::{Change, detectable};
use crate::statistics::{ALPHA, NEAR, Stratum, mean, permutation};
use crate::text::{counted, one_line};
use crate::{Measures, Summary, Trial, TrialStatus};

/// Version of [`Verdict`] as JSON; see [`crate::FORMAT`].
pub const FORMAT: u32 = 1;

/// Trials or scenarios that a reason names; more are counted.
const NAMED: usize = 10;

/// What each agent of a run must reach. `None` asks for nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    /// Lowest mean score of the scored trials, 0 to 1.
    pub min_score: Option<f64>,
    /// Lowest share of the scored trials that passed, 0 to 1.
    pub min_pass_rate: Option<f64>,
    /// Lowest mean score of a scenario, 0 to 1, by its name.
    pub floors: BTreeMap<String, f64>,
    /// Most trials without a score; none unless set.
    pub max_invalid: Option<u32>,
    /// Largest drop of the mean score against the baseline, 0 to 1.
    pub max_regression: Option<f64>,
    /// Most US dollars that the trials may say they used.
    pub max_cost: Option<f64>,
    /// Where each limit is written, as `FILE:LINE`, by its key; those of `floors` by `floors.SCENARIO`.
    pub places: BTreeMap<String, String>,
}

/// What a run is held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The baseline.
    pub baseline: Baseline,
    /// Its file, as it is to be shown.
    pub file: String,
    /// Lines of its scenarios; see [`Baseline::places`].
    pub lines: BTreeMap<(String, String), usize>,
}

/// What the gate says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Every limit is reached.
    #[default]
    Pass,
    /// Too much is missing to say.
    Undecided,
    /// A limit is missed.
    Fail,
}

impl Decision {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Undecided => "undecided",
            Self::Fail => "fail",
        }
    }
}

/// The decision on a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// [`FORMAT`].
    pub format: u32,
    /// The worst of all agents.
    pub decision: Decision,
    /// Each agent, in the order of the plan.
    pub agents: Vec<AgentVerdict>,
}

/// The decision on an agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AgentVerdict {
    /// The agent; empty where a run has none.
    pub agent: String,
    /// The worst of all reasons; a pass without any.
    pub decision: Decision,
    /// Why it is not a pass.
    pub reasons: Vec<Reason>,
    /// The baseline's side; null without one to compare with.
    pub regression: Option<Regression>,
    /// What else there is to know. Sentences.
    pub notes: Vec<String>,
}

/// Why it is not a pass.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// What follows of it: a failure, or no decision.
    pub decision: Decision,
    /// Key of the limit, such as `min_score`.
    pub limit: String,
    /// A sentence without a full stop.
    pub message: String,
    /// Where the limit is written, as `FILE:LINE`; null if it is from the command line.
    pub place: Option<String>,
    /// The trials or scenarios it rests on, the worst first.
    pub examples: Vec<Example>,
}

/// A trial or scenario that a reason rests on.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Example {
    /// The scenario.
    pub scenario: String,
    /// The trial of it, from 1; null where it is about all of them.
    pub repetition: Option<u32>,
    /// What it did. May hold text from a devbox.
    pub message: String,
    /// The line of the baseline, as `FILE:LINE`; null where it is not about the baseline or not known.
    pub place: Option<String>,
    /// Directory of the logs, relative to the run directory.
    pub logs: Option<String>,
}

/// A run against its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Regression {
    /// Scenarios that are compared.
    pub paired: u64,
    /// Their means and the difference, with an interval for other scenarios like these.
    #[serde(flatten)]
    pub change: Change,
    /// Chance of such a drop on these scenarios if nothing has changed.
    pub p: f64,
    /// The drop that trials like these show 4 times of 5; null if they do not vary.
    pub detectable_drop: Option<f64>,
}

/// Judges a run.
pub fn judge(limits: &Limits, reference: Option<&Reference>, summary: &Summary) -> Verdict {
    let agents: Vec<AgentVerdict> = summary
        .per_agent
        .iter()
        .map(|row| {
            let trials = summary.trials.iter().filter(|trial| trial.key.agent == row.agent).collect();
            let mut judge = Judge { limits, trials, verdict: AgentVerdict::default() };
            judge.verdict.agent = row.agent.clone();
            judge.completeness(&row.measures);
            judge.means(&row.measures);
            judge.floors();
            judge.cost();
            judge.regression(reference, summary);
            judge.finish()
        })
        .collect();
    let agents = if agents.is_empty() {
        let mut judge = Judge { limits, trials: Vec::new(), verdict: AgentVerdict::default() };
        judge.add(Decision::Undecided, "max_invalid", "the run has no trials".to_owned(), Vec::new());
        vec![judge.finish()]
    } else {
        agents
    };
    let decision = agents.iter().map(|agent| agent.decision).max().unwrap_or(Decision::Undecided);
    Verdict { format: FORMAT, decision, agents }
}

struct Judge<'a> {
    limits: &'a Limits,
    /// Of the agent.
    trials: Vec<&'a Trial>,
    verdict: AgentVerdict,
}

impl Judge<'_> {
    fn finish(self) -> AgentVerdict {
        let reasons = &self.verdict.reasons;
        let decision = reasons.iter().map(|reason| reason.decision).max().unwrap_or_default();
        AgentVerdict { decision, ..self.verdict }
    }

    fn add(&mut self, decision: Decision, limit: &str, message: String, mut examples: Vec<Example>) {
        let place = self.limits.places.get(limit).cloned();
        let message = match examples.len() {
            n if n > NAMED => format!("{message}; the first {NAMED} of {n} are named"),
            _ => message,
        };
        examples.truncate(NAMED);
        self.verdict.reasons.push(Reason { decision, limit: limit.to_owned(), message, place, examples });
    }

    fn completeness(&mut self, measures: &Measures) {
        let missing = measures.without_score();
        let allowed = u64::from(self.limits.max_invalid.unwrap_or(0));
        if missing > allowed {
            let message = format!("{missing} of {} trials have no score, {allowed} may", measures.planned);
            let examples = self.trials.iter().filter(|trial| trial.score.is_none());
            let examples = examples.map(|trial| example(trial)).collect();
            self.add(Decision::Undecided, "max_invalid", message, examples);
        }
    }

    fn means(&mut self, measures: &Measures) {
        let limits = self.limits;
        for (limit, name, floor, value) in [
            ("min_score", "mean score", limits.min_score, measures.mean_score),
            ("min_pass_rate", "pass rate", limits.min_pass_rate, measures.pass_rate),
        ] {
            match (floor, value) {
                (Some(floor), Some(value)) if value < floor - NEAR => {
                    let failed = self.worst(|trial| {
                        if limit == "min_score" { trial.score < Some(1.0) } else { !has_passed(trial) }
                    });
                    self.add(
                        Decision::Fail,
                        limit,
                        format!("the {name} is {value:.3}, below {floor:.3}"),
                        failed,
                    );
                }
                (Some(floor), None) => {
                    let message = format!("there is no {name} to compare with {floor:.3}");
                    self.add(Decision::Undecided, limit, message, Vec::new());
                }
                _ => {}
            }
        }
    }

    fn floors(&mut self) {
        for (scenario, floor) in &self.limits.floors {
            let limit = format!("floors.{scenario}");
            let of_it = |trial: &Trial| trial.key.scenario == *scenario;
            let scores: Vec<f64> =
                self.trials.iter().filter(|trial| of_it(trial)).filter_map(|trial| trial.score).collect();
            match mean(&scores) {
                None => {
                    let message = format!("{scenario} has no score to compare with {floor:.3}");
                    self.add(Decision::Undecided, &limit, message, Vec::new());
                }
                Some(value) if value < floor - NEAR => {
                    let failed = self.worst(|trial| of_it(trial) && trial.score < Some(1.0));
                    let message = format!("{scenario} scores {value:.3}, below {floor:.3}");
                    self.add(Decision::Fail, &limit, message, failed);
                }
                Some(_) => {}
            }
        }
    }

    /// The cost is what agents say. One that says nothing could have cost anything.
    fn cost(&mut self) {
        let Some(most) = self.limits.max_cost else { return };
        let of = |trial: &Trial| {
            let cost = trial.usage.and_then(|usage| usage.cost_usd);
            cost.filter(|cost| cost.is_finite() && *cost >= 0.0)
        };
        let known: f64 = self.trials.iter().filter_map(|trial| of(trial)).sum();
        let silent: Vec<Example> = self
            .trials
            .iter()
            .filter_map(|trial| {
                let message = match (of(trial), trial.usage.map_or(0, |usage| usage.silent_attempts)) {
                    (None, _) => "says no cost".to_owned(),
                    (Some(_), 0) => return None,
                    (Some(_), silent) => format!("says no cost of {}", counted(silent, "attempt")),
                };
                Some(Example { message, ..example(trial) })
            })
            .collect();
        if known > most + NEAR {
            let mut spent: Vec<&&Trial> = self.trials.iter().filter(|trial| of(trial).is_some()).collect();
            spent.sort_by(|a, b| of(b).unwrap_or_default().total_cmp(&of(a).unwrap_or_default()));
            let examples = spent.into_iter().map(|trial| Example {
                message: format!("${:.4}", of(trial).unwrap_or_default()),
                ..example(trial)
            });
            let examples = examples.collect();
            self.add(
                Decision::Fail,
                "max_cost",
                format!("the trials cost ${known:.4}, above ${most:.4}"),
                examples,
            );
        } else if !silent.is_empty() {
            let message = format!("{} of {} trials say no cost", silent.len(), self.trials.len());
            self.add(Decision::Undecided, "max_cost", message, silent);
        }
    }

    fn regression(&mut self, reference: Option<&Reference>, summary: &Summary) {
        let Some(allowed) = self.limits.max_regression else { return };
        let undecided = |judge: &mut Self, message: String, examples| {
            judge.add(Decision::Undecided, "max_regression", message, examples);
        };
        let Some(reference) = reference else {
            return undecided(self, "there is no baseline to compare with".to_owned(), Vec::new());
        };
        let Some((name, before)) = agent_of(reference, &self.verdict.agent, summary) else {
            let there: Vec<&str> = reference.baseline.agents.keys().map(String::as_str).collect();
            let message = format!(
                "the baseline {} has no agent {:?}, it has: {}",
                reference.file,
                self.verdict.agent,
                there.join(", ")
            );
            return undecided(self, message, Vec::new());
        };
        let place = |scenario: &str| {
            let line = reference.lines.get(&(name.to_owned(), scenario.to_owned()))?;
            Some(format!("{}:{line}", reference.file))
        };
        let mut pairs: Vec<(&str, Stratum)> = Vec::new();
        let mut missing = Vec::new();
        for (scenario, old) in before {
            let trials: Vec<&Trial> =
                self.trials.iter().copied().filter(|trial| trial.key.scenario == *scenario).collect();
            let after: Vec<f64> = trials.iter().filter_map(|trial| trial.score).collect();
            let problem = match trials.first() {
                None => "is not in the run",
                Some(trial) if trial.digest != old.digest => "has another definition than in the baseline",
                Some(_) if after.is_empty() => "has no score",
                Some(_) => {
                    pairs.push((scenario, Stratum { before: old.scores.clone(), after }));
                    continue;
                }
            };
            missing.push(Example {
                scenario: scenario.clone(),
                message: problem.to_owned(),
                place: place(scenario),
                ..Example::default()
            });
        }
        if !missing.is_empty() || pairs.is_empty() {
            let message = format!(
                "{} of {} scenarios cannot be compared with the baseline",
                missing.len(),
                before.len()
            );
            undecided(self, message, missing);
        }
        let new: BTreeSet<&str> = self.trials.iter().map(|trial| trial.key.scenario.as_str()).collect();
        let new = new.into_iter().filter(|scenario| !before.contains_key(*scenario)).count();
        if new > 0 {
            self.verdict.notes.push(format!("{new} scenarios are not in the baseline and were not compared"));
        }
        if pairs.is_empty() {
            return;
        }
        self.weigh(allowed, &pairs, summary.run.seed, &place);
    }

    /// Decides on the scenarios that can be compared.
    fn weigh(
        &mut self,
        allowed: f64,
        pairs: &[(&str, Stratum)],
        seed: u64,
        place: &dyn Fn(&str) -> Option<String>,
    ) {
        let strata: Vec<Stratum> = pairs.iter().map(|(_, stratum)| stratum.clone()).collect();
        let test = permutation(&strata, seed);
        let change = Change::of(strata.iter(), seed);
        let detectable_drop = detectable(strata.iter());
        let drop = -change.difference.unwrap_or_default();
        self.verdict.regression =
            Some(Regression { paired: pairs.len() as u64, change, p: test.drop, detectable_drop });
        if let Some(least) = detectable_drop.filter(|least| *least > allowed + NEAR) {
            self.verdict.notes.push(format!(
                "with so many trials a drop shows 4 times of 5 from {least:.3}; more trials see smaller ones"
            ));
        }
        if drop <= allowed + NEAR {
            return;
        }
        let said =
            format!("the mean score dropped by {drop:.3} against the baseline, more than {allowed:.3}");
        let p = test.drop;
        if p <= ALPHA {
            let dropped = self.dropped(pairs, place);
            self.add(Decision::Fail, "max_regression", format!("{said} (p = {p:.4})"), dropped);
        } else if test.least > ALPHA {
            let dropped = self.dropped(pairs, place);
            let message = format!("{said}, and with so few trials it could be chance (p = {p:.3}): run more");
            self.add(Decision::Undecided, "max_regression", message, dropped);
        } else {
            self.verdict.notes.push(format!("{said}, but no further than chance goes (p = {p:.3})"));
        }
    }

    /// Scenarios below the baseline, the largest drop first.
    fn dropped(&self, pairs: &[(&str, Stratum)], place: &dyn Fn(&str) -> Option<String>) -> Vec<Example> {
        let mut dropped: Vec<(&str, &Stratum, f64)> = pairs
            .iter()
            .filter_map(|(scenario, stratum)| Some((*scenario, stratum, stratum.difference()?)))
            .filter(|(_, _, difference)| *difference < -NEAR)
            .collect();
        dropped.sort_by(|a, b| a.2.total_cmp(&b.2));
        let describe = |(scenario, stratum, _): (&str, &Stratum, f64)| {
            let of = |scores: &[f64]| mean(scores).unwrap_or_default();
            let worst =
                self.trials.iter().filter(|trial| trial.key.scenario == scenario && trial.score.is_some());
            let worst =
                worst.min_by(|a, b| a.score.unwrap_or_default().total_cmp(&b.score.unwrap_or_default()));
            Example {
                scenario: scenario.to_owned(),
                repetition: worst.map(|trial| trial.key.repetition),
                message: format!(
                    "{:.3} of {} → {:.3} of {}",
                    of(&stratum.before),
                    stratum.before.len(),
                    of(&stratum.after),
                    stratum.after.len()
                ),
                place: place(scenario),
                logs: worst.and_then(|trial| trial.logs.clone()),
            }
        };
        dropped.into_iter().map(describe).collect()
    }

    /// Scored trials that miss something, the lowest score first.
    fn worst(&self, misses: impl Fn(&Trial) -> bool) -> Vec<Example> {
        let mut failed: Vec<&&Trial> =
            self.trials.iter().filter(|trial| trial.score.is_some() && misses(trial)).collect();
        failed.sort_by(|a, b| a.score.unwrap_or_default().total_cmp(&b.score.unwrap_or_default()));
        failed.into_iter().map(|trial| example(trial)).collect()
    }
}

fn has_passed(trial: &Trial) -> bool {
    trial.passed == Some(true)
}

/// What a trial did, in a few words.
fn example(trial: &Trial) -> Example {
    let message = match (trial.status, trial.score) {
        (TrialStatus::Scored, Some(score)) => {
            format!("{} {score:.3}", if has_passed(trial) { "pass" } else { "fail" })
        }
        (status, _) => {
            let cause = trial.cause.map(|cause| format!(" {}", cause.as_str())).unwrap_or_default();
            let message = trial.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
            format!("{}{cause}{message}", status.as_str())
        }
    };
    Example {
        scenario: trial.key.scenario.clone(),
        repetition: Some(trial.key.repetition),
        message,
        place: None,
        logs: trial.logs.clone(),
    }
}

/// The baseline's agent of this name; or its only one, if the run has only one too.
fn agent_of<'a>(
    reference: &'a Reference,
    agent: &str,
    summary: &Summary,
) -> Option<(&'a str, &'a BTreeMap<String, BaselineScenario>)> {
    let agents = &reference.baseline.agents;
    let only = || (agents.len() == 1 && summary.per_agent.len() == 1).then(|| agents.first_key_value());
    let (name, scenarios) = agents.get_key_value(agent).or_else(|| only().flatten())?;
    Some((name, scenarios))
}

/// Text for people: a line for each reason, below it what it rests on, then the notes and the decision of each agent. Text from
/// elsewhere is made harmless for terminals.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for agent in &self.agents {
            let name = if self.agents.len() > 1 {
                format!("{}: ", one_line(&agent.agent, 60))
            } else {
                String::new()
            };
            for reason in &agent.reasons {
                let place = reason.place.as_deref().map(|place| format!(" ({place})")).unwrap_or_default();
                writeln!(f, "gate: {name}{}{place}", one_line(&reason.message, 400))?;
                for example in &reason.examples {
                    writeln!(f, "  {example}")?;
                }
            }
            for note in &agent.notes {
                writeln!(f, "gate: {name}{note}")?;
            }
            let decision = match agent.decision {
                Decision::Pass => "passed",
                Decision::Fail => "failed",
                Decision::Undecided => "undecided",
            };
            writeln!(f, "gate: {name}{decision}{}", agent.regression.map(in_short).unwrap_or_default())?;
        }
        Ok(())
    }
}

fn in_short(regression: Regression) -> String {
    let Change { mean_before: Some(before), mean_after: Some(after), .. } = regression.change else {
        return String::new();
    };
    let scenarios = regression.paired;
    format!(" ({before:.3} in the baseline, {after:.3} now, {scenarios} scenarios)")
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", one_line(&self.scenario, 80))?;
        if let Some(repetition) = self.repetition {
            write!(f, " · {repetition}")?;
        }
        write!(f, "  {}", one_line(&self.message, 200))?;
        if let Some(place) = &self.place {
            write!(f, "  {place}")?;
        }
        match &self.logs {
            Some(logs) => write!(f, "  {logs}"),
            None => Ok(()),
        }
    }
}
