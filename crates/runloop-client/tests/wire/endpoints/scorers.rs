//! Custom scorers.

use runloop_client::ScorerListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, page, row};

pub(crate) fn rows() -> Vec<Row> {
    let scorer = || ScorerParams { kind: "style".into(), bash_script: "echo score=1".into() };
    vec![
        row!("scenarios.scorers.create", "POST" "/v1/scenarios/scorers", Some(json!({"type": "style", "bash_script": "echo score=1"})), |c| c.scenarios().scorers().create(&scorer())),
        row!("scenarios.scorers.retrieve", "GET" "/v1/scenarios/scorers/scs_1", None, |c| c.scenarios().scorers().retrieve("scs_1")),
        row!("scenarios.scorers.list", "GET" "/v1/scenarios/scorers?search=s&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.scenarios().scorers().list(&ScorerListParams { search: Some("s".into()), page: page() })),
        row!("scenarios.scorers.list", "GET" "/v1/scenarios/scorers", None, |c| c.scenarios().scorers().list(&ScorerListParams::default())),
        row!("scenarios.scorers.update", "POST" "/v1/scenarios/scorers/scs_1", Some(json!({"type": "style", "bash_script": "echo score=1"})), |c| c.scenarios().scorers().update("scs_1", &scorer())),
        row!("scenarios.scorers.validate", "POST" "/v1/scenarios/scorers/scs_1/validate", Some(json!({"scoring_context": {"k": 1}, "environment_parameters": {"blueprint_id": "bpt_1"}})), |c| { let environment = ScenarioEnvironment { blueprint_id: Some("bpt_1".into()), ..Default::default() }; c.scenarios().scorers().validate("scs_1", &ScorerValidateParams { scoring_context: json!({"k": 1}), environment_parameters: Some(environment) }) }),
        row!("scenarios.scorers.validate", "POST" "/v1/scenarios/scorers/scs_1/validate", Some(json!({"scoring_context": null})), |c| c.scenarios().scorers().validate("scs_1", &ScorerValidateParams::default())),
    ]
}
