//! Repositories.

use runloop_client::RepositoryListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row!("repositories.create", "POST" "/v1/repositories", Some(json!({"name": "r", "owner": "o", "blueprint_id": "bpt_1", "github_auth_token": "t"})), |c| c.repositories().create(&RepositoryCreateParams { name: "r".into(), owner: "o".into(), blueprint_id: Some("bpt_1".into()), github_auth_token: Some("t".into()) })),
        row!("repositories.create", "POST" "/v1/repositories", Some(json!({"name": "r", "owner": "o"})), |c| c.repositories().create(&RepositoryCreateParams { name: "r".into(), owner: "o".into(), ..Default::default() })),
        row!("repositories.retrieve", "GET" "/v1/repositories/repo_1", None, |c| c.repositories().retrieve("repo_1")),
        row!("repositories.list", "GET" "/v1/repositories?name=r&owner=o&limit=5&starting_after=repo_1", None, |c| c.repositories().list(&RepositoryListParams { name: Some("r".into()), owner: Some("o".into()), limit: Some(5), starting_after: Some("repo_1".into()) })),
        row!("repositories.list", "GET" "/v1/repositories", None, |c| c.repositories().list(&RepositoryListParams::default())),
        row!("repositories.delete", "POST" "/v1/repositories/repo_1/delete", None, |c| c.repositories().delete("repo_1")),
        row!("repositories.inspect", "POST" "/v1/repositories/repo_1/inspect", Some(json!({"github_auth_token": "t"})), |c| c.repositories().inspect("repo_1", &RepositoryInspectParams { github_auth_token: Some("t".into()) })),
        row!("repositories.inspect", "POST" "/v1/repositories/repo_1/inspect", Some(json!({})), |c| c.repositories().inspect("repo_1", &RepositoryInspectParams::default())),
        row!("repositories.list_inspections", "GET" "/v1/repositories/repo_1/inspections", None, |c| c.repositories().list_inspections("repo_1")),
        row!("repositories.retrieve_inspection", "GET" "/v1/repositories/inspections/ins_1", None, |c| c.repositories().retrieve_inspection("ins_1")),
        row!("repositories.refresh", "POST" "/v1/repositories/repo_1/refresh", Some(json!({"blueprint_id": "bpt_1", "github_auth_token": "t"})), |c| c.repositories().refresh("repo_1", &RepositoryRefreshParams { blueprint_id: Some("bpt_1".into()), github_auth_token: Some("t".into()) })),
        row!("repositories.refresh", "POST" "/v1/repositories/repo_1/refresh", Some(json!({})), |c| c.repositories().refresh("repo_1", &RepositoryRefreshParams::default())),
    ]
}
