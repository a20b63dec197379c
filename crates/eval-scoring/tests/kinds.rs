//! Every scorer kind, run for real in a directory of this machine, also against what a hostile agent may leave there.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use eval_scoring::{
    CustomScript, Expect, FunctionOutcome, FunctionScore, FunctionSpec, LocalWorkspace, PassRate,
    ScriptLanguage, score,
};
use runloop_types::{Scorer, TestFile};
use serde_json::json;

const COMPLETE_1: FunctionOutcome = FunctionOutcome::Complete { score: 1.0 };
const COMPLETE_0: FunctionOutcome = FunctionOutcome::Complete { score: 0.0 };

fn spec(scorer: Scorer) -> FunctionSpec {
    FunctionSpec {
        name: "it".to_owned(),
        weight: 1.0,
        scorer,
        expect: Expect::Present,
        pass_rate: None,
        custom_script: None,
        timeout: Duration::from_secs(60),
        fails_after: None,
    }
}

fn command(line: &str) -> FunctionSpec {
    spec(Scorer::CommandScorer { command: line.to_owned() })
}

fn bash(script: &str) -> FunctionSpec {
    spec(Scorer::BashScriptScorer { bash_script: script.to_owned() })
}

fn python(script: &str) -> FunctionSpec {
    spec(Scorer::PythonScriptScorer {
        python_script: script.to_owned(),
        python_version_constraint: None,
        requirements_contents: None,
    })
}

fn test(command: &str, files: &[(&str, &str)]) -> FunctionSpec {
    let file = |(path, contents): &(&str, &str)| TestFile {
        file_path: (*path).to_owned(),
        file_contents: (*contents).to_owned(),
    };
    spec(Scorer::TestBasedScorer {
        test_command: command.to_owned(),
        test_files: Some(files.iter().map(file).collect()),
    })
}

fn workspace() -> LocalWorkspace {
    LocalWorkspace::new().expect("a temporary directory")
}

async fn run_in(workspace: &LocalWorkspace, spec: FunctionSpec) -> FunctionScore {
    let scored = score(&[spec], workspace).await.expect("the workspace holds");
    scored.functions.into_iter().next().expect("one function, one result")
}

async fn run(spec: FunctionSpec) -> FunctionScore {
    run_in(&workspace(), spec).await
}

/// Whether this machine has a program; says so if not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        println!("skipped: this machine has no {program}");
    }
    found
}

fn message(result: &FunctionScore) -> &str {
    result.message.as_deref().unwrap_or_default()
}

#[tokio::test]
async fn a_command_scores_by_its_exit_status() {
    assert_eq!(run(command("true")).await.outcome, COMPLETE_1);
    let failed = run(command("echo to-out; echo to-err >&2; exit 3")).await;
    assert_eq!(failed.outcome, COMPLETE_0);
    for part in ["exit status 3", "to-out", "to-err"] {
        assert!(failed.output.contains(part), "{}", failed.output);
    }
    assert_eq!(run(command("no-such-program-here")).await.outcome, COMPLETE_0);
    assert_eq!(run(command("kill -SEGV $$")).await.outcome, COMPLETE_0);
    assert_eq!(run(command(" ")).await.outcome, FunctionOutcome::Error);
}

#[tokio::test]
async fn what_takes_too_long_is_a_timeout_for_every_kind() {
    for mut slow in [
        command("sleep 60"),
        bash("echo score=1\nsleep 60"),
        python("import time\ntime.sleep(60)"),
        test("sleep 60", &[]),
    ] {
        slow.timeout = Duration::from_millis(300);
        let result = run(slow).await;
        assert_eq!(result.outcome, FunctionOutcome::Timeout);
        assert!(message(&result).contains("300ms"), "{}", result.output);
    }
}

#[tokio::test]
async fn what_a_command_leaves_running_does_not_hold_it_up() {
    let result = run(command("sleep 600 & exit 0")).await;
    assert_eq!(result.outcome, COMPLETE_1);
    assert!(result.duration_ms < 30_000, "{}", result.duration_ms);
}

