//! `build`: what the platform would be sent.

use eval_builder::{LoadOptions, build_json};

use crate::args::{BuildArgs, Verbosity};
use crate::commands::print_json;
use crate::definitions;
use crate::error::CliError;
use crate::exit::Exit;

pub(crate) fn run(args: &BuildArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let options = LoadOptions { placeholders: true, ..definitions::options() };
    let benchmark = definitions::benchmark(&args.benchmark, &options, verbosity.quiet)?;
    print_json(&build_json(&benchmark))?;
    Ok(Exit::Done)
}
