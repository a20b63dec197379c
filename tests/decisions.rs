//! Comparisons, baselines and gates over real runs, through the real binary.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Bench, Finished, Results, sleeping, wait_for};

/// Ten scenarios, each done if its name is written down.
fn ten_scenarios(bench: &Bench, gate: &str) -> PathBuf {
    let mut text = String::from("name: ten\nscenarios:\n");
    for n in 0..10 {
        let _ = writeln!(
            text,
            "  - {{ name: s{n}, problem_statement: s{n}, environment: {{ network: none }}, metadata: {{ half: '{}' }},\n      \
             scorers: [{{ name: done, weight: 1, shell_command: 'grep -qx s{n} answer' }}] }}",
            n / 5
        );
    }
    bench.write("ten.yaml", &(text + gate))
}

/// An agent that does what it is told, but for scenarios that match `fails`, a pattern of the shell.
fn agent(bench: &Bench, fails: &str) {
    let command = format!(
        "case \"$PROBLEM_STATEMENT\" in {fails}) exit 0;; esac\n  echo \"$PROBLEM_STATEMENT\" > answer"
    );
    bench.write("coder.yaml", &format!("name: coder\nversion: 1.4-beta\ncommand: |\n  {command}\n"));
}

/// Runs the ten with an agent that fails these.
fn run(bench: &Bench, fails: &str, output: &str) -> Results {
    agent(bench, fails);
    bench.results(&bench.path("ten.yaml"), ["--agent", "coder.yaml", "-j", "4", "--output", output])
}

fn gate(bench: &Bench, run: &str) -> Finished {
    bench.run(["gate", run, "--baseline", "base.json", "--max-regression", "0.05"])
}

#[test]
fn a_planted_regression_fails_noise_passes_and_what_is_missing_is_undecided() {
    let bench = Bench::new();
    ten_scenarios(&bench, "");
    let good = run(&bench, "s0", "good");
    assert_eq!(good.finished.code(), 0, "{}", good.finished);
    let saved = bench.run(["baseline", "save", "good", "-o", "base.json"]);
    assert_eq!(saved.code(), 0, "{saved}");
    let base = std::fs::read_to_string(bench.path("base.json")).expect("a baseline");
    assert_eq!(base.lines().filter(|line| line.contains("\"digest\"")).count(), 10, "{base}");
    let same = gate(&bench, "good");
    assert_eq!(same.code(), 0, "{same}");

    // The agent forgets how to do seven of them.
    run(&bench, "s[0-7]", "bad");
    let failed = gate(&bench, "bad");
    assert_eq!(failed.code(), 1, "{failed}");
    let line = 1 + base.lines().position(|line| line.contains("\"s3\"")).expect("s3 is there");
    let said = failed.stdout();
    let about = said.lines().find(|line| line.contains("s3")).expect("s3 is named");
    assert!(about.contains(&format!("base.json:{line}")), "{failed}");
    let logs = about.split_whitespace().last().expect("its logs");
    assert!(bench.path("bad").join(logs).is_dir(), "{logs} is there: {failed}");

    // The agent fails others than before, and one more: chance.
    run(&bench, "s[1-4]", "noise");
    run(&bench, "s[5-7]", "other-noise");
    assert_eq!(bench.run(["baseline", "save", "other-noise", "-o", "base.json"]).code(), 0);
    let passed = gate(&bench, "noise");
    assert_eq!(passed.code(), 0, "{passed}");
    assert!(passed.stdout().contains("no further than chance"), "{passed}");

    // A scenario that is not run any more is not forgotten.
    agent(&bench, "none");
    let filtered = ["--agent", "coder.yaml", "-j", "4", "--filter", "s[0-8]", "--output", "fewer"];
    assert_eq!(bench.results(&bench.path("ten.yaml"), filtered).finished.code(), 0);
    let fewer = gate(&bench, "fewer");
    assert_eq!(fewer.code(), 3, "{fewer}");
    assert!(fewer.stdout().contains("s9  is not in the run"), "{fewer}");
    let unscored = bench.run(["gate", "fewer", "--floor", "s9=0.5"]);
    assert_eq!(unscored.code(), 3, "{unscored}");

    let nothing_asked = bench.run(["gate", "fewer"]);
    assert_eq!(nothing_asked.code(), 2, "{nothing_asked}");
    let no_run = bench.run(["gate", "absent", "--min-score", "1"]);
    assert_eq!(no_run.code(), 2, "{no_run}");
}

