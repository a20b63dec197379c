//! The official SDK, from the package registry, in a virtual environment below the build directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Figures, Server, figures};

/// The release that is measured: the last of the first major, whose endpoints are the most.
const RELEASE: &str = "1.32.0";

const PROGRAM: &str = include_str!("sdk.py");

pub(super) struct Sdk {
    pub(super) release: &'static str,
    python: PathBuf,
    url: String,
}

impl Sdk {
    pub(super) fn measure(&self, what: &str, arguments: &[&str]) -> Result<Figures, String> {
        figures(
            Command::new(&self.python)
                .args(["-c", PROGRAM, what, &self.url])
                .args(arguments)
                .env_remove("RUNLOOP_CUSTOM_HEADERS")
                .env_remove("RUNLOOP_LOG")
                .env("NO_PROXY", "127.0.0.1"),
        )
    }
}

/// The SDK, or why it cannot be had.
pub(super) fn find(server: &Server) -> Result<Sdk, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let environment = target.join(format!("bench-sdk-{RELEASE}"));
    let python = environment.join("bin/python3");
    let complete = environment.join("complete");
    if !complete.exists() {
        install(&environment, &python)?;
        std::fs::write(&complete, "").map_err(|error| format!("{}: {error}", complete.display()))?;
    }
    Ok(Sdk { release: RELEASE, python, url: server.url.clone() })
}

fn install(environment: &Path, python: &Path) -> Result<(), String> {
    let _ = std::fs::remove_dir_all(environment);
    succeed(Command::new("python3").args(["-m", "venv"]).arg(environment), "python3 -m venv")?;
    succeed(
        Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--retries", "0", "--timeout", "10"])
            .arg(format!("runloop-api-client=={RELEASE}")),
        "pip install",
    )
}

fn succeed(command: &mut Command, what: &str) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{what} does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what} failed: {}", said.trim().lines().last().unwrap_or("it says nothing")))
}
