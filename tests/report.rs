//! Results in every format, through the real binary.

use std::path::PathBuf;
use std::process::Stdio;

use crate::support::{Bench, sleeping, wait_for};

/// A scenario that passes, one that fails, and one whose scorer gives no score.
fn three_outcomes(bench: &Bench) -> PathBuf {
    for (name, check) in [("good", "true"), ("bad", "echo expected more; false")] {
        bench.write(
            &format!("evals/{name}.yaml"),
            &format!(
                "# {name}\nname: {name}\nproblem_statement: Go.\nenvironment: {{ network: none }}\n\
                 scorers: [{{ name: check, weight: 1, shell_command: '{check}' }}]\n"
            ),
        );
    }
    bench.write(
        "evals/broken.yaml",
        "name: broken\nproblem_statement: Go.\nenvironment: { network: none }\n\
         scorers: [{ name: check, weight: 1, bash_script: 'echo no score here' }]\n",
    );
    bench.write(
        "evals/benchmark.yaml",
        "name: three\nscenarios: [good.yaml, bad.yaml, broken.yaml]\nagents: [nop]\n",
    )
}

#[test]
fn a_run_leaves_its_results_in_every_format_and_report_gives_the_same() {
    let bench = Bench::new();
    let file = three_outcomes(&bench);
    let results = bench.results(&file, ["--output", "run", "--retries", "0"]);
    assert_eq!(results.finished.code(), 3, "{}", results.finished);
    for (format, name) in
        [("json", "results.json"), ("csv", "results.csv"), ("junit", "junit.xml"), ("markdown", "summary.md")]
    {
        let written = std::fs::read_to_string(bench.path("run").join(name)).expect(name);
        let report = bench.run(["report", "run", "--format", format]);
        assert_eq!((report.code(), report.stdout()), (0, written.clone()), "{format}: {}", report.stderr());
        let to_file = bench.run(["report", "run", "--format", format, "--output", "again"]);
        assert_eq!((to_file.code(), to_file.stdout().as_str()), (0, ""), "{to_file}");
        assert_eq!(std::fs::read_to_string(bench.path("again")).expect("a file"), written, "{format}");
    }
    let junit = bench.run(["report", "run", "--format", "junit"]).stdout();
    assert!(junit.contains(r#"<testsuites name="three" tests="3" failures="1" errors="1""#), "{junit}");
    assert!(junit.contains(r#"<error type="scorer_error""#) && junit.contains("expected more"), "{junit}");
    let markdown = bench.run(["report", "run", "--format", "markdown"]).stdout();
    assert!(
        markdown.starts_with("### ⚠️ `three`: 1 of 3 trials passed, 1 failed, 1 invalid\n"),
        "{markdown}"
    );
    let events = bench.run(["report", "run", "--format", "jsonl"]).stdout();
    let recorded = std::fs::read_to_string(bench.path("run/events.jsonl")).expect("the record");
    assert_eq!(events, recorded);
    let table = bench.run(["report", "run"]);
    assert!(table.stdout().contains("good") && table.stdout().contains("pass 1.000"), "{table}");
}

#[test]
fn github_gets_a_step_summary_and_annotations_beside_the_data() {
    let bench = Bench::new();
    let file = three_outcomes(&bench);
    let summary = bench.write("step-summary", "before\n");
    let output = bench
        .command()
        .arg("run")
        .arg(&file)
        .args(["--retries", "0", "--format", "csv", "--github", "--output", "run"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("GITHUB_WORKSPACE", bench.path(""))
        .output()
        .expect("the program starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(stdout.starts_with("\"scenario\"") && !stdout.contains("::error"), "{stdout}");
    let annotations: Vec<&str> = stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(annotations.len(), 2, "{stderr}");
    assert!(annotations[0].starts_with("::error file=evals/broken.yaml,line=1,title=invalid%3A"), "{stderr}");
    assert!(annotations[1].starts_with("::error file=evals/bad.yaml,line=2,title=failed%3A"), "{stderr}");
    let written = std::fs::read_to_string(&summary).expect("the step summary");
    assert!(written.starts_with("before\n### ⚠️ `three`"), "it is appended: {written}");

    let elsewhere = bench.run(["report", "run", "--github", "--format", "json"]);
    assert_eq!(elsewhere.code(), 0, "{elsewhere}");
    assert!(elsewhere.stderr().contains("GITHUB_STEP_SUMMARY is not set"), "{elsewhere}");
    serde_json::from_str::<serde_json::Value>(&elsewhere.stdout()).expect("nothing else on standard output");
}

#[test]
fn a_run_that_was_killed_has_its_report() {
    let bench = Bench::new();
    let file = three_outcomes(&bench);
    let agent = "command:test ! -e stop || true; sleep 765432";
    let mut child = bench
        .command()
        .arg("run")
        .arg(&file)
        .args(["--agent", "nop", "--agent", agent, "-j", "3", "--filter", "good", "--output", "run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let record = bench.path("run/events.jsonl");
    wait_for("a verdict and a working agent", || {
        let events = std::fs::read_to_string(&record).unwrap_or_default();
        events.contains("trial_finished") && !sleeping("765432").is_empty()
    });
    child.kill().expect("it is ours");
    child.wait().expect("it has ended");
    wait_for("every process to be gone", || sleeping("765432").is_empty());

    let report = bench.run(["report", "run", "--format", "json"]);
    assert_eq!(report.code(), 0, "{report}");
    let json: serde_json::Value = serde_json::from_str(&report.stdout()).expect("results");
    assert_eq!(
        (&json["summary"]["scored"], &json["summary"]["unfinished"]),
        (&1.into(), &1.into()),
        "{report}"
    );
    assert!(report.stderr().contains("not complete: 1 of 2 trials"), "{report}");
    let junit = bench.run(["report", "run", "--format", "junit"]).stdout();
    assert!(junit.contains("<skipped message=\"no verdict: the run ended first\">"), "{junit}");
}

#[test]
fn what_is_no_run_directory_is_told_so() {
    let bench = Bench::new();
    let nothing = bench.run(["report", "nowhere"]);
    assert_eq!(nothing.code(), 2, "{nothing}");
    assert!(nothing.stderr().contains("nowhere is not a run directory"), "{nothing}");
    bench.write("empty/run.json", "{}");
    bench.write("empty/events.jsonl", "");
    let empty = bench.run(["report", "empty"]);
    assert_eq!(empty.code(), 3, "{empty}");
    assert!(empty.stderr().contains("no events"), "{empty}");
}
