//! Gateways and MCP configs as a devbox uses them: credentials that it can use and never sees.

use serde::{Deserialize, Serialize};

use crate::{AuthMechanism, DevboxId, GatewayConfigId, McpConfigId, SecretId};

/// A gateway config and the secret it uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxGateway {
    /// Id or name of the gateway config.
    pub gateway: String,
    /// Id or name of the secret.
    pub secret: String,
}

/// An MCP config and the secret it uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxMcp {
    /// Id or name of the MCP config.
    pub mcp_config: String,
    /// Id or name of the secret.
    pub secret: String,
}

/// A gateway of a devbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxGatewaySpec {
    /// Its config.
    pub gateway_config_id: GatewayConfigId,
    /// The secret it uses.
    pub secret_id: SecretId,
}

/// An MCP server of a devbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxMcpSpec {
    /// Its config.
    pub mcp_config_id: McpConfigId,
    /// The secret it uses.
    pub secret_id: SecretId,
}

/// A token for a gateway, of use only from its devbox.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatewayTokenView {
    /// Bearer token; a secret.
    pub token: String,
    /// Where requests go, with the path of the real endpoint after it.
    pub url: String,
    /// The real endpoint.
    pub endpoint: String,
    /// How the gateway logs in there.
    pub auth_mechanism: AuthMechanism,
    /// The devbox.
    pub devbox_id: DevboxId,
    /// The gateway's config.
    pub gateway_config_id: GatewayConfigId,
}

debug_only!(GatewayTokenView { url, endpoint, auth_mechanism, devbox_id, gateway_config_id });

/// A token for an MCP server, of use only from its devbox.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpTokenView {
    /// Bearer token; a secret.
    pub token: String,
    /// Where the server is reached.
    pub url: String,
    /// The real endpoint.
    pub endpoint: String,
    /// Patterns of tool names that may be called.
    pub allowed_tools: Vec<String>,
    /// The devbox.
    pub devbox_id: DevboxId,
    /// The MCP config.
    pub mcp_config_id: McpConfigId,
}

debug_only!(McpTokenView { url, endpoint, allowed_tools, devbox_id, mcp_config_id });
