//! Agents: the registry of coding agents that a devbox can install (SDK majors 1 and 2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AgentId, ObjectId};

/// A new agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentCreateParams {
    /// Its name; versions of one agent share it.
    pub name: String,
    /// Its version; SDK 1.3.2 always sends one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<AgentSource>,
}

/// A registered agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentView {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// When it was registered.
    pub create_time_ms: i64,
    /// Whether every account may use it.
    pub is_public: bool,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<AgentSource>,
}

/// Where an agent comes from: a kind, and the field of that name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentSource {
    /// `npm`, `pip`, `git` or `object`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `git`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<AgentGitSource>,
    /// For `npm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub npm: Option<AgentPackageSource>,
    /// For `object`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<AgentObjectSource>,
    /// For `pip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pip: Option<AgentPackageSource>,
}

impl AgentSource {
    /// An npm package.
    pub fn npm(source: AgentPackageSource) -> Self {
        Self { kind: "npm".to_owned(), npm: Some(source), ..Self::default() }
    }

    /// A Python package.
    pub fn pip(source: AgentPackageSource) -> Self {
        Self { kind: "pip".to_owned(), pip: Some(source), ..Self::default() }
    }

    /// A git repository.
    pub fn git(source: AgentGitSource) -> Self {
        Self { kind: "git".to_owned(), git: Some(source), ..Self::default() }
    }

    /// A stored object.
    pub fn object(source: AgentObjectSource) -> Self {
        Self { kind: "object".to_owned(), object: Some(source), ..Self::default() }
    }
}

/// An agent that is a package of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentPackageSource {
    /// Name of the package.
    pub package_name: String,
    /// Registry other than the public one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_url: Option<String>,
    /// Commands run after the installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_setup: Option<Vec<String>>,
}

/// An agent that is a git repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentGitSource {
    /// URL of the repository.
    pub repository: String,
    /// Branch or tag.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// Commands run after the clone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_setup: Option<Vec<String>>,
}

/// An agent that is a stored object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentObjectSource {
    /// The object.
    pub object_id: ObjectId,
    /// Commands run after it was unpacked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_setup: Option<Vec<String>>,
}

/// How many devboxes run which agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentDevboxCountsView {
    /// Agent name to its running devboxes.
    pub counts: BTreeMap<String, i64>,
    /// All of them.
    pub total_count: i64,
}
