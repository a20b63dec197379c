//! `run`: a benchmark, its verdicts, its gate.

use std::path::Path;

use eval_builder::{AgentKind, Verify};
use eval_report::gate::Decision;

use crate::args::{Format, RunArgs, Verbosity, VerifyMode};
use crate::display::Purpose;
use crate::error::CliError;
use crate::evaluation::{Evaluated, Request, evaluate, report};
use crate::exit::Exit;
use crate::gating::{self, Gating};
use crate::resume::Resumption;
use crate::{budget, definitions, evaluation, github, invocation, next, repetitions};

pub(crate) async fn run(args: &RunArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let mut resumption = args.resume.as_deref().map(Resumption::open).transpose()?;
    let invocation = match &mut resumption {
        Some(resumption) => resumption.enter(args.benchmark.as_deref(), invocation::limits(&args.limits))?,
        None => invocation::typed(args)?,
    };
    let target = match &mut resumption {
        Some(resumption) => invocation::target(&invocation, resumption.target(&args.target)?)?,
        None => args.target.clone(),
    };
    let options = definitions::options();
    let mut benchmark = definitions::benchmark(Path::new(&invocation.benchmark), &options, verbosity.quiet)?;
    definitions::filter(&mut benchmark, &invocation.filter)?;
    if let Some(verify) = invocation::verify(&invocation)? {
        for scenario in &mut benchmark.scenarios {
            std::sync::Arc::make_mut(scenario).set_verify(match verify {
                VerifyMode::Snapshot => Verify::Snapshot,
                VerifyMode::Pristine => Verify::Pristine,
                VerifyMode::Same => Verify::Same,
            });
        }
    }
    let agents = definitions::agents(&invocation.agents, &benchmark, &options)?;
    if agents.iter().any(|agent| agent.kind == AgentKind::Oracle) {
        definitions::demand_references(&benchmark)?;
    }
    if invocation.keep_devboxes && target.name() == eval_record::LOCAL {
        return Err(CliError::new(Exit::Usage, "--keep-devboxes needs a platform that outlives the run")
            .hint("start `runloop-eval serve` and use its URL as --target"));
    }
    let gating = Gating::new(benchmark.gate.as_ref(), &invocation.limits, None)?;
    let earlier = resumption.as_ref().map(|resumption| resumption.header.budget).unwrap_or_default();
    let budget = budget::resolve(&args.budget, earlier, &benchmark);
    budget::demand_costs(&budget, &agents)?;
    let drawn = || args.seed.unwrap_or_else(|| fastrand::u64(..));
    let seed = resumption.as_ref().map_or_else(drawn, |resumption| resumption.header.seed);
    let trials = match &resumption {
        Some(resumption) => repetitions::recorded(&resumption.header),
        None => repetitions::resolve(args.trials, benchmark.trials),
    };
    let mut plan = repetitions::plan(trials, &benchmark, &agents, gating.as_ref(), seed);
    if let Some(resumption) = &mut resumption {
        resumption.reconcile(&mut plan, args.changed)?;
        resumption.replace_budget(budget);
    }
    let evaluated = evaluate(Request {
        plan,
        execution: &args.execution,
        target: &target,
        verbosity,
        purpose: Purpose::Judge,
        seed: Some(seed),
        budget,
        timeout: args.execution.timeout.or(benchmark.budget.timeout),
        keep_devboxes: invocation.keep_devboxes,
        invocation: Some(invocation),
        resumption,
        gating: gating.as_ref(),
    })
    .await?;
    report(&evaluated, args.execution.format)?;
    if args.github.github {
        github::tell(&evaluated.summary);
    }
    for id in &evaluated.outcome.kept {
        say!("kept devbox {id}");
    }
    evaluation::warn_of_what_is_left(&evaluated);
    // The table ends with what to do next.
    let is_said = args.execution.format == Format::Table
        && next::command(&evaluated.summary, &evaluated.directory) == next::resume(&evaluated.directory);
    if evaluated.summary.total.without_score() > 0 && !verbosity.quiet && !is_said {
        say!("to go on with it: {}", next::resume(&evaluated.directory));
    }
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
        say!("{}", verdict.to_string().trim_end());
    }
    gating::exit(verdict.decision)
}
