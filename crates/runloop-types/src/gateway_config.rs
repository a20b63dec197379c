//! Gateway configs: endpoints that devboxes reach without holding the credential.

use serde::{Deserialize, Serialize};

use crate::{AuthMechanism, CustomHeader, GatewayConfigId};

/// A new gateway config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatewayConfigCreateParams {
    /// Its name; unique in SDK major 1, a label since.
    pub name: String,
    /// URL that requests are sent on to.
    pub endpoint: String,
    /// How the credential is put into them.
    pub auth_mechanism: AuthMechanism,
    /// More headers, 8 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_headers: Option<Vec<CustomHeader>>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Changes to a gateway config: what is absent stays, what is given replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatewayConfigUpdateParams {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
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

/// A gateway config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatewayConfigView {
    /// Its id.
    pub id: GatewayConfigId,
    /// Its name.
    pub name: String,
    /// URL that requests are sent on to.
    pub endpoint: String,
    /// How the credential is put into them.
    pub auth_mechanism: AuthMechanism,
    /// When it was created.
    pub create_time_ms: i64,
    /// The account it belongs to; none for the service's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// More headers; secrets by their ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_headers: Option<Vec<CustomHeader>>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
