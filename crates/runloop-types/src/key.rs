//! API keys.

use serde::{Deserialize, Serialize};

/// A new API key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiKeyCreateParams {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it ends, in Unix milliseconds; never unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
}

/// An API key that was just made: its secret is shown this once.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiKeyCreatedView {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
    /// The key itself; a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_secret: Option<String>,
}

debug_only!(ApiKeyCreatedView { id, name, expires_at_ms });

/// A new key that may do only some things.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestrictedKeyCreateParams {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it ends, in Unix milliseconds; never unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<ScopeEntryView>>,
}

/// A restricted key that was just made: its secret is shown this once.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestrictedKeyCreatedView {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
    /// The key itself; a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_secret: Option<String>,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<ScopeEntryView>>,
}

debug_only!(RestrictedKeyCreatedView { id, name, expires_at_ms, scopes });

/// What a restricted key may do with one kind of resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScopeEntryView {
    /// The kind of resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<ScopeResourceType>,
    /// What may be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_level: Option<ScopeAccessLevel>,
}

open_enum! {
    /// What a key may do with resources of a kind.
    ScopeAccessLevel {
        /// Nothing.
        None = "ACCESS_LEVEL_NONE",
        /// Look at them.
        Read = "ACCESS_LEVEL_READ",
        /// Everything.
        Write = "ACCESS_LEVEL_WRITE",
    }
}

open_enum! {
    /// Kinds of resources, as keys tell them apart.
    ScopeResourceType {
        /// Devboxes.
        Devboxes = "RESOURCE_TYPE_DEVBOXES",
        /// Blueprints.
        Blueprints = "RESOURCE_TYPE_BLUEPRINTS",
        /// Disk snapshots.
        Snapshots = "RESOURCE_TYPE_SNAPSHOTS",
        /// Stored objects.
        Objects = "RESOURCE_TYPE_OBJECTS",
        /// The account, with its keys.
        Account = "RESOURCE_TYPE_ACCOUNT",
        /// Agents. SDK 1 and 2.
        Agents = "RESOURCE_TYPE_AGENTS",
        /// Benchmarks. SDK 1 only.
        Benchmarks = "RESOURCE_TYPE_BENCHMARKS",
        /// Scenarios. SDK 1 only.
        Scenarios = "RESOURCE_TYPE_SCENARIOS",
    }
}
