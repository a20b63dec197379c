//! A `runloop-eval serve` to be measured.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use runloop_client::Client;

/// A server in a process of its own. Killed if it is not stopped.
pub(super) struct Serve {
    child: Child,
    data_dir: PathBuf,
    url: String,
    key: String,
}

impl Serve {
    pub(super) fn start(binary: &Path) -> Result<Self, String> {
        let data_dir = std::env::temp_dir().join(format!("runloop-eval-bench-serve-{}", std::process::id()));
        let mut child = Command::new(binary)
            .args(["serve", "--quiet", "--data-dir"])
            .arg(&data_dir)
            .env_remove("RUNLOOP_EVAL_API_KEY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let output = child.stdout.take();
        let mut serve = Self { child, data_dir, url: String::new(), key: String::new() };
        for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()).take(2) {
            let line = line.map_err(|error| format!("the server's output broke off: {error}"))?;
            match line.split_once('=') {
                Some(("RUNLOOP_BASE_URL", value)) => value.clone_into(&mut serve.url),
                Some(("RUNLOOP_API_KEY", value)) => value.clone_into(&mut serve.key),
                _ => return Err(format!("the server said {line:?}")),
            }
        }
        if serve.key.is_empty() { Err("the server did not start".into()) } else { Ok(serve) }
    }

    pub(super) fn client(&self) -> Result<Client, String> {
        Client::builder()
            .base_url(&self.url)
            .api_key(self.key.clone())
            .build()
            .map_err(|error| error.to_string())
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as Ctrl-C does, and waits.
    pub(super) fn stop(mut self) -> Result<(), String> {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        if !sent.is_ok_and(|status| status.success()) {
            return Err("the server could not be interrupted".into());
        }
        let status = self.child.wait().map_err(|error| format!("waiting for the server: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}")) }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Of one that was stopped nothing is left to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data_dir);
    }
}
