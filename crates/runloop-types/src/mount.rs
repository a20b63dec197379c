//! What is put into a devbox before it runs.

use serde::{Deserialize, Serialize};

use crate::ObjectId;

/// Something put into a devbox before it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mount {
    /// A stored object: tar, tgz and gzip objects are unpacked into `object_path`, others become that file.
    ObjectMount {
        /// The object.
        object_id: ObjectId,
        /// Where it goes.
        object_path: String,
    },
    /// A file with this content.
    FileMount {
        /// Where it goes.
        target: String,
        /// UTF-8 content.
        content: String,
    },
    /// A repository, cloned below the home directory.
    CodeMount(CodeMountParameters),
    /// Ties an agent process to an axon.
    BrokerMount(serde_json::Map<String, serde_json::Value>),
    /// Installs a registered agent (SDK majors 1 and 2).
    AgentMount(serde_json::Map<String, serde_json::Value>),
}

/// A repository to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeMountParameters {
    /// Owner on the code host.
    pub repo_owner: String,
    /// Name of the repository.
    pub repo_name: String,
    /// Access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Branch or tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// Command run in the clone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install_command: Option<String>,
}
