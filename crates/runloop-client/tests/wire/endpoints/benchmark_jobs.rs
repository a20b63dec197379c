//! Benchmark jobs.

use runloop_client::types::*;
use runloop_client::{BenchmarkJobListParams, Client};
use serde_json::json;

use super::{Row, page, row};

pub(crate) fn rows() -> Vec<Row> {
    let agent = || JobAgentConfig {
        name: "a".into(),
        agent_id: Some("agt_1".into()),
        model_name: Some("m".into()),
        agent_environment: Some(AgentEnvironment {
            environment_variables: pair("E", "e"),
            secrets: pair("T", "sec_1"),
        }),
        kwargs: pair("k", "v"),
        timeout_seconds: Some(1.5),
    };
    let orchestrator = || OrchestratorConfig {
        n_attempts: Some(1),
        n_concurrent_trials: Some(2),
        quiet: Some(true),
        timeout_multiplier: Some(1.5),
    };
    let create = |client: &Client, spec| {
        client.benchmark_jobs().create(&BenchmarkJobCreateParams { name: Some("j".into()), spec })
    };
    vec![
        row!("benchmark_jobs.create", "POST" "/v1/benchmark_jobs", Some(json!({"name": "j", "spec": {"type": "benchmark", "benchmark_id": "bmd_1", "agent_configs": [{"type": "job_agent", "name": "a", "agent_id": "agt_1", "model_name": "m", "agent_environment": {"environment_variables": {"E": "e"}, "secrets": {"T": "sec_1"}}, "kwargs": {"k": "v"}, "timeout_seconds": 1.5}], "orchestrator_config": {"n_attempts": 1, "n_concurrent_trials": 2, "quiet": true, "timeout_multiplier": 1.5}}})), |c| { let spec = BenchmarkDefinitionJobSpec { benchmark_id: "bmd_1".into(), agent_configs: vec![agent().into()], orchestrator_config: Some(orchestrator()) }; create(&c, Some(BenchmarkJobSpec::Benchmark(spec))) }),
        row!("benchmark_jobs.create", "POST" "/v1/benchmark_jobs", Some(json!({"name": "j", "spec": {"type": "scenarios", "scenario_ids": ["scn_1"], "agent_configs": [{"type": "job_agent", "name": "a"}]}})), |c| { let agent = JobAgentConfig { name: "a".into(), ..Default::default() }; let spec = ScenarioDefinitionJobSpec { scenario_ids: vec!["scn_1".into()], agent_configs: vec![agent.into()], orchestrator_config: None }; create(&c, Some(BenchmarkJobSpec::Scenarios(spec))) }),
        row!("benchmark_jobs.create", "POST" "/v1/benchmark_jobs", Some(json!({"name": "j", "spec": {"type": "harbor", "inline_yaml": "agents: []"}})), |c| create(&c, Some(BenchmarkJobSpec::Harbor(HarborJobSpec { inline_yaml: "agents: []".into() })))),
        row!("benchmark_jobs.create", "POST" "/v1/benchmark_jobs", Some(json!({})), |c| c.benchmark_jobs().create(&BenchmarkJobCreateParams::default())),
        row!("benchmark_jobs.retrieve", "GET" "/v1/benchmark_jobs/job_1", None, |c| c.benchmark_jobs().retrieve("job_1")),
        row!("benchmark_jobs.list", "GET" "/v1/benchmark_jobs?name=j&search=s&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.benchmark_jobs().list(&BenchmarkJobListParams { name: Some("j".into()), search: Some("s".into()), page: page() })),
        row!("benchmark_jobs.list", "GET" "/v1/benchmark_jobs", None, |c| c.benchmark_jobs().list(&BenchmarkJobListParams::default())),
    ]
}

fn pair(name: &str, value: &str) -> Option<Metadata> {
    Some(Metadata::from([(name.to_owned(), value.to_owned())]))
}
