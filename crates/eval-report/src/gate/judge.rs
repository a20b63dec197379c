//! Judges each agent for itself, limit by limit.

use std::collections::BTreeMap;

use super::verdict::{AgentVerdict, Decision, Example, FORMAT, Verdict};
use super::{Limits, Reason, Reference};
use crate::flags::{gravest, sentence};
use crate::statistics::{NEAR, mean};
use crate::{Measures, Summary, Trial, TrialStatus};

/// Trials or scenarios that a reason names; more are counted.
const NAMED: usize = 10;
/// Judges a run.
pub fn judge(limits: &Limits, reference: Option<&Reference>, summary: &Summary) -> Verdict {
    let mut agents: Vec<AgentVerdict> = Vec::new();
    for row in &summary.per_agent {
        let mut judge = Judge::new(limits, summary, &row.agent);
        judge.completeness(&row.measures);
        judge.means(&row.measures);
        judge.floors();
        judge.flags();
        judge.cost();
        judge.regression(reference);
        agents.push(judge.finish());
    }
    if agents.is_empty() {
        let mut judge = Judge::new(limits, summary, "");
        judge.add(Decision::Undecided, "max_invalid", "the run has no trials".to_owned(), Vec::new());
        agents.push(judge.finish());
    }
    let decision = agents.iter().map(|agent| agent.decision).max().unwrap_or(Decision::Undecided);
    Verdict { format: FORMAT, decision, agents }
}

/// The verdict on one agent, as it grows.
pub(super) struct Judge<'a> {
    pub(super) limits: &'a Limits,
    pub(super) summary: &'a Summary,
    /// Of the agent.
    pub(super) trials: Vec<&'a Trial>,
    /// The same by scenario.
    pub(super) scenarios: BTreeMap<&'a str, Vec<&'a Trial>>,
    pub(super) verdict: AgentVerdict,
}

impl<'a> Judge<'a> {
    fn new(limits: &'a Limits, summary: &'a Summary, agent: &str) -> Self {
        let trials: Vec<&Trial> = summary.trials.iter().filter(|trial| trial.key.agent == agent).collect();
        let mut scenarios: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
        for trial in &trials {
            scenarios.entry(&trial.key.scenario).or_default().push(trial);
        }
        let verdict = AgentVerdict { agent: agent.to_owned(), ..AgentVerdict::default() };
        Self { limits, summary, trials, scenarios, verdict }
    }

    fn finish(mut self) -> AgentVerdict {
        // What fails it comes first, then what leaves it open.
        self.verdict.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.decision));
        let reasons = &self.verdict.reasons;
        let decision = reasons.iter().map(|reason| reason.decision).max().unwrap_or_default();
        AgentVerdict { decision, ..self.verdict }
    }

    pub(super) fn add(
        &mut self,
        decision: Decision,
        limit: &str,
        message: String,
        mut examples: Vec<Example>,
    ) {
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
            let examples = examples.map(|trial| self.example(trial)).collect();
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
            let trials = self.scenarios.get(scenario.as_str()).into_iter().flatten();
            let scores: Vec<f64> = trials.filter_map(|trial| trial.score).collect();
            match mean(&scores) {
                None => {
                    let message = format!("{scenario} has no score to compare with {floor:.3}");
                    let trials = self.scenarios.get(scenario.as_str()).into_iter().flatten();
                    let examples = trials.map(|trial| self.example(trial)).collect();
                    self.add(Decision::Undecided, &limit, message, examples);
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

    /// A flag is no verdict, but so many may be too many to trust the rest.
    fn flags(&mut self) {
        let Some(allowed) = self.limits.max_flagged else { return };
        let flagged: Vec<Example> = self
            .trials
            .iter()
            .filter_map(|trial| {
                let flag = gravest(trial)?;
                Some(Example { message: sentence(flag), ..self.example(trial) })
            })
            .collect();
        if flagged.len() > allowed as usize {
            let message =
                format!("{} of {} trials have flags, {allowed} may", flagged.len(), self.trials.len());
            self.add(Decision::Fail, "max_flagged", message, flagged);
        }
    }

    /// Scored trials that miss something, the lowest score first.
    fn worst(&self, misses: impl Fn(&Trial) -> bool) -> Vec<Example> {
        let mut failed: Vec<&&Trial> =
            self.trials.iter().filter(|trial| trial.score.is_some() && misses(trial)).collect();
        failed.sort_by(|a, b| a.score.unwrap_or_default().total_cmp(&b.score.unwrap_or_default()));
        failed.into_iter().map(|trial| self.example(trial)).collect()
    }

    /// What a trial did, in a few words.
    pub(super) fn example(&self, trial: &Trial) -> Example {
        let message = match (trial.status, trial.score) {
            (TrialStatus::Scored, Some(score)) => {
                format!("{} {score:.3}", if has_passed(trial) { "pass" } else { "fail" })
            }
            (status, _) => {
                let cause = trial.cause.map(|cause| format!(" {}", cause.as_str())).unwrap_or_default();
                let said = trial.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
                format!("{}{cause}{said}", status.as_str())
            }
        };
        Example {
            repetition: Some(trial.key.repetition),
            message,
            logs: trial.logs.clone(),
            ..self.about(&trial.key.scenario)
        }
    }

    /// Names a scenario and where it is defined.
    pub(super) fn about(&self, scenario: &str) -> Example {
        let source = self.summary.sources.get(scenario);
        Example {
            scenario: scenario.to_owned(),
            source: source.map(|source| format!("{}:{}", source.file, source.line)),
            ..Example::default()
        }
    }
}

fn has_passed(trial: &Trial) -> bool {
    trial.passed == Some(true)
}
