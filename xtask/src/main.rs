//! Chores of this repository. `cargo xtask` lists them.

mod adaptive;
mod bench;
mod ci;
mod simulate;
mod stats;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let outcome = match args.next().as_deref() {
        Some("ci") => ci::run(),
        Some("stats") => stats::run(),
        Some("simulate") => simulate::run(args),
        Some("bench") => bench::run(args),
        other => {
            if let Some(name) = other {
                eprintln!("xtask: there is no chore {name:?}\n");
            }
            eprintln!("cargo xtask ci      formatting, lints, tests, docs: what a submission must pass");
            eprintln!(
                "cargo xtask bench   what isolation, the API and the harness cost, as tables with ratios"
            );
            eprintln!("cargo xtask bench client   the client against the official SDK");
            eprintln!(
                "cargo xtask simulate [--script FILE] [--port N] [--faults SHARE]   a platform without machines"
            );
            eprintln!("cargo xtask stats   whether intervals and gate hold what they promise, by simulation");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
