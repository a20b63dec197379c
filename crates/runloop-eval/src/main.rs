//! The command line of runloop-eval: arguments become settings, settings become commands, errors become exit codes.

#[macro_use]
mod say;

mod args;
mod budget;
mod catalogue;
mod commands;
mod definitions;
mod display;
mod documents;
mod error;
mod evaluation;
mod exit;
mod gating;
mod github;
mod header;
mod hiding;
mod interrupt;
mod invocation;
mod next;
mod open_files;
mod record_lines;
mod recorded;
mod registry;
mod repetitions;
mod resume;
mod state;
mod target;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::args::{Cli, Command, Verbosity};
use crate::error::CliError;
use crate::exit::Exit;

fn main() -> ExitCode {
    // First of all: the helper processes of the sandbox, of code search and of agents beside it are this program too.
    runloop_sandbox::init();
    eval_scoring::init();
    eval_runner::init();
    hiding::hide_in_panics();
    let cli = Cli::parse();
    start_logging(cli.verbosity);
    match dispatch(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            say!("\x1b[1;31merror\x1b[0m: {}", error.message);
            if let Some(hint) = &error.hint {
                say!("\x1b[1mhelp\x1b[0m: {hint}");
            }
            error.exit.into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, CliError> {
    let verbosity = cli.verbosity;
    match cli.command {
        Command::Check(args) => commands::check::run(&args, verbosity),
        Command::Compare(args) => commands::compare::run(&args),
        Command::Gate(args) => commands::gate::run(&args, verbosity),
        Command::Baseline(args) => commands::baseline::run(&args, verbosity),
        Command::Build(args) => commands::build::run(&args, verbosity),
        Command::Agents(args) => commands::agents::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Report(args) => commands::report::run(&args, verbosity),
        Command::Run(args) => on_runtime(commands::run::run(&args, verbosity)),
        Command::Validate(args) => on_runtime(commands::validate::run(&args, verbosity)),
        Command::Cleanup(args) => on_runtime(commands::cleanup::run(&args, verbosity)),
        Command::View(args) => on_runtime(commands::view::run(&args, verbosity)),
        Command::Serve(args) => on_runtime(commands::serve::run(args, verbosity)),
    }
}

fn on_runtime(work: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::wrap(Exit::Target, "no threads can be started", &error))?
        .block_on(work)
}

/// Takes a filter of its own, such as `runloop_client=debug,warn`.
const LOG_VARIABLE: &str = "RUNLOOP_EVAL_LOG";

/// Logs go to standard error: warnings by default, `-v` for what happens, `-vv` for every request.
fn start_logging(verbosity: Verbosity) {
    let level = match (verbosity.quiet, verbosity.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::WARN,
        (_, 1) => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let wanted = std::env::var(LOG_VARIABLE).map(|text| text.parse::<Targets>());
    let (filter, complaint) = match wanted {
        Ok(Ok(filter)) => (filter, None),
        Ok(Err(error)) => (Targets::new().with_default(level), Some(error)),
        Err(_) => (Targets::new().with_default(level), None),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(|| hiding::Log).without_time();
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    if let Some(error) = complaint {
        tracing::warn!(
            "{LOG_VARIABLE} is not taken ({error}); write it as `debug` or `runloop_client=debug,warn`"
        );
    }
}
