//! Scenarios.

use runloop_client::types::*;
use runloop_client::{PublicScenarioListParams, ScenarioListParams};
use serde_json::{Value, json};

use super::{Row, metadata, page, row, run_profile};

pub(crate) fn rows() -> Vec<Row> {
    let text = |text: &str| Some(text.to_owned());
    let list = |text: &str| Some(vec![text.to_owned()]);
    vec![
        row!("scenarios.create", "POST" "/v1/scenarios", Some(json!({"name": "s", "input_context": {"problem_statement": "p", "additional_context": {"k": [1]}}, "scoring_contract": {"scoring_function_parameters": scorers_json()}, "environment_parameters": environment_json(), "metadata": {"team": "a"}, "reference_output": "r", "required_environment_variables": ["E"], "required_secret_names": ["S"], "scorer_timeout_sec": 60, "validation_type": "FORWARD"})), |c| { let params = ScenarioCreateParams { name: "s".into(), input_context: InputContext { problem_statement: "p".into(), additional_context: Some(json!({"k": [1]})) }, scoring_contract: ScoringContract { scoring_function_parameters: scorers() }, environment_parameters: Some(environment()), metadata: metadata(), reference_output: text("r"), required_environment_variables: list("E"), required_secret_names: list("S"), scorer_timeout_sec: Some(60), validation_type: Some(ScenarioValidationType::Forward) }; c.scenarios().create(&params) }),
        row!("scenarios.create", "POST" "/v1/scenarios", Some(json!({"name": "s", "input_context": {"problem_statement": "p"}, "scoring_contract": {"scoring_function_parameters": []}})), |c| { let input_context = InputContext { problem_statement: "p".into(), additional_context: None }; c.scenarios().create(&ScenarioCreateParams { name: "s".into(), input_context, ..Default::default() }) }),
        row!("scenarios.retrieve", "GET" "/v1/scenarios/scn_1", None, |c| c.scenarios().retrieve("scn_1")),
        row!("scenarios.list", "GET" "/v1/scenarios?name=s&search=q&benchmark_id=bmd_1&validation_type=EVALUATION&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.scenarios().list(&ScenarioListParams { name: text("s"), search: text("q"), benchmark_id: text("bmd_1"), validation_type: Some(ScenarioValidationType::Evaluation), page: page() })),
        row!("scenarios.list", "GET" "/v1/scenarios", None, |c| c.scenarios().list(&ScenarioListParams::default())),
        row!("scenarios.list_public", "GET" "/v1/scenarios/list_public?name=s&search=q&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.scenarios().list_public(&PublicScenarioListParams { name: text("s"), search: text("q"), page: page() })),
        row!("scenarios.list_public", "GET" "/v1/scenarios/list_public", None, |c| c.scenarios().list_public(&PublicScenarioListParams::default())),
        row!("scenarios.update", "POST" "/v1/scenarios/scn_1", Some(json!({"name": "s", "input_context": {"additional_context": 1}, "scoring_contract": {"scoring_function_parameters": scorers_json()}, "environment_parameters": environment_json(), "metadata": {"team": "a"}, "reference_output": "", "required_environment_variables": [], "required_secret_names": ["S"], "scorer_timeout_sec": 60, "validation_type": "REVERSE"})), |c| { let params = ScenarioUpdateParams { name: text("s"), input_context: Some(InputContextUpdateParam { problem_statement: None, additional_context: Some(json!(1)) }), scoring_contract: Some(ScoringContractUpdateParam { scoring_function_parameters: Some(scorers()) }), environment_parameters: Some(environment()), metadata: metadata(), reference_output: text(""), required_environment_variables: Some(vec![]), required_secret_names: list("S"), scorer_timeout_sec: Some(60), validation_type: Some(ScenarioValidationType::Reverse) }; c.scenarios().update("scn_1", &params) }),
        row!("scenarios.update", "POST" "/v1/scenarios/scn_1", Some(json!({})), |c| c.scenarios().update("scn_1", &ScenarioUpdateParams::default())),
        row!("scenarios.archive", "POST" "/v1/scenarios/scn_1/archive", None, |c| c.scenarios().archive("scn_1")),
        row!("scenarios.start_run", "POST" "/v1/scenarios/start_run", Some(json!({"scenario_id": "scn_1", "benchmark_run_id": "bmr_1", "run_name": "r", "metadata": {"team": "a"}, "runProfile": {"envVars": {"E": "e"}, "launchParameters": {"keep_alive_time_seconds": 60}, "mounts": [{"type": "object_mount", "object_id": "obj_1", "object_path": "/x"}], "purpose": "p", "secrets": {"T": "TOKEN"}}})), |c| c.scenarios().start_run(&ScenarioStartRunParams { scenario_id: "scn_1".into(), benchmark_run_id: Some("bmr_1".into()), run_name: text("r"), metadata: metadata(), run_profile: Some(run_profile()) })),
        row!("scenarios.start_run", "POST" "/v1/scenarios/start_run", Some(json!({"scenario_id": "scn_1"})), |c| c.scenarios().start_run(&ScenarioStartRunParams { scenario_id: "scn_1".into(), ..Default::default() })),
    ]
}

fn environment() -> ScenarioEnvironment {
    ScenarioEnvironment {
        blueprint_id: Some("bpt_1".into()),
        snapshot_id: Some("snp_1".into()),
        working_directory: Some("w".into()),
        launch_parameters: Some(LaunchParameters { keep_alive_time_seconds: Some(60), ..Default::default() }),
    }
}

fn environment_json() -> Value {
    json!({
        "blueprint_id": "bpt_1",
        "snapshot_id": "snp_1",
        "working_directory": "w",
        "launch_parameters": {"keep_alive_time_seconds": 60},
    })
}

/// One scorer of each kind, and one of a later API.
fn scorers() -> Vec<ScoringFunction> {
    let file = TestFile { file_path: "t.py".into(), file_contents: String::new() };
    let kinds = [
        Scorer::CommandScorer { command: "true".into() },
        Scorer::BashScriptScorer { bash_script: "echo".into() },
        Scorer::PythonScriptScorer {
            python_script: "print(1)".into(),
            python_version_constraint: Some("==3.12".into()),
            requirements_contents: Some("x".into()),
        },
        Scorer::TestBasedScorer { test_command: "t".into(), test_files: Some(vec![file]) },
        Scorer::AstGrepScorer {
            pattern: "$A".into(),
            search_directory: ".".into(),
            lang: Some("rust".into()),
        },
        Scorer::CustomScorer { custom_scorer_type: "style".into(), scorer_params: Some(json!({"max": 3})) },
        Scorer::Other(json!({"type": "later", "x": 1}).as_object().cloned().unwrap_or_default()),
    ];
    kinds.map(|scorer| ScoringFunction { name: "f".into(), weight: 0.25, scorer }).into()
}

fn scorers_json() -> Value {
    let kinds = [
        json!({"type": "command_scorer", "command": "true"}),
        json!({"type": "bash_script_scorer", "bash_script": "echo"}),
        json!({
            "type": "python_script_scorer",
            "python_script": "print(1)",
            "python_version_constraint": "==3.12",
            "requirements_contents": "x",
        }),
        json!({
            "type": "test_based_scorer",
            "test_command": "t",
            "test_files": [{"file_path": "t.py", "file_contents": ""}],
        }),
        json!({"type": "ast_grep_scorer", "pattern": "$A", "search_directory": ".", "lang": "rust"}),
        json!({"type": "custom_scorer", "custom_scorer_type": "style", "scorer_params": {"max": 3}}),
        json!({"type": "later", "x": 1}),
    ];
    kinds.map(|scorer| json!({"name": "f", "weight": 0.25, "scorer": scorer})).into_iter().collect()
}
