//! `gate`: does a recorded run reach what is asked?

use crate::args::{GateArgs, ReportFormat, Verbosity};
use crate::commands::{print, print_json};
use crate::error::CliError;
use crate::exit::Exit;
use crate::gating::{self, Gating};
use crate::{definitions, documents, github, recorded};

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
    let gating = Gating::new(asked.as_ref(), &args.limits, args.max_cost)?;
    let gating = gating.ok_or_else(|| {
        CliError::new(Exit::Usage, "nothing is asked of the run").hint(
            "name limits, such as --min-score 0.8 or --baseline FILE, or the file that has them: --benchmark FILE",
        )
    })?;
    let mut summary = recorded::summary(&args.run)?;
    let verdict = gating.judge(&summary);
    match args.format {
        ReportFormat::Table => print(&verdict.to_string())?,
        ReportFormat::Json => print_json(&verdict)?,
    }
    if args.github {
        github::tell_verdict(&verdict);
    }
    let exit = gating::exit(verdict.decision);
    if args.save {
        summary.gate = Some(verdict);
        documents::write_all(&summary, &args.run)?;
    }
    Ok(exit)
}
