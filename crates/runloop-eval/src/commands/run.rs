//! `run`: a benchmark, its verdicts, its gate.

use eval_builder::{AgentKind, Benchmark, Trials, Verify};
use eval_report::gate::Decision;
use eval_runner::Plan;

use crate::args::{RunArgs, TrialsArg, Verbosity, VerifyMode};
use crate::display::Purpose;
use crate::error::CliError;
use crate::evaluation::{Evaluated, Request, evaluate, report};
use crate::exit::Exit;
use crate::gating::{self, Gating};
use crate::{budget, definitions, evaluation, github};

pub(crate) async fn run(args: &RunArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let options = definitions::options();
    let mut benchmark = definitions::benchmark(&args.benchmark, &options, verbosity.quiet)?;
    definitions::filter(&mut benchmark, &args.execution.filter)?;
    if let Some(verify) = args.verify {
        for scenario in &mut benchmark.scenarios {
            std::sync::Arc::make_mut(scenario).set_verify(match verify {
                VerifyMode::Snapshot => Verify::Snapshot,
                VerifyMode::Pristine => Verify::Pristine,
                VerifyMode::Same => Verify::Same,
            });
        }
    }
    let agents = definitions::agents(&args.agent, &benchmark, &options)?;
    if agents.iter().any(|agent| agent.kind == AgentKind::Oracle) {
        definitions::demand_references(&benchmark)?;
    }
    if args.keep_devboxes && args.target.target == "local" {
        return Err(CliError::new(Exit::Usage, "--keep-devboxes needs a platform that outlives the run")
            .hint("start `runloop-eval serve` and use its URL as --target"));
    }
    let gating = Gating::new(benchmark.gate.as_ref(), &args.limits, None)?;
    let budget = budget::resolve(&args.budget, &benchmark);
    budget::demand_costs(&budget, &agents)?;
    let evaluated = evaluate(Request {
        plan: Plan::new(&benchmark, &agents, repetitions(args, &benchmark)?),
        execution: &args.execution,
        target: &args.target,
        verbosity,
        purpose: Purpose::Judge,
        seed: args.seed,
        budget,
        timeout: args.execution.timeout.or(benchmark.budget.timeout),
        keep_devboxes: args.keep_devboxes,
        gating: gating.as_ref(),
    })
    .await?;
    report(&evaluated, args.execution.format)?;
    if args.github.github {
        github::tell(&evaluated.summary);
    }
    for id in &evaluated.outcome.kept {
        anstream::eprintln!("kept devbox {id}");
    }
    evaluation::warn_of_what_is_left(&evaluated);
    Ok(exit(&evaluated, verbosity))
}

/// The exit code: what ended the run first, then the gate, then completeness.
fn exit(evaluated: &Evaluated, verbosity: Verbosity) -> Exit {
    if let Some(exit) = evaluated.exit() {
        return exit;
    }
    let Some(verdict) = &evaluated.summary.gate else {
        let total = &evaluated.summary.total;
        return if total.scored == total.planned { Exit::Done } else { Exit::Incomplete };
    };
    if !verbosity.quiet || verdict.decision != Decision::Pass {
        anstream::eprint!("{verdict}");
    }
    gating::exit(verdict.decision)
}

fn repetitions(args: &RunArgs, benchmark: &Benchmark) -> Result<u32, CliError> {
    match (args.trials, benchmark.trials) {
        (Some(TrialsArg::Fixed(count)), _) | (None, Trials::Fixed(count)) => Ok(count),
        _ => {
            Err(CliError::new(Exit::Usage, "adaptive trials are not there yet")
                .hint("give a number: --trials 5"))
        }
    }
}
