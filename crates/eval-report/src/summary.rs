//! The fold over the events of a run.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use eval_record::{
    Event, EventKind, PlannedTrial, ResourceEnd, Rounds, RunHeader, ScenarioSource, Spent, TrialKey, Usage,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::gate::Verdict;
use crate::group::{AgentRow, GroupRow, Measures, ScenarioRow};
use crate::{Attempt, Spending, Trial, TrialStatus, labels};

/// Version of [`Summary`] as JSON. It grows when a field changes its meaning or goes away, not when one is added.
pub const FORMAT: u32 = 1;

/// Everything that is reported of a run. As JSON it is `results.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`FORMAT`].
    pub format: u32,
    /// The run.
    pub run: Run,
    /// What the devboxes of a local target guarantee; null elsewhere.
    pub guarantees: Option<Value>,
    /// Over all trials.
    #[serde(rename = "summary")]
    pub total: Measures,
    /// Over the trials of each agent, in the order of the plan.
    pub per_agent: Vec<AgentRow>,
    /// Over the repetitions of each scenario and agent, in the order of the plan.
    pub per_scenario: Vec<ScenarioRow>,
    /// Over the trials of each agent in the scenarios that share a label, by key and value. Labels that group nothing are left
    /// out: those with one value everywhere, or another one in each scenario.
    #[serde(default)]
    pub per_group: Vec<GroupRow>,
    /// What the gate decided; null where none did.
    #[serde(default)]
    pub gate: Option<Verdict>,
    /// Every trial, in the order of the plan.
    pub trials: Vec<Trial>,
    /// Where each scenario is defined, by its name.
    #[serde(default)]
    pub sources: BTreeMap<String, ScenarioSource>,
}

/// A run as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Name of the benchmark.
    pub benchmark: String,
    /// File of the benchmark.
    pub source: String,
    /// Versions of the agents, by their names; without those that say none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agent_versions: BTreeMap<String, String>,
    /// `local`, `cloud` or a URL.
    pub target: String,
    /// Version of the harness.
    pub version: String,
    /// Seed of everything random in the run and in its statistics.
    pub seed: u64,
    /// Trials at once.
    pub concurrency: u32,
    /// Unix milliseconds of the first event; null without any.
    pub started_at_ms: Option<i64>,
    /// Milliseconds between the first and the last event, without the time between an interruption and its resumption.
    pub wall_ms: u64,
    /// Whether all planned trials have a verdict.
    pub complete: bool,
    /// Whether it was interrupted and not resumed.
    pub interrupted: bool,
    /// What it took, of what it may take.
    pub spending: Spending,
    /// How its trials were added; null where all were planned from the beginning.
    pub rounds: Option<Rounds>,
    /// Agents that got no more rounds because enough was known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decided: Vec<Decided>,
}

/// Enough was known of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The agent.
    pub agent: String,
    /// Repetitions that it has of each scenario.
    pub repetitions: u32,
    /// Why that is enough, in a sentence without a full stop.
    pub why: String,
}

impl Summary {
    /// Folds the events of a run, in their order. Unfinished runs have summaries too: what has no verdict is counted as
    /// unfinished.
    pub fn from_events<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut fold = SummaryFold::default();
        for event in events {
            fold.take(event);
        }
        fold.finish()
    }
}

/// Milliseconds by which events of tasks that run side by side may be out of order.
const DISORDER_MS: i64 = 1000;

/// A [`Summary`] in the making, for events that are not kept.
#[derive(Debug, Clone, Default)]
pub struct SummaryFold {
    header: RunHeader,
    spent: Spent,
    decided: Vec<Decided>,
    /// What earlier parts of the run used for trials since their last verdict.
    earlier: HashMap<TrialKey, Usage>,
    /// What failed attempts used whose trial has no verdict yet. A verdict counts those of its part of the run.
    open: HashMap<TrialKey, Usage>,
    trials: Vec<Trial>,
    places: HashMap<TrialKey, usize>,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    wall_ms: u64,
    interrupted: bool,
}

