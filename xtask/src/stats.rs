//! `cargo xtask stats`: do the statistics hold what they promise? Simulated runs with a known truth, thousands of times.
//!
//! An interval of 95 % must hold the truth in 93 to 97 % of all runs, and the gate must fail at most 5 % of the runs of an agent
//! that did not change. The simulated agent passes each trial with the chance of its scenario.

use std::collections::BTreeMap;

use eval_record::{Event, EventKind, PlannedTrial, Rounds, RunHeader, TrialKey, TrialResult, TrialState};
use eval_report::Summary;
use eval_report::baseline::Baseline;
use eval_report::gate::{Decision, Limits, Reference, judge};
use eval_report::statistics::{Cluster, cluster_bootstrap_of, detectable_drop, sign_flip, wilson};
use fastrand::Rng;

use crate::{adaptive, table};

/// What an interval of 95 % may do and still be called one.
const COVERAGE: std::ops::RangeInclusive<f64> = 0.93..=0.97;

/// The most that no change may be called one.
pub(crate) const ALARMS: f64 = 0.05;

/// Four standard errors of 5 % among this many runs are allowed on top of it.
fn allowance(runs: u32) -> f64 {
    4.0 * (ALARMS * (1.0 - ALARMS) / f64::from(runs)).sqrt()
}

/// Draws of a simulated bootstrap: a tenth of a report's, to take seconds.
const DRAWS: usize = 999;

/// Chances of passing, one a scenario.
pub(crate) type Agent = Vec<f64>;

/// How scenarios differ from one another.
#[derive(Clone, Copy)]
pub(crate) enum Suite {
    /// Each has a chance of its own, from 0 to 1.
    Mixed,
    /// Most are passed nearly always, some hardly ever.
    Extreme,
    /// All have the same chance.
    Even(f64),
}

impl Suite {
    pub(crate) const ALL: [(Self, &'static str, f64); 3] = [
        (Self::Mixed, "chances 0 to 1", 0.5),
        (Self::Extreme, "0.95, a third 0.1", 2.0 / 3.0 * 0.95 + 0.1 / 3.0),
        (Self::Even(0.8), "all 0.8", 0.8),
    ];

    fn scenario(self, random: &mut Rng) -> f64 {
        match self {
            Self::Mixed => random.f64(),
            Self::Extreme => [0.95, 0.95, 0.1][random.usize(..3)],
            Self::Even(chance) => chance,
        }
    }

    pub(crate) fn agent(self, scenarios: usize, random: &mut Rng) -> Agent {
        (0..scenarios).map(|_| self.scenario(random)).collect()
    }
}

fn trials(chance: f64, count: u32, random: &mut Rng) -> Vec<f64> {
    (0..count).map(|_| f64::from(u8::from(random.f64() < chance))).collect()
}

fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len() as f64
}

