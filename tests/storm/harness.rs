//! A harness that is killed at any moment, and goes on with its run.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use runloop_simulator::{FaultProxy, Faults, Script, Simulator, SimulatorOptions, Span, Times};
use serde_json::Value;

use super::left::{assert_empty, cleanup};
use super::work::{Ran, command, name, run, scenarios};
use super::{KEY, address, fewer_seeds, runtime, seeds};
use crate::serving::Serving;
use crate::support::{Bench, Finished, wait_for};

/// How often a run is killed before it may end.
const KILLS: u32 = 5;

/// Where a storm of kills takes place.
struct Place<'a> {
    bench: &'a Bench,
    file: &'a Path,
    url: &'a str,
    key: &'a str,
    args: &'a [&'a str],
}

impl Place<'_> {
    /// Runs everything once in peace. Answers its outcome and how many events it had.
    fn quiet(&self) -> (Ran, usize) {
        let args = [self.args, &["--output", "quiet"]].concat();
        let ran = run(self.bench, self.file, self.url, self.key, &args);
        (ran, self.recorded("quiet"))
    }

    /// Kills a run again and again, each time when it has recorded up to `most` more events, until it has been killed often
    /// enough or has ended. Answers how often that was.
    fn disturbed(&self, output: &str, random: &mut fastrand::Rng, most: usize) -> (Ran, u32) {
        let args = [self.args, &["--output", output]].concat();
        let mut child = started(command(self.bench, self.file, self.url, self.key, &args));
        // What was killed before it wrote down what it is to do is begun anew, by a person.
        wait_for("the run to begin", || self.bench.path(output).join("run.json").is_file());
        for kills in 1..=KILLS {
            let enough = self.recorded(output) + random.usize(0..=most);
            let mut has_ended = || child.try_wait().expect("it is ours").is_some();
            wait_for("more events", || has_ended() || self.recorded(output) >= enough);
            // Not always just after an event.
            std::thread::sleep(Duration::from_micros(random.u64(0..30_000)));
            if has_ended() {
                return (ended(child), kills - 1);
            }
            child.kill().expect("it is ours");
            child.wait().expect("it has ended");
            let mut next = self.bench.command();
            next.env("RUNLOOP_API_KEY", self.key).args(["run", "--resume", output, "--format", "json"]);
            child = started(next);
        }
        (ended(child), KILLS)
    }

    /// Events of a run so far.
    fn recorded(&self, output: &str) -> usize {
        let events = std::fs::read(self.bench.path(output).join("events.jsonl")).unwrap_or_default();
        events.iter().filter(|byte| **byte == b'\n').count()
    }
}

fn started(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

fn ended(child: Child) -> Ran {
    Ran::of(Finished::of(child.wait_with_output().expect("it is ours")))
}

/// In the record each trial has been judged once, whatever its end was before that.
#[track_caller]
fn assert_judged_once(bench: &Bench, output: &str, ran: &Ran, seed: u64) {
    let text = std::fs::read_to_string(bench.path(output).join("events.jsonl")).expect("the events");
    let mut judged: BTreeMap<String, u32> = BTreeMap::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("each line is an event");
        if event["event"] == "trial_finished" && event["state"] == "scored" {
            *judged.entry(name(&event)).or_default() += 1;
        }
    }
    let once: BTreeMap<String, u32> = ran.verdicts.keys().map(|trial| (trial.clone(), 1)).collect();
    assert_eq!(judged, once, "seed {seed}: {}", ran.finished);
}

#[test]
fn a_harness_that_is_killed_again_and_again_in_a_bad_network_ends_as_on_a_quiet_day() {
    let runtime = runtime();
    let bench = Bench::new();
    let file = scenarios(&bench, &["snapshot", "same", "pristine"], "");
    let args = ["--trials", "3", "-j", "6", "--retries", "5"];
    let start = |seed| {
        let times = Times { create: Span::About(Duration::from_millis(40)), ..Default::default() };
        let script = Script { seed, times, ..Script::default() };
        runtime.block_on(Simulator::start(SimulatorOptions::new(script))).expect("a port")
    };
    let simulator = start(0);
    let (url, key) = (simulator.url(), simulator.api_key());
    let (quiet, events) = Place { bench: &bench, file: &file, url, key, args: &args }.quiet();
    for seed in seeds() {
        let simulator = start(seed);
        let faults = Faults { silence: Duration::from_millis(200), ..Faults::all(0.02, seed) };
        let proxy = runtime.block_on(FaultProxy::start(address(simulator.url()), faults)).expect("a port");
        let (url, key) = (proxy.url(), simulator.api_key());
        let place = Place { bench: &bench, file: &file, url, key, args: &args };
        let output = format!("run-{seed}");
        let (ran, kills) = place.disturbed(&output, &mut fastrand::Rng::with_seed(seed), events / 4);
        assert!(kills > 0, "seed {seed}: there was no storm");
        assert_eq!(ran.verdicts, quiet.verdicts, "seed {seed}: {}", ran.finished);
        assert_judged_once(&bench, &output, &ran, seed);
        assert_empty(&simulator, seed);
        cleanup(&bench, simulator.url(), key, seed);
    }
}

#[test]
fn a_harness_that_is_killed_again_and_again_with_real_devboxes_ends_as_on_a_quiet_day() {
    let bench = Bench::new();
    let file = scenarios(&bench, &["snapshot", "same", "pristine"], "sleep 0.1; ");
    let serving = Serving::start(&bench.path("served"), KEY).expect("the server starts");
    let args = ["--trials", "1", "-j", "3", "--retries", "5"];
    let place = Place { bench: &bench, file: &file, url: &serving.url, key: KEY, args: &args };
    let (quiet, events) = place.quiet();
    assert_eq!(quiet.finished.code(), 0, "{}", quiet.finished);
    for seed in fewer_seeds() {
        let output = format!("run-{seed}");
        let (ran, kills) = place.disturbed(&output, &mut fastrand::Rng::with_seed(seed), events / 4);
        assert!(kills > 0, "seed {seed}: there was no storm");
        assert_eq!(ran.verdicts, quiet.verdicts, "seed {seed}: {}", ran.finished);
        assert_judged_once(&bench, &output, &ran, seed);
        cleanup(&bench, &serving.url, KEY, seed);
    }
}
