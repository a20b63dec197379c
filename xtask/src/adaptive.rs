//! Do adaptive trials keep what is promised of a fixed number of them? Simulated runs with a known truth, through the code that
//! ends real ones.

use eval_record::{Rounds, TrialResult};
use eval_report::gate::{Decision, Limits, Reference, judge};
use eval_report::outlook::Question;
use fastrand::Rng;

use crate::stats::{ALARMS, Agent, Suite, percent, reference, result, simulated, summary};
use crate::table;

/// Runs of each kind.
const RUNS: u32 = 400;

/// Scenarios of a run.
const SCENARIOS: usize = 16;

const ROUNDS: Rounds = Rounds { min: 3, max: 20, half_width: 0.05 };

/// Prints the tables; adds what does not hold.
pub(crate) fn run(broken: &mut Vec<String>) {
    alarms(broken);
    agreement(broken);
    width(broken);
    bias(broken);
}

/// All trials that a run may come to, repetition by repetition.
fn all_trials(agent: &Agent, most: u32, random: &mut Rng) -> Vec<TrialResult> {
    let mut results = Vec::new();
    for repetition in 1..=most {
        for (nth, chance) in agent.iter().enumerate() {
            results.push(result(nth, repetition, f64::from(u8::from(random.f64() < *chance))));
        }
    }
    results
}

/// Repetitions at which a run ends.
fn end(all: &[TrialResult], rounds: &Rounds, mut enough: impl FnMut(&[TrialResult]) -> bool) -> u32 {
    let sizes = rounds.sizes();
    let mut ends = |size: &u32| enough(first(all, *size));
    sizes.iter().copied().find(|size| ends(size)).unwrap_or(rounds.max)
}

fn first(all: &[TrialResult], repetitions: u32) -> &[TrialResult] {
    let count = all.iter().take_while(|result| result.trial.repetition <= repetitions).count();
    &all[..count]
}

fn question(limits: &Limits, reference: Option<Reference>, rounds: Rounds, seed: u64) -> Question {
    Question { limits: Some(limits.clone()), reference, rounds, is_only: true, seed }
}

fn mean(results: &[TrialResult]) -> f64 {
    results.iter().filter_map(|result| result.score).sum::<f64>() / results.len() as f64
}

/// How often an agent that did not change is said to have changed.
fn alarms(broken: &mut Vec<String>) {
    let mut rows = Vec::new();
    for (suite, name, _) in Suite::ALL {
        for (allowed, is_naive) in [(0.0, true), (0.0, false), (0.05, false)] {
            let limits = Limits { max_regression: Some(allowed), ..Limits::default() };
            let mut random = Rng::with_seed(6);
            let (mut failed, mut undecided, mut repetitions) = (0_u32, 0_u32, 0_u32);
            for seed in 0..u64::from(RUNS) {
                let agent = suite.agent(SCENARIOS, &mut random);
                let reference = reference(&simulated(&agent, 5, seed, &mut random));
                let all = all_trials(&agent, ROUNDS.max, &mut random);
                let decide = |results: &[TrialResult], rounds| {
                    judge(&limits, Some(&reference), &summary(results.to_vec(), rounds, seed)).decision
                };
                let (ended, decision) = if is_naive {
                    // Without any care: the usual test after each round, until it says something.
                    let ended = end(&all, &ROUNDS, |results| decide(results, None) == Decision::Fail);
                    (ended, decide(first(&all, ended), None))
                } else {
                    let question = question(&limits, Some(reference.clone()), ROUNDS, seed);
                    let ended = end(&all, &ROUNDS, |results| question.enough("agent", results).is_some());
                    (ended, decide(first(&all, ended), Some(ROUNDS)))
                };
                failed += u32::from(decision == Decision::Fail);
                undecided += u32::from(decision == Decision::Undecided);
                repetitions += ended;
            }
            let share = f64::from(failed) / f64::from(RUNS);
            let holds = share <= ALARMS;
            if !holds && !is_naive {
                broken.push(format!(
                    "adaptive, {name}, max_regression {allowed}: {} false alarms",
                    percent(share)
                ));
            }
            let rule = if is_naive {
                "5 % after each round".to_owned()
            } else {
                format!("ours, max_regression {allowed}")
            };
            rows.push(vec![
                rule,
                name.into(),
                percent(share),
                percent(f64::from(undecided) / f64::from(RUNS)),
                format!("{:.1}", f64::from(repetitions) / f64::from(RUNS)),
                (if holds { "yes" } else { "NO" }).into(),
            ]);
        }
    }
    table::print(
        "False alarms of adaptive trials",
        "Rounds of 3 to 20 repetitions of 16 scenarios against a baseline of 5, of an agent that did not change. The first rule is what must not be done, for comparison: the usual test, again and again.",
        &["rule", "scenarios' chances", "alarms", "undecided", "repetitions", "at most 5 %"],
        &rows,
    );
}