fn share(runs: u32, mut happens: impl FnMut(u64) -> bool) -> f64 {
    f64::from((0..runs).map(|run| u32::from(happens(u64::from(run)))).sum::<u32>()) / f64::from(runs)
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Prints the tables; an error names what does not hold.
pub(crate) fn run() -> Result<(), String> {
    let mut broken = Vec::new();
    coverage(&mut broken);
    alarms(&mut broken);
    power(&mut broken);
    adaptive::run(&mut broken);
    if broken.is_empty() { Ok(()) } else { Err(format!("these do not hold:\n{}", broken.join("\n"))) }
}

/// How often intervals hold the truth.
fn coverage(broken: &mut Vec<String>) {
    const RUNS: u32 = 3_000;
    let mut rows = Vec::new();
    let mut row = |what: &str, suite: &str, plan: String, held: f64| {
        let holds = COVERAGE.contains(&held);
        if !holds {
            broken
                .push(format!("{what}, {suite}, {plan}: the interval holds the truth in {}", percent(held)));
        }
        let verdict = if holds { "yes" } else { "NO" };
        rows.push(vec![what.into(), suite.into(), plan, percent(held), verdict.into()]);
    };
    for (suite, name, truth) in Suite::ALL {
        for (scenarios, repetitions) in [(16, 3), (30, 3), (100, 1)] {
            let mut random = Rng::with_seed(1);
            let held = share(RUNS, |seed| {
                let clusters: Vec<Cluster> = (0..scenarios)
                    .map(|_| {
                        let scores = trials(suite.scenario(&mut random), repetitions, &mut random);
                        Cluster { sum: scores.iter().sum(), count: u64::from(repetitions) }
                    })
                    .collect();
                cluster_bootstrap_of(&clusters, DRAWS, seed)
                    .is_some_and(|interval| interval.low <= truth && truth <= interval.high)
            });
            row("mean, bootstrap", name, format!("{scenarios} × {repetitions}"), held);
        }
    }
    for (scenarios, repetitions) in [(16, 3), (30, 3), (100, 1)] {
        // Each scenario's chance drops to 0.7 of what it was: from 0.5 in the mean to 0.35.
        let truth = -0.15;
        let mut random = Rng::with_seed(2);
        let held = share(RUNS, |seed| {
            // As `paired_bootstrap` does.
            let differences: Vec<Cluster> = (0..scenarios)
                .map(|_| {
                    let chance = random.f64();
                    let before = mean(&trials(chance, repetitions, &mut random));
                    let after = mean(&trials(chance * 0.7, repetitions, &mut random));
                    Cluster { sum: after - before, count: 1 }
                })
                .collect();
            cluster_bootstrap_of(&differences, DRAWS, seed)
                .is_some_and(|interval| interval.low <= truth && truth <= interval.high)
        });
        row("difference, paired", "chances × 0.7", format!("{scenarios} × {repetitions}"), held);
    }
    for (chance, count) in [(0.5, 30), (0.8, 50), (0.8, 100), (0.95, 100), (0.95, 200)] {
        let mut random = Rng::with_seed(3);
        let held = share(20_000, |_| {
            let passed = trials(chance, count, &mut random).iter().filter(|score| **score > 0.5).count();
            wilson(passed as u64, u64::from(count))
                .is_some_and(|interval| interval.low <= chance && chance <= interval.high)
        });
        row("pass rate, Wilson", &format!("all {chance}"), format!("{count} × 1"), held);
    }
    table::print(
        "Coverage of the 95 % intervals",
        "How often the interval of a simulated run holds the truth; it should in 93 to 97 %.",
        &["interval", "scenarios' chances", "scenarios × trials", "held", "93 to 97 %"],
        &rows,
    );
}

/// The verdict on one trial.
pub(crate) fn result(nth: usize, repetition: u32, score: f64) -> TrialResult {
    TrialResult {
        score: Some(score),
        passed: Some(score >= 1.0),
        ..TrialResult::bare(
            TrialKey { scenario: format!("s{nth}"), agent: "agent".into(), repetition },
            format!("d{nth}"),
            TrialState::Scored,
        )
    }
}

/// A run of the same shape as real ones, so that the gate is tested, not a copy of it.
pub(crate) fn simulated(agent: &Agent, repetitions: u32, seed: u64, random: &mut Rng) -> Summary {
    let of_scenario = |(nth, chance): (usize, &f64)| -> Vec<TrialResult> {
        let scores = trials(*chance, repetitions, random).into_iter().zip(1..);
        scores.map(|(score, repetition)| result(nth, repetition, score)).collect()
    };
    summary(agent.iter().enumerate().flat_map(of_scenario).collect(), None, seed)
}

/// The summary of a run with these verdicts.
pub(crate) fn summary(results: Vec<TrialResult>, rounds: Option<Rounds>, seed: u64) -> Summary {
    let planned = results
        .iter()
        .map(|result| PlannedTrial {
            trial: result.trial.clone(),
            digest: result.digest.clone(),
            metadata: BTreeMap::new(),
        })
        .collect();
    let header = RunHeader { format: 1, planned, seed, rounds, ..RunHeader::default() };
    let kinds = results.into_iter().map(|result| EventKind::TrialFinished(Box::new(result)));
    let events: Vec<Event> = [EventKind::RunStarted(Box::new(header))]
        .into_iter()
        .chain(kinds)
        .map(|kind| Event { at_ms: 0, kind })
        .collect();
    Summary::from_events(&events)
}

/// A run as what another is held against.
pub(crate) fn reference(summary: &Summary) -> Reference {
    let baseline = Baseline::of(summary).expect("scenarios of one definition");
    Reference { baseline, file: "baseline.json".into(), lines: BTreeMap::new() }
}

/// How often the gate fails, and how often it is undecided.
fn gated(
    runs: u32,
    before: &dyn Fn(&mut Rng) -> Agent,
    after: &dyn Fn(&Agent) -> Agent,
    trials: (u32, u32),
    allowed: f64,
) -> (f64, f64) {
    let limits = Limits { max_regression: Some(allowed), ..Limits::default() };
    let mut random = Rng::with_seed(4);
    let (mut failed, mut undecided) = (0_u32, 0_u32);
    for run in 0..u64::from(runs) {
        let agent = before(&mut random);
        let reference = reference(&simulated(&agent, trials.0, run, &mut random));
        let now = simulated(&after(&agent), trials.1, run, &mut random);
        match judge(&limits, Some(&reference), &now).decision {
            Decision::Fail => failed += 1,
            Decision::Undecided => undecided += 1,
            Decision::Pass => {}
        }
    }
    (f64::from(failed) / f64::from(runs), f64::from(undecided) / f64::from(runs))
}

/// How often no change is called one.
fn alarms(broken: &mut Vec<String>) {
    const RUNS: u32 = 400;
    let mut rows = Vec::new();
    let mut row = |what: &str, suite: &str, plan: String, alarms: f64, runs: u32, undecided: String| {
        let holds = alarms <= ALARMS + allowance(runs);
        if !holds {
            broken.push(format!("{what}, {suite}, {plan}: {} false alarms", percent(alarms)));
        }
        let verdict = if holds { "yes" } else { "NO" };
        rows.push(vec![what.into(), suite.into(), plan, percent(alarms), undecided, verdict.into()]);
    };
    for (suite, name, _) in Suite::ALL {
        for (scenarios, trials, allowed) in
            [(16, (3, 3), 0.0), (16, (5, 1), 0.0), (40, (1, 1), 0.0), (16, (3, 3), 0.05)]
        {
            let agent = |random: &mut Rng| suite.agent(scenarios, random);
            let (failed, undecided) = gated(RUNS, &agent, &Agent::clone, trials, allowed);
            let plan = format!("{scenarios} × {} then {}", trials.0, trials.1);
            row(&format!("gate, max_regression {allowed}"), name, plan, failed, RUNS, percent(undecided));
        }
        let mut random = Rng::with_seed(5);
        let runs = 1_500;
        let called = share(runs, |seed| {
            let differences: Vec<f64> = (0..16)
                .map(|_| {
                    let chance = suite.scenario(&mut random);
                    let before = mean(&trials(chance, 3, &mut random));
                    mean(&trials(chance, 3, &mut random)) - before
                })
                .collect();
            sign_flip(&differences, seed) <= ALARMS
        });
        row("sign-flip p <= 0.05", name, "16 × 3 then 3".into(), called, runs, String::new());
    }
    table::print(
        "False alarms",
        "How often an agent that did not change is said to have changed (exit 1 of the gate); it should in at most 5 %. Undecided (exit 3) is no alarm: too few trials differ to tell.",
        &["test", "scenarios' chances", "scenarios × trials", "alarms", "undecided", "at most 5 %"],
        &rows,
    );
}

/// How often a real drop is seen.
fn power(broken: &mut Vec<String>) {
    const RUNS: u32 = 400;
    let mut rows = Vec::new();
    for (scenarios, repetitions) in [(16_usize, 3_u32), (40, 3), (100, 1)] {
        let chance: f64 = 0.8;
        let plan = vec![(u64::from(repetitions), u64::from(repetitions)); scenarios];
        let Some(drop) = detectable_drop(chance, chance * (1.0 - chance), &plan) else { continue };
        let agent = |_: &mut Rng| vec![chance; scenarios];
        let worse = |agent: &Agent| agent.iter().map(|chance| chance - drop).collect();
        let (failed, undecided) = gated(RUNS, &agent, &worse, (repetitions, repetitions), 0.0);
        // Four standard errors of the simulation.
        let holds = (0.72..=0.9).contains(&failed);
        if !holds {
            broken.push(format!(
                "{scenarios} × {repetitions}: a drop of {drop:.3} is seen in {}",
                percent(failed)
            ));
        }
        rows.push(vec![
            format!("{scenarios} × {repetitions}"),
            format!("{drop:.3}"),
            percent(failed),
            percent(undecided),
            (if holds { "yes" } else { "NO" }).into(),
        ]);
    }
    table::print(
        "What a plan can see",
        "The detectable drop of an agent that passes 0.8 of its trials, and how often the gate (max_regression 0) fails when it happens; it should about 4 times of 5.",
        &["scenarios × trials", "drop", "failed", "undecided", "72 to 90 %"],
        &rows,
    );
}
