//! `gate`: does a recorded run reach what is asked?

use std::path::Path;

use eval_record::{RunDirectory, RunDirectoryError, RunLock};

use crate::args::{GateArgs, ReportFormat, Verbosity};
use crate::commands::{print, print_json};
use crate::error::CliError;
use crate::exit::Exit;
use crate::gating::{self, Gating};
use crate::{definitions, documents, github, invocation, recorded};

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
    let gating = Gating::new(asked.as_ref(), &invocation::limits(&args.limits), args.max_cost)?;
    let gating = gating.ok_or_else(|| {
        CliError::new(Exit::Usage, "nothing is asked of the run").hint(
            "name limits, such as --min-score 0.8 or --baseline FILE, or the file that has them: --benchmark FILE",
        )
    })?;
    let _lock = if args.save { Some(lock(&args.run)?) } else { None };
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

/// Keeps the run from going on while its verdict is made and written down.
fn lock(run: &Path) -> Result<RunLock, CliError> {
    let refused = |error: RunDirectoryError| {
        let wrapped = CliError::wrap(Exit::Usage, "the verdict cannot be saved", &error);
        match error {
            RunDirectoryError::InUse { .. } => wrapped.hint("wait for it, or leave --save out"),
            _ => wrapped,
        }
    };
    RunDirectory::open(run).and_then(|directory| directory.lock()).map_err(refused)
}
