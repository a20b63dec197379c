//! Scenario runs.

use runloop_client::ScenarioRunListParams;
use runloop_client::types::*;

use super::{Row, page, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row!("scenarios.runs.retrieve", "GET" "/v1/scenarios/runs/scr_1", None, |c| c.scenarios().runs().retrieve("scr_1")),
        row!("scenarios.runs.list", "GET" "/v1/scenarios/runs?scenario_id=scn_1&benchmark_run_id=bmr_1&name=r&search=s&state=scoring&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.scenarios().runs().list(&ScenarioRunListParams { scenario_id: Some("scn_1".into()), benchmark_run_id: Some("bmr_1".into()), name: Some("r".into()), search: Some("s".into()), state: Some(ScenarioRunState::Scoring), page: page() })),
        row!("scenarios.runs.list", "GET" "/v1/scenarios/runs", None, |c| c.scenarios().runs().list(&ScenarioRunListParams::default())),
        row!("scenarios.runs.score", "POST" "/v1/scenarios/runs/scr_1/score", None, |c| c.scenarios().runs().score("scr_1")),
        row!("scenarios.runs.complete", "POST" "/v1/scenarios/runs/scr_1/complete", None, |c| c.scenarios().runs().complete("scr_1")),
        row!("scenarios.runs.cancel", "POST" "/v1/scenarios/runs/scr_1/cancel", None, |c| c.scenarios().runs().cancel("scr_1")),
        row!("scenarios.runs.download_logs", "POST" "/v1/scenarios/runs/scr_1/download_logs", None, |c| c.scenarios().runs().download_logs("scr_1")),
    ]
}
