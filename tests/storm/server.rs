//! A server that is killed and comes back.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use runloop_simulator::{FaultProxy, Faults};

use super::left::cleanup;
use super::work::{run, scenarios};
use super::{KEY, address, fewer_seeds, runtime};
use crate::support::{BINARY, Bench, signal, sleeping, wait_for};

/// What a dead server makes of a trial: its devboxes are gone, and it does not answer.
const CAUSES: [&str; 4] = ["devbox_lost", "provision_failed", "prepare_failed", "api_error"];

/// A server that can be killed and comes back at the same address with what it had kept.
struct Mortal {
    child: Child,
    data: PathBuf,
    url: String,
}

impl Mortal {
    fn start(data: PathBuf) -> Self {
        let (child, url) = Self::spawn(&data, 0);
        Self { child, data, url }
    }

    fn spawn(data: &Path, port: u16) -> (Child, String) {
        let mut child = Command::new(BINARY)
            .args(["serve", "--quiet", "--api-key", KEY, "--port", &port.to_string(), "--data-dir"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let url = lines.find_map(|line| line.ok()?.strip_prefix("RUNLOOP_BASE_URL=").map(str::to_owned));
        (child, url.expect("the server says where it is"))
    }

    /// SIGKILL, and another one in its place.
    fn restart(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it has ended");
        self.child = Self::spawn(&self.data, address(&self.url).port()).0;
    }

    /// As Ctrl-C does.
    fn stop(mut self) {
        signal(self.child.id(), "INT");
        self.child.wait().expect("it is ours");
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        // Of one that was stopped nothing is left to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_that_is_killed_again_and_again_is_never_a_score() {
    const AGENTS: &str = "0.4765461";

    let runtime = runtime();
    let bench = Bench::new();
    let file = scenarios(&bench, &["snapshot", "same", "pristine"], &format!("sleep {AGENTS}; "));
    let mut server = Mortal::start(bench.path("served"));
    let args = ["--trials", "1", "-j", "3", "--retries", "8"];
    let quiet = run(&bench, &file, &server.url, KEY, &args);
    assert_eq!(quiet.finished.code(), 0, "{}", quiet.finished);
    for seed in fewer_seeds() {
        let mut random = fastrand::Rng::with_seed(seed);
        let proxy = runtime.block_on(FaultProxy::start(address(&server.url), Faults::NONE)).expect("a port");
        let ran = std::thread::scope(|scope| {
            let running = scope.spawn(|| run(&bench, &file, proxy.url(), KEY, &args));
            for _ in 0..3 {
                // The first of them when there is a devbox to be lost.
                wait_for("an agent", || running.is_finished() || !sleeping(AGENTS).is_empty());
                std::thread::sleep(Duration::from_millis(random.u64(0..800)));
                if !running.is_finished() {
                    server.restart();
                }
            }
            running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        ran.assert_only_lost(&quiet.verdicts, &CAUSES, seed);
        // A snapshot or an object whose answer died with the server has an id that nobody knows: those are for `cleanup`.
        cleanup(&bench, &server.url, KEY, seed);
    }
    server.stop();
    wait_for("every process to be gone", || sleeping(AGENTS).is_empty());
    bench.assert_nothing_left();
}