impl SummaryFold {
    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        self.spent.take(event.at_ms, &event.kind);
        // What is ended long after the run took none of its time.
        if matches!(event.kind, EventKind::ResourceEnded { how: ResourceEnd::Reaped, .. }) {
            return;
        }
        let goes_on = matches!(event.kind, EventKind::RunStarted(_) | EventKind::RunResumed(_));
        match self.last_ms {
            // Trials end at once, so an event may be told after one that is a little younger.
            Some(last) if !goes_on && (last.saturating_sub(DISORDER_MS)..last).contains(&event.at_ms) => {}
            Some(last) if !goes_on => {
                // A clock that was set back took no time.
                let passed = u64::try_from(event.at_ms.saturating_sub(last)).unwrap_or(0);
                self.wall_ms = self.wall_ms.saturating_add(passed);
                self.last_ms = Some(event.at_ms);
            }
            _ => self.last_ms = Some(event.at_ms),
        }
        self.first_ms.get_or_insert(event.at_ms);
        match &event.kind {
            EventKind::RunStarted(header) => {
                self.plan(&header.planned);
                // The trials are in their own list.
                self.header = RunHeader { planned: Vec::new(), ..(**header).clone() };
            }
            EventKind::RoundPlanned { planned } => self.plan(planned),
            EventKind::AgentDecided { agent, repetitions, why } => {
                self.decided.retain(|decided| decided.agent != *agent);
                let (agent, why) = (agent.clone(), why.clone());
                self.decided.push(Decided { agent, repetitions: *repetitions, why });
            }
            EventKind::RunResumed(resumed) => {
                self.header.concurrency = resumed.concurrency.unwrap_or(self.header.concurrency);
                self.header.budget = resumed.budget.unwrap_or(self.header.budget);
                self.interrupted = false;
                // Each agent is looked at again.
                self.decided.clear();
                for (trial, usage) in std::mem::take(&mut self.open) {
                    let earlier = self.earlier.entry(trial).or_default();
                    *earlier = earlier.plus(usage);
                }
            }
            EventKind::PlanChanged { planned } => {
                for planned in planned {
                    let place = self.place(&planned.trial);
                    if let Some(trial) = self.trials.get_mut(place) {
                        *trial = Trial::planned(planned);
                    }
                }
            }
            EventKind::AttemptStarted { trial, attempt, .. } => {
                let place = self.place(trial);
                if let Some(trial) = self.trials.get_mut(place) {
                    trial.begin(*attempt, event.at_ms);
                }
            }
            EventKind::PhaseStarted { trial, attempt, phase } => {
                if let Some(attempt) = self.attempt(trial, *attempt) {
                    let since = attempt.since_ms(event.at_ms);
                    attempt.phases_ms.entry(*phase).or_insert(since);
                }
            }
            EventKind::AttemptFailed { trial, attempt, cause, message, usage } => {
                if let Some(usage) = usage {
                    let open = self.open.entry(trial.clone()).or_default();
                    *open = open.plus(*usage);
                }
                if let Some(attempt) = self.attempt(trial, *attempt) {
                    attempt.took_ms = Some(attempt.since_ms(event.at_ms));
                    attempt.cause = Some(*cause);
                    attempt.message = Some(message.clone());
                }
            }
            EventKind::TrialFinished(result) => {
                if let Some(attempt) = self.attempt(&result.trial, result.attempts) {
                    attempt.took_ms.get_or_insert(attempt.since_ms(event.at_ms));
                }
                let place = self.place(&result.trial);
                self.open.remove(&result.trial);
                let earlier = self.earlier.remove(&result.trial);
                if let Some(trial) = self.trials.get_mut(place) {
                    let used = [trial.usage, earlier, result.usage];
                    trial.finish(result);
                    trial.usage = used.into_iter().flatten().reduce(Usage::plus);
                }
            }
            EventKind::RunFinished { interrupted, .. } => self.interrupted = *interrupted,
            // What is in flight, or not about trials.
            _ => {}
        }
    }

    fn plan(&mut self, planned: &[PlannedTrial]) {
        for planned in planned {
            let place = self.place(&planned.trial);
            if let Some(trial) =
                self.trials.get_mut(place).filter(|trial| trial.status == TrialStatus::Unfinished)
            {
                *trial = Trial::planned(planned);
            }
        }
    }

    /// An attempt that has begun.
    fn attempt(&mut self, trial: &TrialKey, number: u32) -> Option<&mut Attempt> {
        let place = self.place(trial);
        let attempts = &mut self.trials.get_mut(place)?.history;
        attempts.iter_mut().rev().find(|attempt| attempt.attempt == number)
    }

    /// Where a trial stands; one that nobody planned comes after the others.
    fn place(&mut self, key: &TrialKey) -> usize {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.trials.len();
        self.places.insert(key.clone(), place);
        self.trials.push(Trial::unfinished(key.clone()));
        place
    }

    /// The summary of all events so far.
    pub fn finish(self) -> Summary {
        let Self { header, spent, decided, trials, first_ms, wall_ms, interrupted, .. } = self;
        let seed = header.seed;
        let per_agent = grouped(&trials, |trial| trial.key.agent.as_str())
            .into_iter()
            .map(|(agent, trials)| AgentRow { agent: agent.to_owned(), measures: Measures::of(trials, seed) })
            .collect();
        let per_scenario = grouped(&trials, |trial| (trial.key.scenario.as_str(), trial.key.agent.as_str()))
            .into_iter()
            .map(|((scenario, agent), trials)| ScenarioRow {
                scenario: scenario.to_owned(),
                agent: agent.to_owned(),
                measures: Measures::of(trials, seed),
            })
            .collect();
        let per_group = per_group(&trials, seed);
        let total = Measures::of(&trials, seed);
        let run = Run {
            id: header.run_id,
            benchmark: header.benchmark,
            source: header.source,
            agent_versions: header.agent_versions,
            target: header.target,
            version: header.version,
            seed,
            concurrency: header.concurrency,
            started_at_ms: first_ms,
            wall_ms,
            complete: total.planned > 0 && total.canceled == 0 && total.unfinished == 0,
            interrupted,
            spending: Spending::of(&spent, header.budget),
            rounds: header.rounds,
            decided,
        };
        Summary {
            format: FORMAT,
            run,
            guarantees: header.guarantees,
            total,
            per_agent,
            per_scenario,
            per_group,
            gate: None,
            trials,
            sources: header.sources,
        }
    }
}

