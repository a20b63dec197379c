//! `cargo xtask bench`: what isolation, the API and the harness cost, each against a floor measured in the same run.

mod api;
mod client;
mod cpu;
mod figures;
mod memory;
mod scenarios;
mod serve;

use std::path::PathBuf;
use std::process::Command;

/// Runs the bench that is named, or all of what the harness costs.
pub(crate) fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    match args.next().as_deref() {
        None => harness(),
        Some("client") => client::run(),
        Some("client-part") => client::part(&args.collect::<Vec<_>>()),
        Some(other) => {
            Err(format!("there is no bench {other:?}; there is `client`, and the harness's without a name"))
        }
    }
}

/// Builds the release binary and prints every table.
fn harness() -> Result<(), String> {
    let binary = build()?;
    println!(
        "{} cores, background load {:.0} % of one core before the first measurement\n",
        cpu::cores(),
        cpu::background(std::time::Duration::from_secs(2))? * 100.0
    );
    let figures = figures::Figures::measure()?;
    api::run(&binary, &figures)?;
    scenarios::run(&binary)
}

fn cargo() -> Command {
    Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
}

fn build() -> Result<PathBuf, String> {
    let status = cargo()
        .args(["build", "--release", "--locked", "--package", "runloop-eval"])
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !status.success() {
        return Err("the release build failed".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    std::path::absolute(target.join("release/runloop-eval")).map_err(|error| error.to_string())
}
