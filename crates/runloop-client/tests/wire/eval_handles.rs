//! Handles of evaluation: scenarios, their builder and runs, custom scorers, benchmarks, their runs and jobs.

use std::time::Duration;

use runloop_client::types::*;
use runloop_client::{
    BenchmarkDefinitionsParams, BenchmarkRunListParams, BenchmarkScenarioRunListParams, Error, LastValue,
    PollingConfig, ScenarioRun, ScenarioRunListParams, WaitOptions,
};
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

use crate::support::{always, client, json as answer, requests, sequence, target};

/// Method and target of each request.
async fn log(server: &MockServer) -> Vec<String> {
    requests(server).await.iter().map(|request| format!("{} {}", request.method, target(request))).collect()
}

/// The JSON body of the last request.
async fn last_body(server: &MockServer) -> Value {
    requests(server).await.last().unwrap().body_json().unwrap()
}

fn run_view(state: &str) -> ResponseTemplate {
    answer(200, json!({"id": "scr_1", "scenario_id": "scn_1", "devbox_id": "dbx_1", "state": state}))
}

fn scored(score: f64) -> ResponseTemplate {
    let result = json!({"score": score, "scoring_function_results": []});
    answer(200, json!({"id": "scr_1", "state": "scored", "scoring_contract_result": result}))
}

fn devbox(status: &str) -> ResponseTemplate {
    answer(200, json!({"id": "dbx_1", "status": status}))
}

