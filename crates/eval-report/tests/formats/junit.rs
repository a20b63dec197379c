use std::io::Write as _;
use std::process::Command;

use eval_report::{Summary, junit};

use crate::junit_schema::{Element, parse, violations};
use crate::runs::{HOSTILE, failed, finished, hostile, key, large, mixed, scored, started};

fn written(summary: &Summary) -> String {
    let mut xml = Vec::new();
    junit::write(summary, &mut xml).expect("a vector takes it");
    String::from_utf8(xml).expect("UTF-8")
}

/// The report of a run, which must be one that CI systems take.
#[track_caller]
fn report(summary: &Summary) -> Element {
    let xml = written(summary);
    let root = parse(&xml);
    assert_eq!(violations(&root), [""; 0], "{xml}");
    root
}

fn case<'a>(root: &'a Element, agent: &str, scenario: &str) -> &'a Element {
    let suite = root.all("testsuite").find(|suite| suite.attribute("name") == agent).expect("the suite");
    suite.children.iter().find(|case| case.attribute("name") == scenario).expect("the case")
}

#[test]
fn every_outcome_has_its_element() {
    let root = report(&mixed());
    assert_eq!(root.attribute("name"), "swe.small");
    let suites: Vec<_> = root.all("testsuite").map(|suite| suite.attribute("name")).collect();
    assert_eq!(suites, ["oracle", "mine"]);
    let suite = root.all("testsuite").next().expect("the oracle");
    assert_eq!(suite.attribute("timestamp"), "2023-11-14T22:13:20");

    let passed = case(&root, "oracle", "login");
    assert!(passed.children.is_empty());
    assert_eq!((passed.attribute("time"), passed.attribute("classname")), ("2.025", "swe_small.oracle"));
    let failure = &case(&root, "mine", "login").children[0];
    assert_eq!((failure.name.as_str(), failure.attribute("type")), ("failure", "failed"));
    assert_eq!(failure.attribute("message"), "score 0.500, agent exited with 127, by tests");
    assert!(failure.text.contains("scenario: evals/login/scenario.yaml:3\n"), "{}", failure.text);
    assert!(failure.text.contains("logs: trials/login/mine/1/attempt-1"), "{}", failure.text);
    let output = &case(&root, "mine", "login").children[1];
    assert_eq!((output.name.as_str(), output.text.as_str()), ("system-out", "== tests\nexpected 2, got 3\n"));
    let error = &case(&root, "oracle", "query").children[0];
    assert_eq!((error.name.as_str(), error.attribute("type")), ("error", "devbox_lost"));
    assert_eq!(error.attribute("message"), "devbox_lost after 2 attempts: the devbox ended by itself");
    for (scenario, message) in [("query", "canceled"), ("queue", "no verdict: the run ended first")] {
        let skipped = &case(&root, "mine", scenario).children[0];
        assert_eq!((skipped.name.as_str(), skipped.attribute("message")), ("skipped", message));
    }
}

#[test]
fn repetitions_are_told_apart() {
    let keys = [key("login", "mine", 1), key("login", "mine", 2)];
    let events = [started(&keys), finished(scored(&keys[0], 1.0)), finished(scored(&keys[1], 1.0))];
    let root = report(&Summary::from_events(&events));
    case(&root, "mine", "login #1");
    case(&root, "mine", "login #2");
}

#[test]
fn a_run_without_trials_is_a_report_too() {
    assert_eq!(report(&Summary::from_events(&[])).attribute("tests"), "0");
}

#[test]
fn hostile_text_arrives_as_text_and_changes_no_count() {
    for text in HOSTILE {
        let root = report(&hostile(text));
        assert_eq!(["tests", "failures", "errors"].map(|name| root.attribute(name)), ["3", "2", "1"]);
        let clean = |text: &str| {
            text.chars()
                .map(|c| match c {
                    '\t' | '\n' | '\r' => c,
                    '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
                    c => c,
                })
                .collect::<String>()
        };
        // The name comes back to the last character: nothing is lost, and nothing is added.
        assert_eq!(root.attribute("name"), clean(text), "{text:?}");
    }
}

#[test]
fn a_carriage_return_and_line_breaks_survive_a_parser() {
    let root = report(&hostile("a\r\nb\tc"));
    assert_eq!(root.attribute("name"), "a\r\nb\tc");
}

#[test]
fn output_is_bounded_for_each_trial_and_for_the_file() {
    let keys = [key("login", "mine", 1)];
    let long = format!("first{}last", "é".repeat(100_000));
    let root = report(&Summary::from_events(&[started(&keys), finished(failed(&keys[0], &long))]));
    let output = &case(&root, "mine", "login").children[1].text;
    assert!(output.len() < 9_000 && output.ends_with("last\n"), "{}", output.len());
    assert!(output.contains(" bytes left out, see the logs]"), "{}", &output[..100]);

    let xml = written(&large(3_000, 0));
    assert!(violations(&parse(&xml)).is_empty());
    assert!(xml.len() < 20_000_000, "{} bytes", xml.len());
}

#[test]
fn the_schema_takes_it() {
    let Ok(version) = Command::new("xmllint").arg("--version").output() else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: xmllint is not installed; the checker in Rust ran");
        return;
    };
    assert!(version.status.success());
    let directory = tempfile::tempdir().expect("a temporary directory");
    let summaries = [mixed(), large(3, 2), Summary::from_events(&[])].into_iter().chain(HOSTILE.map(hostile));
    for (n, summary) in summaries.enumerate() {
        let file = directory.path().join(format!("{n}.xml"));
        std::fs::write(&file, written(&summary)).expect("it can be written");
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/junit.xsd");
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema", schema])
            .arg(&file)
            .output()
            .expect("xmllint starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
