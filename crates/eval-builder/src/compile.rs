//! A benchmark as the API would be sent it.

use std::collections::BTreeMap;

use runloop_types::{Expect, PassRate, ScenarioCreateParams, ScoringFunction};
use serde_json::{Map as JsonMap, Value as Json, json};

use crate::agent::kind_json;
use crate::environment::{network_json, origin_json};
use crate::model::{
    AdaptiveTrials, Agent, AgentKind, Benchmark, Environment, FileEntry, Origin, Scenario, Scorer, Trials,
};

/// Everything that makes up a benchmark, as JSON.
///
/// - `benchmark`: name, description, trials, gate and the names of its scenarios.
/// - `scenarios`: request bodies for creating the scenarios, as the SDK's scenario builder sends them: unset options
///   are null, weights sum to 1, `environment_parameters` is null unless there is something to say.
/// - `scoring`: for each scenario, by the name of the scorer, what the API has no field for: `expect`, `pass_rate` and
///   `timeout_sec`; scorers that have none of these are left out.
/// - `environments`: one for each digest, with the scenarios that use it; what the API has no field for is here.
/// - `blueprints`: request bodies of those that are built, each once.
/// - `objects`: local files and directories that are uploaded, one for each digest.
/// - `custom_scorers`: request bodies for registering the scorer files that are used, one for each type.
/// - `agents`: the agents that the benchmark names.
pub fn build_json(benchmark: &Benchmark) -> Json {
    let scenarios = &benchmark.scenarios;
    json!({
        "benchmark": {
            "name": benchmark.name,
            "description": benchmark.description,
            "trials": match benchmark.trials {
                Trials::Fixed(count) => json!(count),
                Trials::Adaptive(AdaptiveTrials { min, max, half_width }) => {
                    json!({ "min": min, "max": max, "half_width": half_width })
                }
            },
            "budget": json!({
                "max_devbox_minutes": benchmark.budget.max_devbox_minutes,
                "max_cost": benchmark.budget.max_cost,
                "timeout_sec": benchmark.budget.timeout.map(|timeout| timeout.as_secs_f64()),
            }),
            "gate": benchmark.gate.as_ref().map(|gate| json!({
                "min_score": gate.min_score,
                "min_pass_rate": gate.min_pass_rate,
                "floors": gate.floors,
                "max_invalid": gate.max_invalid,
                "max_flagged": gate.max_flagged,
                "max_regression": gate.max_regression,
                "baseline": gate.baseline,
                "max_cost": gate.max_cost,
            })),
            "scenarios": scenarios.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>(),
        },
        "scenarios": scenarios.iter().map(|scenario| scenario_json(scenario)).collect::<Vec<_>>(),
        "digests": scenarios
            .iter()
            .map(|scenario| (scenario.name.clone(), Json::from(scenario.digest.as_str())))
            .collect::<JsonMap<_, _>>(),
        "scoring": scenarios
            .iter()
            .map(|scenario| (scenario.name.clone(), scoring(scenario)))
            .filter(|(_, scorers)| !scorers.is_empty())
            .map(|(name, scorers)| (name, Json::Object(scorers)))
            .collect::<JsonMap<_, _>>(),
        "environments": environments(benchmark),
        "blueprints": blueprints(benchmark),
        "objects": objects(benchmark),
        "custom_scorers": custom_scorers(benchmark),
        "agents": benchmark.agents.iter().map(|agent| agent_json(agent)).collect::<Vec<_>>(),
    })
}

