//! MCP configs.

use runloop_client::McpConfigListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, page, row};

pub(crate) fn rows() -> Vec<Row> {
    let headers = || {
        let secret = CustomHeader { name: "X-A".into(), secret: Some("TOKEN".into()), value: None };
        let plain = CustomHeader { name: "X-B".into(), secret: None, value: Some("b".into()) };
        Some(vec![secret, plain])
    };
    let headers_json = json!([{"name": "X-A", "secret": "TOKEN"}, {"name": "X-B", "value": "b"}]);
    vec![
        row!("mcp_configs.create", "POST" "/v1/mcp-configs", Some(json!({"name": "n", "endpoint": "https://e", "allowed_tools": ["*"], "auth_mechanism": {"type": "header", "key": "X-Key"}, "custom_headers": headers_json.clone(), "description": "d"})), |c| c.mcp_configs().create(&McpConfigCreateParams { name: "n".into(), endpoint: "https://e".into(), allowed_tools: vec!["*".into()], auth_mechanism: Some(AuthMechanism::header("X-Key")), custom_headers: headers(), description: Some("d".into()) })),
        row!("mcp_configs.create", "POST" "/v1/mcp-configs", Some(json!({"name": "n", "endpoint": "https://e", "allowed_tools": []})), |c| c.mcp_configs().create(&McpConfigCreateParams { name: "n".into(), endpoint: "https://e".into(), ..Default::default() })),
        row!("mcp_configs.retrieve", "GET" "/v1/mcp-configs/x_1", None, |c| c.mcp_configs().retrieve("x_1")),
        row!("mcp_configs.list", "GET" "/v1/mcp-configs?id=x_1&name=n&search=s&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.mcp_configs().list(&McpConfigListParams { id: Some("x_1".into()), name: Some("n".into()), search: Some("s".into()), page: page() })),
        row!("mcp_configs.list", "GET" "/v1/mcp-configs", None, |c| c.mcp_configs().list(&McpConfigListParams::default())),
        row!("mcp_configs.update", "POST" "/v1/mcp-configs/x_1", Some(json!({"name": "n", "endpoint": "https://e", "allowed_tools": [], "auth_mechanism": {"type": "basic"}, "custom_headers": headers_json, "description": ""})), |c| c.mcp_configs().update("x_1", &McpConfigUpdateParams { name: Some("n".into()), endpoint: Some("https://e".into()), allowed_tools: Some(vec![]), auth_mechanism: Some(AuthMechanism::basic()), custom_headers: headers(), description: Some("".into()) })),
        row!("mcp_configs.update", "POST" "/v1/mcp-configs/x_1", Some(json!({})), |c| c.mcp_configs().update("x_1", &McpConfigUpdateParams::default())),
        row!("mcp_configs.delete", "POST" "/v1/mcp-configs/x_1/delete", None, |c| c.mcp_configs().delete("x_1")),
    ]
}
