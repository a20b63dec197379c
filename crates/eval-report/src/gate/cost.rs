//! The most that an agent may cost.

use super::judge::Judge;
use super::{Decision, Example};
use crate::Trial;
use crate::statistics::NEAR;
use crate::text::counted;

impl Judge<'_> {
    /// The cost is what agents say. One that says nothing could have cost anything.
    pub(super) fn cost(&mut self) {
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
                Some(Example { message, ..self.example(trial) })
            })
            .collect();
        if known > most + NEAR {
            let mut spent: Vec<&&Trial> = self.trials.iter().filter(|trial| of(trial).is_some()).collect();
            spent.sort_by(|a, b| of(b).unwrap_or_default().total_cmp(&of(a).unwrap_or_default()));
            let examples = spent.into_iter().map(|trial| Example {
                message: format!("${:.4}", of(trial).unwrap_or_default()),
                ..self.example(trial)
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
}
