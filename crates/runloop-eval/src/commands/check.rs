//! `check`: definitions without running them.

use eval_builder::{LoadOptions, load_benchmark};

use crate::args::{CheckArgs, Verbosity};
use crate::commands::print;
use crate::definitions::show;
use crate::error::CliError;
use crate::exit::Exit;

/// Shows everything that is wrong with every file, then one line for each good one.
pub(crate) fn run(args: &CheckArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let options = LoadOptions { placeholders: true, ..LoadOptions::default() };
    let mut bad = 0;
    for file in &args.files {
        match load_benchmark(file, &options) {
            Ok(loaded) => {
                if !loaded.warnings.is_empty() {
                    show(&loaded.warnings);
                    bad += usize::from(args.strict);
                }
                if !verbosity.quiet {
                    let count = loaded.benchmark.scenarios.len();
                    let noun = if count == 1 { "scenario" } else { "scenarios" };
                    print(&format!("{}: {count} {noun}, no mistakes\n", file.display()))?;
                }
            }
            Err(diagnostics) => {
                show(&diagnostics);
                bad += 1;
            }
        }
    }
    Ok(if bad == 0 { Exit::Done } else { Exit::Usage })
}
