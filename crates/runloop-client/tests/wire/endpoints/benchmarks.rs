//! Benchmarks.

use runloop_client::types::*;
use runloop_client::{BenchmarkDefinitionsParams, BenchmarkListParams};
use serde_json::json;

use super::{Row, metadata, page, row, run_profile};

pub(crate) fn rows() -> Vec<Row> {
    let text = |text: &str| Some(text.to_owned());
    let list = |text: &str| Some(vec![text.to_owned()]);
    let filters = move || BenchmarkListParams { name: text("b"), search: text("s"), page: page() };
    vec![
        row!("benchmarks.create", "POST" "/v1/benchmarks", Some(json!({"name": "b", "scenario_ids": ["scn_1"], "description": "d", "attribution": "x", "metadata": {"team": "a"}, "required_environment_variables": ["E"], "required_secret_names": ["S"]})), |c| c.benchmarks().create(&BenchmarkCreateParams { name: "b".into(), scenario_ids: Some(vec!["scn_1".into()]), description: text("d"), attribution: text("x"), metadata: metadata(), required_environment_variables: list("E"), required_secret_names: list("S") })),
        row!("benchmarks.create", "POST" "/v1/benchmarks", Some(json!({"name": "b"})), |c| c.benchmarks().create(&BenchmarkCreateParams { name: "b".into(), ..Default::default() })),
        row!("benchmarks.retrieve", "GET" "/v1/benchmarks/bmd_1", None, |c| c.benchmarks().retrieve("bmd_1")),
        row!("benchmarks.list", "GET" "/v1/benchmarks?name=b&search=s&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.benchmarks().list(&filters())),
        row!("benchmarks.list", "GET" "/v1/benchmarks", None, |c| c.benchmarks().list(&BenchmarkListParams::default())),
        row!("benchmarks.list_public", "GET" "/v1/benchmarks/list_public?name=b&search=s&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.benchmarks().list_public(&filters())),
        row!("benchmarks.list_public", "GET" "/v1/benchmarks/list_public", None, |c| c.benchmarks().list_public(&BenchmarkListParams::default())),
        row!("benchmarks.update", "POST" "/v1/benchmarks/bmd_1", Some(json!({"name": "b", "scenario_ids": [], "description": "d", "attribution": "x", "metadata": {"team": "a"}, "required_environment_variables": ["E"], "required_secret_names": ["S"]})), |c| c.benchmarks().update("bmd_1", &BenchmarkUpdateParams { name: text("b"), scenario_ids: Some(vec![]), description: text("d"), attribution: text("x"), metadata: metadata(), required_environment_variables: list("E"), required_secret_names: list("S") })),
        row!("benchmarks.update", "POST" "/v1/benchmarks/bmd_1", Some(json!({})), |c| c.benchmarks().update("bmd_1", &BenchmarkUpdateParams::default())),
        row!("benchmarks.update_scenarios", "POST" "/v1/benchmarks/bmd_1/scenarios", Some(json!({"scenarios_to_add": ["scn_1"], "scenarios_to_remove": ["scn_2"]})), |c| c.benchmarks().update_scenarios("bmd_1", &BenchmarkUpdateScenariosParams { scenarios_to_add: Some(vec!["scn_1".into()]), scenarios_to_remove: Some(vec!["scn_2".into()]) })),
        row!("benchmarks.update_scenarios", "POST" "/v1/benchmarks/bmd_1/scenarios", Some(json!({})), |c| c.benchmarks().update_scenarios("bmd_1", &BenchmarkUpdateScenariosParams::default())),
        row!("benchmarks.definitions", "GET" "/v1/benchmarks/bmd_1/definitions?limit=5&starting_after=scn_1", None, |c| c.benchmarks().definitions("bmd_1", &BenchmarkDefinitionsParams { limit: Some(5), starting_after: text("scn_1") })),
        row!("benchmarks.definitions", "GET" "/v1/benchmarks/bmd_1/definitions", None, |c| c.benchmarks().definitions("bmd_1", &BenchmarkDefinitionsParams::default())),
        row!("benchmarks.start_run", "POST" "/v1/benchmarks/start_run", Some(json!({"benchmark_id": "bmd_1", "run_name": "r", "metadata": {"team": "a"}, "runProfile": {"envVars": {"E": "e"}, "launchParameters": {"keep_alive_time_seconds": 60}, "mounts": [{"type": "object_mount", "object_id": "obj_1", "object_path": "/x"}], "purpose": "p", "secrets": {"T": "TOKEN"}}})), |c| c.benchmarks().start_run(&BenchmarkStartRunParams { benchmark_id: "bmd_1".into(), run_name: text("r"), metadata: metadata(), run_profile: Some(run_profile()) })),
        row!("benchmarks.start_run", "POST" "/v1/benchmarks/start_run", Some(json!({"benchmark_id": "bmd_1"})), |c| c.benchmarks().start_run(&BenchmarkStartRunParams { benchmark_id: "bmd_1".into(), ..Default::default() })),
    ]
}
