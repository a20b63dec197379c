//! `validate`: does a benchmark judge rightly?

use std::collections::BTreeMap;
use std::sync::Arc;

use eval_builder::{Agent, Benchmark, Scenario};
use eval_record::{Budget, TrialKey};
use eval_report::TrialStatus;
use eval_runner::{Plan, Trial};

use crate::args::{Format, ValidateArgs, Verbosity};
use crate::commands::{print, print_json};
use crate::display::{Purpose, printable};
use crate::error::CliError;
use crate::evaluation::{Request, evaluate, warn_of_what_is_left};
use crate::exit::Exit;
use crate::header::counted;
use crate::{definitions, evaluation};

/// What [`Agent::control`] puts before the name of a control.
pub(crate) const CONTROL: &str = "control:";

pub(crate) async fn run(args: &ValidateArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let options = definitions::options();
    let mut benchmark = definitions::benchmark(&args.benchmark, &options, verbosity.quiet)?;
    definitions::filter(&mut benchmark, &args.execution.filter)?;
    let evaluated = evaluate(Request {
        plan: plan(&benchmark, args.trials)?,
        execution: &args.execution,
        target: &args.target,
        verbosity,
        purpose: Purpose::Validate,
        seed: None,
        budget: Budget::default(),
        timeout: args.execution.timeout,
        keep_devboxes: false,
        gating: None,
        invocation: None,
        resumption: None,
    })
    .await?;
    warn_of_what_is_left(&evaluated);
    let reports: Vec<Report> =
        benchmark.scenarios.iter().map(|scenario| judge(scenario, &evaluated.summary.trials)).collect();
    match args.execution.format {
        Format::Table => print(&table(&reports, &evaluated.directory.display().to_string()))?,
        Format::Json => print_json(&reports)?,
        Format::Csv | Format::Jsonl => evaluation::report(&evaluated, args.execution.format)?,
    }
    Ok(if let Some(exit) = evaluated.exit() {
        exit
    } else if reports.iter().any(|report| report.verdict == Holds::No) {
        Exit::Failed
    } else if reports.iter().any(|report| report.verdict == Holds::Undecided) {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}

/// The oracle as often as asked, doing nothing once, every control once.
fn plan(benchmark: &Benchmark, oracle_trials: u32) -> Result<Plan, CliError> {
    definitions::demand_references(benchmark)?;
    let (oracle, nop) = (Arc::new(Agent::oracle()), Arc::new(Agent::nop()));
    let mut plan = Plan::new(benchmark, &[], 1);
    for scenario in &benchmark.scenarios {
        let mut push = |agent: &Arc<Agent>, repetition| {
            plan.trials.push(Trial {
                key: TrialKey { scenario: scenario.name.clone(), agent: agent.name.clone(), repetition },
                scenario: Arc::clone(scenario),
                agent: Arc::clone(agent),
            });
        };
        (1..=oracle_trials).for_each(|repetition| push(&oracle, repetition));
        push(&nop, 1);
        for control in &scenario.controls {
            push(&Arc::new(Agent::control(&control.name)), 1);
        }
    }
    Ok(plan)
}

/// What is found of a scenario.
#[derive(Debug, serde::Serialize)]
struct Report {
    scenario: String,
    verdict: Holds,
    /// Oracle runs that passed, of how many.
    oracle_passed: usize,
    oracle_trials: usize,
    /// Score of doing nothing; null if it has none.
    nop_score: Option<f64>,
    /// Score of each control; null if it has none.
    controls: BTreeMap<String, Option<f64>>,
    /// Why it does not hold, or is not decided.
    problems: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Holds {
    Yes,
    No,
    /// Some trial has no verdict.
    Undecided,
}

fn judge(scenario: &Scenario, trials: &[eval_report::Trial]) -> Report {
    let mut report = Report {
        scenario: scenario.name.clone(),
        verdict: Holds::Yes,
        oracle_passed: 0,
        oracle_trials: 0,
        nop_score: None,
        controls: BTreeMap::new(),
        problems: Vec::new(),
    };
    for result in trials.iter().filter(|trial| trial.key.scenario == scenario.name) {
        let agent = result.key.agent.as_str();
        let passed = result.passed == Some(true);
        match agent.strip_prefix(CONTROL) {
            Some(control) => drop(report.controls.insert(control.to_owned(), result.score)),
            None if agent == "nop" => report.nop_score = result.score,
            None => {
                report.oracle_trials += 1;
                report.oracle_passed += usize::from(passed);
            }
        }
        let must_pass = agent == "oracle";
        let problem = match result.status {
            TrialStatus::Scored if passed == must_pass => continue,
            TrialStatus::Scored => {
                report.verdict = Holds::No;
                let score = result.score.unwrap_or_default();
                format!("{agent} {} (score {score:.2})", if must_pass { "does not pass" } else { "passes" })
            }
            TrialStatus::Invalid | TrialStatus::Canceled | TrialStatus::Unfinished => {
                // A scorer that fails on the reference is the benchmark's fault.
                let benchmarks_fault = must_pass && result.cause == Some(eval_record::Cause::ScorerError);
                if benchmarks_fault {
                    report.verdict = Holds::No;
                } else if report.verdict == Holds::Yes {
                    report.verdict = Holds::Undecided;
                }
                format!(
                    "{agent} has no verdict: {}",
                    result.cause.map_or("canceled", eval_record::Cause::as_str)
                )
            }
        };
        let detail =
            result.message.as_deref().map(|message| format!(": {}", printable(message))).unwrap_or_default();
        report.problems.push(problem + &detail);
    }
    report
}

/// One line a scenario, then one for the whole.
fn table(reports: &[Report], directory: &str) -> String {
    let width = reports.iter().map(|report| report.scenario.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for report in reports {
        let word = match report.verdict {
            Holds::Yes => "\x1b[1;32mholds\x1b[0m    ",
            Holds::No => "\x1b[1;31mBROKEN\x1b[0m   ",
            Holds::Undecided => "\x1b[1;33mundecided\x1b[0m",
        };
        text += &format!("{word} {:width$}  ", report.scenario);
        if report.problems.is_empty() {
            text += &format!(
                "oracle {}/{}, nop {:.2}, {} refused",
                report.oracle_passed,
                report.oracle_trials,
                report.nop_score.unwrap_or_default(),
                counted(report.controls.len(), "control")
            );
        } else {
            text += &report.problems.join("; ");
        }
        text.push('\n');
    }
    let count = |verdict| reports.iter().filter(|report| report.verdict == verdict).count();
    text += &format!(
        "\n{}: {} hold, {} broken, {} undecided\nresults     {directory}\n",
        counted(reports.len(), "scenario"),
        count(Holds::Yes),
        count(Holds::No),
        count(Holds::Undecided)
    );
    text
}
