//! Unmodified official Python SDKs, from their package registry, against `runloop-eval serve`.
//!
//! Has its own `main` because it must say, also when everything passes, whether it ran: where Python, `venv` or the registry
//! is missing, the cases are shown as ignored with the reason.

mod environment;
#[path = "../support/serving.rs"]
mod serving;

use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

use serving::Serving;

/// One release of each major that a port must serve.
const RELEASES: [&str; 2] = ["1.32.0", "3.0.0"];

const API_KEY: &str = "sdk-test-key";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = RELEASES.map(|release| match environment::python_with_sdk(release) {
        Ok(python) => {
            println!("official SDK {release}: ready, its test runs");
            Trial::test(format!("official_sdk_{release}"), move || exercise(&python))
        }
        Err(reason) => {
            println!("official SDK {release}: SKIPPED: {reason}");
            Trial::test(format!("official_sdk_{release}"), || Ok(())).with_ignored_flag(true)
        }
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

/// Runs every step of `exercise.py` against a server of its own.
fn exercise(python: &Path) -> Result<(), Failed> {
    let data = tempfile::tempdir()?;
    let server = Serving::start(data.path(), API_KEY)?;
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/official_sdk/exercise.py"))
        .env_remove("RUNLOOP_CUSTOM_HEADERS")
        .env("RUNLOOP_BASE_URL", &server.url)
        .env("RUNLOOP_API_KEY", API_KEY)
        .env("NO_PROXY", "127.0.0.1")
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    if output.status.success() && said.contains("all steps passed") {
        return Ok(());
    }
    Err(format!("{said}\n{}", String::from_utf8_lossy(&output.stderr)).into())
}