fn often(max_attempts: u32) -> PollingConfig {
    PollingConfig { interval: Duration::from_millis(1), max_attempts, timeout: None }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result.unwrap_err() {
        Error::InvalidRequest { reason } => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_builder_pushes_what_it_was_told() {
    let server = always(answer(200, json!({"id": "scn_1"}))).await;
    let client = client(&server.uri());
    let test = TestFile { file_path: "tests/t.py".into(), file_contents: "assert True".into() };
    let scenario = client
        .scenario_builder("fix-it")
        .from_blueprint(&client.blueprint("bpt_1"))
        .with_working_directory("/work")
        .with_launch_parameters(LaunchParameters { keep_alive_time_seconds: Some(60), ..Default::default() })
        .with_problem_statement("Fix it.")
        .with_additional_context(json!({"hint": [1]}))
        .with_metadata(Metadata::from([("team".into(), "a".into())]))
        .with_reference_output("diff")
        .with_required_environment_variables(["E"])
        .with_required_secret_names(["S"])
        .with_scorer_timeout(Duration::from_millis(90_500))
        .with_validation_type(ScenarioValidationType::Forward)
        .add_test_command_scorer("tests", "pytest", [test], 4.0)
        .and_then(|builder| builder.add_shell_command_scorer("shell", "make", 1.0))
        .and_then(|builder| builder.add_bash_script_scorer("bash", "echo score=1", 1.0))
        .and_then(|builder| builder.add_python_script_scorer("python", "print(1)", 1.0))
        .and_then(|builder| builder.add_ast_grep_scorer("ast", "eval($X)", ".", Some("python"), 0.5))
        .and_then(|builder| builder.add_custom_scorer("custom", "style", Some(json!({"max": 3})), 0.5))
        .unwrap()
        .push()
        .await
        .unwrap();
    assert_eq!(scenario.id().as_ref(), "scn_1");
    assert_eq!(log(&server).await, ["POST /v1/scenarios"]);
    let function =
        |name: &str, weight: f64, scorer: Value| json!({"name": name, "weight": weight, "scorer": scorer});
    let functions = json!([
        function(
            "tests",
            0.5,
            json!({"type": "test_based_scorer", "test_command": "pytest", "test_files": [{"file_path": "tests/t.py", "file_contents": "assert True"}]})
        ),
        function("shell", 0.125, json!({"type": "command_scorer", "command": "make"})),
        function("bash", 0.125, json!({"type": "bash_script_scorer", "bash_script": "echo score=1"})),
        function("python", 0.125, json!({"type": "python_script_scorer", "python_script": "print(1)"})),
        function(
            "ast",
            0.0625,
            json!({"type": "ast_grep_scorer", "pattern": "eval($X)", "search_directory": ".", "lang": "python"})
        ),
        function(
            "custom",
            0.0625,
            json!({"type": "custom_scorer", "custom_scorer_type": "style", "scorer_params": {"max": 3}})
        ),
    ]);
    let expected = json!({
        "name": "fix-it",
        "input_context": {"problem_statement": "Fix it.", "additional_context": {"hint": [1]}},
        "scoring_contract": {"scoring_function_parameters": functions},
        "environment_parameters": {
            "blueprint_id": "bpt_1",
            "working_directory": "/work",
            "launch_parameters": {"keep_alive_time_seconds": 60},
        },
        "metadata": {"team": "a"},
        "reference_output": "diff",
        "required_environment_variables": ["E"],
        "required_secret_names": ["S"],
        "scorer_timeout_sec": 90,
        "validation_type": "FORWARD",
    });
    assert_eq!(last_body(&server).await, expected);
}

#[tokio::test]
async fn a_builder_leaves_out_what_it_was_not_told() {
    let client = client("http://127.0.0.1:1");
    let builder = client.scenario_builder("s").with_problem_statement("Do it.");
    let params = builder.add_shell_command_scorer("a", "true", 7.0).unwrap().build().unwrap();
    let expected = json!({
        "name": "s",
        "input_context": {"problem_statement": "Do it."},
        "scoring_contract": {"scoring_function_parameters": [
            {"name": "a", "weight": 1.0, "scorer": {"type": "command_scorer", "command": "true"}},
        ]},
        "metadata": {},
    });
    assert_eq!(serde_json::to_value(params).unwrap(), expected);
}

#[tokio::test]
async fn a_devbox_starts_from_a_blueprint_or_a_snapshot_whichever_was_said_last() {
    let client = client("http://127.0.0.1:1");
    let (blueprint, snapshot) = (client.blueprint("bpt_1"), client.snapshot("snp_1"));
    let environment = |builder: runloop_client::ScenarioBuilder| {
        let environment = builder.preview().environment.unwrap();
        (environment.blueprint_id, environment.snapshot_id)
    };
    let builder = client.scenario_builder("s").from_blueprint(&blueprint).from_snapshot(&snapshot);
    assert_eq!(environment(builder.clone()), (None, Some("snp_1".into())));
    assert_eq!(environment(builder.from_blueprint(&blueprint)), (Some("bpt_1".into()), None));
}

#[tokio::test]
async fn a_preview_needs_nothing_and_names_the_environment_as_a_scenario_does() {
    let client = client("http://127.0.0.1:1");
    let empty = client.scenario_builder("s").preview();
    let expected = json!({
        "name": "s",
        "input_context": {"problem_statement": ""},
        "scoring_contract": {"scoring_function_parameters": []},
        "metadata": {},
    });
    assert_eq!(serde_json::to_value(empty).unwrap(), expected);

    let builder = client.scenario_builder("s").with_working_directory("/w");
    let builder = builder.add_bash_script_scorer("a", "x", 1.0).unwrap();
    let preview = builder.add_bash_script_scorer("b", "y", 3.0).unwrap().preview();
    let view: ScenarioView = serde_json::from_value(serde_json::to_value(&preview).unwrap()).unwrap();
    assert_eq!(view.environment.unwrap().working_directory.as_deref(), Some("/w"));
    let weights: Vec<_> =
        view.scoring_contract.scoring_function_parameters.iter().map(|function| function.weight).collect();
    assert_eq!(weights, [0.25, 0.75]);
}

#[tokio::test]
async fn a_builder_refuses_scorers_at_once_and_incomplete_scenarios_before_sending() {
    let server = always(answer(200, json!({"id": "scn_1"}))).await;
    let client = client(&server.uri());
    let builder = client.scenario_builder("s");
    for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let reason = refused(builder.clone().add_shell_command_scorer("a", "true", weight));
        assert!(reason.contains("positive number") && reason.contains("`a`"), "{reason}");
    }
    let large = builder.clone().add_shell_command_scorer("a", "true", f64::MAX).unwrap();
    refused(large.add_shell_command_scorer("b", "true", f64::MAX));
    for name in ["", "a b", "ä", "a/b"] {
        refused(builder.clone().add_shell_command_scorer(name, "true", 1.0));
    }
    let scored = builder.clone().add_shell_command_scorer("a_B-1", "true", 1.0).unwrap();
    assert!(refused(scored.push().await).contains("problem statement"));
    assert!(refused(builder.with_problem_statement("p").push().await).contains("scorer"));
    assert!(log(&server).await.is_empty());
}

#[tokio::test]
async fn a_scenario_runs_once_its_devbox_does() {
    let server = sequence(vec![run_view("running"), answer(408, json!({})), devbox("running")]).await;
    let params = ScenarioStartRunParams { run_name: Some("r".into()), ..Default::default() };
    let run = client(&server.uri()).scenario("scn_1").run(&params, WaitOptions::default()).await.unwrap();
    assert_eq!((run.id().as_ref(), run.devbox_id().as_ref()), ("scr_1", "dbx_1"));
    assert_eq!(run.devbox().id(), run.devbox_id());
    let wait = "POST /v1/devboxes/dbx_1/wait_for_status";
    assert_eq!(log(&server).await, ["POST /v1/scenarios/start_run", wait, wait]);
    let sent: Value = requests(&server).await[0].body_json().unwrap();
    assert_eq!(sent, json!({"scenario_id": "scn_1", "run_name": "r"}));
}

#[tokio::test]
async fn a_run_without_a_devbox_is_an_error_and_start_run_does_not_wait() {
    let server = sequence(vec![run_view("running"), devbox("failure"), run_view("running")]).await;
    let scenario = client(&server.uri()).scenario("scn_1");
    let params = ScenarioStartRunParams::default();
    let error = scenario.run(&params, WaitOptions::default()).await.unwrap_err();
    let Error::WrongState(wrong) = error else { panic!("{error}") };
    assert_eq!(wrong.last_value.status(), "failure");
    assert_eq!(scenario.start_run(&params).await.unwrap().id().as_ref(), "scr_1");
    assert_eq!(log(&server).await.last().unwrap(), "POST /v1/scenarios/start_run");

    let other = ScenarioStartRunParams { scenario_id: "scn_2".into(), ..Default::default() };
    assert!(refused(scenario.start_run(&other).await).contains("scn_2"));
    assert_eq!(log(&server).await.len(), 3);
}

#[tokio::test]
async fn a_scenario_is_looked_at_changed_listed_and_put_away() {
    let server = always(answer(200, json!({"id": "scn_1", "name": "s", "runs": []}))).await;
    let client = client(&server.uri());
    let params = ScenarioCreateParams { name: "s".into(), ..Default::default() };
    let scenario = client.create_scenario(&params).await.unwrap();
    assert_eq!(scenario.info().await.unwrap().name, "s");
    scenario.update(&ScenarioUpdateParams { name: Some("t".into()), ..Default::default() }).await.unwrap();
    assert_eq!(last_body(&server).await, json!({"name": "t"}));
    let params = ScenarioRunListParams { scenario_id: Some("scn_2".into()), ..Default::default() };
    scenario.list_runs(&params).await.unwrap();
    scenario.archive().await.unwrap();
    let expected = [
        "POST /v1/scenarios",
        "GET /v1/scenarios/scn_1",
        "POST /v1/scenarios/scn_1",
        "GET /v1/scenarios/runs?scenario_id=scn_1",
        "POST /v1/scenarios/scn_1/archive",
    ];
    assert_eq!(log(&server).await, expected);
}

fn run(server: &MockServer) -> ScenarioRun {
    client(&server.uri()).scenario_run("scr_1", "dbx_1")
}

#[tokio::test]
async fn a_run_is_ready_when_its_devbox_runs() {
    let server = sequence(vec![devbox("running"), run_view("running")]).await;
    let view = run(&server).await_env_ready(WaitOptions::default()).await.unwrap();
    assert_eq!(view.state, ScenarioRunState::Running);
    let expected = ["POST /v1/devboxes/dbx_1/wait_for_status", "GET /v1/scenarios/runs/scr_1"];
    assert_eq!(log(&server).await, expected);

    let server = sequence(vec![devbox("shutdown")]).await;
    let error = run(&server).await_env_ready(WaitOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::WrongState(_)), "{error}");
}

