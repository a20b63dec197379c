//! Handles: one verb each, ours and the SDK's.

use std::time::Duration;

use futures::future::BoxFuture;
use runloop_client::types::*;
use runloop_client::{
    BenchmarkRunListParams, BenchmarkScenarioRunListParams, Client, Error, PollingConfig, WaitOptions,
};
use serde_json::{Value, json};

use crate::table::Release;

/// The same thing done with our handles and with those of a release.
pub(crate) struct Chain {
    pub(crate) name: &'static str,
    pub(crate) release: Release,
    /// As `record.py` wants it.
    pub(crate) steps: Value,
    pub(crate) ours: fn(Client) -> BoxFuture<'static, Result<(), Error>>,
}

/// `chain!(name, steps, |client| call.await)`: what came of an awaited call, which is dropped.
macro_rules! chain {
    ($name:literal, $steps:expr, |$client:ident| $call:expr) => {
        Chain {
            name: $name,
            release: EVALUATION,
            steps: $steps,
            ours: |$client| Box::pin(async move { $call.map(drop) }),
        }
    };
}

/// The last release that evaluates.
const EVALUATION: Release = Release("1.32.0");

pub(crate) fn chains() -> Vec<Chain> {
    let scenario = || step("scenario.from_id", "scn_1");
    let run = |verb: &str| json!([scenario(), ["run_async", [], {}], [verb, [], {}]]);
    let benchmark = || step("benchmark.from_id", "bmd_1");
    let benchmark_run = |verb: &str| json!([benchmark(), ["start_run", [], {}], [verb, [], {}]]);
    let scorer = json!({"type": "style", "bash_script": "echo score=1"});
    vec![
        chain!("ScenarioBuilder::push, all", whole_builder(), |c| push_whole(c).await),
        chain!("ScenarioBuilder::push, least", least_builder(), |c| {
            let builder = c.scenario_builder("s").with_problem_statement("p");
            builder.add_shell_command_scorer("a", "make", 7.0)?.push().await
        }),
        chain!("Scenario::info", json!([scenario(), ["get_info", [], {}]]), |c| {
            c.scenario("scn_1").info().await
        }),
        chain!("Scenario::update", json!([scenario(), ["update", [], {"name": "t"}]]), |c| {
            let params = ScenarioUpdateParams { name: Some("t".into()), ..Default::default() };
            c.scenario("scn_1").update(&params).await
        }),
        chain!(
            "Scenario::run",
            json!([scenario(), ["run", [], {"run_name": "r", "metadata": {"k": "v"}}]]),
            |c| {
                let metadata = Some(Metadata::from([("k".to_owned(), "v".to_owned())]));
                let params =
                    ScenarioStartRunParams { run_name: Some("r".into()), metadata, ..Default::default() };
                c.scenario("scn_1").run(&params, wait()).await
            }
        ),
        chain!("ScenarioRun::info", run("get_info"), |c| start(&c).await?.info().await),
        chain!("ScenarioRun::await_env_ready", run("await_env_ready"), |c| {
            start(&c).await?.await_env_ready(wait()).await
        }),
        chain!("ScenarioRun::score", run("score"), |c| start(&c).await?.score().await),
        chain!("ScenarioRun::await_scored", run("await_scored"), |c| {
            start(&c).await?.await_scored(PollingConfig::default()).await
        }),
        chain!("ScenarioRun::score_and_await", run("score_and_await"), |c| {
            start(&c).await?.score_and_await(PollingConfig::default()).await
        }),
        chain!("ScenarioRun::score_and_complete", run("score_and_complete"), |c| {
            start(&c).await?.score_and_complete(PollingConfig::default()).await
        }),
        chain!("ScenarioRun::complete", run("complete"), |c| start(&c).await?.complete().await),
        chain!("ScenarioRun::cancel", run("cancel"), |c| start(&c).await?.cancel().await),
        chain!("ScenarioRun::scoring_result", run("get_score"), |c| start(&c).await?.scoring_result().await),
        chain!("CustomScorer, new", json!([["scorer.create", [], scorer]]), |c| {
            c.create_custom_scorer(&scorer_params()).await
        }),
        chain!("CustomScorer::info", json!([step("scorer.from_id", "scs_1"), ["get_info", [], {}]]), |c| {
            c.custom_scorer("scs_1").info().await
        }),
        chain!(
            "CustomScorer::update",
            json!([step("scorer.from_id", "scs_1"), ["update", [], scorer]]),
            |c| { c.custom_scorer("scs_1").update(&scorer_params()).await }
        ),
        chain!(
            "Benchmark, new",
            json!([["benchmark.create", [], {"name": "b", "scenario_ids": ["scn_1"]}]]),
            |c| {
                let scenario_ids = Some(vec!["scn_1".into()]);
                let params = BenchmarkCreateParams { name: "b".into(), scenario_ids, ..Default::default() };
                c.create_benchmark(&params).await
            }
        ),
        chain!("Benchmark::info", json!([benchmark(), ["get_info", [], {}]]), |c| {
            c.benchmark("bmd_1").info().await
        }),
        chain!("Benchmark::update", json!([benchmark(), ["update", [], {"name": "c"}]]), |c| {
            let params = BenchmarkUpdateParams { name: Some("c".into()), ..Default::default() };
            c.benchmark("bmd_1").update(&params).await
        }),
        chain!(
            "Benchmark::add_scenarios",
            json!([benchmark(), ["add_scenarios", [["scn_1", "scn_2"]], {}]]),
            |c| { c.benchmark("bmd_1").add_scenarios(["scn_1", "scn_2"]).await }
        ),
        chain!(
            "Benchmark::remove_scenarios",
            json!([benchmark(), ["remove_scenarios", [["scn_1"]], {}]]),
            |c| { c.benchmark("bmd_1").remove_scenarios(["scn_1"]).await }
        ),
        chain!("Benchmark::list_runs", json!([benchmark(), ["list_runs", [], {"limit": 3}]]), |c| {
            let page = PageParams { limit: Some(3), ..Default::default() };
            c.benchmark("bmd_1").list_runs(&BenchmarkRunListParams { page, ..Default::default() }).await
        }),
        chain!("BenchmarkRun::info", benchmark_run("get_info"), |c| start_benchmark(&c).await?.info().await),
        chain!("BenchmarkRun::complete", benchmark_run("complete"), |c| {
            start_benchmark(&c).await?.complete().await
        }),
        chain!("BenchmarkRun::cancel", benchmark_run("cancel"), |c| {
            start_benchmark(&c).await?.cancel().await
        }),
        chain!("BenchmarkRun::list_scenario_runs", benchmark_run("list_scenario_runs"), |c| {
            let run = start_benchmark(&c).await?;
            run.list_scenario_runs(&BenchmarkScenarioRunListParams::default()).await
        }),
    ]
}

