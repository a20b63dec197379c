//! Agents.

use runloop_client::AgentListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, page, row};

pub(crate) fn rows() -> Vec<Row> {
    let filters = || AgentListParams {
        name: Some("a".into()),
        version: Some("latest".into()),
        search: Some("s".into()),
        is_public: None,
        page: page(),
    };
    vec![
        row!("agents.create", "POST" "/v1/agents", Some(json!({"name": "a", "version": "1", "source": {"type": "git", "git": {"repository": "https://example.com/r", "ref": "main", "agent_setup": ["make"]}}})), |c| { let git = AgentGitSource { repository: "https://example.com/r".into(), git_ref: Some("main".into()), agent_setup: Some(vec!["make".into()]) }; c.agents().create(&AgentCreateParams { name: "a".into(), version: Some("1".into()), source: Some(AgentSource::git(git)) }) }),
        row!("agents.create", "POST" "/v1/agents", Some(json!({"name": "a", "source": {"type": "npm", "npm": {"package_name": "p"}}})), |c| { let npm = AgentPackageSource { package_name: "p".into(), ..Default::default() }; c.agents().create(&AgentCreateParams { name: "a".into(), version: None, source: Some(AgentSource::npm(npm)) }) }),
        row!("agents.create", "POST" "/v1/agents", Some(json!({"name": "a", "source": {"type": "pip", "pip": {"package_name": "p", "registry_url": "https://example.com"}}})), |c| { let pip = AgentPackageSource { package_name: "p".into(), registry_url: Some("https://example.com".into()), agent_setup: None }; c.agents().create(&AgentCreateParams { name: "a".into(), version: None, source: Some(AgentSource::pip(pip)) }) }),
        row!("agents.create", "POST" "/v1/agents", Some(json!({"name": "a", "source": {"type": "object", "object": {"object_id": "obj_1"}}})), |c| { let object = AgentObjectSource { object_id: "obj_1".into(), agent_setup: None }; c.agents().create(&AgentCreateParams { name: "a".into(), version: None, source: Some(AgentSource::object(object)) }) }),
        row!("agents.create", "POST" "/v1/agents", Some(json!({"name": "a"})), |c| c.agents().create(&AgentCreateParams { name: "a".into(), ..Default::default() })),
        row!("agents.list", "GET" "/v1/agents?name=a&version=latest&search=s&is_public=false&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.agents().list(&AgentListParams { is_public: Some(false), ..filters() })),
        row!("agents.list", "GET" "/v1/agents", None, |c| c.agents().list(&AgentListParams::default())),
        row!("agents.list_public", "GET" "/v1/agents/list_public?name=a&version=latest&search=s&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.agents().list_public(&filters())),
        row!("agents.list_public", "GET" "/v1/agents/list_public", None, |c| c.agents().list_public(&AgentListParams::default())),
        row!("agents.devbox_counts", "GET" "/v1/agents/devbox_counts", None, |c| c.agents().devbox_counts()),
        row!("agents.retrieve", "GET" "/v1/agents/agt_1", None, |c| c.agents().retrieve("agt_1")),
        row!("agents.delete", "POST" "/v1/agents/agt_1/delete", None, |c| c.agents().delete("agt_1")),
    ]
}
