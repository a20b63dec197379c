//! Network policies: where a devbox may connect to.

use serde::{Deserialize, Serialize};

use crate::NetworkPolicyId;

/// A network policy. Everything is denied unless `allow_all` or a rule allows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkPolicyView {
    /// Its id.
    pub id: NetworkPolicyId,
    /// Its name; a label from SDK major 2 on.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was created.
    pub create_time_ms: i64,
    /// When it last changed.
    pub update_time_ms: i64,
    /// The rules for outgoing connections.
    pub egress: Egress,
}

/// Rules for outgoing connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Egress {
    /// Everything is allowed, the rest is ignored.
    pub allow_all: bool,
    /// Devboxes may reach each other.
    pub allow_devbox_to_devbox: bool,
    /// Gateways may be reached.
    pub allow_agent_gateway: bool,
    /// MCP hubs may be reached.
    pub allow_mcp_gateway: bool,
    /// The service's package mirrors may be reached.
    pub allow_runloop_mirrors: bool,
    /// Host names; `*.` only as the first label.
    pub allowed_hostnames: Vec<String>,
    /// Address ranges.
    pub allowed_cidrs: Vec<AllowedCidr>,
}

/// A range of addresses that may be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AllowedCidr {
    /// An IPv4 range such as `10.1.0.0/16`: the first address and the length.
    pub cidr: String,
    /// Only these ports; all when absent or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<PortRule>>,
}

/// Ports that may be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PortRule {
    /// The port, or the first one: 1 to 65535.
    pub port: i64,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_port: Option<i64>,
    /// Only this protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<PortProtocol>,
}

open_enum! {
    /// A transport protocol.
    PortProtocol {
        /// TCP.
        Tcp = "TCP",
        /// UDP.
        Udp = "UDP",
    }
}

/// A new network policy, or the changes to one: flat here, nested in the view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkPolicyParams {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// See [`Egress::allow_all`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_all: Option<bool>,
    /// See [`Egress::allow_devbox_to_devbox`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_devbox_to_devbox: Option<bool>,
    /// See [`Egress::allow_agent_gateway`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_agent_gateway: Option<bool>,
    /// See [`Egress::allow_mcp_gateway`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_mcp_gateway: Option<bool>,
    /// See [`Egress::allow_runloop_mirrors`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_runloop_mirrors: Option<bool>,
    /// See [`Egress::allowed_hostnames`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_hostnames: Option<Vec<String>>,
    /// See [`Egress::allowed_cidrs`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_cidrs: Option<Vec<AllowedCidr>>,
}
