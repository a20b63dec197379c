//! `gate`: does a recorded run reach what is asked?

use eval_report::gate::{Limits, judge};

use crate::args::{GateArgs, ReportFormat, Verbosity};
use crate::commands::{print, print_json};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{definitions, gating, recorded};

pub(crate) fn run(args: &GateArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let asked = match &args.benchmark {
        None => None,
        Some(file) => {
            let benchmark = definitions::benchmark(file, &definitions::options(), verbosity.quiet)?;
            let gate = benchmark.gate.ok_or_else(|| {
                CliError::new(Exit::Usage, format!("{} has no `gate`", file.display()))
                    .hint("write what a run must reach, such as `gate: { min_score: 0.8 }`")
            })?;
            Some(gate)
        }
    };
    let file = args.baseline.as_deref().or(asked.as_ref().and_then(|gate| gate.baseline.as_deref()));
    let limits = limits(args, asked.as_ref().map(gating::limits).unwrap_or_default(), file.is_some());
    if limits == Limits::default() {
        return Err(CliError::new(Exit::Usage, "nothing is asked of the run").hint(
            "name limits, such as --min-score 0.8 or --baseline FILE, or the file that has them: --benchmark FILE",
        ));
    }
    if limits.max_regression.is_some() && file.is_none() {
        return Err(CliError::new(Exit::Usage, "--max-regression needs a --baseline"));
    }
    let reference = gating::reference(file)?;
    let summary = recorded::summary(&args.run)?;
    let verdict = judge(&limits, reference.as_ref(), &summary);
    match args.format {
        ReportFormat::Table => print(&verdict.to_string())?,
        ReportFormat::Json => print_json(&verdict)?,
    }
    Ok(gating::exit(verdict.decision))
}

/// Options replace what the benchmark says, and so does their place.
fn limits(args: &GateArgs, mut limits: Limits, has_baseline: bool) -> Limits {
    let mut replace = |key: &str, value: Option<f64>, limit: &mut Option<f64>| {
        if value.is_some() {
            *limit = value;
            limits.places.remove(key);
        }
    };
    replace("min_score", args.min_score, &mut limits.min_score);
    replace("min_pass_rate", args.min_pass_rate, &mut limits.min_pass_rate);
    replace("max_regression", args.max_regression, &mut limits.max_regression);
    replace("max_cost", args.max_cost, &mut limits.max_cost);
    if args.max_invalid.is_some() {
        limits.max_invalid = args.max_invalid;
        limits.places.remove("max_invalid");
    }
    for (scenario, floor) in &args.floor {
        limits.floors.insert(scenario.clone(), *floor);
        limits.places.remove(&format!("floors.{scenario}"));
    }
    if has_baseline {
        limits.max_regression.get_or_insert(0.0);
    }
    limits
}