#[tokio::test]
async fn a_run_is_scored_and_then_completed() {
    let answers = vec![run_view("scoring"), run_view("scoring"), scored(0.75), run_view("completed")];
    let server = sequence(answers).await;
    let view = run(&server).score_and_complete(often(10)).await.unwrap();
    assert_eq!(view.state, ScenarioRunState::Completed);
    let expected = [
        "POST /v1/scenarios/runs/scr_1/score",
        "GET /v1/scenarios/runs/scr_1",
        "GET /v1/scenarios/runs/scr_1",
        "POST /v1/scenarios/runs/scr_1/complete",
    ];
    assert_eq!(log(&server).await, expected);

    let server = sequence(vec![run_view("scoring"), scored(0.75)]).await;
    let view = run(&server).score_and_await(often(10)).await.unwrap();
    assert_eq!(view.scoring_contract_result.unwrap().score, 0.75);
    assert_eq!(log(&server).await.len(), 2);
}

#[tokio::test]
async fn a_run_that_cannot_be_scored_is_not_completed() {
    for state in ["failed", "timeout", "canceled", "running", "something-new"] {
        let server = sequence(vec![run_view("scoring"), run_view(state)]).await;
        let error = run(&server).score_and_complete(often(10)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("scenario run scr_1 to be scored ended as {state}"));
        let Error::WrongState(wrong) = error else { panic!("{error}") };
        assert!(matches!(wrong.last_value, LastValue::ScenarioRun(view) if view.id.as_ref() == "scr_1"));
        assert_eq!(log(&server).await.len(), 2);
    }
}

