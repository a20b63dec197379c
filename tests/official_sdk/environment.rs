//! Virtual environments with an official Python SDK.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python with the SDK, in a virtual environment below the build directory that later runs reuse.
pub(crate) fn python_with_sdk(release: &str) -> Result<PathBuf, String> {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("official-sdk-{release}"));
    let python = environment.join("bin/python3");
    let complete = environment.join("complete");
    if complete.exists() {
        return Ok(python);
    }
    let _ = std::fs::remove_dir_all(&environment);
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&environment), "python3 -m venv")?;
    succeed(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--retries", "0", "--timeout", "10"])
            .arg(format!("runloop-api-client=={release}")),
        "pip install",
    )?;
    std::fs::write(complete, "").map_err(|error| format!("cannot mark the environment complete: {error}"))?;
    Ok(python)
}

fn succeed(command: &mut Command, what: &str) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{what} does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what} failed: {}", said.trim().lines().last().unwrap_or("it says nothing")))
}
