//! Network policies.

use runloop_client::NetworkPolicyListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, page, row};

pub(crate) fn rows() -> Vec<Row> {
    let policy = || NetworkPolicyParams {
        name: Some("p".into()),
        description: Some("d".into()),
        allow_all: Some(false),
        allow_devbox_to_devbox: Some(true),
        allow_agent_gateway: Some(false),
        allow_mcp_gateway: Some(true),
        allow_runloop_mirrors: Some(false),
        allowed_hostnames: Some(vec!["*.example.com".into()]),
        allowed_cidrs: Some(vec![
            AllowedCidr {
                cidr: "10.0.0.0/8".into(),
                ports: Some(vec![
                    PortRule { port: 1, end_port: Some(9), protocol: Some(PortProtocol::Udp) },
                    PortRule { port: 443, end_port: None, protocol: None },
                ]),
            },
            AllowedCidr { cidr: "10.1.0.0/16".into(), ports: None },
        ]),
    };
    let policy_json = json!({
        "name": "p",
        "description": "d",
        "allow_all": false,
        "allow_devbox_to_devbox": true,
        "allow_agent_gateway": false,
        "allow_mcp_gateway": true,
        "allow_runloop_mirrors": false,
        "allowed_hostnames": ["*.example.com"],
        "allowed_cidrs": [
            {"cidr": "10.0.0.0/8", "ports": [{"port": 1, "end_port": 9, "protocol": "UDP"}, {"port": 443}]},
            {"cidr": "10.1.0.0/16"},
        ],
    });
    vec![
        row!("network_policies.create", "POST" "/v1/network-policies", Some(policy_json.clone()), |c| c.network_policies().create(&policy())),
        row!("network_policies.create", "POST" "/v1/network-policies", Some(json!({"name": "p"})), |c| c.network_policies().create(&NetworkPolicyParams { name: Some("p".into()), ..Default::default() })),
        row!("network_policies.retrieve", "GET" "/v1/network-policies/npol_1", None, |c| c.network_policies().retrieve("npol_1")),
        row!("network_policies.list", "GET" "/v1/network-policies?id=npol_1&name=p&search=q&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| c.network_policies().list(&NetworkPolicyListParams { id: Some("npol_1".into()), name: Some("p".into()), search: Some("q".into()), page: page() })),
        row!("network_policies.list", "GET" "/v1/network-policies", None, |c| c.network_policies().list(&NetworkPolicyListParams::default())),
        row!("network_policies.update", "POST" "/v1/network-policies/npol_1", Some(policy_json), |c| c.network_policies().update("npol_1", &policy())),
        row!("network_policies.update", "POST" "/v1/network-policies/npol_1", Some(json!({})), |c| c.network_policies().update("npol_1", &NetworkPolicyParams::default())),
        row!("network_policies.delete", "POST" "/v1/network-policies/npol_1/delete", None, |c| c.network_policies().delete("npol_1")),
    ]
}
