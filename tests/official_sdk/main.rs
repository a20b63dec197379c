//! Unmodified official Python SDKs, from their package registry, against `runloop-eval serve`.
//!
//! Has its own `main` because it must say, also when everything passes, whether it ran: where Python, `venv` or the registry
//! is missing, the cases are shown as ignored with the reason.

mod environment;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

/// One release of each major that a port must serve.
const RELEASES: [&str; 2] = ["1.32.0", "3.0.0"];

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
    let server = Serving::start(data.path())?;
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/official_sdk/exercise.py"))
        .env_remove("RUNLOOP_CUSTOM_HEADERS")
        .env("RUNLOOP_BASE_URL", &server.url)
        .env("RUNLOOP_API_KEY", "sdk-test-key")
        .env("NO_PROXY", "127.0.0.1")
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    if output.status.success() && said.contains("all steps passed") {
        return Ok(());
    }
    Err(format!("{said}\n{}", String::from_utf8_lossy(&output.stderr)).into())
}

/// `runloop-eval serve` on a free port, ended with SIGTERM.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(data: &Path) -> Result<Self, Failed> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_runloop-eval"))
            .args(["serve", "--api-key", "sdk-test-key", "--data-dir"])
            .arg(data.join("data"))
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let url = lines
            .find_map(|line| line.ok()?.strip_prefix("RUNLOOP_BASE_URL=").map(str::to_owned))
            .ok_or("serve ended without printing its URL")?;
        Ok(Self { child, url })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
