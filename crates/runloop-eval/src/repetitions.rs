//! How often scenarios are repeated: so often, or in rounds until enough is known.

use std::sync::Arc;

use eval_builder::{AdaptiveTrials, Agent, Benchmark, Trials};
use eval_record::{Rounds, RunHeader, TrialResult};
use eval_report::outlook::Question;
use eval_runner::{Adaptive, Plan, StoppingRule};

use crate::args::TrialsArg;
use crate::gating::Gating;

/// The statistics of reports decide when a run has seen enough.
struct Rule(Question);

impl StoppingRule for Rule {
    fn enough(&self, agent: &str, results: &[TrialResult]) -> Option<String> {
        self.0.enough(agent, results)
    }
}

/// What the option says, else the benchmark. `auto` is as the benchmark says, if it says how.
pub(crate) fn resolve(asked: Option<TrialsArg>, benchmark: Trials) -> Trials {
    match (asked, benchmark) {
        (None | Some(TrialsArg::Auto), Trials::Adaptive(_)) | (None, Trials::Fixed(_)) => benchmark,
        (Some(TrialsArg::Fixed(count)), _) => Trials::Fixed(count),
        (Some(TrialsArg::Auto), Trials::Fixed(_)) => Trials::Adaptive(AdaptiveTrials::default()),
        (Some(TrialsArg::Between(min, max)), Trials::Adaptive(adaptive)) => {
            Trials::Adaptive(AdaptiveTrials { min, max, ..adaptive })
        }
        (Some(TrialsArg::Between(min, max)), Trials::Fixed(_)) => {
            Trials::Adaptive(AdaptiveTrials { min, max, ..AdaptiveTrials::default() })
        }
    }
}

/// What a run that goes on was begun with, whatever its benchmark says by now: what its gate makes of looking often depends on
/// that.
pub(crate) fn recorded(header: &RunHeader) -> Trials {
    match header.rounds {
        Some(Rounds { min, max, half_width }) => Trials::Adaptive(AdaptiveTrials { min, max, half_width }),
        None => {
            let repetitions = header.planned.iter().map(|planned| planned.trial.repetition);
            Trials::Fixed(repetitions.max().unwrap_or(1))
        }
    }
}

/// The plan of a run: all of it, or its first round and how it goes on. The seed is that of the run, so that a look at its
/// scores sees what its gate will see.
pub(crate) fn plan(
    trials: Trials,
    benchmark: &Benchmark,
    agents: &[Arc<Agent>],
    gating: Option<&Gating>,
    seed: u64,
) -> Plan {
    let AdaptiveTrials { min, max, half_width } = match trials {
        Trials::Fixed(count) => return Plan::new(benchmark, agents, count),
        Trials::Adaptive(adaptive) => adaptive,
    };
    let rounds = Rounds { min, max, half_width };
    let question = Question {
        limits: gating.map(|gating| gating.limits.clone()),
        reference: gating.and_then(|gating| gating.reference.clone()),
        rounds,
        is_only: agents.len() == 1,
        seed,
    };
    let mut plan = Plan::new(benchmark, agents, min);
    plan.adaptive = Some(Adaptive { rounds, rule: Arc::new(Rule(question)) });
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_replaces_what_the_benchmark_says() {
        let own = AdaptiveTrials { min: 2, max: 9, half_width: 0.1 };
        let (fixed, adaptive) = (Trials::Fixed(4), Trials::Adaptive(own));
        assert_eq!(resolve(None, fixed), fixed);
        assert_eq!(resolve(None, adaptive), adaptive);
        assert_eq!(resolve(Some(TrialsArg::Auto), adaptive), adaptive);
        assert_eq!(resolve(Some(TrialsArg::Auto), fixed), Trials::Adaptive(AdaptiveTrials::default()));
        assert_eq!(resolve(Some(TrialsArg::Fixed(1)), adaptive), Trials::Fixed(1));
        let between = Trials::Adaptive(AdaptiveTrials { min: 5, max: 6, half_width: 0.1 });
        assert_eq!(resolve(Some(TrialsArg::Between(5, 6)), adaptive), between);
    }
}