#[tokio::test]
async fn a_wait_for_a_score_ends_on_time_with_the_run() {
    let server = always(run_view("scoring")).await;
    let error = run(&server).await_scored(often(3)).await.unwrap_err();
    let Error::PollingTimeout(timeout) = error else { panic!("{error}") };
    assert_eq!(timeout.attempts, 3);
    assert_eq!(timeout.last_value.unwrap().status(), "scoring");
    assert_eq!(log(&server).await.len(), 3);
}

#[tokio::test]
async fn the_score_and_the_logs_of_a_run() {
    let logs = ResponseTemplate::new(200).set_body_raw(b"PK\x05\x06 logs".to_vec(), "application/zip");
    let server = sequence(vec![
        run_view("running"),
        scored(0.5),
        logs,
        run_view("scored"),
        run_view("canceled"),
        answer(404, json!({"message": "no such run"})),
    ])
    .await;
    let run = run(&server);
    assert_eq!(run.scoring_result().await.unwrap(), None);
    assert_eq!(run.scoring_result().await.unwrap().unwrap().score, 0.5);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("logs.zip");
    assert_eq!(run.download_logs(&file).await.unwrap(), 9);
    assert_eq!(std::fs::read(&file).unwrap(), b"PK\x05\x06 logs");
    run.complete().await.unwrap();
    assert_eq!(run.cancel().await.unwrap().state, ScenarioRunState::Canceled);
    assert!(run.scoring_result().await.unwrap_err().is_not_found());
    let expected = [
        "GET /v1/scenarios/runs/scr_1",
        "GET /v1/scenarios/runs/scr_1",
        "POST /v1/scenarios/runs/scr_1/download_logs",
        "POST /v1/scenarios/runs/scr_1/complete",
        "POST /v1/scenarios/runs/scr_1/cancel",
        "GET /v1/scenarios/runs/scr_1",
    ];
    assert_eq!(log(&server).await, expected);
}

#[tokio::test]
async fn a_custom_scorer_is_created_looked_at_and_replaced() {
    let server = always(answer(200, json!({"id": "scs_1", "type": "style", "bash_script": "x"}))).await;
    let params = ScorerParams { kind: "style".into(), bash_script: "echo score=1".into() };
    let scorer = client(&server.uri()).create_custom_scorer(&params).await.unwrap();
    assert_eq!(scorer.id().as_ref(), "scs_1");
    assert_eq!(scorer.info().await.unwrap().kind, "style");
    scorer.update(&params).await.unwrap();
    assert_eq!(last_body(&server).await, json!({"type": "style", "bash_script": "echo score=1"}));
    let expected =
        ["POST /v1/scenarios/scorers", "GET /v1/scenarios/scorers/scs_1", "POST /v1/scenarios/scorers/scs_1"];
    assert_eq!(log(&server).await, expected);
}

