//! Runs that go on after Ctrl-C, a crash or a kill: nothing is done twice, and the end is that of an undisturbed run.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{ATTACKER, Bench, Finished, Running, attack, signal, sleeping, wait_for, wake};

/// Four scenarios, one of which waits where it is told to until it is woken: `quick` comes before it, the others after it.
fn scenarios(bench: &Bench, phase: &str, argument: &str) -> PathBuf {
    let wait = format!("sleep {argument} || true");
    let agent = if phase == "agent" {
        format!("{wait}; echo finished > state.txt")
    } else {
        "echo finished > state.txt".into()
    };
    bench.benchmark(&[
        attack("a-quick", "same", "echo finished > state.txt", |_| {}),
        attack("b-slow", "snapshot", &agent, |scenario| match phase {
            "preparing" => scenario["environment"]["setup_commands"] = json!([wait]),
            "scoring" => {
                let command = format!("{wait}; grep -q finished state.txt");
                scenario["scorers"] = json!([{ "name": "waits", "weight": 1, "shell_command": command }]);
            }
            _ => {}
        }),
        attack("c-fails", "pristine", "true", |_| {}),
        attack("d-last", "same", "echo finished > state.txt", |_| {}),
    ])
}

fn start(bench: &Bench, file: &Path) -> Running {
    let mut command = bench.command();
    command.arg("run").arg(file).args(["--agent", ATTACKER, "-j", "1", "--output", "run"]);
    Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// Goes on with the run.
fn resuming(bench: &Bench, args: &[&str]) -> Running {
    let mut command = bench.command();
    command.args(["run", "--resume", "run", "--format", "json"]).args(args);
    Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// Goes on with the run, to its end.
fn resume(bench: &Bench, args: &[&str]) -> Finished {
    resuming(bench, args).end()
}

/// What a result file says that does not depend on times and attempts.
fn verdicts(json: &Value) -> Value {
    let trials = json["trials"].as_array().expect("a list of trials");
    let kept =
        ["scenario", "agent", "repetition", "state", "score", "passed", "cause", "digest", "agent_end"];
    let of_trial = |trial: &Value| kept.iter().map(|key| (*key, trial[*key].clone())).collect::<Value>();
    let summary: Value =
        ["planned", "scored", "passed", "failed", "invalid", "canceled", "unfinished", "mean_score"]
            .iter()
            .map(|key| (*key, json["summary"][*key].clone()))
            .collect();
    json!({ "summary": summary, "complete": json["run"]["complete"], "trials": trials.iter().map(of_trial).collect::<Vec<_>>() })
}

fn read(path: PathBuf) -> Value {
    let text = std::fs::read_to_string(&path).expect("the file is there");
    serde_json::from_str(&text).expect("it is JSON")
}

fn events(bench: &Bench, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(bench.path("run/events.jsonl")).expect("the events");
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event"));
    events.filter(|event| event["event"] == kind).collect()
}

#[test]
fn a_run_killed_in_any_phase_goes_on_to_the_end_of_an_undisturbed_one() {
    let undisturbed = {
        let bench = Bench::new();
        let file = scenarios(&bench, "none", "0");
        verdicts(&bench.results(&file, ["--agent", ATTACKER, "-j", "1"]).json)
    };
    for (phase, argument) in [("preparing", "765501"), ("agent", "765502"), ("scoring", "765503")] {
        let bench = Bench::new();
        let file = scenarios(&bench, phase, argument);
        let first = start(&bench, &file);
        wait_for(phase, || !sleeping(argument).is_empty());
        first.kill();
        wait_for("every process to be gone", || sleeping(argument).is_empty());

        let second = resuming(&bench, &["-j", "2"]);
        wait_for(phase, || !sleeping(argument).is_empty());
        wake(argument);
        let resumed = second.end();
        assert_eq!(resumed.code(), 0, "{phase}: {resumed}");
        let json: Value = serde_json::from_str(&resumed.stdout()).expect("results");
        let expected = |mut whole: Value| {
            // The scenario that waits is defined otherwise in each round.
            whole["trials"][1]["digest"] = Value::Null;
            whole
        };
        assert_eq!(expected(verdicts(&json)), expected(undisturbed.clone()), "{phase}: {resumed}");
        let reported = bench.run(["report", "run", "--format", "json"]);
        let reported: Value = serde_json::from_str(&reported.stdout()).expect("a report");
        assert_eq!(verdicts(&reported), verdicts(&json), "{phase}: the record says the same");
        assert_eq!(verdicts(&read(bench.path("run/results.json"))), verdicts(&json), "{phase}");

        let attempts = |scenario: &str| {
            let mut numbers = events(&bench, "attempt_started");
            numbers.retain(|event| event["trial"]["scenario"] == scenario);
            numbers.iter().map(|event| event["attempt"].as_u64().unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(attempts("a-quick"), [1], "{phase}: what had a verdict is not done again");
        assert_eq!(attempts("b-slow"), [1, 2], "{phase}: attempts are counted on");
        assert_eq!(attempts("d-last"), [1], "{phase}");
        assert_eq!(events(&bench, "run_resumed").len(), 1);
        bench.assert_nothing_left();
    }
}

#[test]
fn ctrl_c_says_how_to_go_on_and_that_works() {
    let bench = Bench::new();
    let file = scenarios(&bench, "agent", "765511");
    let first = start(&bench, &file);
    wait_for("the agent", || !sleeping("765511").is_empty());
    signal(first.id(), "INT");
    let interrupted = first.end();
    assert_eq!(interrupted.code(), 130, "{interrupted}");
    let said = interrupted.stdout();
    let typed = said.split_once("runloop-eval run --resume ").expect("the command").1;
    let directory = typed.split_whitespace().next().expect("a directory");
    assert!(!interrupted.stderr().contains("--resume"), "it is said once: {interrupted}");

    // Two at once: one of them has to leave it to the other.
    let mut command = bench.command();
    command.args(["run", "--resume", directory]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let first = Running::start(&mut command);
    wait_for("the agent again", || !sleeping("765511").is_empty());
    let in_use = format!("in use by process {}", first.id());
    for second in [resume(&bench, &[]), bench.run(["gate", "run", "--min-score", "0", "--save"])] {
        assert_eq!(second.code(), 2, "{second}");
        assert!(second.stderr().contains(&in_use), "{second}");
    }
    wake("765511");
    assert_eq!(first.end().code(), 0);

    let summary = &read(bench.path("run/results.json"))["summary"];
    assert_eq!((&summary["scored"], &summary["passed"]), (&json!(4), &json!(3)));
    assert_eq!(events(&bench, "run_resumed")[0]["concurrency"], 1, "as it was typed for the first part");
    let again = resume(&bench, &[]);
    assert_eq!(again.code(), 0, "there is nothing to do: {again}");
    assert_eq!(events(&bench, "attempt_started").len(), 5, "{again}");
}

#[test]
fn what_a_run_must_reach_is_what_was_typed_last() {
    let bench = Bench::new();
    let file = bench.benchmark(&[
        attack("half", "same", "echo finished > state.txt", |_| {}),
        attack("other-half", "same", "true", |_| {}),
    ]);
    let typed = ["--agent", ATTACKER, "--output", "run", "--min-score", "0.9", "--floor", "half=1"];
    let failed = bench.results(&file, typed);
    assert_eq!(failed.finished.code(), 1, "{}", failed.finished);
    let again = resume(&bench, &[]);
    assert_eq!(again.code(), 1, "nothing of it is forgotten: {again}");
    let json: Value = serde_json::from_str(&again.stdout()).expect("results");
    assert_eq!(json["gate"], failed.json["gate"]);
    assert_eq!(resume(&bench, &["--min-score", "0.4"]).code(), 0, "the other limit is reached");
    assert_eq!(resume(&bench, &[]).code(), 0, "that holds from here on");
    assert_eq!(resume(&bench, &["--floor", "other-half=0.5"]).code(), 1);

    // A baseline is where it is named, not where the run was started.
    bench.write("elsewhere/base.json", "{");
    let mut command = bench.command();
    command.current_dir(bench.path("elsewhere"));
    command.args(["run", "--resume", "../run", "--baseline", "base.json"]);
    let broken = Finished::of(command.output().expect("the program starts"));
    assert_eq!(broken.code(), 2, "{broken}");
    assert!(broken.stderr().contains("the baseline elsewhere/base.json"), "{broken}");
}

#[test]
fn a_record_cut_at_any_byte_goes_on() {
    let bench = Bench::new();
    let file = scenarios(&bench, "none", "0");
    let whole = bench.results(&file, ["--agent", ATTACKER, "-j", "1", "--output", "run"]);
    let undisturbed = verdicts(&whole.json);
    let path = bench.path("run/events.jsonl");
    let content = std::fs::read(&path).expect("the events");
    let lines: Vec<usize> =
        content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    // In the first line, right after it, in the middle of a later one, before the last line break.
    let middle = lines[lines.len() / 2];
    for cut in [0, 17, lines[0], middle, middle + 9, content.len() - 1] {
        std::fs::write(&path, &content[..cut]).expect("the record can be cut");
        let resumed = resume(&bench, &["-j", "1"]);
        assert_eq!(resumed.code(), 0, "cut at {cut}: {resumed}");
        let json: Value = serde_json::from_str(&resumed.stdout()).expect("results");
        assert_eq!(verdicts(&json), undisturbed, "cut at {cut}: {resumed}");
        assert_eq!(verdicts(&read(bench.path("run/results.json"))), undisturbed, "cut at {cut}");
    }
    bench.assert_nothing_left();
}

#[test]
fn what_is_defined_otherwise_is_refused_unless_it_is_said_what_to_do() {
    let bench = Bench::new();
    let file = scenarios(&bench, "none", "0");
    bench.results(&file, ["--agent", ATTACKER, "--output", "run"]);
    let score = |json: &Value, scenario: &str| {
        let trials = json["trials"].as_array().expect("a list").clone();
        trials.iter().find(|trial| trial["scenario"] == scenario).expect("the trial")["score"].clone()
    };

    // The agent of this one does what it says, so its score follows.
    let changed = std::fs::read_to_string(bench.path("scenarios/a-quick.yaml")).expect("the scenario");
    bench.write("scenarios/a-quick.yaml", &changed.replace("echo finished", "echo other"));
    let refused = resume(&bench, &[]);
    assert_eq!(refused.code(), 2, "{refused}");
    assert!(
        refused.stderr().contains("scenario a-quick") && refused.stderr().contains("--changed rerun"),
        "{refused}"
    );

    let kept = resume(&bench, &["--changed", "keep"]);
    assert_eq!(kept.code(), 0, "{kept}");
    let json: Value = serde_json::from_str(&kept.stdout()).expect("results");
    assert_eq!(score(&json, "a-quick"), json!(1.0), "{kept}");
    assert_eq!(resume(&bench, &[]).code(), 0, "it is not asked again");

    bench.write("scenarios/a-quick.yaml", &changed.replace("echo finished", "echo another"));
    let rerun = resume(&bench, &["--changed", "rerun"]);
    assert_eq!(rerun.code(), 0, "{rerun}");
    let json: Value = serde_json::from_str(&rerun.stdout()).expect("results");
    assert_eq!(score(&json, "a-quick"), json!(0.0), "{rerun}");
    assert_eq!(score(&json, "d-last"), json!(1.0));
    let reported = bench.run(["report", "run", "--format", "json"]);
    assert_eq!(score(&serde_json::from_str(&reported.stdout()).expect("a report"), "a-quick"), json!(0.0));
    let started = events(&bench, "attempt_started");
    assert_eq!(started.len(), 5, "only what changed is done again");

    let other = bench.write("other.yaml", "name: other\nscenarios: ['scenarios/*.yaml']\n");
    let refused = bench.run(["run".as_ref(), other.as_os_str(), "--resume".as_ref(), "run".as_ref()]);
    assert_eq!(refused.code(), 2, "{refused}");
    assert!(refused.stderr().contains("other.yaml"), "{refused}");
    std::fs::remove_file(bench.path("scenarios/d-last.yaml")).expect("the scenario is there");
    let refused = resume(&bench, &["--changed", "keep"]);
    assert_eq!(refused.code(), 2, "{refused}");
    assert!(refused.stderr().contains("no longer have d-last"), "{refused}");
}
