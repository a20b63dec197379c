//! What is asked of a run.

use std::collections::BTreeMap;

use crate::baseline::{Baseline, BaselineScenario};

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
    /// Most trials that may have a flag; any number unless set.
    pub max_flagged: Option<u32>,
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

impl Reference {
    /// The baseline's agent of this name; or its only one, if the run has only one too.
    pub(crate) fn agent(
        &self,
        name: &str,
        is_only: bool,
    ) -> Option<(&str, &BTreeMap<String, BaselineScenario>)> {
        let agents = &self.baseline.agents;
        let only = || (is_only && agents.len() == 1).then(|| agents.first_key_value()).flatten();
        let (name, scenarios) = agents.get_key_value(name).or_else(only)?;
        Some((name, scenarios))
    }
}
