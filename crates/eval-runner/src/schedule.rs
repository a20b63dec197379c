//! Which trial comes next: those that are planned, and with adaptive trials round after round of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use eval_record::{Cause, Digests, Outcome, Rounds, TrialKey, TrialResult, TrialState};

use crate::plan::{Plan, Trial};

/// Says after each round whether enough is known of an agent.
pub trait StoppingRule: Send + Sync {
    /// Why the results of an agent, one for each of its trials in the order of the plan and as much of them as an [`Outcome`]
    /// keeps, are enough, in a sentence without a full stop; `None` if they are not. The same for the same results: nothing
    /// else may decide, or a run could not be repeated.
    fn enough(&self, agent: &str, results: &[TrialResult]) -> Option<String>;
}

/// How a plan grows.
#[derive(Clone)]
pub struct Adaptive {
    /// The sizes of the rounds; the plan's own trials are the first one.
    pub rounds: Rounds,
    /// When an agent gets no more of them.
    pub rule: Arc<dyn StoppingRule>,
}

impl fmt::Debug for Adaptive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adaptive").field("rounds", &self.rounds).finish_non_exhaustive()
    }
}

/// The trials of a run in the order in which they start, with what came of each.
///
/// A round begins when every trial of those before it has its verdict, and repeats all scenarios of the agents of which not
/// enough is known. What it holds depends on these verdicts alone, not on the order in which they came.
#[derive(Debug)]
pub(crate) struct Schedule {
    plan: Plan,
    next: usize,
    /// One for each trial; `None` until it has its verdict.
    outcomes: Vec<Option<Outcome>>,
    digests: Digests,
    decided: BTreeSet<String>,
}

/// A trial and what came of it.
struct Standing<'a> {
    trial: &'a Trial,
    outcome: Option<&'a Outcome>,
}

/// Of this agent enough is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) agent: String,
    pub(crate) repetitions: u32,
    pub(crate) why: String,
}

/// What follows from the verdicts so far.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) decided: Vec<Decision>,
    /// What is repeated; nothing if the run is over.
    pub(crate) planned: Vec<Trial>,
}

impl Schedule {
    /// With verdicts that an earlier part of the run reached: these trials do not start.
    pub(crate) fn new(plan: Plan, mut verdicts: BTreeMap<TrialKey, Outcome>) -> Self {
        let outcomes = plan.trials.iter().map(|trial| verdicts.remove(&trial.key)).collect();
        Self { plan, next: 0, outcomes, digests: Digests::default(), decided: BTreeSet::new() }
    }

    /// Whether all trials were planned from the beginning.
    pub(crate) fn is_fixed(&self) -> bool {
        self.plan.adaptive.is_none()
    }

    /// The next trial that is planned and has no verdict, with its number; `None` at the end of a round.
    pub(crate) fn next(&mut self) -> Option<(usize, Trial)> {
        let left = self.outcomes.iter().skip(self.next);
        let number = self.next + left.take_while(|outcome| outcome.is_some()).count();
        let trial = self.plan.trials.get(number)?.clone();
        self.next = number + 1;
        Some((number, trial))
    }

    /// Takes the verdict on the trial of this number.
    pub(crate) fn take(&mut self, number: usize, result: &TrialResult) {
        if let Some(place) = self.outcomes.get_mut(number) {
            *place = Some(Outcome::of(result, &mut self.digests));
        }
    }

    /// The trials that have no verdict, with their numbers.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = (usize, &Trial)> {
        let trials = self.plan.trials.iter().zip(&self.outcomes).enumerate();
        trials.filter(|(_, (_, outcome))| outcome.is_none()).map(|(number, (trial, _))| (number, trial))
    }

    /// Whether every trial has a verdict that is more than that it was canceled.
    pub(crate) fn is_complete(&self) -> bool {
        let canceled = |outcome: &Outcome| outcome.state == TrialState::Canceled;
        self.outcomes.iter().all(|outcome| outcome.as_ref().is_some_and(|outcome| !canceled(outcome)))
    }

    /// Whether the budget left nothing for a trial.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.outcomes.iter().flatten().any(|outcome| outcome.cause == Some(Cause::BudgetExhausted))
    }

    /// Plans the next round.
    pub(crate) fn round(&mut self) -> Round {
        let mut round = Round::default();
        let Some(adaptive) = &self.plan.adaptive else { return round };
        let mut agents: Vec<(&str, Vec<Standing<'_>>)> = Vec::new();
        for (trial, outcome) in self.plan.trials.iter().zip(&self.outcomes) {
            let standing = Standing { trial, outcome: outcome.as_ref() };
            match agents.iter_mut().find(|(agent, _)| *agent == trial.key.agent) {
                Some((_, trials)) => trials.push(standing),
                None => agents.push((&trial.key.agent, vec![standing])),
            }
        }
        let mut repeated: Vec<(u32, &Trial)> = Vec::new();
        for (agent, trials) in agents.into_iter().filter(|(agent, _)| !self.decided.contains(*agent)) {
            let verdicts: Vec<TrialResult> = trials
                .iter()
                .filter_map(|standing| Some(standing.outcome?.result(&standing.trial.key)))
                .filter(|result| result.state != TrialState::Canceled)
                .collect();
            if verdicts.len() < trials.len() {
                // Something ended the run first: its budget. Nothing is decided.
                continue;
            }
            let trials = trials.iter().map(|standing| standing.trial);
            let repetitions = trials.clone().map(|trial| trial.key.repetition).max().unwrap_or(0);
            let next = adaptive.rounds.next_size(repetitions);
            let why = adaptive.rule.enough(agent, &verdicts).or_else(|| {
                next.is_none().then(|| format!("there are no more than {repetitions} repetitions to be made"))
            });
            match (why, next) {
                (None, Some(size)) => {
                    let scenarios: Vec<&Trial> = trials.filter(|trial| trial.key.repetition == 1).collect();
                    repeated.extend(
                        (repetitions + 1..=size)
                            .flat_map(|repetition| scenarios.iter().map(move |trial| (repetition, *trial))),
                    );
                }
                (why, _) => {
                    let (agent, why) = (agent.to_owned(), why.unwrap_or_default());
                    round.decided.push(Decision { agent, repetitions, why });
                }
            }
        }
        // As in the first round, repetitions are outermost.
        repeated.sort_by_key(|(repetition, _)| *repetition);
        round.planned = repeated
            .into_iter()
            .map(|(repetition, trial)| Trial {
                key: TrialKey { repetition, ..trial.key.clone() },
                scenario: Arc::clone(&trial.scenario),
                agent: Arc::clone(&trial.agent),
            })
            .collect();
        self.decided.extend(round.decided.iter().map(|decision| decision.agent.clone()));
        self.plan.trials.extend(round.planned.iter().cloned());
        self.outcomes.resize_with(self.plan.trials.len(), || None);
        round
    }
}