#[tokio::test]
async fn a_bash_script_runs_in_the_working_directory() {
    let workspace = workspace();
    std::fs::write(workspace.path().join("answer"), "42").expect("written");
    let script = "if [ \"$(cat answer)\" = 42 ]; then echo score=0.5; else echo score=0; fi";
    assert_eq!(run_in(&workspace, bash(script)).await.outcome, FunctionOutcome::Complete { score: 0.5 });
}

#[tokio::test]
async fn scores_that_are_not_plain_numbers_from_0_to_1_are_errors() {
    for score in ["1e309", "0x1", "+1", "nan", "-1", "2", "", "one", "0.5 of 1", "inf"] {
        let result = run(bash(&format!("echo 'score={score}'"))).await;
        assert_eq!(result.outcome, FunctionOutcome::Error, "{score}");
        assert!(message(&result).contains("the script's score"), "{}", result.output);
    }
}

#[tokio::test]
async fn a_score_counts_on_the_last_line_of_standard_output_only() {
    assert_eq!(run(bash("echo score=1\necho done")).await.outcome, FunctionOutcome::Error);
    assert_eq!(run(bash("echo score=1 >&2")).await.outcome, FunctionOutcome::Error);
    assert_eq!(run(bash("echo score=1; echo score=0; echo; echo score=1 >&2")).await.outcome, COMPLETE_0);
}

#[tokio::test]
async fn a_script_has_no_standard_input_and_does_not_find_itself_in_the_environment() {
    let script = "read -r line && exit 1\n[ -z \"${RL_SCORER_SCRIPT+set}\" ] && echo score=1";
    assert_eq!(run(bash(script)).await.outcome, COMPLETE_1);
}

#[tokio::test]
async fn a_script_of_any_length_runs_and_leaves_no_file() {
    let padding = "# padding\n".repeat(40_000);
    let checks_itself = "file=$(readlink /dev/fd/9)\n[ ! -e \"${file% (deleted)}\" ] && echo score=1";
    let long_bash = format!("{padding}{checks_itself}");
    let result = run(bash(&long_bash)).await;
    assert_eq!(result.outcome, COMPLETE_1, "{}", result.output);
    if has("python3") {
        let result = run(python(&format!("{padding}print(0.25)"))).await;
        assert_eq!(result.outcome, FunctionOutcome::Complete { score: 0.25 }, "{}", result.output);
    }
}

#[tokio::test]
async fn ten_megabytes_of_output_are_bounded_and_the_score_is_still_found() {
    let result = run(bash("head -c 10000000 /dev/zero | tr '\\0' x; echo; echo score=0.75")).await;
    assert_eq!(result.outcome, FunctionOutcome::Complete { score: 0.75 });
    assert!(result.output.len() < 70_000, "{}", result.output.len());
    assert!(result.output.contains("bytes cut"));
    assert!(result.output.ends_with("score=0.75\n"));
}

#[tokio::test]
async fn invalid_utf_8_is_no_obstacle() {
    let result = run(bash("printf '\\xff\\xfe\\x00\\n'; echo score=1")).await;
    assert_eq!(result.outcome, COMPLETE_1);
    assert_eq!(run(bash("printf 'score=1\\xff\\n'")).await.outcome, FunctionOutcome::Error);
}

#[tokio::test]
async fn a_python_script_prints_its_number_last() {
    if !has("python3") {
        return;
    }
    assert_eq!(
        run(python("print('checking')\nprint(0.1 + 0.2)")).await.outcome,
        FunctionOutcome::Complete { score: 0.1 + 0.2 }
    );
    let raised = run(python("print(1)\nraise ValueError('no luck')")).await;
    assert_eq!(raised.outcome, FunctionOutcome::Error);
    assert!(message(&raised).contains("ValueError: no luck"), "{}", raised.output);
    for bad in ["print('nan')", "print(float('nan'))", "print(1.5)", "pass", "print('score is 1')"] {
        assert_eq!(run(python(bad)).await.outcome, FunctionOutcome::Error, "{bad}");
    }
}

