//! Benchmark runs.

use runloop_client::types::*;
use runloop_client::{BenchmarkRunListParams, BenchmarkScenarioRunListParams};

use super::{Row, page, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row!("benchmark_runs.retrieve", "GET" "/v1/benchmark_runs/bmr_1", None, |c| c.benchmark_runs().retrieve("bmr_1")),
        row!("benchmark_runs.list", "GET" "/v1/benchmark_runs?benchmark_id=bmd_1&name=r&search=s&state=completed&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.benchmark_runs().list(&BenchmarkRunListParams { benchmark_id: Some("bmd_1".into()), name: Some("r".into()), search: Some("s".into()), state: Some(BenchmarkRunState::Completed), page: page() })),
        row!("benchmark_runs.list", "GET" "/v1/benchmark_runs", None, |c| c.benchmark_runs().list(&BenchmarkRunListParams::default())),
        row!("benchmark_runs.list_scenario_runs", "GET" "/v1/benchmark_runs/bmr_1/scenario_runs?state=scored&search=s&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.benchmark_runs().list_scenario_runs("bmr_1", &BenchmarkScenarioRunListParams { state: Some(ScenarioRunState::Scored), search: Some("s".into()), page: page() })),
        row!("benchmark_runs.list_scenario_runs", "GET" "/v1/benchmark_runs/bmr_1/scenario_runs", None, |c| c.benchmark_runs().list_scenario_runs("bmr_1", &BenchmarkScenarioRunListParams::default())),
        row!("benchmark_runs.complete", "POST" "/v1/benchmark_runs/bmr_1/complete", None, |c| c.benchmark_runs().complete("bmr_1")),
        row!("benchmark_runs.cancel", "POST" "/v1/benchmark_runs/bmr_1/cancel", None, |c| c.benchmark_runs().cancel("bmr_1")),
    ]
}
