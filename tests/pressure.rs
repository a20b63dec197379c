//! Targets that ask for less, go away, or take the key no more, and disks that are full: the real binary.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::target::{KEY, ScriptedTarget};
use crate::support::{BINARY, Bench, Finished};

/// A run of `trials` trials by an agent that does nothing, against a target.
fn run(bench: &Bench, target: &ScriptedTarget, trials: usize, args: &[&str]) -> (Finished, Value) {
    let mut command = bench.command();
    command.args(arguments(bench, target, trials)).args(args).env("RUNLOOP_API_KEY", KEY);
    let finished = Finished::of(command.output().expect("the program starts"));
    let json = serde_json::from_str(&finished.stdout()).unwrap_or(Value::Null);
    (finished, json)
}

fn arguments(bench: &Bench, target: &ScriptedTarget, trials: usize) -> Vec<String> {
    let scenario = json!({
        "name": "task",
        "problem_statement": "Nothing to do.",
        "verify": "same",
        "scorers": [{ "name": "fine", "weight": 1, "shell_command": "true" }],
    });
    let file = bench.write("task.yaml", &scenario.to_string());
    let trials = trials.to_string();
    let url = target.url();
    let words = ["run", &file.display().to_string(), "--agent", "nop", "--trials", &trials, "--target", &url];
    let more = ["--retries", "0", "--output", "run", "--format", "json"];
    words.into_iter().chain(more).map(str::to_owned).collect()
}

fn events(bench: &Bench, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(bench.path("run/events.jsonl")).expect("the events");
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is an event"));
    events.filter(|event| event["event"] == kind).collect()
}

fn refusal(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "message": "not now" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_asks_for_less_gets_less_and_every_trial_has_its_verdict() {
    // Sixteen requests in a quarter of a second, and no more.
    let window = Mutex::new((Instant::now(), 0));
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let target = ScriptedTarget::start(move |_, _| {
        let mut window = window.lock().expect("no test panics there");
        if window.0.elapsed() > Duration::from_millis(250) {
            *window = (Instant::now(), 0);
        }
        window.1 += 1;
        (window.1 > 16).then(|| {
            count.fetch_add(1, Ordering::Relaxed);
            refusal(429).insert_header("retry-after-ms", "250")
        })
    })
    .await;
    let bench = Bench::new();
    let (finished, json) = run(&bench, &target, 40, &["-j", "40"]);
    assert_eq!(finished.code(), 0, "{finished}");
    assert_eq!(json["summary"]["passed"], 40, "{finished}");
    let attempts = json["trials"].as_array().expect("trials").iter().map(|trial| &trial["attempts"]);
    assert!(attempts.clone().all(|attempts| attempts == 1), "{finished}");
    let throttled = events(&bench, "throttled");
    assert!(!throttled.is_empty());
    assert!(throttled.iter().all(|event| event["limit"].as_u64().is_some_and(|limit| limit < 40)));
    assert!(finished.stderr().contains("SLOWER"), "{finished}");
    // Without the gate each of the 40 would learn for itself, several times over.
    let refused = refused.load(Ordering::Relaxed);
    assert!(refused < 120, "{refused} requests were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_waited_for_and_costs_no_verdict() {
    let down = Mutex::new(None);
    let target = ScriptedTarget::start(move |number, _| {
        let mut down = down.lock().expect("no test panics there");
        if number == 40 {
            *down = Some(Instant::now());
        }
        let is_down = down.is_some_and(|since: Instant| since.elapsed() < Duration::from_secs(5));
        is_down.then(|| refusal(503))
    })
    .await;
    let bench = Bench::new();
    let (finished, json) = run(&bench, &target, 30, &["-j", "4"]);
    assert_eq!(finished.code(), 0, "{finished}");
    assert_eq!(json["summary"]["passed"], 30, "{finished}");
    let back = events(&bench, "target_back");
    assert_eq!(back.len(), 1, "{finished}");
    assert!(!events(&bench, "target_down").is_empty());
    let said = finished.stderr();
    assert!(said.contains("DOWN") && said.contains("503") && said.contains("BACK"), "{finished}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_stays_away_ends_the_run_incomplete_and_nothing_is_booked() {
    let target = ScriptedTarget::start(|number, _| (number >= 20).then(|| refusal(502))).await;
    let bench = Bench::new();
    let (finished, json) = run(&bench, &target, 30, &["-j", "4", "--max-outage", "4s"]);
    assert_eq!(finished.code(), 3, "{finished}");
    assert_eq!(
        (&json["summary"]["invalid"], &json["summary"]["failed"]),
        (&json!(0), &json!(0)),
        "{finished}"
    );
    assert!(json["summary"]["canceled"].as_u64().is_some_and(|canceled| canceled > 20), "{finished}");
    let canceled = json["trials"].as_array().expect("trials").last().expect("one");
    assert_eq!((&canceled["state"], &canceled["cause"]), (&json!("canceled"), &json!("target_down")));
    assert!(finished.stderr().contains("--max-outage"), "{finished}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_taken_no_more_ends_the_run_and_burns_no_trial() {
    let target = ScriptedTarget::start(|number, _| (number >= 40).then(|| refusal(401))).await;
    let bench = Bench::new();
    let (finished, json) = run(&bench, &target, 200, &["-j", "4"]);
    assert_eq!(finished.code(), 4, "{finished}");
    assert_eq!(json["summary"]["invalid"], 0, "{finished}");
    assert!(finished.stderr().contains("RUNLOOP_API_KEY"), "{finished}");
    let asked = target.count("/v1/devboxes/create_and_await_running").await;
    assert!(asked < 60, "{asked} devboxes were asked for");
}

/// A file that may not grow is to the recorder what a full disk is.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_run_and_what_is_there_is_whole() {
    let target = ScriptedTarget::start(|_, _| None).await;
    let bench = Bench::new();
    // As many trials as need several times the room there is: 256 or 512 KiB, as the shell counts.
    let mut command = Command::new("sh");
    command.arg("-c").arg("trap '' XFSZ; ulimit -f 512; exec \"$@\"").arg("sh").arg(BINARY);
    command.args(arguments(&bench, &target, 1000)).args(["-j", "4"]);
    command.current_dir(bench.path("")).env_clear().env("RUNLOOP_API_KEY", KEY);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", bench.path("home"));
    let finished = Finished::of(command.output().expect("a shell"));
    assert_eq!(finished.code(), 3, "{finished}");
    let said = finished.stderr();
    assert!(
        said.contains("events.jsonl") && said.contains("not complete") && said.contains("help"),
        "{said}"
    );
    let asked = target.count("/v1/devboxes/create_and_await_running").await;
    assert!(asked < 1000, "the run stopped: {asked}");

    // Whatever is there is whole, and a report can be made of it.
    for entry in std::fs::read_dir(bench.path("run")).expect("the run directory").flatten() {
        let name = entry.file_name().into_string().expect("a name of ours");
        assert!(!name.ends_with(".new"), "{name} is left");
        if name.ends_with(".json") {
            let text = std::fs::read_to_string(entry.path()).expect("it can be read");
            serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    let report = bench.run(["report", "run", "--format", "json"]);
    assert_eq!(report.code(), 0, "{report}");
    let json: Value = serde_json::from_str(&report.stdout()).expect("JSON");
    assert!(json["summary"]["scored"].as_u64().is_some_and(|scored| scored > 0), "{report}");
}
