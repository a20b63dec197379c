//! What is measured over a group of trials: all, those of an agent, those of a scenario and an agent.

use std::collections::BTreeMap;

use eval_record::Phase;
use serde::{Deserialize, Serialize};

use crate::statistics::{
    Cluster, Interval, MeanInterval, PassK, cluster_bootstrap, mean, median, pass_ks, wilson,
};
use crate::{Trial, TrialStatus};

/// Counts and estimates of a group of trials. Estimates are null where nothing is scored.
///
/// `planned` = `scored` + `invalid` + `canceled` + `unfinished`, and `scored` = `passed` + `failed`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Trials that should have a score in the end.
    pub planned: u64,
    /// Trials with a score.
    pub scored: u64,
    /// Scored trials that reached their pass mark.
    pub passed: u64,
    /// Scored trials that did not.
    pub failed: u64,
    /// Trials without a score through no fault of the agent.
    pub invalid: u64,
    /// Trials that were interrupted.
    pub canceled: u64,
    /// Trials without any verdict.
    pub unfinished: u64,
    /// Mean score of the scored trials.
    pub mean_score: Option<f64>,
    /// Its interval; null with fewer than two scored scenarios.
    pub mean_interval: Option<MeanInterval>,
    /// The mean score if every trial without one had 0, or 1.
    pub mean_bounds: Option<Bounds>,
    /// Share of the scored trials that passed.
    pub pass_rate: Option<f64>,
    /// Its interval.
    pub pass_rate_interval: Option<Interval>,
    /// The pass rate if every trial without a score had failed, or passed.
    pub pass_rate_bounds: Option<Bounds>,
    /// What several trials give: those of 2, 3, 5 and 10 that every scored scenario has. Empty for single trials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass_k: Vec<PassK>,
    /// Milliseconds of each phase, over the trials that went through it.
    pub durations_ms: BTreeMap<Phase, PhaseDurations>,
}

/// What an estimate would be if every trial without a score had come out worst, or best.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// All worst.
    pub low: f64,
    /// All best.
    pub high: f64,
}

/// How long a phase took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseDurations {
    /// Trials that went through it.
    pub trials: u64,
    /// The middle one.
    pub median: u64,
    /// The longest.
    pub max: u64,
    /// All of them.
    pub total: u64,
}

/// What is measured of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentRow {
    /// The agent.
    pub agent: String,
    /// Over all of its trials.
    #[serde(flatten)]
    pub measures: Measures,
}

/// What is measured of an agent in a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioRow {
    /// The scenario.
    pub scenario: String,
    /// The agent.
    pub agent: String,
    /// Over its repetitions.
    #[serde(flatten)]
    pub measures: Measures,
}

/// What is measured of an agent in the scenarios that share a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRow {
    /// The label.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The agent.
    pub agent: String,
    /// Over all of its trials there.
    #[serde(flatten)]
    pub measures: Measures,
}

impl Measures {
    pub(crate) fn of<'a>(trials: impl IntoIterator<Item = &'a Trial>, seed: u64) -> Self {
        let mut measures = Self::default();
        let mut scores = Vec::new();
        let mut clusters: BTreeMap<&str, Cluster> = BTreeMap::new();
        let mut tries: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
        let mut durations: BTreeMap<Phase, Vec<u64>> = BTreeMap::new();
        for trial in trials {
            measures.planned += 1;
            match trial.status {
                TrialStatus::Scored => measures.scored += 1,
                TrialStatus::Invalid => measures.invalid += 1,
                TrialStatus::Canceled => measures.canceled += 1,
                TrialStatus::Unfinished => measures.unfinished += 1,
            }
            if let Some(score) = trial.score {
                measures.passed += u64::from(trial.passed == Some(true));
                scores.push(score);
                let (passed, scored) = tries.entry((&trial.key.scenario, &trial.key.agent)).or_default();
                *passed += u64::from(trial.passed == Some(true));
                *scored += 1;
                let cluster = clusters.entry(&trial.key.scenario).or_default();
                cluster.sum += score;
                cluster.count += 1;
            }
            for (phase, ms) in &trial.durations_ms {
                durations.entry(*phase).or_default().push(*ms);
            }
        }
        measures.failed = measures.scored - measures.passed;
        measures.mean_score = mean(&scores);
        let clusters: Vec<Cluster> = clusters.into_values().collect();
        measures.mean_interval = cluster_bootstrap(&clusters, seed);
        measures.pass_rate = share(measures.passed, measures.scored);
        measures.pass_rate_interval = wilson(measures.passed, measures.scored);
        measures.mean_bounds = measures.bounds(scores.iter().fold(0.0, |sum, score| sum + score));
        let passed = measures.passed as f64;
        measures.pass_rate_bounds = measures.bounds(passed);
        measures.pass_k = pass_ks(&tries.into_values().collect::<Vec<_>>());
        measures.durations_ms =
            durations.iter().filter_map(|(phase, ms)| Some((*phase, PhaseDurations::of(ms)?))).collect();
        measures
    }

    /// Trials without a score.
    pub fn without_score(&self) -> u64 {
        self.planned - self.scored
    }

    fn bounds(&self, sum: f64) -> Option<Bounds> {
        let (planned, missing) = (self.planned as f64, self.without_score() as f64);
        (self.planned > 0).then(|| Bounds { low: sum / planned, high: (sum + missing) / planned })
    }
}

impl PhaseDurations {
    fn of(ms: &[u64]) -> Option<Self> {
        Some(Self {
            trials: ms.len() as u64,
            median: median(ms)?,
            max: ms.iter().copied().max()?,
            total: ms.iter().fold(0, |sum, ms| sum.saturating_add(*ms)),
        })
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
