use std::path::Path;

use eval_report::Summary;
use eval_report::github::{Place, SHOWN, annotations, gate_annotations};

use crate::runs::{HOSTILE, gated, hostile, large, mixed};

fn at<'a>(directory: &'a str, workspace: &'a str) -> Place<'a> {
    Place { directory: Path::new(directory), workspace: Path::new(workspace) }
}

#[test]
fn each_failed_and_invalid_trial_is_shown_where_its_scenario_is_defined() {
    let expected = "\
::error file=evals/query/scenario.yaml,line=3,title=invalid%3A query · oracle · 1::devbox_lost after 2 attempts: \
the devbox ended by itself (logs: trials/query/oracle/1/attempt-1)
::error file=evals/login/scenario.yaml,line=3,title=failed%3A login · mine · 1::score 0.500, agent exited with 127, \
by tests (logs: trials/login/mine/1/attempt-1)
";
    assert_eq!(annotations(&mixed(), at("/repo", "/repo")), expected);
}

#[test]
fn paths_are_those_of_the_repository() {
    for (directory, workspace, expected) in [
        ("/repo/tools", "/repo", "file=tools/evals/query/scenario.yaml,"),
        ("/repo/a/../b/.", "/repo", "file=b/evals/query/scenario.yaml,"),
        ("/elsewhere", "/repo", "file=/elsewhere/evals/query/scenario.yaml,"),
    ] {
        let text = annotations(&mixed(), at(directory, workspace));
        assert!(text.contains(expected), "{directory}: {text}");
    }
}

#[test]
fn hostile_text_gives_no_command_of_its_own() {
    let expected = annotations(&hostile("harmless"), at("/repo", "/repo")).lines().count();
    assert!(expected > 3);
    for text in HOSTILE {
        let commands = annotations(&hostile(text), at("/repo", "/repo"));
        assert_eq!(commands.lines().count(), expected, "a line for each reason and trial: {commands:?}");
        for line in commands.lines() {
            let (properties, _) = line
                .strip_prefix("::error ")
                .and_then(|rest| rest.split_once("::"))
                .unwrap_or_else(|| panic!("no command: {line:?}"));
            let names: Vec<_> = properties
                .split(',')
                .map(|property| property.split('=').next().unwrap_or_default())
                .collect();
            let placed = ["file", "line", "title"];
            assert!(names == placed || names == placed[2..], "{line:?}");
            assert!(!line.contains("##[") && !line.contains("##vso["), "{line:?}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
    }
}

#[test]
fn no_more_are_printed_than_are_shown_and_the_rest_is_counted() {
    let text = annotations(&large(20, 5), at("/repo", "/repo"));
    assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), SHOWN);
    let invalid = text.lines().filter(|line| line.contains("title=invalid%3A")).count();
    assert_eq!(invalid, 5, "what nothing is known of comes first");
    let last = text.lines().last().expect("a notice");
    assert_eq!(last, "::notice title=runloop-eval::15 more trials without a pass, see the step summary");
}

#[test]
fn a_record_without_places_gives_annotations_without_a_place() {
    let summary = Summary { sources: Default::default(), ..mixed() };
    assert!(annotations(&summary, at("/repo", "/repo")).starts_with("::error title=invalid%3A query"));
}

#[test]
fn reasons_of_the_gate_come_first_where_their_limit_or_scenario_is_written() {
    let summary = mixed();
    let verdict = gated(&summary, "evals/login.yaml");
    let alone = gate_annotations(&verdict, at("/repo", "/repo"));
    let about = |agent: &str, limit: &str| {
        let title = format!("title=gate failed%3A {limit}%2C {agent}::");
        alone.lines().find(|line| line.contains(&title)).unwrap_or_else(|| panic!("{title}: {alone}"))
    };
    let limit = about("mine", "min_score");
    assert!(limit.starts_with("::error file=evals/login.yaml,line=4,"), "{limit}");
    assert!(limit.contains("below 0.900: login · 1 fail 0.500"), "{limit}");
    assert!(limit.ends_with("trials/login/mine/1/attempt-1"), "its logs: {limit}");
    let incomplete =
        alone.lines().find(|line| line.contains("max_invalid%2C mine")).expect("trials are missing");
    assert!(
        incomplete.starts_with("::error file=evals/query/scenario.yaml,line=3,title=gate undecided%3A"),
        "a limit of the command line has no place, so the scenario's: {incomplete}"
    );
    let whole = annotations(&Summary { gate: Some(verdict), ..summary }, at("/repo", "/repo"));
    assert!(whole.starts_with(&alone), "{whole}");
    assert!(alone.lines().count() + 2 <= SHOWN, "there is room for both trials: {alone}");
    assert_eq!(whole.lines().count(), alone.lines().count() + 2, "{whole}");
    assert!(whole.contains("title=failed%3A login · mine · 1"), "{whole}");
}
