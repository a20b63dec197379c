//! What is put into a devbox before it runs.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::{AgentId, AxonId, ObjectId};

/// Something put into a devbox before it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", remote = "Self")]
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
    BrokerMount(BrokerMount),
    /// Installs a registered agent. SDK 1 and 2.
    AgentMount(AgentMount),
    /// A kind that this version does not know, kept as it came.
    #[serde(skip)]
    Other(Value),
}

/// The values of `type` that this version knows.
const KINDS: [&str; 5] = ["object_mount", "file_mount", "code_mount", "broker_mount", "agent_mount"];

impl Serialize for Mount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Other(value) => value.serialize(serializer),
            known => Self::serialize(known, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Mount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match value.get("type").and_then(Value::as_str) {
            Some(kind) if KINDS.contains(&kind) => Self::deserialize(value).map_err(D::Error::custom),
            _ => Ok(Self::Other(value)),
        }
    }
}

/// A repository to clone into `/home/user/<repo_name>`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeMountParameters {
    /// Owner on the code host.
    pub repo_owner: String,
    /// Name of the repository.
    pub repo_name: String,
    /// Access token; a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Branch or tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// Command run in the clone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install_command: Option<String>,
}

debug_only!(CodeMountParameters { repo_owner, repo_name, git_ref, install_command });

open_enum! {
    /// The protocol that a broker and an agent speak.
    BrokerProtocol {
        /// Agent client protocol.
        Acp = "acp",
        /// Claude's JSON lines.
        ClaudeJson = "claude_json",
        /// Codex' JSON lines.
        CodexJson = "codex_json",
        /// Pi's JSON lines.
        PiJson = "pi_json",
    }
}

/// Ties an agent process in the devbox to an axon: user events go in, agent events come out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrokerMount {
    /// The axon.
    pub axon_id: AxonId,
    /// The protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<BrokerProtocol>,
    /// The agent's program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_binary: Option<String>,
    /// Its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_args: Option<Vec<String>>,
    /// Where it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
}

/// Installs a registered agent, named by its id or by its name. SDK 1 and 2.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentMount {
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// Or the newest agent of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// Where it goes; agents that come from git or an object need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_path: Option<String>,
    /// Access token for agents that come from git; a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<String>,
}

debug_only!(AgentMount { agent_id, agent_name, agent_path });

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_mount_of_a_known_kind_must_be_whole() {
        let error =
            serde_json::from_value::<Mount>(json!({"type": "file_mount", "target": "/a"})).unwrap_err();
        assert!(error.to_string().contains("`content`"), "{error}");
    }

    #[test]
    fn a_mount_of_another_kind_is_kept() {
        let json = json!({"type": "disk_mount", "size": 7});
        let mount: Mount = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(mount, Mount::Other(json.clone()));
        assert_eq!(serde_json::to_value(mount).unwrap(), json);
    }
}
