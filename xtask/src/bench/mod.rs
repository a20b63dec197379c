//! `cargo xtask bench`: what isolation, the API and the harness cost, each against a floor measured in the same run.

mod cpu;
mod scenarios;
mod table;

use std::path::PathBuf;
use std::process::Command;

/// Builds the release binary and prints every table.
pub(crate) fn run() -> Result<(), String> {
    let binary = build()?;
    println!(
        "{} cores, background load {:.0} % of one core before the first measurement\n",
        cpu::cores(),
        cpu::background(std::time::Duration::from_secs(2))? * 100.0
    );
    sandbox_figures()?;
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

/// The rows at the sandbox's own interface, printed by its example.
fn sandbox_figures() -> Result<(), String> {
    let status = cargo()
        .args([
            "run",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "runloop-sandbox",
            "--example",
            "figures",
        ])
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the sandbox's figures failed".into()) }
}