/// The request body for creating a scenario. A blueprint that has no id yet is left out; see [`Environment::origin`].
pub fn scenario_params(scenario: &Scenario) -> ScenarioCreateParams {
    let environment = &scenario.environment;
    let (blueprint_id, snapshot_id) = match &environment.origin {
        Origin::BlueprintId(id) => (Some(id.clone()), None),
        Origin::Snapshot(id) => (None, Some(id.clone())),
        Origin::Default | Origin::BlueprintName(_) | Origin::Blueprint(_) => (None, None),
    };
    let working_directory =
        Some(environment.working_directory.clone()).filter(|directory| !directory.is_empty());
    let launch_parameters =
        Some(environment.launch_parameters.clone()).filter(|parameters| *parameters != Default::default());
    let says_something = blueprint_id.is_some()
        || snapshot_id.is_some()
        || working_directory.is_some()
        || launch_parameters.is_some();
    let environment_parameters = runloop_types::ScenarioEnvironment {
        blueprint_id,
        snapshot_id,
        working_directory,
        launch_parameters,
    };
    let some = |list: &Vec<String>| Some(list.clone()).filter(|list| !list.is_empty());
    ScenarioCreateParams {
        name: scenario.name.clone(),
        input_context: runloop_types::InputContext {
            problem_statement: scenario.problem_statement.clone(),
            additional_context: scenario.additional_context.clone(),
        },
        scoring_contract: runloop_types::ScoringContract {
            scoring_function_parameters: scenario
                .scorers
                .iter()
                .map(|scorer| ScoringFunction {
                    name: scorer.name.clone(),
                    weight: scorer.weight,
                    scorer: scorer.function.clone(),
                })
                .collect(),
        },
        environment_parameters: says_something.then_some(environment_parameters),
        metadata: Some(scenario.metadata.clone()),
        reference_output: scenario.reference_output.as_ref().map(|solution| solution.content.clone()),
        required_environment_variables: some(&scenario.required_environment_variables),
        required_secret_names: some(&scenario.required_secret_names),
        scorer_timeout_sec: Some(whole_seconds(scenario)),
        validation_type: None,
    }
}

