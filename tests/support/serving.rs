//! `runloop-eval serve`, for tests that speak to it from other programs.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server on a free port, ended with SIGTERM.
pub(crate) struct Serving {
    child: Child,
    /// Its base URL.
    pub(crate) url: String,
}

impl Serving {
    /// Starts one that keeps everything below `data`, and waits until it serves.
    pub(crate) fn start(data: &Path, api_key: &str) -> Result<Self, String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_runloop-eval"))
            .args(["serve", "--api-key", api_key, "--data-dir"])
            .arg(data.join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the server does not start: {error}"))?;
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