#[tokio::test]
async fn a_benchmark_gets_scenarios_and_runs() {
    let server = always(answer(200, json!({"id": "bmd_1", "runs": [], "scenarios": []}))).await;
    let params = BenchmarkCreateParams { name: "b".into(), ..Default::default() };
    let benchmark = client(&server.uri()).create_benchmark(&params).await.unwrap();
    benchmark.info().await.unwrap();
    benchmark.update(&BenchmarkUpdateParams { name: Some("c".into()), ..Default::default() }).await.unwrap();
    benchmark.add_scenarios(["scn_1", "scn_2"]).await.unwrap();
    assert_eq!(last_body(&server).await, json!({"scenarios_to_add": ["scn_1", "scn_2"]}));
    benchmark.remove_scenarios([ScenarioId::from("scn_1")]).await.unwrap();
    assert_eq!(last_body(&server).await, json!({"scenarios_to_remove": ["scn_1"]}));
    benchmark.definitions(&BenchmarkDefinitionsParams::default()).await.unwrap();
    benchmark
        .list_runs(&BenchmarkRunListParams { name: Some("r".into()), ..Default::default() })
        .await
        .unwrap();
    let params = BenchmarkStartRunParams { run_name: Some("r".into()), ..Default::default() };
    let run = benchmark.start_run(&params).await.unwrap();
    assert_eq!(run.id().as_ref(), "bmd_1", "the id that was answered");
    assert_eq!(last_body(&server).await, json!({"benchmark_id": "bmd_1", "run_name": "r"}));
    let other = BenchmarkStartRunParams { benchmark_id: "bmd_2".into(), ..Default::default() };
    refused(benchmark.start_run(&other).await);
    let expected = [
        "POST /v1/benchmarks",
        "GET /v1/benchmarks/bmd_1",
        "POST /v1/benchmarks/bmd_1",
        "POST /v1/benchmarks/bmd_1/scenarios",
        "POST /v1/benchmarks/bmd_1/scenarios",
        "GET /v1/benchmarks/bmd_1/definitions",
        "GET /v1/benchmark_runs?benchmark_id=bmd_1&name=r",
        "POST /v1/benchmarks/start_run",
    ];
    assert_eq!(log(&server).await, expected);
}

#[tokio::test]
async fn a_benchmark_run_has_scenario_runs_and_an_end() {
    let view = json!({"id": "x_1", "devbox_id": "dbx_1", "state": "completed", "score": 0.5, "runs": []});
    let server = always(answer(200, view)).await;
    let run = client(&server.uri()).benchmark_run("bmr_1");
    run.info().await.unwrap();
    let params = ScenarioStartRunParams { scenario_id: "scn_1".into(), ..Default::default() };
    let trial = run.start_scenario_run(&params).await.unwrap();
    assert_eq!((trial.id().as_ref(), trial.devbox_id().as_ref()), ("x_1", "dbx_1"));
    assert_eq!(last_body(&server).await, json!({"scenario_id": "scn_1", "benchmark_run_id": "bmr_1"}));
    let other = ScenarioStartRunParams { benchmark_run_id: Some("bmr_2".into()), ..params };
    refused(run.start_scenario_run(&other).await);
    run.list_scenario_runs(&BenchmarkScenarioRunListParams::default()).await.unwrap();
    assert_eq!(run.complete().await.unwrap().score, Some(0.5));
    run.cancel().await.unwrap();
    let expected = [
        "GET /v1/benchmark_runs/bmr_1",
        "POST /v1/scenarios/start_run",
        "GET /v1/benchmark_runs/bmr_1/scenario_runs",
        "POST /v1/benchmark_runs/bmr_1/complete",
        "POST /v1/benchmark_runs/bmr_1/cancel",
    ];
    assert_eq!(log(&server).await, expected);
}

#[tokio::test]
async fn a_job_is_waited_for_to_its_end() {
    let view = |state: &str| answer(200, json!({"id": "job_1", "state": state, "failure_reason": null}));
    let states = ["initializing", "initializing", "queued", "running", "something-new", "completed"];
    let server = sequence(states.map(view).into()).await;
    let client = client(&server.uri());
    let job = client.create_benchmark_job(&BenchmarkJobCreateParams::default()).await.unwrap();
    let view = job.await_completed(often(10)).await.unwrap();
    assert_eq!(view.state, BenchmarkJobState::Completed);
    let mut expected = vec!["GET /v1/benchmark_jobs/job_1"; 6];
    expected[0] = "POST /v1/benchmark_jobs";
    assert_eq!(log(&server).await, expected);
}

#[tokio::test]
async fn a_job_that_fails_or_takes_too_long_is_an_error() {
    for state in ["failed", "cancelled", "timeout"] {
        let view = json!({"id": "job_1", "state": state, "failure_reason": "no such agent"});
        let server = always(answer(200, view)).await;
        let error =
            client(&server.uri()).benchmark_job("job_1").await_completed(often(10)).await.unwrap_err();
        let expected = format!("benchmark job job_1 to be completed ended as {state}: no such agent");
        assert_eq!(error.to_string(), expected);
    }
    let server = always(answer(200, json!({"id": "job_1", "state": "running"}))).await;
    let error = client(&server.uri()).benchmark_job("job_1").await_completed(often(2)).await.unwrap_err();
    let Error::PollingTimeout(timeout) = error else { panic!("{error}") };
    assert!(matches!(timeout.last_value, Some(LastValue::BenchmarkJob(_))));
}
