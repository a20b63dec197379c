//! Whoever reads what a run says may be slow, or stop: the run does not wait for it, and loses nothing.

use std::io::Read as _;
use std::process::Stdio;

use runloop_simulator::{Script, Simulator, SimulatorOptions};
use serde_json::json;

use crate::support::{Bench, Running, wait_for};

/// So many that neither all lines nor all events fit into a pipe.
const TRIALS: usize = 600;

/// What a pipe holds, unless it was asked for more.
const PIPE: usize = 64 << 10;

#[test]
fn readers_that_stop_hold_nothing_up_and_miss_nothing() {
    let bench = Bench::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let simulator =
        runtime.block_on(Simulator::start(SimulatorOptions::new(Script::default()))).expect("a port");
    let scenario = json!({
        "name": "long-".repeat(20).trim_end_matches('-'),
        "problem_statement": "Nothing to do.",
        "verify": "same",
        "scorers": [{ "name": "fine", "weight": 1, "shell_command": "true" }],
    });
    let file = bench.write("task.yaml", &scenario.to_string());
    let mut command = bench.command();
    command.arg("run").arg(file).args(["--agent", "nop", "-j", "50", "--output", "run", "--format", "jsonl"]);
    command.args(["--trials", &TRIALS.to_string(), "--target", simulator.url()]);
    command.env("RUNLOOP_API_KEY", simulator.api_key()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = Running::start(&mut command);
    let (mut stdout, mut stderr) = run.pipes();

    // Nothing was read yet, and there is no verdict that is not in the record.
    let record = bench.path("run/events.jsonl");
    let ends = || std::fs::read_to_string(&record).unwrap_or_default().contains("\"run_finished\"");
    wait_for("the run, which waits for its readers", ends);

    let said = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let mut events = String::new();
    stdout.read_to_string(&mut events).expect("text");
    let said = said.join().expect("no panic").expect("text");
    assert_eq!(run.end().code(), 0, "{said}");
    assert_eq!(events, std::fs::read_to_string(&record).expect("the record"));
    let verdicts = said.lines().filter(|line| line.contains("PASS")).count();
    assert_eq!(verdicts, TRIALS, "{said}");
    assert!(events.len() > PIPE && said.len() > PIPE, "the pipes held all of it: the test shows nothing");
}
