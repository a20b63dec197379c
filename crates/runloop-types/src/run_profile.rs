//! What a run of a scenario or benchmark changes about the devbox (SDK 1 only).

use serde::{Deserialize, Serialize};

use crate::{LaunchParameters, Metadata, Mount};

/// What a run adds to its scenario's devbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunProfile {
    /// Environment variables.
    #[serde(rename = "envVars", skip_serializing_if = "Option::is_none")]
    pub env_vars: Option<Metadata>,
    /// Launch parameters in place of the scenario's.
    #[serde(rename = "launchParameters", skip_serializing_if = "Option::is_none")]
    pub launch_parameters: Option<LaunchParameters>,
    /// More mounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mounts: Option<Vec<Mount>>,
    /// What the run is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Environment variable to secret name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Metadata>,
}