/// How often the gate says what it would not say after all repetitions.
fn agreement(broken: &mut Vec<String>) {
    let mut rows = Vec::new();
    for (suite, name, truth) in Suite::ALL {
        for distance in [-0.1, -0.05, 0.0, 0.05] {
            let limits = Limits { min_score: Some(truth + distance), ..Limits::default() };
            let mut random = Rng::with_seed(7);
            let (mut other, mut repetitions) = (0_u32, 0_u32);
            for seed in 0..u64::from(RUNS) {
                let agent = suite.agent(SCENARIOS, &mut random);
                let all = all_trials(&agent, ROUNDS.max, &mut random);
                let question = question(&limits, None, ROUNDS, seed);
                let ended = end(&all, &ROUNDS, |results| question.enough("agent", results).is_some());
                let decide = |results: &[TrialResult]| {
                    judge(&limits, None, &summary(results.to_vec(), Some(ROUNDS), seed)).decision
                };
                other += u32::from(decide(first(&all, ended)) != decide(&all));
                repetitions += ended;
            }
            let share = f64::from(other) / f64::from(RUNS);
            let holds = share <= ALARMS;
            if !holds {
                broken.push(format!(
                    "adaptive, {name}, min_score {:.2}: {} decided otherwise",
                    truth + distance,
                    percent(share)
                ));
            }
            rows.push(vec![
                format!("{:.2}", truth + distance),
                name.into(),
                percent(share),
                format!("{:.1}", f64::from(repetitions) / f64::from(RUNS)),
                (if holds { "yes" } else { "NO" }).into(),
            ]);
        }
    }
    table::print(
        "Decisions of adaptive trials",
        "How often the gate decides otherwise than it would after all 20 repetitions, and how many it took.",
        &["min_score", "scenarios' chances", "otherwise", "repetitions", "at most 5 %"],
        &rows,
    );
}

/// How often the mean is not where it is said to be.
fn width(broken: &mut Vec<String>) {
    let mut rows = Vec::new();
    for (suite, name, _) in Suite::ALL {
        let rounds = Rounds { max: 100, ..ROUNDS };
        let mut random = Rng::with_seed(8);
        let (mut missed, mut repetitions) = (0_u32, 0_u32);
        for seed in 0..u64::from(RUNS) {
            let agent = suite.agent(SCENARIOS, &mut random);
            let truth = agent.iter().sum::<f64>() / agent.len() as f64;
            let all = all_trials(&agent, rounds.max, &mut random);
            let question = Question { limits: None, reference: None, rounds, is_only: true, seed };
            let ended = end(&all, &rounds, |results| question.enough("agent", results).is_some());
            missed += u32::from((mean(first(&all, ended)) - truth).abs() > rounds.half_width);
            repetitions += ended;
        }
        let share = f64::from(missed) / f64::from(RUNS);
        let holds = share <= ALARMS;
        if !holds {
            broken.push(format!("adaptive, {name}: the mean is further off than said in {}", percent(share)));
        }
        rows.push(vec![
            name.into(),
            percent(share),
            format!("{:.1}", f64::from(repetitions) / f64::from(RUNS)),
            (if holds { "yes" } else { "NO" }).into(),
        ]);
    }
    table::print(
        "The mean of adaptive trials without a gate",
        "How often the mean score of these scenarios is further than 0.05 from the truth when 3 to 100 repetitions end because it is said to be within, and how many it took.",
        &["scenarios' chances", "further off", "repetitions", "at most 5 %"],
        &rows,
    );
}

/// Why all scenarios are repeated, not only those whose trials do not agree.
fn bias(broken: &mut Vec<String>) {
    let mut rows = Vec::new();
    for chance in [0.8, 0.5, 0.2] {
        let mut random = Rng::with_seed(9);
        let (mut all_repeated, mut some_repeated) = (0.0, 0.0);
        for _ in 0..RUNS {
            let rounds = ROUNDS;
            let all = all_trials(&vec![chance; SCENARIOS], rounds.max, &mut random);
            let question = Question { limits: None, reference: None, rounds, is_only: true, seed: 1 };
            let ended = end(&all, &rounds, |results| question.enough("agent", results).is_some());
            all_repeated += mean(first(&all, ended)) - chance;
            let of_scenario = |nth: usize, most: u32| {
                let scores: Vec<f64> = all
                    .iter()
                    .filter(|result| {
                        result.trial.scenario == format!("s{nth}") && result.trial.repetition <= most
                    })
                    .filter_map(|result| result.score)
                    .collect();
                scores.iter().sum::<f64>() / scores.len() as f64
            };
            let some: f64 = (0..SCENARIOS)
                .map(|nth| {
                    let early = of_scenario(nth, rounds.min);
                    let agrees = early == 0.0 || early == 1.0;
                    if agrees { early } else { of_scenario(nth, rounds.max) }
                })
                .sum();
            some_repeated += some / SCENARIOS as f64 - chance;
        }
        let shift = |sum: f64| sum / f64::from(RUNS);
        let holds = shift(all_repeated).abs() <= 0.01;
        if !holds {
            broken.push(format!("adaptive, all {chance}: the mean is shifted by {:.3}", shift(all_repeated)));
        }
        rows.push(vec![
            format!("all {chance}"),
            format!("{:+.3}", shift(all_repeated)),
            format!("{:+.3}", shift(some_repeated)),
            (if holds { "yes" } else { "NO" }).into(),
        ]);
    }
    table::print(
        "What repeating does to the mean",
        "By how much the mean score is off on average: when all scenarios are repeated until the mean is known, and when only those are whose first three trials do not agree, which we do not do.",
        &["scenarios' chances", "all repeated", "some repeated", "at most 0.01"],
        &rows,
    );
}
