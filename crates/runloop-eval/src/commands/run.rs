//! `run`: a benchmark, its verdicts, its gate.

use eval_builder::{AgentKind, Benchmark, Trials, Verify};
use eval_report::gate::{self, Reference};
use eval_runner::Plan;

use crate::args::{RunArgs, TrialsArg, Verbosity, VerifyMode};
use crate::display::Purpose;
use crate::error::CliError;
use crate::evaluation::{Evaluated, Request, evaluate, report};
use crate::exit::Exit;
use crate::{budget, definitions, documents, evaluation, gating, github};

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
    let limits = benchmark.gate.as_ref().map(gating::limits);
    let reference = gating::reference(benchmark.gate.as_ref().and_then(|gate| gate.baseline.as_deref()))?;
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
    judge(&evaluated, limits.as_ref(), reference.as_ref(), verbosity)
}

/// The exit code: what ended the run first, then the gate, then completeness.
fn judge(
    evaluated: &Evaluated,
    limits: Option<&gate::Limits>,
    reference: Option<&Reference>,
    verbosity: Verbosity,
) -> Result<Exit, CliError> {
    if let Some(exit) = evaluated.exit() {
        return Ok(exit);
    }
    let Some(limits) = limits else {
        let total = &evaluated.summary.total;
        return Ok(if total.scored == total.planned { Exit::Done } else { Exit::Incomplete });
    };
    let verdict = gate::judge(limits, reference, &evaluated.summary);
    if !verbosity.quiet || verdict.decision != gate::Decision::Pass {
        anstream::eprint!("{verdict}");
    }
    documents::write_verdict(&evaluated.summary, &verdict, &evaluated.directory)?;
    Ok(gating::exit(verdict.decision))
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
