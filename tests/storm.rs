//! A network and a platform at their worst: whatever is delayed, refused, cut, repeated or broken, each planned trial has
//! one verdict in the end, the one of a quiet day, and nothing is left on the platform.
//!
//! Everything random has a seed, which a failure names. `RUNLOOP_EVAL_STORMS=N` makes N rounds of each instead of a few.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use runloop_client::{Client, DevboxListParams, ObjectListParams};
use runloop_simulator::{FaultProxy, Faults, Script, Simulator, SimulatorOptions, Span, Times};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::serving::Serving;
use crate::support::{BINARY, Bench, Finished, signal, sleeping, wait_for};

/// Rounds unless the environment names another number.
const ROUNDS: u64 = 2;

const KEY: &str = "key-of-the-storm";

/// What a trial came to: its state, its score, its cause.
type Verdicts = BTreeMap<String, (String, Option<f64>, Option<String>)>;

fn rounds() -> u64 {
    std::env::var("RUNLOOP_EVAL_STORMS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// Scenarios of every outcome. Their commands are such as both a shell and the simulator understand. What is done twice
/// or not at all, or to the wrong disk, changes a verdict.
fn scenarios(bench: &Bench, modes: &[&str]) -> PathBuf {
    bench.write("part/notes.txt", "notes\n");
    let holds = |file: &str, text: &str| {
        format!("'test \"$(cat {file})\" = {text} # sim: time=5ms..30ms holds={file}:{text}'")
    };
    let mut text = String::from(
        "name: storm\nagents:\n  - name: worker\n    \
         command: 'printf done >> answer # sim: time=~40ms append=answer:done'\nscenarios:\n",
    );
    for mode in modes {
        for (name, scorers) in [
            ("passes", vec![holds("answer", "done"), holds("state", "base")]),
            ("half", vec![holds("answer", "done"), holds("state", "other")]),
            ("fails", vec![holds("answer", "nothing")]),
        ] {
            text += &format!(
                "  - name: {name}-{mode}\n    problem_statement: Write it.\n    verify: {mode}\n    environment:\n      \
                 network: none\n      files: [{{ source: part/notes.txt, target: notes.txt }}]\n      \
                 setup_commands: ['printf base >> state # sim: append=state:base']\n    scorers:\n"
            );
            for (number, scorer) in scorers.iter().enumerate() {
                text += &format!("      - {{ name: s{number}, weight: 1, shell_command: {scorer} }}\n");
            }
        }
    }
    bench.write("storm.yaml", &text)
}

/// Runs everything against this platform.
fn run(bench: &Bench, file: &Path, url: &str, key: &str, args: &[&str]) -> (Finished, Verdicts) {
    let output = bench
        .command()
        .env("RUNLOOP_API_KEY", key)
        .arg("run")
        .arg(file)
        .args(["--target", url, "--format", "json"])
        .args(args)
        .output()
        .expect("the program starts");
    let finished = Finished::of(output);
    let json: Value = serde_json::from_str(&finished.stdout())
        .unwrap_or_else(|error| panic!("standard output is no JSON: {error}\n{finished}"));
    let verdicts = verdicts(&json);
    assert_eq!(json["summary"]["planned"], verdicts.len(), "one verdict for each planned trial: {finished}");
    (finished, verdicts)
}

fn verdicts(json: &Value) -> Verdicts {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let trials = json["trials"].as_array().expect("a list of trials");
    let verdicts: Verdicts = trials
        .iter()
        .map(|trial| {
            let key = format!("{} {} {}", trial["scenario"], trial["agent"], trial["repetition"]);
            let state = text(&trial["state"]).expect("a state");
            (key, (state, trial["score"].as_f64(), text(&trial["cause"])))
        })
        .collect();
    assert_eq!(verdicts.len(), trials.len(), "no trial twice");
    verdicts
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address")
}

/// A little of everything: in a trial of a dozen requests about every second one meets a fault.
fn faults(seed: u64) -> Faults {
    Faults { delay: Span::About(Duration::from_millis(2)), ..Faults::all(0.07, seed) }
}

#[track_caller]
fn assert_empty(simulator: &Simulator, seed: u64) {
    let counts = simulator.counts();
    let left = (counts.devboxes, counts.snapshots, counts.objects);
    assert_eq!(left, (0, 0, 0), "devboxes, snapshots and objects left with seed {seed}: {counts:#?}");
}

#[test]
fn a_bad_network_changes_no_verdict_and_leaves_nothing() {
    let runtime = runtime();
    let bench = Bench::new();
    let file = scenarios(&bench, &["snapshot", "same"]);
    let start = |seed| {
        let times = Times {
            create: Span::About(Duration::from_millis(10)),
            suspend: Span::About(Duration::from_millis(5)),
            snapshot: Span::About(Duration::from_millis(5)),
            ..Default::default()
        };
        let script = Script { seed, times, ..Script::default() };
        runtime.block_on(Simulator::start(SimulatorOptions::new(script))).expect("a port")
    };
    let simulator = start(0);
    let args = ["--trials", "4", "-j", "24", "--retries", "5"];
    let (finished, quiet) = run(&bench, &file, simulator.url(), simulator.api_key(), &args);
    assert_eq!(finished.code(), 0, "{finished}");
    let scores: Vec<Option<f64>> = quiet.values().map(|verdict| verdict.1).collect();
    for score in [0.0, 0.5, 1.0] {
        assert_eq!(scores.iter().filter(|found| **found == Some(score)).count(), 8, "{finished}");
    }
    assert_empty(&simulator, 0);

    for seed in 1..=rounds() {
        let simulator = start(seed);
        let proxy =
            runtime.block_on(FaultProxy::start(address(simulator.url()), faults(seed))).expect("a port");
        let (finished, stormy) = run(&bench, &file, proxy.url(), simulator.api_key(), &args);
        assert!(proxy.made().faults > 10, "there was no storm: {:?}", proxy.made());
        assert_eq!(stormy, quiet, "seed {seed}: {finished}");
        assert_empty(&simulator, seed);
    }
}

#[test]
fn devboxes_that_die_are_never_a_score() {
    let runtime = runtime();
    let bench = Bench::new();
    let file = scenarios(&bench, &["snapshot", "same"]);
    let quiet = runtime.block_on(Simulator::start(SimulatorOptions::new(Script::default()))).expect("a port");
    let args = ["--trials", "4", "-j", "24", "--retries", "2"];
    let (_, undisturbed) = run(&bench, &file, quiet.url(), quiet.api_key(), &args);
    for seed in 1..=rounds() {
        let times =
            Times { life: Span::Between(Duration::ZERO, Duration::from_millis(150)), ..Default::default() };
        let script = Script { seed, deaths: 0.25, times, ..Script::default() };
        let simulator = runtime.block_on(Simulator::start(SimulatorOptions::new(script))).expect("a port");
        let (finished, verdicts) = run(&bench, &file, simulator.url(), simulator.api_key(), &args);
        for (trial, verdict) in &verdicts {
            let lost =
                matches!(verdict.2.as_deref(), Some("devbox_lost" | "provision_failed" | "prepare_failed"));
            assert!(
                undisturbed.get(trial) == Some(verdict) || (verdict.0 == "invalid" && lost),
                "seed {seed}: {trial} is {verdict:?}\n{finished}"
            );
        }
        assert_empty(&simulator, seed);
    }
}

#[test]
fn a_bad_network_to_real_devboxes_changes_no_verdict_and_leaves_nothing() {
    let runtime = runtime();
    let bench = Bench::new();
    let file = scenarios(&bench, &["snapshot", "same", "pristine"]);
    let serving = Serving::start(&bench.path("served"), KEY).expect("the server starts");
    let args = ["--trials", "1", "-j", "4", "--retries", "5"];
    let (finished, quiet) = run(&bench, &file, &serving.url, KEY, &args);
    assert_eq!(finished.code(), 0, "{finished}");
    for seed in 1..=rounds().div_ceil(2) {
        let proxy = runtime.block_on(FaultProxy::start(address(&serving.url), faults(seed))).expect("a port");
        let (finished, stormy) = run(&bench, &file, proxy.url(), KEY, &args);
        assert!(proxy.made().faults > 0, "there was no storm: {:?}", proxy.made());
        assert_eq!(stormy, quiet, "seed {seed}: {finished}");
        let left = runtime.block_on(left_on(&serving.url));
        assert!(left.is_empty(), "left with seed {seed}: {left:?}\n{finished}");
    }
}

/// A server that can be killed and comes back at the same address with what it had kept.
struct Mortal {
    child: std::process::Child,
    data: PathBuf,
    url: String,
}

impl Mortal {
    fn start(data: PathBuf) -> Self {
        let (child, url) = Self::spawn(&data, 0);
        Self { child, data, url }
    }

    fn spawn(data: &Path, port: u16) -> (std::process::Child, String) {
        let mut child = std::process::Command::new(BINARY)
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
        self.kill();
        self.child = Self::spawn(&self.data, address(&self.url).port()).0;
    }

    fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it has ended");
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
    let file = scenarios(&bench, &["snapshot", "same", "pristine"]);
    let text = std::fs::read_to_string(&file).expect("it was written");
    let text = text.replace("printf done >> answer", &format!("sleep {AGENTS}; printf done >> answer"));
    std::fs::write(&file, text).expect("it can be written");
    let mut server = Mortal::start(bench.path("served"));
    let args = ["--trials", "1", "-j", "3", "--retries", "8"];
    let (finished, quiet) = run(&bench, &file, &server.url, KEY, &args);
    assert_eq!(finished.code(), 0, "{finished}");
    for seed in 1..=rounds().div_ceil(2) {
        let mut random = fastrand::Rng::with_seed(seed);
        let proxy = runtime.block_on(FaultProxy::start(address(&server.url), Faults::NONE)).expect("a port");
        let (finished, verdicts) = std::thread::scope(|scope| {
            let running = scope.spawn(|| run(&bench, &file, proxy.url(), KEY, &args));
            for _ in 0..3 {
                if !running.is_finished() {
                    std::thread::sleep(Duration::from_millis(random.u64(200..1500)));
                    server.restart();
                }
            }
            running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        for (trial, verdict) in &verdicts {
            assert!(
                quiet.get(trial) == Some(verdict) || verdict.0 == "invalid",
                "seed {seed}: {trial} is {verdict:?}\n{finished}"
            );
        }
        // A snapshot or an object whose answer died with the server has an id that nobody knows: those are for `cleanup`.
        let left = runtime.block_on(left_on(&server.url));
        let devboxes: Vec<&String> = left.iter().filter(|id| id.starts_with("dbx_")).collect();
        assert!(devboxes.is_empty(), "left with seed {seed}: {left:?}\n{finished}");
    }
    server.stop();
    wait_for("every process to be gone", || sleeping(AGENTS).is_empty());
    bench.assert_nothing_left();
}

/// What lives on a server.
async fn left_on(url: &str) -> Vec<String> {
    let client = Client::builder().base_url(url).api_key(KEY).build().expect("a client");
    let devboxes = client.devboxes().list(&DevboxListParams::default()).await.expect("a list");
    let snapshots = client.disk_snapshots().list(&Default::default()).await.expect("a list");
    let objects = client.objects().list(&ObjectListParams::default()).await.expect("a list");
    let devboxes = devboxes.items.into_iter().filter(|devbox| !devbox.status.is_final());
    let mut left: Vec<String> = devboxes.map(|devbox| devbox.id.to_string()).collect();
    left.extend(snapshots.items.into_iter().map(|snapshot| snapshot.id.to_string()));
    let alive = |object: &runloop_types::ObjectView| object.state != runloop_types::ObjectState::Deleted;
    left.extend(objects.items.into_iter().filter(alive).map(|object| object.id.to_string()));
    left
}