fn step(name: &str, argument: &str) -> Value {
    json!([name, [argument], {}])
}

fn wait() -> WaitOptions {
    WaitOptions::within(Duration::from_secs(120))
}

async fn start(client: &Client) -> Result<runloop_client::ScenarioRun, Error> {
    client.scenario("scn_1").start_run(&ScenarioStartRunParams::default()).await
}

async fn start_benchmark(client: &Client) -> Result<runloop_client::BenchmarkRun, Error> {
    client.benchmark("bmd_1").start_run(&BenchmarkStartRunParams::default()).await
}

fn scorer_params() -> ScorerParams {
    ScorerParams { kind: "style".into(), bash_script: "echo score=1".into() }
}

fn least_builder() -> Value {
    json!([
        step("scenario.builder", "s"),
        step("with_problem_statement", "p"),
        ["add_shell_command_scorer", ["a"], {"command": "make", "weight": 7.0}],
        ["push", [], {}],
    ])
}

fn whole_builder() -> Value {
    let files = json!([{"file_path": "t.py", "file_contents": "assert True"}]);
    json!([
        step("scenario.builder", "s"),
        ["from_snapshot", [{"$": [step("snapshot.from_id", "snp_1")]}], {}],
        ["from_blueprint", [{"$": [step("blueprint.from_id", "bpt_1")]}], {}],
        step("with_working_directory", "/work"),
        step("with_problem_statement", "Fix it."),
        ["with_additional_context", [{"hint": [1, "two"]}], {}],
        ["with_metadata", [{"team": "a"}], {}],
        step("with_reference_output", "diff"),
        ["with_required_env_vars", [["E"]], {}],
        ["with_required_secrets", [["S"]], {}],
        step("with_validation_type", "FORWARD"),
        ["add_test_command_scorer", ["tests"], {"test_command": "pytest", "test_files": files, "weight": 3.0}],
        ["add_shell_command_scorer", ["shell"], {"command": "make"}],
        ["add_bash_script_scorer", ["bash"], {"bash_script": "echo score=1", "weight": 0.7}],
        ["add_python_script_scorer", ["python"], {"python_script": "print(1)", "weight": 0.1}],
        ["add_ast_grep_scorer", ["ast"], {"pattern": "eval($X)", "lang": "python", "weight": 0.2}],
        ["add_custom_scorer", ["custom"], {"custom_scorer_type": "style", "scorer_params": {"max": 3}}],
        ["push", [], {}],
    ])
}

async fn push_whole(client: Client) -> Result<runloop_client::Scenario, Error> {
    let test = TestFile { file_path: "t.py".into(), file_contents: "assert True".into() };
    client
        .scenario_builder("s")
        .from_snapshot(&client.snapshot("snp_1"))
        .from_blueprint(&client.blueprint("bpt_1"))
        .with_working_directory("/work")
        .with_problem_statement("Fix it.")
        .with_additional_context(json!({"hint": [1, "two"]}))
        .with_metadata(Metadata::from([("team".to_owned(), "a".to_owned())]))
        .with_reference_output("diff")
        .with_required_environment_variables(["E"])
        .with_required_secret_names(["S"])
        .with_validation_type(ScenarioValidationType::Forward)
        .add_test_command_scorer("tests", "pytest", [test], 3.0)?
        .add_shell_command_scorer("shell", "make", 1.0)?
        .add_bash_script_scorer("bash", "echo score=1", 0.7)?
        .add_python_script_scorer("python", "print(1)", 0.1)?
        .add_ast_grep_scorer("ast", "eval($X)", ".", Some("python"), 0.2)?
        .add_custom_scorer("custom", "style", Some(json!({"max": 3})), 1.0)?
        .push()
        .await
}
