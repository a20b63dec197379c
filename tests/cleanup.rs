//! What killed runs leave at a platform that outlives them, and that it is found and ended.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::serving::Serving;
use crate::support::{ATTACKER, Bench, Finished, Running, attack, sleeping, wait_for, wake};

const KEY: &str = "the-key";

fn with_key(mut command: Command) -> Command {
    command.env("RUNLOOP_API_KEY", KEY);
    command
}

/// Starts a run on a server whose agents wait; it has stored files, built a blueprint and taken a snapshot by then.
fn start(bench: &Bench, url: &str, argument: &str, output: &str) -> Running {
    let wait = format!("sleep {argument}");
    let slow = |name: &str| {
        attack(name, "snapshot", &wait, |scenario| {
            scenario["agent_timeout"] = json!("20m");
            scenario["environment"]["blueprint"] =
                json!({ "name": "made-here", "system_setup_commands": ["true"] });
            scenario["environment"]["files"] = json!([{ "source": "hidden/check.sh", "target": "given.sh" }]);
        })
    };
    let file = bench.benchmark(&[slow("one"), slow("two")]);
    let mut command = with_key(bench.command());
    command.arg("run").arg(file).args(["--agent", ATTACKER, "-j", "2", "--target", url, "--output", output]);
    Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

fn cleanup(bench: &Bench, args: &[&str]) -> (i32, Value) {
    let mut command = with_key(bench.command());
    let output =
        command.args(["cleanup", "--format", "json"]).args(args).output().expect("the program starts");
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap_or(-1), json)
}

/// Kind and outcome of each resource, counted.
fn outcomes(json: &Value) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for line in json["resources"].as_array().expect("a list") {
        let text = |key: &str| line[key].as_str().expect("text").to_owned();
        *counts.entry(format!("{} {}", text("outcome"), text("kind"))).or_default() += 1;
    }
    counts
}

fn counts(wanted: &[(&str, usize)]) -> std::collections::BTreeMap<String, usize> {
    wanted.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect()
}

/// What the server has that lives, asked of it directly.
fn living(url: &str) -> [usize; 4] {
    let client = runloop_client::Client::builder().base_url(url).api_key(KEY).build().expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let devboxes = client.devboxes().list(&Default::default()).await.expect("devboxes");
        let snapshots = client.disk_snapshots().list(&Default::default()).await.expect("snapshots");
        let objects = client.objects().list(&Default::default()).await.expect("objects");
        let blueprints = client.blueprints().list(&Default::default()).await.expect("blueprints");
        [
            devboxes.items.iter().filter(|one| !one.status.is_final()).count(),
            snapshots.items.len(),
            objects.items.iter().filter(|one| one.state != runloop_types::ObjectState::Deleted).count(),
            blueprints.items.iter().filter(|one| one.state == runloop_types::BlueprintState::Created).count(),
        ]
    })
}

#[test]
fn what_a_killed_run_left_is_found_and_ended_and_a_run_that_goes_on_is_spared() {
    let bench = Bench::new();
    let server = Serving::start(&bench.path(""), KEY).expect("a server");
    let dead = start(&bench, &server.url, "1765601", "dead");
    wait_for("the agents", || sleeping("1765601").len() >= 2);
    dead.kill();
    let left = living(&server.url);
    assert!(left.iter().all(|count| *count > 0), "devboxes, snapshots, objects, blueprints: {left:?}");

    // That another platform has nothing of it says nothing.
    let other = Serving::start(&bench.path("other"), KEY).expect("another server");
    let (code, nothing) = cleanup(&bench, &["--run", "dead", "--target", &other.url]);
    assert_eq!((code, outcomes(&nothing)), (4, counts(&[])), "{nothing:#}");

    let alive = start(&bench, &server.url, "1765602", "alive");
    wait_for("the other agents", || sleeping("1765602").len() >= 2);
    let both = living(&server.url);

    let (code, seen) = cleanup(&bench, &["--dry-run"]);
    assert_eq!(code, 0, "{seen:#}");
    assert_eq!(living(&server.url), both, "a look ends nothing");
    assert!(seen["alive"][0]["directory"].as_str().is_some_and(|path| path.ends_with("alive")), "{seen:#}");
    assert_eq!(
        outcomes(&seen),
        counts(&[("living devbox", 2), ("living snapshot", 1), ("living object", 1)])
    );

    let (code, ended) = cleanup(&bench, &[]);
    assert_eq!(code, 0, "{ended:#}");
    assert_eq!(outcomes(&ended), counts(&[("ended devbox", 2), ("ended snapshot", 1), ("ended object", 1)]));
    wait_for("the dead run's agents to end", || sleeping("1765601").is_empty());
    assert_eq!(sleeping("1765602").len(), 2, "the other run goes on");
    // The record knows it, too: nothing is found twice, and the server is not even asked.
    let (_, again) = cleanup(&bench, &[]);
    assert_eq!(outcomes(&again), counts(&[]), "{again:#}");

    // The blueprint is for later runs; one that goes on uses it.
    let (_, shared) = cleanup(&bench, &["--run", "dead"]);
    assert_eq!(outcomes(&shared), counts(&[("shared blueprint", 1)]), "{shared:#}");
    let another_name = server.url.replace("127.0.0.1", "localhost");
    assert_ne!(another_name, server.url);
    let (_, spared) = cleanup(&bench, &["--all", "--target", &another_name]);
    assert!(outcomes(&spared).keys().all(|what| what.starts_with("shared")), "{spared:#}");
    assert_eq!(sleeping("1765602").len(), 2, "the other run still goes on");

    alive.kill();
    // Nobody can read what it kept on purpose, so it has to be named by its id.
    let events = std::fs::read_to_string(bench.path("alive/events.jsonl")).expect("the events");
    bench.write("alive/events.jsonl", &events.replacen('{', "", 2));
    let mut command = with_key(bench.command());
    let damaged = command.args(["cleanup", "--run", "alive"]).output().expect("the program starts");
    let damaged = Finished::of(damaged);
    assert_eq!(damaged.code(), 2, "{damaged}");
    let id = damaged.stderr().split_once("--run ").expect("what to type").1[..32].to_owned();
    let (code, named) = cleanup(&bench, &["--run", &id]);
    assert_eq!(code, 0, "{named:#}");
    assert_eq!(outcomes(&named).get("ended devbox"), Some(&2), "{named:#}");

    let (code, all) = cleanup(&bench, &["--all", "--target", &server.url]);
    assert_eq!(code, 0, "{all:#}");
    assert_eq!(living(&server.url), [0; 4], "{all:#}");
    let (_, nothing) = cleanup(&bench, &["--all", "--target", &server.url]);
    assert_eq!(outcomes(&nothing), counts(&[]), "{nothing:#}");
}

