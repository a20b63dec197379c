//! The command line of runloop-eval: arguments become settings, settings become commands, errors become exit codes.

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
mod recorded;
mod registry;
mod resume;
mod state;
mod target;

use std::process::ExitCode;

use clap::Parser as _;

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
            anstream::eprintln!("\x1b[1;31merror\x1b[0m: {}", hiding::shown(&error.message));
            if let Some(hint) = &error.hint {
                anstream::eprintln!("\x1b[1mhelp\x1b[0m: {}", hiding::shown(hint));
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

/// Logs go to standard error: warnings by default, `-v` for what happens, `-vv` for every request. `RUNLOOP_EVAL_LOG` takes
/// a filter of its own.
fn start_logging(verbosity: Verbosity) {
    let level = match (verbosity.quiet, verbosity.verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "info",
        _ => "debug",
    };
    let filter = std::env::var("RUNLOOP_EVAL_LOG").unwrap_or_else(|_| level.to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(|| hiding::Log)
        .with_ansi(false)
        .without_time()
        .init();
}