#[test]
fn a_gated_run_shows_in_every_form_what_was_decided_and_why() {
    let bench = Bench::new();
    let file = ten_scenarios(&bench, "");
    run(&bench, "none", "good");
    assert_eq!(bench.run(["baseline", "save", "good", "-o", "base.json"]).code(), 0);
    agent(&bench, "s[0-6]");
    let summary = bench.write("step-summary", "");
    let output = bench
        .command()
        .args(["run", "ten.yaml", "--agent", "coder.yaml", "-j", "4", "--output", "bad", "--github"])
        .args(["--baseline", "base.json", "--max-regression", "0.05", "--min-score", "0.9"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("GITHUB_WORKSPACE", bench.path(""))
        .output()
        .expect("the program starts");
    let failed = Finished::of(output);
    assert_eq!(failed.code(), 1, "{failed}");
    let base = std::fs::read_to_string(bench.path("base.json")).expect("a baseline");
    let in_base = 1 + base.lines().position(|line| line.contains("\"s3\"")).expect("s3 is there");
    let text = std::fs::read_to_string(&file).expect("the benchmark");
    let defined = 1 + text.lines().position(|line| line.contains("name: s3")).expect("s3 is there");

    // The reasons name scenario, trial, both lines and the logs.
    let said = failed.stderr();
    let about = format!(
        "s3 · 1  1.000 of 1 → 0.000 of 1  base.json:{in_base}  ten.yaml:{defined}  trials/s3/coder/1/attempt-1"
    );
    assert!(said.contains(&about), "{about}: {failed}");
    let annotation = said.lines().find(|line| line.contains("title=gate failed%3A max_regression::"));
    let first = 1 + text.lines().position(|line| line.contains("name: s0")).expect("s0 is there");
    let annotation = annotation.unwrap_or_else(|| panic!("no annotation: {failed}"));
    assert!(annotation.starts_with(&format!("::error file=ten.yaml,line={first},")), "{annotation}");
    let step = std::fs::read_to_string(&summary).expect("the step summary");
    let read = |name: &str| std::fs::read_to_string(bench.path("bad").join(name)).expect(name);
    for markdown in [&step, &read("summary.md")] {
        assert!(
            markdown.contains("**❌ Gate failed**") && markdown.contains("the mean score dropped by 0.700"),
            "{markdown}"
        );
    }
    let page = read("report.html");
    assert!(page.contains("Gate failed") && page.contains("Against the baseline"), "the page shows both");
    let results: Value = serde_json::from_str(&read("results.json")).expect("JSON");
    assert_eq!(results["gate"]["decision"], "fail");
    assert_eq!(results["gate"]["agents"][0]["regression"]["scenarios"][0]["difference"], -1.0);
    let kept: Value = serde_json::from_str(&read("gate.json")).expect("JSON");
    assert_eq!(kept, results["gate"]);
    // What is written again is what the run wrote.
    for (format, name) in [("html", "report.html"), ("json", "results.json"), ("markdown", "summary.md")] {
        assert_eq!(bench.run(["report", "bad", "--format", format]).stdout(), read(name), "{name}");
    }

    // A later gate is kept with the run if that is asked, and only then.
    let later = bench.run(["gate", "bad", "--min-score", "0.1"]);
    assert_eq!(later.code(), 0, "{later}");
    assert!(read("report.html").contains("Gate failed"));
    let saved = bench.run(["gate", "bad", "--min-score", "0.1", "--save"]);
    assert_eq!(saved.code(), 0, "{saved}");
    assert!(read("report.html").contains("Gate passed") && read("summary.md").contains("✅ Gate passed"));
    bench.write("bad/gate.json", "{");
    let broken = bench.run(["report", "bad", "--format", "json"]);
    assert_eq!(broken.code(), 0, "{broken}");
    assert!(broken.stderr().contains("gate.json cannot be understood"), "{broken}");
}

#[test]
fn a_lost_api_is_undecided_never_a_pass() {
    let bench = Bench::new();
    ten_scenarios(&bench, "");
    // The platform serves, and goes away while agents work.
    let mut server = bench
        .command()
        .args(["serve", "--port", "0", "--api-key", "key"])
        .stdout(std::fs::File::create(bench.path("serve.txt")).expect("a file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("the platform starts");
    let url = || {
        let text = std::fs::read_to_string(bench.path("serve.txt")).unwrap_or_default();
        let start = text.find("http://")?;
        let end = text[start..].find(|c: char| c.is_whitespace() || c == '"')?;
        Some(text[start..start + end].to_owned())
    };
    wait_for("the platform to print its URL", || url().is_some());
    bench.write("coder.yaml", "name: coder\ncommand: sleep 654321\n");
    let child = bench
        .command()
        .env("RUNLOOP_API_KEY", "key")
        .args(["run", "ten.yaml", "--agent", "coder.yaml", "-j", "1", "--retries", "0", "--output", "lost"])
        .args(["--timeout", "5s", "--filter", "s0", "--target", &url().expect("a URL")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the run starts");
    wait_for("an agent to work", || !sleeping("654321").is_empty());
    server.kill().expect("it is ours");
    server.wait().expect("it has ended");
    let finished = Finished::of(child.wait_with_output().expect("it is ours"));
    assert_eq!(finished.code(), 3, "{finished}");
    let judged = bench.run(["gate", "lost", "--min-score", "0.1", "--format", "json"]);
    assert_eq!(judged.code(), 3, "{judged}");
    let verdict: Value = serde_json::from_str(&judged.stdout()).expect("JSON");
    assert_eq!(verdict["decision"], "undecided", "{judged}");
    assert_eq!(verdict["agents"][0]["reasons"][0]["limit"], "max_invalid", "{judged}");
    let unsaved = bench.run(["baseline", "save", "lost", "-o", "base.json"]);
    assert_eq!(unsaved.code(), 3, "{unsaved}");
    assert!(!bench.path("base.json").exists(), "half a run is no baseline");
}

#[test]
fn the_gate_of_a_benchmark_decides_the_run_and_points_at_its_line() {
    let bench = Bench::new();
    let file = ten_scenarios(
        &bench,
        "gate:\n  floors: { s2: 1 }\n  max_regression: 0.05\n  baseline: base.json\n  min_pass_rate: 0.5\n",
    );
    let first = run(&bench, "none", "first");
    assert_eq!(first.finished.code(), 3, "there is no baseline yet: {}", first.finished);
    assert!(first.finished.stderr().contains("baseline save"), "{}", first.finished);
    assert_eq!(bench.run(["baseline", "save", "first", "-o", "base.json"]).code(), 0);
    let second = run(&bench, "none", "second");
    assert_eq!(second.finished.code(), 0, "{}", second.finished);

    let failed = run(&bench, "s[1-6]", "third");
    assert_eq!(failed.finished.code(), 1, "{}", failed.finished);
    let said = failed.finished.stderr();
    let text = std::fs::read_to_string(&file).expect("the benchmark");
    for key in ["floors", "max_regression", "min_pass_rate"] {
        let line = 1 + text.lines().position(|line| line.contains(&format!("  {key}:"))).expect("the key");
        assert!(said.contains(&format!("ten.yaml:{line})")), "{key}: {}", failed.finished);
    }
    let again = bench.run(["gate", "third", "--benchmark", "ten.yaml"]);
    assert_eq!(again.code(), 1, "{again}");
    let replaced = ["--max-regression", "1", "--floor", "s2=0", "--min-pass-rate", "0.4"];
    let lenient = bench.run(["gate", "third", "--benchmark", "ten.yaml"].into_iter().chain(replaced));
    assert_eq!(lenient.code(), 0, "options replace what the benchmark says: {lenient}");
    bench.write("base.json", "{\n  \"format\": 1,\n");
    let broken = bench.run(["gate", "third", "--benchmark", "ten.yaml"]);
    assert_eq!(broken.code(), 2, "{broken}");
    assert!(broken.stderr().contains("base.json"), "{broken}");
}

#[test]
fn compare_tells_what_changed_and_where_to_look() {
    let bench = Bench::new();
    ten_scenarios(&bench, "");
    run(&bench, "none", "a");
    run(&bench, "s[0-5]", "b");
    let nop = bench.results(&bench.path("ten.yaml"), ["--agent", "nop", "-j", "4", "--output", "c"]);
    assert_eq!(nop.finished.code(), 0, "{}", nop.finished);
    let table = bench.run(["compare", "a", "b"]);
    assert_eq!(table.code(), 0, "a comparison decides nothing: {table}");
    for part in [
        "coder 1.4-beta  b",
        "undecided 6",
        "unchanged 4",
        "-0.600",
        "half=0",
        "b/trials/s3/coder/1/attempt-1",
    ] {
        assert!(table.stdout().contains(part), "{part:?} is missing: {table}");
    }
    let json = bench.run(["compare", "a", "b", "c", "--format", "json"]);
    assert_eq!(json.code(), 0, "{json}");
    let json: Vec<Value> = serde_json::from_str(&json.stdout()).expect("JSON");
    assert_eq!(json.len(), 2, "each with the first");
    assert_eq!(json[0]["paired"], 10);
    assert_eq!(json[0]["p"], 2.0 / 64.0, "six of six go down");
    assert_eq!(json[1]["after"]["agent"], "nop", "single agents belong together");
    assert_eq!(json[1]["difference"], -1.0);
    let logs = json[0]["flips"][0]["logs_after"].as_str().expect("logs");
    assert!(bench.path(logs).is_dir(), "{logs}");
    let unknown = bench.run(["compare", "a", "b", "--agent-b", "nobody"]);
    assert_eq!(unknown.code(), 2, "{unknown}");
    assert!(unknown.stderr().contains("coder"), "it says who there is: {unknown}");
}