#[test]
fn a_resumed_run_ends_what_its_dead_part_left() {
    let bench = Bench::new();
    let server = Serving::start(&bench.path(""), KEY).expect("a server");
    let dead = start(&bench, &server.url, "1765611", "run");
    // Its devboxes live on with the server, and so do the agents in them.
    wait_for("the agents", || sleeping("1765611").len() >= 2);
    dead.kill();
    let of_dead = sleeping("1765611");
    let mut command = with_key(bench.command());
    let other_name = format!("{}/", server.url);
    command.args(["run", "--resume", "run", "--format", "json", "--target", &other_name]);
    let resumed = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let new = || sleeping("1765611").iter().filter(|pid| !of_dead.contains(pid)).count();
    wait_for("the agents again", || new() >= 2);
    wake("1765611");
    let resumed = resumed.end();
    assert_eq!(resumed.code(), 0, "{resumed}");
    let [devboxes, snapshots, objects, _] = living(&server.url);
    assert_eq!((devboxes, snapshots, objects), (0, 0, 0));
    let (_, nothing) = cleanup(&bench, &[]);
    assert_eq!(nothing["resources"], json!([]), "the run is forgotten");
    let header = std::fs::read_to_string(bench.path("run/run.json")).expect("the header");
    let header: Value = serde_json::from_str(&header).expect("JSON");
    assert_eq!(header["target"], json!(other_name), "its address is the last one that it had");
}

#[test]
fn directories_of_killed_local_platforms_are_removed() {
    let bench = Bench::new();
    let slow = attack("slow", "same", "sleep 1765621", |scenario| scenario["agent_timeout"] = json!("5m"));
    let file = bench.benchmark(&[slow]);
    let mut command = bench.command();
    command.arg("run").arg(&file).args(["--agent", ATTACKER]).stdout(Stdio::null()).stderr(Stdio::null());
    let child = Running::start(&mut command);
    wait_for("the agent", || !sleeping("1765621").is_empty());
    let (_, spared) = cleanup(&bench, &[]);
    assert_eq!(spared["directories"], json!([]), "its owner lives");
    child.kill();
    wait_for("every process to be gone", || sleeping("1765621").is_empty());
    let (_, seen) = cleanup(&bench, &["--dry-run"]);
    assert_eq!(seen["directories"].as_array().map(Vec::len), Some(1), "{seen:#}");
    assert!(Path::new(seen["directories"][0].as_str().expect("a path")).exists());
    let (code, swept) = cleanup(&bench, &[]);
    assert_eq!((code, &swept["directories"]), (0, &seen["directories"]));
    bench.assert_nothing_left();
}

#[test]
fn a_target_that_is_gone_is_told_with_what_to_do() {
    let bench = Bench::new();
    let server = Serving::start(&bench.path(""), KEY).expect("a server");
    let url = server.url.clone();
    let dead = start(&bench, &url, "1765631", "run");
    wait_for("the agents", || sleeping("1765631").len() >= 2);
    dead.kill();
    drop(server);
    let mut command = with_key(bench.command());
    let output = command.arg("cleanup").output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains(&url) && said.contains("gone for good"), "{said}");
}
