//! `run`: a benchmark, its verdicts, its gate.

use eval_builder::{AgentKind, Verify};
use eval_report::gate;
use eval_runner::Plan;

use crate::args::{Format, RunArgs, Verbosity, VerifyMode};
use crate::display::Purpose;
use crate::error::CliError;
use crate::evaluation::{Evaluated, Request, evaluate, report};
use crate::exit::Exit;
use crate::{definitions, evaluation, github};

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
    let evaluated = evaluate(Request {
        plan: Plan::new(&benchmark, &agents, args.trials.unwrap_or(benchmark.trials)),
        execution: &args.execution,
        target: &args.target,
        verbosity,
        purpose: Purpose::Judge,
        seed: args.seed,
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
    let limits = benchmark.gate.as_ref().map(|gate| gate::Limits {
        min_score: gate.min_score,
        min_pass_rate: gate.min_pass_rate,
        max_invalid: gate.max_invalid,
    });
    Ok(judge(&evaluated, limits.as_ref(), args.execution.format))
}

/// The exit code: an interruption first, then the gate, then completeness.
fn judge(evaluated: &Evaluated, limits: Option<&gate::Limits>, format: Format) -> Exit {
    if evaluated.outcome.interrupted {
        return Exit::Interrupted;
    }
    let Some(limits) = limits else {
        let total = &evaluated.summary.total;
        return if total.scored == total.planned { Exit::Done } else { Exit::Incomplete };
    };
    let decision = gate::decide(limits, &evaluated.summary.total);
    for reason in decision.reasons() {
        anstream::eprintln!("gate: {reason}");
    }
    match decision {
        gate::Decision::Pass => {
            if format == Format::Table {
                anstream::eprintln!("gate: passed");
            }
            Exit::Done
        }
        gate::Decision::Fail(_) => Exit::Failed,
        gate::Decision::Undecided(_) => Exit::Incomplete,
    }
}
