//! The estimates of a run while it goes on.

use std::collections::BTreeMap;

use eval_record::{TrialResult, TrialState};

use crate::MeanInterval;
use crate::statistics::{Cluster, cluster_bootstrap};

/// The mean score of some trials, to which verdicts are added one by one. The same as in a
/// [`Summary`](crate::Summary) of these trials, without keeping them.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    clusters: BTreeMap<String, Cluster>,
}

impl Tally {
    /// Adds a verdict. One without a score changes nothing.
    pub fn add(&mut self, result: &TrialResult) {
        let score = result.score.filter(|score| (0.0..=1.0).contains(score));
        if let (TrialState::Scored, Some(score)) = (result.state, score) {
            let cluster = self.clusters.entry(result.trial.scenario.clone()).or_default();
            cluster.sum += score;
            cluster.count += 1;
        }
    }

    /// The mean score, 0 to 1; `None` of nothing.
    pub fn mean(&self) -> Option<f64> {
        let count = self.clusters.values().map(|cluster| cluster.count).sum::<u64>() as f64;
        let sum: f64 = self.clusters.values().map(|cluster| cluster.sum).sum();
        (count > 0.0).then_some(sum / count)
    }

    /// Its 95 % interval; `None` with fewer than two scored scenarios. Takes milliseconds with hundreds of scenarios.
    pub fn interval(&self, seed: u64) -> Option<MeanInterval> {
        let clusters: Vec<Cluster> = self.clusters.values().copied().collect();
        cluster_bootstrap(&clusters, seed)
    }
}
