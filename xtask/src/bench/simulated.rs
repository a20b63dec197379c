//! A simulated platform in a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use runloop_simulator::Counts;

/// A simulator, killed when it is dropped: there is nothing to be kept.
pub(super) struct Simulated {
    child: Child,
    pub(super) url: String,
    pub(super) key: String,
}

impl Simulated {
    /// Starts one that follows this script.
    pub(super) fn start(xtask: &Path, script: &str, directory: &Path) -> Result<Self, String> {
        let file = directory.join("script.yaml");
        std::fs::write(&file, script).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut child = Command::new(xtask)
            .args(["simulate", "--script"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", xtask.display()))?;
        let output = child.stdout.take();
        let mut simulated = Self { child, url: String::new(), key: String::new() };
        for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()).take(2) {
            let line = line.map_err(|error| format!("the simulator's output broke off: {error}"))?;
            match line.split_once('=') {
                Some(("RUNLOOP_BASE_URL", value)) => value.clone_into(&mut simulated.url),
                Some(("RUNLOOP_API_KEY", value)) => value.clone_into(&mut simulated.key),
                _ => return Err(format!("the simulator said {line:?}")),
            }
        }
        if simulated.key.is_empty() { Err("the simulator did not start".into()) } else { Ok(simulated) }
    }

    /// What was asked of it and what lives in it.
    pub(super) fn counts(&self) -> Result<Counts, String> {
        self.ask().map_err(|error| format!("the simulator does not tell its counts: {error}"))
    }

    fn ask(&self) -> std::io::Result<Counts> {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://"))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(b"GET /simulator/counts HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        Ok(serde_json::from_str(body)?)
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // One that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