/// By label and agent, in the order of the labels and then of the plan.
fn per_group(trials: &[Trial], seed: u64) -> Vec<GroupRow> {
    let scenarios = grouped(trials, |trial| trial.key.scenario.as_str());
    let labelled =
        scenarios.iter().filter_map(|(_, trials)| Some((&trials.first()?.metadata, trials.as_slice())));
    let mut rows = Vec::new();
    for (key, value, scenarios) in labels::grouped(labelled) {
        let of_agents = grouped(scenarios.into_iter().flatten().copied(), |trial| trial.key.agent.as_str());
        rows.extend(of_agents.into_iter().map(|(agent, trials)| GroupRow {
            key: key.to_owned(),
            value: value.to_owned(),
            agent: agent.to_owned(),
            measures: Measures::of(trials, seed),
        }));
    }
    rows
}

/// The trials of each key, in the order in which keys first appear.
fn grouped<'a, K: Copy + Eq + Hash>(
    trials: impl IntoIterator<Item = &'a Trial>,
    key: impl Fn(&'a Trial) -> K,
) -> Vec<(K, Vec<&'a Trial>)> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<(K, Vec<&'a Trial>)> = Vec::new();
    for trial in trials {
        let key = key(trial);
        let place = *places.entry(key).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        if let Some((_, group)) = groups.get_mut(place) {
            group.push(trial);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a run took whose events came at these times; the last ends it.
    fn took(times: &[i64]) -> u64 {
        let finished = || EventKind::RunFinished { complete: true, interrupted: false };
        let mut kinds = vec![EventKind::RunStarted(Box::default())];
        kinds.resize_with(times.len(), finished);
        let events: Vec<_> =
            times.iter().zip(kinds).map(|(at_ms, kind)| Event { at_ms: *at_ms, kind }).collect();
        Summary::from_events(&events).run.wall_ms
    }

    #[test]
    fn events_out_of_order_take_no_time_twice_and_a_clock_set_back_takes_none() {
        assert_eq!(took(&[1000, 1105, 1103, 1110]), 110);
        assert_eq!(took(&[1000, 1110]), 110, "the same without what came between");
        assert_eq!(took(&[100_000, 100_010, 50_000, 50_005]), 15);
    }
}