/// Full seconds, rounded up.
fn whole_seconds(scenario: &Scenario) -> u32 {
    u32::try_from(scenario.scorer_timeout.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

/// As the SDK sends it: options that are not set are null, not absent.
fn scenario_json(scenario: &Scenario) -> Json {
    let mut json = serde_json::to_value(scenario_params(scenario)).unwrap_or_default();
    set_nulls(
        &mut json,
        &[
            "environment_parameters",
            "reference_output",
            "required_environment_variables",
            "required_secret_names",
        ],
    );
    if let Some(context) = json.get_mut("input_context") {
        set_nulls(context, &["additional_context"]);
    }
    if let Some(environment) = json.get_mut("environment_parameters").filter(|value| value.is_object()) {
        set_nulls(environment, &["blueprint_id", "snapshot_id", "working_directory"]);
    }
    json
}

fn set_nulls(json: &mut Json, keys: &[&str]) {
    if let Some(map) = json.as_object_mut() {
        for key in keys {
            map.entry(*key).or_insert(Json::Null);
        }
    }
}

/// What scorers have beyond the API.
fn scoring(scenario: &Scenario) -> JsonMap<String, Json> {
    let beyond = |scorer: &Scorer| {
        let mut map = JsonMap::new();
        if scorer.expect == Expect::Absent {
            map.insert("expect".to_owned(), "absent".into());
        }
        match &scorer.pass_rate {
            Some(PassRate::Tap) => drop(map.insert("pass_rate".to_owned(), "tap".into())),
            Some(PassRate::Junit(path)) => {
                map.insert("pass_rate".to_owned(), json!({ "junit": path }));
            }
            None => {}
        }
        if let Some(timeout) = scorer.timeout {
            map.insert("timeout_sec".to_owned(), timeout.as_secs_f64().into());
        }
        map
    };
    let scorers = scenario.scorers.iter().map(|scorer| (scorer.name.clone(), beyond(scorer)));
    scorers.filter(|(_, map)| !map.is_empty()).map(|(name, map)| (name, Json::Object(map))).collect()
}

fn environments(benchmark: &Benchmark) -> Vec<Json> {
    let mut found: Vec<(&Environment, Vec<&str>)> = Vec::new();
    for scenario in &benchmark.scenarios {
        let environment = &scenario.environment;
        match found.iter_mut().find(|(known, _)| known.digest == environment.digest) {
            Some((_, names)) => names.push(&scenario.name),
            None => found.push((environment, vec![&scenario.name])),
        }
    }
    found.into_iter().map(|(environment, scenarios)| environment_json(environment, &scenarios)).collect()
}

fn environment_json(environment: &Environment, scenarios: &[&str]) -> Json {
    let mut origin = origin_json(&environment.origin);
    // The blueprint itself is listed under `blueprints`.
    if let (Origin::Blueprint(params), Some(map)) = (&environment.origin, origin.as_object_mut()) {
        map.insert("blueprint".to_owned(), params.name.as_str().into());
    }
    json!({
        "digest": environment.digest.as_str(),
        "scenarios": scenarios,
        "origin": origin,
        "build_context": environment.build_context.as_ref().map(object_name),
        "working_directory": environment.working_directory,
        "files": environment
            .files
            .iter()
            .map(|entry| json!({ "target": entry.target, "object": object_name(entry) }))
            .collect::<Vec<_>>(),
        "mounts": environment.mounts,
        "setup_commands": environment.setup_commands,
        "environment_variables": environment.environment_variables,
        "secrets": environment.secrets,
        "launch_parameters": environment.launch_parameters,
        "network": network_json(&environment.network),
    })
}

fn blueprints(benchmark: &Benchmark) -> Vec<Json> {
    let mut found: Vec<Json> = Vec::new();
    for scenario in &benchmark.scenarios {
        if let Origin::Blueprint(params) = &scenario.environment.origin {
            let json = serde_json::to_value(params).unwrap_or_default();
            if !found.contains(&json) {
                found.push(json);
            }
        }
    }
    found
}

fn objects(benchmark: &Benchmark) -> Vec<Json> {
    let entries = benchmark.scenarios.iter().flat_map(|scenario| {
        let environment = &scenario.environment;
        environment.build_context.iter().chain(&environment.files)
    });
    let by_name: BTreeMap<String, &FileEntry> = entries.map(|entry| (object_name(entry), entry)).collect();
    by_name
        .into_iter()
        .map(|(name, entry)| {
            json!({
                "name": name,
                "content_type": if entry.is_directory { "tgz" } else { "unspecified" },
                "digest": entry.digest.as_str(),
                "size": entry.size,
            })
        })
        .collect()
}

/// The name of the object that holds an entry: the same content has the same name.
fn object_name(entry: &FileEntry) -> String {
    let ending = if entry.is_directory { ".tar.gz" } else { "" };
    format!("eval-{}{ending}", entry.digest.short())
}

fn custom_scorers(benchmark: &Benchmark) -> Vec<Json> {
    let mut found: BTreeMap<&str, Json> = BTreeMap::new();
    for scorer in benchmark.scenarios.iter().flat_map(|scenario| &scenario.scorers) {
        if let (Some(script), runloop_types::Scorer::CustomScorer { custom_scorer_type, .. }) =
            (&scorer.custom_script, &scorer.function)
        {
            found.insert(
                custom_scorer_type,
                json!({ "type": custom_scorer_type, "bash_script": script.as_bash() }),
            );
        }
    }
    found.into_values().collect()
}

fn agent_json(agent: &Agent) -> Json {
    let mut json = json!({
        "name": agent.name,
        "version": agent.version,
        "digest": agent.digest.as_str(),
        "source": agent.source,
        "install": agent.install,
        "environment_variables": agent.environment_variables,
        "secrets": agent.secrets,
        "timeout_sec": agent.timeout.map(|timeout| timeout.as_secs_f64()),
        "usage": agent.usage.as_ref().map(|usage| json!({
            "file": usage.path,
            "input_tokens": usage.input_tokens,
            "cached_input_tokens": usage.cached_input_tokens,
            "output_tokens": usage.output_tokens,
            "cost_usd": usage.cost_usd,
        })),
        "prices": agent.prices.map(|prices| json!({
            "input_per_million": prices.input_per_million,
            "cached_input_per_million": prices.cached_input_per_million,
            "output_per_million": prices.output_per_million,
        })),
        "max_cost": agent.max_cost,
    });
    if let (Some(map), Some(kind)) = (json.as_object_mut(), kind_json(&agent.kind).as_object()) {
        map.insert(
            "built_in".to_owned(),
            (!matches!(agent.kind, AgentKind::Command(_) | AgentKind::HostCommand(_))).into(),
        );
        for (key, value) in kind {
            if value.is_string() {
                map.insert(key.clone(), value.clone());
            }
        }
    }
    json
}