#[tokio::test]
async fn modules_that_an_agent_planted_are_not_imported() {
    if !has("python3") {
        return;
    }
    let workspace = workspace();
    std::fs::write(workspace.path().join("json.py"), "print('score=1'); import os; os._exit(0)")
        .expect("written");
    let result = run_in(&workspace, python("import json\nprint(json.loads('0.25'))")).await;
    assert_eq!(result.outcome, FunctionOutcome::Complete { score: 0.25 }, "{}", result.output);
    assert!(!workspace.path().join("__pycache__").exists());
}

#[tokio::test]
async fn a_python_version_is_checked() {
    if !has("python3") {
        return;
    }
    let constrained = |constraint: &str| {
        spec(Scorer::PythonScriptScorer {
            python_script: "print(1)".to_owned(),
            python_version_constraint: Some(constraint.to_owned()),
            requirements_contents: Some("# nothing\n".to_owned()),
        })
    };
    assert_eq!(run(constrained(">=3.6,<4")).await.outcome, COMPLETE_1);
    let unreadable = run(constrained("3.x")).await;
    assert!(message(&unreadable).contains("`3.x` is not a version constraint"), "{}", unreadable.output);
    if !has("uv") {
        let unmet = run(constrained("==2.7.*")).await;
        assert_eq!(unmet.outcome, FunctionOutcome::Error);
        assert!(message(&unmet).contains("needs Python ==2.7.*, python3 is `3."), "{}", unmet.output);
    }
}

/// A stand-in for `uv` that shows what it was asked: the real one needs a network.
const RECORDING_UV: &str = r#"#!/bin/bash
printf '%s\n' "$@" >"$RECORD"
while [ "$1" != -- ]; do
    if [ "$1" = --with-requirements ]; then cp "$2" "$RECORD.requirements"; fi
    shift
done
shift 2
exec python3 "$@"
"#;

#[tokio::test]
async fn packages_come_from_uv_where_there_is_one() {
    if !has("python3") {
        return;
    }
    let workspace = workspace();
    let record = workspace.path().join("record");
    let bin = workspace.path().join("bin");
    std::fs::create_dir(&bin).expect("made");
    std::fs::write(bin.join("uv"), RECORDING_UV).expect("written");
    assert!(
        Command::new("chmod").args(["+x"]).arg(bin.join("uv")).status().is_ok_and(|status| status.success())
    );
    let workspace =
        WithPath { inner: workspace, bin: bin.display().to_string(), record: record.display().to_string() };
    let spec = spec(Scorer::PythonScriptScorer {
        python_script: "print(0.5)".to_owned(),
        python_version_constraint: Some("==2.7.*".to_owned()),
        requirements_contents: Some("left-pad==1.0\n".to_owned()),
    });
    let scored = score(&[spec], &workspace).await.expect("the workspace holds");
    assert_eq!(scored.total, Some(0.5), "{:?}", scored.functions);
    let asked = std::fs::read_to_string(&record).expect("uv was asked");
    assert!(
        asked.starts_with("run\n--quiet\n--isolated\n--no-project\n--no-config\n--python\n==2.7.*\n"),
        "{asked}"
    );
    let requirements =
        std::fs::read_to_string(format!("{}.requirements", record.display())).expect("they were there");
    assert_eq!(requirements, "left-pad==1.0\n");
    let path = asked.lines().find(|line| line.starts_with("/tmp/.scorer-")).expect("a path");
    assert!(!std::path::Path::new(path).exists(), "it was removed");
}

/// A workspace with a directory before all others on `PATH`.
struct WithPath {
    inner: LocalWorkspace,
    bin: String,
    record: String,
}

impl eval_scoring::Workspace for WithPath {
    type Error = std::io::Error;

