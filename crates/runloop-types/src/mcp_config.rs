//! MCP configs: MCP servers that devboxes reach through the hub.

use serde::{Deserialize, Serialize};

use crate::{AuthMechanism, CustomHeader, McpConfigId};

/// A new MCP config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpConfigCreateParams {
    /// Its name; what stands before the first `-` becomes the prefix of its tools.
    pub name: String,
    /// URL of the MCP server.
    pub endpoint: String,
    /// Patterns of the tools that may be used; `*` stands for anything.
    pub allowed_tools: Vec<String>,
    /// How the credential is put into requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_mechanism: Option<AuthMechanism>,
    /// More headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_headers: Option<Vec<CustomHeader>>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Changes to an MCP config: what is absent stays, what is given replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpConfigUpdateParams {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// New patterns in place of all old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_tools: Option<Vec<String>>,
    /// New way to authenticate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_mechanism: Option<AuthMechanism>,
    /// New headers in place of all old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_headers: Option<Vec<CustomHeader>>,
    /// New text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An MCP config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpConfigView {
    /// Its id.
    pub id: McpConfigId,
    /// Its name.
    pub name: String,
    /// URL of the MCP server.
    pub endpoint: String,
    /// Patterns of the tools that may be used.
    pub allowed_tools: Vec<String>,
    /// How the credential is put into requests.
    pub auth_mechanism: AuthMechanism,
    /// When it was created.
    pub create_time_ms: i64,
    /// More headers; secrets by their ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_headers: Option<Vec<CustomHeader>>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
