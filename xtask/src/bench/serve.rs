//! A `runloop-eval serve` to be measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use runloop_client::Client;

use super::served::Served;

/// A server in a process of its own. Killed if it is not stopped.
pub(super) struct Serve {
    served: Served,
    data_dir: PathBuf,
}

impl Serve {
    pub(super) fn start(binary: &Path) -> Result<Self, String> {
        let data_dir = std::env::temp_dir().join(format!("runloop-eval-bench-serve-{}", std::process::id()));
        let mut command = Command::new(binary);
        command.args(["serve", "--quiet", "--data-dir"]).arg(&data_dir).env_remove("RUNLOOP_EVAL_API_KEY");
        Ok(Self { served: Served::start(&mut command)?, data_dir })
    }

    pub(super) fn client(&self) -> Result<Client, String> {
        Client::builder()
            .base_url(&self.served.url)
            .api_key(self.served.key.clone())
            .build()
            .map_err(|error| error.to_string())
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.served.id()
    }

    /// Ends it as Ctrl-C does, and waits.
    pub(super) fn stop(mut self) -> Result<(), String> {
        self.served.stop()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Before its files go.
        self.served.kill();
        let _ = std::fs::remove_dir_all(&self.data_dir);
    }
}
