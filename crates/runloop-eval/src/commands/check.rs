//! `check`: definitions without running them.

use eval_builder::{Checked, LoadOptions, check_file};

use crate::args::{CheckArgs, Verbosity};
use crate::catalogue;
use crate::commands::print;
use crate::definitions::show;
use crate::error::CliError;
use crate::exit::Exit;
use crate::header::counted;

/// Shows everything that is wrong with every file, then one line for each good one.
pub(crate) fn run(args: &CheckArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let options =
        LoadOptions { placeholders: true, catalogue: catalogue::agents(), ..LoadOptions::default() };
    let mut bad = 0;
    for file in &args.files {
        let what = match check_file(file, &options) {
            Ok(Checked::Benchmark(loaded)) => {
                if !loaded.warnings.is_empty() {
                    show(&loaded.warnings);
                    bad += usize::from(args.strict);
                }
                counted(loaded.benchmark.scenarios.len(), "scenario")
            }
            Ok(Checked::Agent(agent)) => format!("agent {}", agent.name),
            Ok(Checked::Scorer(scorer)) => format!("scorer {}", scorer.name),
            Err(diagnostics) => {
                show(&diagnostics);
                bad += 1;
                continue;
            }
        };
        if !verbosity.quiet {
            print(&format!("{}: {what}, no mistakes\n", file.display()))?;
        }
    }
    Ok(if bad == 0 { Exit::Done } else { Exit::Usage })
}
