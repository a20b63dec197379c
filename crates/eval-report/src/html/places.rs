//! Where the trials have their sections.

use std::collections::HashMap;

use crate::{Summary, Trial};

use super::LISTED;

/// Places of the trials that have a section, in the order of the plan, from 0.
pub(crate) struct Places<'a> {
    trials: HashMap<(&'a str, &'a str), Vec<(usize, &'a Trial)>>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(summary: &'a Summary) -> Self {
        let mut trials: HashMap<(&str, &str), Vec<(usize, &Trial)>> = HashMap::new();
        for (place, trial) in summary.trials.iter().take(LISTED).enumerate() {
            trials.entry((&trial.key.scenario, &trial.key.agent)).or_default().push((place, trial));
        }
        Self { trials }
    }

    /// That of one trial.
    pub(crate) fn of_trial(&self, scenario: &str, agent: &str, repetition: u32) -> Option<usize> {
        let trials = self.trials.get(&(scenario, agent))?;
        trials.iter().find(|(_, trial)| trial.key.repetition == repetition).map(|(place, _)| *place)
    }

    /// That of the trial with the lowest score.
    pub(crate) fn lowest(&self, scenario: &str, agent: &str) -> Option<usize> {
        let trials = self.trials.get(&(scenario, agent))?;
        let score = |trial: &Trial| trial.score.unwrap_or(f64::INFINITY);
        trials.iter().min_by(|a, b| score(a.1).total_cmp(&score(b.1))).map(|(place, _)| *place)
    }
}
