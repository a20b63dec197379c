//! Gateway configs.

use runloop_client::GatewayConfigListParams;
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
        row!("gateway_configs.create", "POST" "/v1/gateway-configs", Some(json!({"name": "n", "endpoint": "https://e", "auth_mechanism": {"type": "header", "key": "X-Key"}, "custom_headers": headers_json.clone(), "description": "d"})), |c| c.gateway_configs().create(&GatewayConfigCreateParams { name: "n".into(), endpoint: "https://e".into(), auth_mechanism: AuthMechanism::header("X-Key"), custom_headers: headers(), description: Some("d".into()) })),
        row!("gateway_configs.create", "POST" "/v1/gateway-configs", Some(json!({"name": "n", "endpoint": "https://e", "auth_mechanism": {"type": "bearer"}})), |c| c.gateway_configs().create(&GatewayConfigCreateParams { name: "n".into(), endpoint: "https://e".into(), auth_mechanism: AuthMechanism::bearer(), ..Default::default() })),
        row!("gateway_configs.retrieve", "GET" "/v1/gateway-configs/x_1", None, |c| c.gateway_configs().retrieve("x_1")),
        row!("gateway_configs.list", "GET" "/v1/gateway-configs?id=x_1&name=n&search=s&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.gateway_configs().list(&GatewayConfigListParams { id: Some("x_1".into()), name: Some("n".into()), search: Some("s".into()), page: page() })),
        row!("gateway_configs.list", "GET" "/v1/gateway-configs", None, |c| c.gateway_configs().list(&GatewayConfigListParams::default())),
        row!("gateway_configs.update", "POST" "/v1/gateway-configs/x_1", Some(json!({"name": "n", "endpoint": "https://e", "auth_mechanism": {"type": "basic"}, "custom_headers": headers_json, "description": ""})), |c| c.gateway_configs().update("x_1", &GatewayConfigUpdateParams { name: Some("n".into()), endpoint: Some("https://e".into()), auth_mechanism: Some(AuthMechanism::basic()), custom_headers: headers(), description: Some("".into()) })),
        row!("gateway_configs.update", "POST" "/v1/gateway-configs/x_1", Some(json!({})), |c| c.gateway_configs().update("x_1", &GatewayConfigUpdateParams::default())),
        row!("gateway_configs.delete", "POST" "/v1/gateway-configs/x_1/delete", None, |c| c.gateway_configs().delete("x_1")),
    ]
}
