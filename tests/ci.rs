//! The files of `examples/ci/` do what they say: their commands are run as a CI system would.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{BINARY, Bench, Finished};

fn example(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/ci").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The step of the workflow that uses the action.
fn evaluation(workflow: &Value) -> &Value {
    let steps = workflow["jobs"]["evals"]["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["id"] == "evals").expect("the step that evaluates")
}

/// A project as the examples have it: the agent writes what it is told, which scores 1 for `yes`.
fn project(answer: &str) -> Bench {
    let bench = Bench::new();
    bench.write("evals/agent.yaml", &format!("name: mine\ncommand: echo {answer} > answer\n"));
    // Enough of them for a drop to be more than chance.
    let scenario = |n: u32| {
        format!(
            "  - name: s{n}\n    problem_statement: Say yes.\n    environment: {{ network: none }}\n    \
             scorers: [{{ name: said, weight: 1, shell_command: grep -qx yes answer }}]\n"
        )
    };
    let scenarios: String = (1..=8).map(scenario).collect();
    bench.write("evals/benchmark.yaml", &format!("name: ci\nscenarios:\n{scenarios}"));
    bench
}

/// Runs a script as a step would, with the program on the path.
fn step(bench: &Bench, script: &str, environment: &BTreeMap<String, String>) -> Finished {
    let program = Path::new(BINARY).parent().expect("a directory").display().to_string();
    let path = std::env::var("PATH").expect("a path");
    let template = bench.command();
    let mut shell = Command::new("bash");
    // As GitHub starts it, and GitLab in effect.
    shell.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
    shell.current_dir(template.get_current_dir().expect("a directory")).env_clear();
    shell.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PATH", format!("{program}:{path}")).envs(environment);
    Finished::of(shell.output().expect("bash starts"))
}

/// What the step of the composite action gets, from the inputs of a workflow and the defaults of the action.
fn environment(action: &Value, with: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let inputs = action["inputs"].as_object().expect("inputs");
    for name in with.keys() {
        assert!(inputs.contains_key(name), "the action has no input {name}");
    }
    let variables = action["runs"]["steps"][0]["env"].as_object().expect("variables");
    variables
        .iter()
        .map(|(variable, value)| {
            let input = value.as_str().and_then(|text| text.strip_prefix("${{ inputs.")?.strip_suffix(" }}"));
            let input = input.unwrap_or_else(|| panic!("{variable} is no input: {value}"));
            let default = inputs[input]["default"].as_str().unwrap_or_default().to_owned();
            (variable.clone(), with.get(input).cloned().unwrap_or(default))
        })
        .collect()
}

/// Runs the action with these inputs. Gives what it set as outputs too.
fn act(bench: &Bench, with: &BTreeMap<String, String>) -> (Finished, String) {
    let action = example("action.yml");
    let script = action["runs"]["steps"][0]["run"].as_str().expect("a script");
    assert!(!script.contains("${{"), "inputs are never text of the script");
    let mut environment = environment(&action, with);
    let outputs: PathBuf = bench.write("outputs", "");
    environment.insert("GITHUB_OUTPUT".to_owned(), outputs.display().to_string());
    environment.insert("GITHUB_STEP_SUMMARY".to_owned(), bench.path("step-summary").display().to_string());
    environment.insert("GITHUB_WORKSPACE".to_owned(), bench.path("").display().to_string());
    let finished = step(bench, script, &environment);
    (finished, std::fs::read_to_string(outputs).expect("outputs"))
}

/// The inputs that the example workflow gives to the action.
fn inputs() -> BTreeMap<String, String> {
    let workflow = example("github.yml");
    let with = evaluation(&workflow)["with"].as_object().expect("inputs");
    with.iter().map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned())).collect()
}

fn lines(value: &Value) -> String {
    let lines = value.as_array().expect("a list of commands").iter().map(|line| line.as_str().expect("text"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The commands by which the comment of an example makes the baseline.
fn make_baseline(bench: &Bench, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/ci").join(name);
    let text = std::fs::read_to_string(path).expect("the example");
    let commands: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let finished = step(bench, &commands.join("\n"), &BTreeMap::new());
    assert_eq!(finished.code(), 0, "{finished}");
}

#[test]
fn the_action_runs_the_benchmark_and_shows_it() {
    let bench = project("yes");
    let (finished, outputs) = act(
        &bench,
        &BTreeMap::from([
            ("benchmark".to_owned(), "evals/benchmark.yaml".to_owned()),
            ("agents".to_owned(), "nop\n\nevals/agent.yaml\n".to_owned()),
        ]),
    );
    assert_eq!(finished.code(), 0, "{finished}");
    assert_eq!(outputs, "exit-code=0\nrun-directory=runs/ci\n");
    let summary = std::fs::read_to_string(bench.path("step-summary")).expect("the step summary");
    assert!(summary.contains("| `s1` | ❌ 0.000 | ✅ 1.000 |"), "{summary}");
    assert!(finished.stderr().contains("::error file=evals/benchmark.yaml,line=3,"), "{finished}");
    assert!(bench.path("runs/ci/junit.xml").is_file());
}

#[test]
fn inputs_of_the_action_are_no_commands() {
    let bench = project("yes");
    let hostile = "$(touch injected) `touch injected`; touch injected \"';touch injected".to_owned();
    let (finished, outputs) = act(
        &bench,
        &BTreeMap::from([("benchmark".to_owned(), hostile.clone()), ("agents".to_owned(), hostile)]),
    );
    assert_eq!(finished.code(), 2, "{finished}");
    assert!(outputs.starts_with("exit-code=2\n"), "{outputs}");
    assert!(!bench.path("injected").exists());
}

#[test]
fn the_workflow_of_github_passes_what_is_as_good_and_stops_what_is_worse() {
    let workflow = example("github.yml");
    assert_eq!(workflow["on"], "pull_request", "never one that shows secrets to forks");
    assert_eq!(workflow["permissions"], serde_json::json!({ "contents": "read" }));

    let good = project("yes");
    make_baseline(&good, "github.yml");
    let (passed, _) = act(&good, &inputs());
    assert_eq!(passed.code(), 0, "{passed}");

    let bad = project("no");
    std::fs::copy(good.path("evals/baseline.json"), bad.path("evals/baseline.json")).expect("a baseline");
    let (stopped, outputs) = act(&bad, &inputs());
    assert_eq!(stopped.code(), 1, "a drop of everything fails: {stopped}");
    assert!(outputs.starts_with("exit-code=1\n"), "{outputs}");
}

#[test]
fn the_job_of_gitlab_passes_what_is_as_good_and_stops_what_is_worse() {
    let job = example("gitlab.yml")["evals"].clone();
    assert_eq!(job["artifacts"]["when"], "always", "a failed job shows its tests");
    let good = project("yes");
    make_baseline(&good, "gitlab.yml");
    let passed = step(&good, &lines(&job["script"]), &BTreeMap::new());
    assert_eq!(passed.code(), 0, "{passed}");
    let report = job["artifacts"]["reports"]["junit"].as_str().expect("the report");
    assert!(good.path(report).is_file(), "{report}");

    let bad = project("no");
    std::fs::copy(good.path("evals/baseline.json"), bad.path("evals/baseline.json")).expect("a baseline");
    let stopped = step(&bad, &lines(&job["script"]), &BTreeMap::new());
    assert_eq!(stopped.code(), 1, "a drop of everything fails: {stopped}");
    assert!(bad.path(report).is_file(), "also of a job that failed");
}
