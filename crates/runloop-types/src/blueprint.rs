//! Blueprints: images that devboxes are made from.

use serde::{Deserialize, Serialize};

use crate::{BlueprintId, CodeMountParameters, LaunchParameters, Metadata, NetworkPolicyId, ObjectId};

open_enum! {
    /// Where a build is.
    BlueprintStatus {
        /// Waits.
        Queued = "queued",
        /// Its machine is being made.
        Provisioning = "provisioning",
        /// Commands run.
        Building = "building",
        /// Waits for its context.
        AwaitingUpload = "awaiting_upload",
        /// Ended badly; see the logs.
        Failed = "failed",
        /// Usable.
        BuildComplete = "build_complete",
    }
}

impl Default for BlueprintStatus {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

open_enum! {
    /// Whether a blueprint was deleted.
    #[derive(Default)]
    BlueprintState {
        /// It is there.
        #[default]
        Created = "created",
        /// It was deleted; still readable.
        Deleted = "deleted",
    }
}

/// What a blueprint is built from. Only `name` is required. Also the echo in [`BlueprintView::parameters`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlueprintCreateParams {
    /// Its name; may repeat, the newest successful build wins.
    pub name: String,
    /// Dockerfile text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    /// Archive that COPY reads from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_context: Option<BuildContext>,
    /// Values of ARG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_args: Option<Metadata>,
    /// Commands run in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_setup_commands: Option<Vec<String>>,
    /// Build on top of this blueprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_blueprint_id: Option<BlueprintId>,
    /// Build on top of the newest successful build of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_blueprint_name: Option<String>,
    /// Repositories to clone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_mounts: Option<Vec<CodeMountParameters>>,
    /// Path to content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_mounts: Option<Metadata>,
    /// Defaults for devboxes made from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_parameters: Option<LaunchParameters>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Network policy of the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policy_id: Option<NetworkPolicyId>,
    /// Build-time variable to secret name; values are not stored in the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Metadata>,
    /// Containers that run beside a devbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<serde_json::Value>>,
}

/// Where a build context comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildContext {
    /// Always `object`.
    pub r#type: String,
    /// The archive.
    pub object_id: ObjectId,
}

/// A blueprint and its build.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlueprintView {
    /// Its id.
    pub id: BlueprintId,
    /// Its name.
    pub name: String,
    /// When it was asked for.
    pub create_time_ms: i64,
    /// What it was asked to be.
    pub parameters: BlueprintCreateParams,
    /// Whether it was deleted.
    pub state: BlueprintState,
    /// Where its build is.
    pub status: BlueprintStatus,
    /// When the build ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_finish_time_ms: Option<i64>,
    /// `out_of_memory`, `out_of_disk` or `build_failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// The blueprint below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_blueprint_id: Option<BlueprintId>,
    /// Whether everyone may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// The log of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlueprintBuildLogsListView {
    /// The blueprint.
    pub blueprint_id: BlueprintId,
    /// Its lines, oldest first.
    pub logs: Vec<BlueprintBuildLog>,
}

/// A line of a build's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlueprintBuildLog {
    /// `info`, `error`, ...
    pub level: String,
    /// The line.
    pub message: String,
    /// When it was written.
    pub timestamp_ms: i64,
}
