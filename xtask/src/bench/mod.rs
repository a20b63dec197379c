//! `cargo xtask bench`: what isolation, the API and the harness cost, each against a floor measured in the same run.

mod api;
mod client;
mod cpu;
mod figures;
mod memory;
mod phases;
mod scale;
mod scenarios;
mod serve;
mod served;
mod simulated;

use std::path::PathBuf;
use std::process::Command;

/// Runs the bench that is named, or all of what the harness costs.
pub(crate) fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    match args.next().as_deref() {
        None => harness(),
        Some("client") => client::run(),
        Some("phases") => phases::run(),
        Some("scale") => scale::run(match args.next().map(|most| most.parse::<u32>()) {
            None => u32::MAX,
            Some(Ok(most)) => most,
            Some(Err(_)) => return Err("how many trials at once? give a number".into()),
        }),
        Some("client-part") => client::part(&args.collect::<Vec<_>>()),
        Some(other) => Err(format!(
            "there is no bench {other:?}; there are `client`, `phases` and `scale`, and the harness's without a name"
        )),
    }
}

/// Builds the release binary and prints every table.
fn harness() -> Result<(), String> {
    let binary = build(&["runloop-eval"])?.join("runloop-eval");
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

/// Builds release binaries, at once: one after the other they would have other features of what they share, and build it
/// twice. Answers where they are.
fn build(packages: &[&str]) -> Result<PathBuf, String> {
    let status = cargo()
        .args(["build", "--release", "--locked"])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !status.success() {
        return Err("the release build failed".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    std::path::absolute(target.join("release")).map_err(|error| error.to_string())
}
