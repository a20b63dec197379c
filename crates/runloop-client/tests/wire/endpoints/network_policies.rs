//! Network policies.

use runloop_client::NetworkPolicyListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let policy = || NetworkPolicyParams {
        name: Some("p".into()),
        allowed_hostnames: Some(vec!["*.example.com".into()]),
        ..Default::default()
    };
    let policy_json = json!({"name": "p", "allowed_hostnames": ["*.example.com"]});
    vec![
        row!("network_policies.create", "POST" "/v1/network-policies", Some(policy_json.clone()), |c| c.network_policies().create(&policy())),
        row!("network_policies.retrieve", "GET" "/v1/network-policies/npol_1", None, |c| c.network_policies().retrieve("npol_1")),
        row!("network_policies.list", "GET" "/v1/network-policies?id=npol_1&name=p&search=q", None, |c| {
            c.network_policies().list(&NetworkPolicyListParams {
                id: Some("npol_1".into()),
                name: Some("p".into()),
                search: Some("q".into()),
                page: PageParams::default(),
            })
        }),
        row!("network_policies.update", "POST" "/v1/network-policies/npol_1", Some(policy_json), |c| c.network_policies().update("npol_1", &policy())),
        row!("network_policies.delete", "POST" "/v1/network-policies/npol_1/delete", None, |c| c.network_policies().delete("npol_1")),
    ]
}
