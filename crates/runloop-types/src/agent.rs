//! Where an agent comes from (SDK majors 1 and 2).

use serde::{Deserialize, Serialize};

use crate::ObjectId;

/// Where an agent comes from. On the wire it is `{"type": "npm", "npm": {...}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentSource {
    /// A package of npm.
    Npm {
        /// The package.
        npm: PackageSource,
    },
    /// A package of PyPI.
    Pip {
        /// The package.
        pip: PackageSource,
    },
    /// A repository.
    Git {
        /// The repository.
        git: GitSource,
    },
    /// A stored archive.
    Object {
        /// The archive.
        object: ObjectSource,
    },
}

/// A package of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageSource {
    /// Its name, with a version as the registry's client writes it.
    pub package_name: String,
    /// The registry, if it is not the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_url: Option<String>,
    /// Commands after it is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_setup: Option<Vec<String>>,
}

/// A repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GitSource {
    /// Its URL.
    pub repository: String,
    /// Branch or tag, if it is not the usual branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#ref: Option<String>,
    /// Commands after it is cloned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_setup: Option<Vec<String>>,
}

/// A stored archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectSource {
    /// The object.
    pub object_id: ObjectId,
    /// Commands after it is unpacked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_setup: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_as_the_api_has_it() {
        let json = r#"{"type":"git","git":{"repository":"https://example.com/a","ref":"v1"}}"#;
        let source: AgentSource = serde_json::from_str(json).expect("a source");
        let AgentSource::Git { git } = &source else { panic!("{source:?}") };
        assert_eq!((git.repository.as_str(), git.r#ref.as_deref()), ("https://example.com/a", Some("v1")));
        assert_eq!(serde_json::to_string(&source).expect("JSON"), json);
    }
}
