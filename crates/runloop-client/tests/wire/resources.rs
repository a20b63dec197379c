//! What comes of the answers of endpoints that are more than a view.

use futures::TryStreamExt;
use runloop_client::types::*;
use runloop_client::{BenchmarkDefinitionsParams, BenchmarkJobListParams, Error};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{always, client, json as answer, requests, sequence, target};

#[tokio::test]
async fn a_list_below_another_resource_is_read_to_its_end() {
    let first = json!({"scenarios": [{"id": "scn_1"}, {"id": "scn_2"}], "has_more": true});
    let last = json!({"scenarios": [{"id": "scn_3", "name": "c"}], "has_more": false});
    let server = sequence(vec![answer(200, first), answer(200, last)]).await;
    let params = BenchmarkDefinitionsParams { limit: Some(2), ..Default::default() };
    let call = client(&server.uri()).benchmarks().definitions("bmd/1", &params);
    let scenarios: Vec<ScenarioView> = call.items().try_collect().await.unwrap();
    assert_eq!(
        scenarios.iter().map(|view| view.id.as_str()).collect::<Vec<_>>(),
        ["scn_1", "scn_2", "scn_3"]
    );
    let targets: Vec<_> = requests(&server).await.iter().map(target).collect();
    assert_eq!(
        targets,
        [
            "/v1/benchmarks/bmd%2F1/definitions?limit=2",
            "/v1/benchmarks/bmd%2F1/definitions?limit=2&starting_after=scn_2"
        ]
    );
}

#[tokio::test]
async fn jobs_are_paged_although_the_sdk_does_not() {
    let first =
        json!({"jobs": [{"id": "job_1", "state": "running"}], "has_more": true, "remaining_count": 1});
    let last = json!({"jobs": [{"id": "job_2", "state": "paused"}], "has_more": false});
    let server = sequence(vec![answer(200, first), answer(200, last)]).await;
    let call = client(&server.uri()).benchmark_jobs().list(&BenchmarkJobListParams::default());
    let jobs: Vec<BenchmarkJobView> = call.items().try_collect().await.unwrap();
    assert_eq!(jobs[0].state, BenchmarkJobState::Running);
    assert_eq!(jobs[1].state, BenchmarkJobState::Other("paused".into()));
}

#[tokio::test]
async fn logs_of_a_run_come_as_bytes() {
    let zip = b"PK\x05\x06\xff\x00".as_slice();
    let server = always(ResponseTemplate::new(200).set_body_raw(zip, "application/zip")).await;
    let stream = client(&server.uri()).scenarios().runs().download_logs("scr_1").await.unwrap();
    assert_eq!(stream.length(), Some(6));
    assert_eq!(stream.bytes().await.unwrap(), zip);
}

#[tokio::test]
async fn logs_that_are_not_there_are_an_error_and_no_bytes() {
    let server = always(answer(404, json!({"message": "no such run"}))).await;
    let error = client(&server.uri()).scenarios().runs().download_logs("scr_1").await.unwrap_err();
    let Error::Status(error) = error else { panic!("{error}") };
    assert_eq!((error.status, error.message.as_str()), (404, "no such run"));
}

#[tokio::test]
async fn a_statement_that_fails_is_told_in_the_answer_of_its_batch() {
    let rows = json!({"columns": [{"name": "a", "type": "TEXT"}], "rows": [["x"], {"a": "y"}], "meta": {"changes": 0, "duration_ms": 0.5}});
    let body = json!({"results": [{"success": rows}, {"error": {"message": "no such table: t"}}]});
    let server = always(answer(200, body)).await;
    let statement = |sql: &str| SqlStatementParams { sql: sql.into(), params: None };
    let params =
        SqlBatchParams { statements: vec![statement("select 'x' as a"), statement("select * from t")] };
    let results = client(&server.uri()).axons().sql().batch("axn_1", &params).await.unwrap().results;
    let success = results[0].success.as_ref().unwrap();
    assert_eq!(success.columns[0].kind, "TEXT");
    assert_eq!(success.rows, [json!(["x"]), json!({"a": "y"})]);
    assert!(!success.meta.rows_read_limit_reached);
    assert_eq!(results[1].error.as_ref().unwrap().message, "no such table: t");
    assert!(results[1].success.is_none());
}

#[tokio::test]
async fn an_axon_is_deleted_whatever_the_answer_holds() {
    for body in ["{}", "", "null", "{\"deleted\": true}"] {
        let server = always(ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
        client(&server.uri()).axons().delete("axn_1").await.unwrap();
    }
}

#[tokio::test]
async fn a_scorer_of_a_later_api_survives_the_way_there_and_back() {
    let later = json!({"type": "jury_scorer", "jurors": ["a", "b"], "quorum": 2});
    let body = json!({
        "id": "scn_1",
        "scoring_contract": {"scoring_function_parameters": [{"name": "f", "weight": 1.0, "scorer": later}]},
    });
    let server = always(answer(200, body)).await;
    let scenarios = client(&server.uri()).scenarios();
    let view = scenarios.retrieve("scn_1").await.unwrap();
    let functions = view.scoring_contract.scoring_function_parameters;
    assert!(matches!(functions[0].scorer, Scorer::Other(_)));
    let contract = ScoringContractUpdateParam { scoring_function_parameters: Some(functions) };
    let params = ScenarioUpdateParams { scoring_contract: Some(contract), ..Default::default() };
    scenarios.update("scn_1", &params).await.unwrap();
    let sent: serde_json::Value = requests(&server).await[1].body_json().unwrap();
    assert_eq!(sent["scoring_contract"]["scoring_function_parameters"][0]["scorer"], later);
}

#[tokio::test]
async fn a_job_of_a_later_api_is_read_as_far_as_known() {
    let body = json!({
        "id": "job_1",
        "job_source": {"type": "notebook", "cells": 3},
        "job_spec": {"agent_configs": [{"type": "swarm", "size": 9}, {"type": "job_agent", "name": "a"}]},
        "benchmark_outcomes": null,
    });
    let server = always(answer(200, body)).await;
    let job = client(&server.uri()).benchmark_jobs().retrieve("job_1").await.unwrap();
    let Some(BenchmarkJobSource::Other(source)) = job.job_source else { panic!("{:?}", job.job_source) };
    assert_eq!(source["cells"], 3);
    let agents = job.job_spec.unwrap().agent_configs;
    assert!(matches!(&agents[0], BenchmarkAgentConfig::Other(swarm) if swarm["size"] == 9));
    assert!(matches!(&agents[1], BenchmarkAgentConfig::JobAgent(agent) if agent.name == "a"));
    assert_eq!(job.benchmark_outcomes, None);
}
