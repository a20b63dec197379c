//! A simulated platform in a process of its own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use runloop_simulator::Counts;

use super::served::Served;

/// A simulator, killed when it is dropped: there is nothing to be kept.
pub(super) struct Simulated(Served);

impl Simulated {
    /// Starts one that follows this script.
    pub(super) fn start(xtask: &Path, script: &str, directory: &Path) -> Result<Self, String> {
        let file = directory.join("script.yaml");
        std::fs::write(&file, script).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut command = Command::new(xtask);
        command.args(["simulate", "--script"]).arg(&file).stderr(Stdio::null());
        Ok(Self(Served::start(&mut command)?))
    }

    pub(super) fn url(&self) -> &str {
        &self.0.url
    }

    pub(super) fn key(&self) -> &str {
        &self.0.key
    }

    /// What was asked of it and what lives in it.
    pub(super) fn counts(&self) -> Result<Counts, String> {
        self.ask().map_err(|error| format!("the simulator does not tell its counts: {error}"))
    }

    fn ask(&self) -> std::io::Result<Counts> {
        let mut stream = TcpStream::connect(self.0.url.trim_start_matches("http://"))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(b"GET /simulator/counts HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        Ok(serde_json::from_str(body)?)
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}
