//! A program that serves the API, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// Killed when it is dropped, if it has not ended.
pub(super) struct Served {
    child: Child,
    pub(super) url: String,
    pub(super) key: String,
}

impl Served {
    /// Starts it and reads where it serves, and with which key, from the first two lines of its output.
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        let program = command.get_program().display().to_string();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let output = child.stdout.take();
        let mut served = Self { child, url: String::new(), key: String::new() };
        for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()).take(2) {
            let line = line.map_err(|error| format!("the output of {program} broke off: {error}"))?;
            match line.split_once('=') {
                Some(("RUNLOOP_BASE_URL", value)) => value.clone_into(&mut served.url),
                Some(("RUNLOOP_API_KEY", value)) => value.clone_into(&mut served.key),
                _ => return Err(format!("{program} said {line:?}")),
            }
        }
        if served.key.is_empty() { Err(format!("{program} did not start")) } else { Ok(served) }
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as Ctrl-C does, and waits.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        signal(self.id(), "INT")?;
        let status = self.child.wait().map_err(|error| format!("waiting for the server: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}")) }
    }

    /// Ends it at once. Of one that was stopped nothing is left to be killed.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal, named without `SIG`, to a process that was not waited for yet.
pub(super) fn signal(process: u32, name: &str) -> Result<(), String> {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    if sent.is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err(format!("process {process} cannot be sent SIG{name}"))
    }
}