    async fn exec(&self, command: &eval_scoring::Command) -> Result<eval_scoring::Output, Self::Error> {
        let mut command = command.clone();
        let path = format!("{}:{}", self.bin, std::env::var("PATH").unwrap_or_default());
        command.env.extend([("PATH".to_owned(), path), ("RECORD".to_owned(), self.record.clone())]);
        self.inner.exec(&command).await
    }

    async fn write(&self, path: &str, content: &[u8]) -> Result<(), Self::Error> {
        self.inner.write(path, content).await
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Self::Error> {
        self.inner.read(path).await
    }

    async fn files(
        &self,
        directory: &str,
        extensions: &[String],
        max: u64,
    ) -> Result<Vec<eval_scoring::WorkspaceFile>, Self::Error> {
        self.inner.files(directory, extensions, max).await
    }
}

#[tokio::test]
async fn test_files_are_written_before_the_command() {
    let files = [("hidden/deep/check.sh", "[ -f solution ]\n")];
    assert_eq!(run(test("bash hidden/deep/check.sh", &files)).await.outcome, COMPLETE_0);
    let workspace = workspace();
    std::fs::write(workspace.path().join("solution"), "").expect("written");
    assert_eq!(run_in(&workspace, test("bash hidden/deep/check.sh", &files)).await.outcome, COMPLETE_1);
}

#[tokio::test]
async fn links_that_an_agent_planted_for_test_files_are_replaced() {
    let workspace = workspace();
    let outside = tempfile::tempdir().expect("a temporary directory");
    let target = outside.path().join("target");
    std::fs::write(&target, "exit 0\n").expect("written");
    symlink(&target, workspace.path().join("check.sh")).expect("linked");
    symlink(outside.path(), workspace.path().join("hidden")).expect("linked");
    let files = [("check.sh", "exit 1\n"), ("hidden/other.sh", "exit 1\n")];
    let result = run_in(&workspace, test("bash check.sh || bash hidden/other.sh", &files)).await;
    assert_eq!(result.outcome, COMPLETE_0);
    assert_eq!(std::fs::read_to_string(&target).expect("still there"), "exit 0\n");
    assert!(!outside.path().join("other.sh").exists());
}

fn junit(command: &str) -> FunctionSpec {
    FunctionSpec { pass_rate: Some(PassRate::Junit("reports/junit.xml".to_owned())), ..test(command, &[]) }
}

const ALL_PASSED: &str = "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>";

#[tokio::test]
async fn a_report_gives_the_share_of_passed_tests() {
    let write = "mkdir -p reports; echo \"<testsuite><testcase/><testcase/><testcase/><testcase><failure/></testcase></testsuite>\" >reports/junit.xml; exit 1";
    let result = run(junit(write)).await;
    assert_eq!(result.outcome, FunctionOutcome::Complete { score: 0.75 });
    assert!(result.output.starts_with("3 passed, 1 failed, 0 left out\nexit status 1"), "{}", result.output);
}

#[tokio::test]
async fn a_planted_report_does_not_count() {
    for plant in ["file", "directory", "link"] {
        let workspace = workspace();
        let reports = workspace.path().join("reports");
        std::fs::create_dir(&reports).expect("made");
        std::fs::write(workspace.path().join("elsewhere.xml"), ALL_PASSED).expect("written");
        let report = reports.join("junit.xml");
        match plant {
            "file" => std::fs::write(&report, ALL_PASSED).expect("written"),
            "directory" => std::fs::create_dir(&report).expect("made"),
            _ => symlink("../elsewhere.xml", &report).expect("linked"),
        }
        assert_eq!(run_in(&workspace, junit("exit 1")).await.outcome, COMPLETE_0, "{plant}");
        let silent = run_in(&workspace, junit("exit 0")).await;
        assert_eq!(silent.outcome, FunctionOutcome::Error, "{plant}");
        assert!(message(&silent).contains("there is no report at `reports/junit.xml`"), "{}", silent.output);
    }
}

#[tokio::test]
async fn a_failing_command_never_has_full_marks() {
    let write = format!("mkdir -p reports; echo \"{ALL_PASSED}\" >reports/junit.xml; exit 1");
    assert_eq!(run(junit(&write)).await.outcome, FunctionOutcome::Complete { score: 2.0 / 3.0 });
}

#[tokio::test]
async fn a_hostile_report_is_an_error_that_says_so() {
    let write = "mkdir -p reports; echo '<!DOCTYPE a [<!ENTITY x \"y\">]><testsuite/>' >reports/junit.xml";
    let result = run(junit(write)).await;
    assert!(message(&result).contains("declares a document type"), "{}", result.output);
}

#[tokio::test]
async fn tap_gives_the_share_of_passed_tests() {
    let tap = |command: &str| FunctionSpec { pass_rate: Some(PassRate::Tap), ..test(command, &[]) };
    assert_eq!(
        run(tap("printf '1..4\\nok 1\\nok 2\\nnot ok 3\\n'; exit 1")).await.outcome,
        FunctionOutcome::Complete { score: 0.5 }
    );
    assert_eq!(run(tap("printf '1..2\\nok 1\\nok 2\\n'")).await.outcome, COMPLETE_1);
    assert_eq!(run(tap("printf '1..2\\nok 1\\nBail out!\\n'; exit 1")).await.outcome, COMPLETE_0);
    assert_eq!(run(tap("echo nothing")).await.outcome, FunctionOutcome::Error);
    let long = run(tap("echo 1..1; head -c 5000000 /dev/zero | tr '\\0' '\\n'; echo ok 1")).await;
    assert!(message(&long).contains("too long"), "{}", message(&long));
}

fn ast_grep(pattern: &str, lang: Option<&str>, expect: Expect) -> FunctionSpec {
    let scorer = Scorer::AstGrepScorer {
        pattern: pattern.to_owned(),
        search_directory: "src".to_owned(),
        lang: lang.map(str::to_owned),
    };
    FunctionSpec { expect, ..spec(scorer) }
}

#[tokio::test]
async fn a_pattern_is_searched_below_a_directory() {
    let workspace = workspace();
    std::fs::create_dir_all(workspace.path().join("src/deep")).expect("made");
    std::fs::write(workspace.path().join("src/deep/a.py"), "\nx = eval(y)\n").expect("written");
    std::fs::write(workspace.path().join("outside.py"), "compile(z)\n").expect("written");
    symlink("../outside.py", workspace.path().join("src/link.py")).expect("linked");
    let found = run_in(&workspace, ast_grep("eval($A)", Some("python"), Expect::Present)).await;
    assert_eq!(found.outcome, COMPLETE_1);
    assert!(found.output.contains("src/deep/a.py:2: `eval(y)`"), "{}", found.output);
    assert_eq!(run_in(&workspace, ast_grep("eval($A)", None, Expect::Absent)).await.outcome, COMPLETE_0);
    assert_eq!(
        run_in(&workspace, ast_grep("compile($A)", Some("python"), Expect::Absent)).await.outcome,
        COMPLETE_1
    );
    let unknown = run_in(&workspace, ast_grep("x", Some("cobol"), Expect::Present)).await;
    assert!(message(&unknown).contains("`cobol` is not one of bash, c, css"), "{}", unknown.output);
    let broken = run_in(&workspace, ast_grep("eval(", Some("python"), Expect::Absent)).await;
    assert_eq!(broken.outcome, FunctionOutcome::Error, "{}", broken.output);
}

#[tokio::test]
async fn a_custom_scorer_reads_its_context() {
    let custom = |language, text: &str, params| FunctionSpec {
        custom_script: Some(CustomScript { language, text: text.to_owned() }),
        ..spec(Scorer::CustomScorer { custom_scorer_type: "threshold".to_owned(), scorer_params: params })
    };
    let script = "echo \"score=$(echo \"$RL_SCORER_CONTEXT\" | tr -dc '0-9.')\"";
    let result = run(custom(ScriptLanguage::Bash, script, Some(json!({"threshold": 0.9})))).await;
    assert_eq!(result.outcome, FunctionOutcome::Complete { score: 0.9 });
    let script = "[ \"$RL_SCORER_CONTEXT\" = '{}' ] && echo score=1";
    assert_eq!(run(custom(ScriptLanguage::Bash, script, None)).await.outcome, COMPLETE_1);
    if has("python3") {
        let script = "import json, os\nprint(json.loads(os.environ['RL_SCORER_CONTEXT'])['a'][1])";
        let result = run(custom(ScriptLanguage::Python, script, Some(json!({"a": [0, 0.5]})))).await;
        assert_eq!(result.outcome, FunctionOutcome::Complete { score: 0.5 }, "{}", result.output);
    }
    let huge = run(custom(ScriptLanguage::Bash, "echo score=1", Some(json!("x".repeat(200_000))))).await;
    assert!(message(&huge).contains("200002 bytes"), "{}", huge.output);
}

#[tokio::test]
async fn a_custom_scorer_without_a_script_says_what_to_do() {
    let scorer = Scorer::CustomScorer { custom_scorer_type: "style".to_owned(), scorer_params: None };
    let result = run(spec(scorer)).await;
    assert_eq!(result.outcome, FunctionOutcome::Error);
    assert!(message(&result).contains("no custom scorer `style` is registered"), "{}", result.output);
}

#[tokio::test]
async fn functions_run_in_order_and_sum_up() {
    let parts = [
        FunctionSpec { weight: 0.75, name: "first".to_owned(), ..command("touch ran") },
        FunctionSpec { weight: 0.25, name: "second".to_owned(), ..command("[ ! -e ran ]") },
    ];
    let scored = score(&parts, &workspace()).await.expect("the workspace holds");
    assert_eq!(scored.total, Some(0.75));
    let names: Vec<_> = scored.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(scored.to_view().scoring_function_results.len(), 2);
}

#[tokio::test]
async fn a_check_that_takes_longer_than_its_own_time_has_failed() {
    let custom = |language, text: &str| FunctionSpec {
        custom_script: Some(CustomScript { language, text: text.to_owned() }),
        ..spec(Scorer::CustomScorer { custom_scorer_type: "it".to_owned(), scorer_params: None })
    };
    let endless = "echo score=1; echo waiting; sleep 600";
    let mut kinds = vec![
        command(endless),
        bash(endless),
        test(endless, &[]),
        junit(endless),
        FunctionSpec { pass_rate: Some(PassRate::Tap), ..test(endless, &[]) },
        custom(ScriptLanguage::Bash, endless),
    ];
    if has("python3") {
        let endless = "import time; print('waiting', flush=True); time.sleep(600)";
        kinds.extend([python(endless), custom(ScriptLanguage::Python, endless)]);
    }
    // All at once, because a busy machine needs a while until the programs have begun.
    let limit = Duration::from_secs(4);
    let specs = kinds.into_iter().map(|kind| FunctionSpec { fails_after: Some(limit), ..kind });
    let runs: Vec<_> = specs.map(|spec| tokio::spawn(run(spec))).collect();
    for run in runs {
        let result = run.await.expect("a result");
        assert_eq!((result.outcome, &result.message), (COMPLETE_0, &None), "{result:?}");
        assert!(result.output.starts_with("it did not end within 4s\n"), "{}", result.output);
        assert!(result.output.contains("waiting"), "{}", result.output);
    }
}

#[tokio::test]
async fn the_scenario_s_time_gives_no_score_even_below_a_check_s_own() {
    let (timeout, limit) = (Duration::from_millis(300), Duration::from_millis(300));
    let spec = FunctionSpec { timeout, fails_after: Some(limit), ..command("sleep 600") };
    assert_eq!(run(spec).await.outcome, FunctionOutcome::Timeout);
    let spec = FunctionSpec { fails_after: Some(limit), ..command("exit 3") };
    let result = run(spec).await;
    assert_eq!(result.outcome, COMPLETE_0);
    assert!(result.output.starts_with("exit status 3"), "{}", result.output);
}
