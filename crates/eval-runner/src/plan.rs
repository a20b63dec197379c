//! What a run is going to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eval_builder::{Agent, Benchmark, Scenario};
use eval_record::{FORMAT, PlannedTrial, RunHeader, ScenarioSource, TrialKey};

use crate::{Adaptive, RunOptions};

/// The trials of a run, in the order in which they start.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Name of the benchmark.
    pub benchmark: String,
    /// File of the benchmark.
    pub source: String,
    /// The trials; keys are unique.
    pub trials: Vec<Trial>,
    /// How further trials are added; without it these are all.
    pub adaptive: Option<Adaptive>,
}

/// One trial.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Its name.
    pub key: TrialKey,
    /// The task.
    pub scenario: Arc<Scenario>,
    /// Who does it.
    pub agent: Arc<Agent>,
}

impl Trial {
    /// As it is recorded.
    pub fn planned(&self) -> PlannedTrial {
        PlannedTrial {
            trial: self.key.clone(),
            digest: self.scenario.digest.to_string(),
            metadata: self.scenario.metadata.clone(),
        }
    }
}

impl Plan {
    /// Every scenario × agent × repetition. Repetitions are outermost: a run that is interrupted has seen every scenario
    /// rather than one of them often.
    ///
    /// Agents of the same name are told apart by a number: `command`, `command-2`.
    pub fn new(benchmark: &Benchmark, agents: &[Arc<Agent>], repetitions: u32) -> Self {
        let names = unique_names(agents);
        let mut trials = Vec::new();
        for repetition in 1..=repetitions {
            for scenario in &benchmark.scenarios {
                for (agent, name) in agents.iter().zip(&names) {
                    trials.push(Trial {
                        key: TrialKey { scenario: scenario.name.clone(), agent: name.clone(), repetition },
                        scenario: Arc::clone(scenario),
                        agent: Arc::clone(agent),
                    });
                }
            }
        }
        Self {
            benchmark: benchmark.name.clone(),
            source: benchmark.source.display().to_string(),
            trials,
            adaptive: None,
        }
    }

    /// Only the trials that `keep` accepts.
    pub fn retain(&mut self, keep: impl FnMut(&Trial) -> bool) {
        self.trials.retain(keep);
    }

    /// Takes the trials of rounds that an earlier part of the run planned. Its own are the first round.
    pub(crate) fn announce(&mut self, announced: &[TrialKey]) {
        let mut known: BTreeSet<TrialKey> = self.trials.iter().map(|trial| trial.key.clone()).collect();
        for key in announced {
            let like = |trial: &&Trial| trial.key.scenario == key.scenario && trial.key.agent == key.agent;
            // A scenario that is no longer defined was refused before.
            let Some(trial) = self.trials.iter().find(like) else { continue };
            if known.insert(key.clone()) {
                let trial = Trial { key: key.clone(), ..trial.clone() };
                self.trials.push(trial);
            }
        }
    }

    /// Environment variables of the harness that some scenario requires.
    pub fn required_environment_variables(&self) -> BTreeSet<&str> {
        self.trials
            .iter()
            .flat_map(|trial| &trial.scenario.required_environment_variables)
            .map(String::as_str)
            .collect()
    }

    /// The digest of each agent, by its name.
    pub fn agent_digests(&self) -> BTreeMap<String, String> {
        let mut digests = BTreeMap::new();
        for trial in &self.trials {
            if !digests.contains_key(&trial.key.agent) {
                digests.insert(trial.key.agent.clone(), trial.agent.digest.to_string());
            }
        }
        digests
    }

    /// The header of the run's record; [`run`](crate::run()) emits the same.
    pub fn header(&self, options: &RunOptions) -> RunHeader {
        RunHeader {
            format: FORMAT,
            run_id: options.run_id.clone(),
            benchmark: self.benchmark.clone(),
            source: self.source.clone(),
            planned: self.trials.iter().map(Trial::planned).collect(),
            sources: self
                .trials
                .iter()
                .map(|trial| {
                    let Scenario { name, source, line, .. } = &*trial.scenario;
                    (name.clone(), ScenarioSource { file: source.display().to_string(), line: *line })
                })
                .collect(),
            agent_versions: self
                .trials
                .iter()
                .filter_map(|trial| Some((trial.agent.name.clone(), trial.agent.version.clone()?)))
                .collect(),
            target: options.target.clone(),
            guarantees: options.guarantees.clone(),
            version: options.version.clone(),
            seed: options.seed,
            concurrency: u32::try_from(options.concurrency).unwrap_or(u32::MAX),
            budget: options.budget,
            rounds: self.adaptive.as_ref().map(|adaptive| adaptive.rounds),
            agents: self.agent_digests(),
            invocation: options.invocation.clone().map(Box::new),
        }
    }
}

fn unique_names(agents: &[Arc<Agent>]) -> Vec<String> {
    let own: BTreeSet<&str> = agents.iter().map(|agent| agent.name.as_str()).collect();
    let mut given: BTreeSet<String> = BTreeSet::new();
    let mut unique = Vec::new();
    for agent in agents {
        let numbered = (2..).map(|number| format!("{}-{number}", agent.name));
        let free =
            |name: &String| !given.contains(name) && (*name == agent.name || !own.contains(name.as_str()));
        let name = std::iter::once(agent.name.clone()).chain(numbered).find(free).unwrap_or_default();
        given.insert(name.clone());
        unique.push(name);
    }
    unique
}

#[cfg(test)]
mod tests {
    use eval_builder::AgentKind;

    use super::*;
    use crate::fixtures::agent;

    #[test]
    fn agents_of_one_name_are_told_apart() {
        let agents: Vec<Arc<Agent>> = ["a", "a", "a-2", "b", "a"]
            .iter()
            .map(|name| Arc::new(Agent { name: (*name).to_owned(), ..agent(AgentKind::Nop) }))
            .collect();
        assert_eq!(unique_names(&agents), ["a", "a-3", "a-2", "b", "a-4"]);
    }
}
