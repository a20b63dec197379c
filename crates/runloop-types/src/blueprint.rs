//! Blueprints: images that devboxes are made from.

use serde::{Deserialize, Serialize};

use crate::{
    BlueprintId, CodeMountParameters, DevboxCapability, LaunchParameters, Metadata, NetworkPolicyId,
    ObjectId, RepositoryInspectionId,
};

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

untold_by_default!(BlueprintStatus);

open_enum! {
    /// Why a build failed.
    BlueprintFailureReason {
        /// The memory limit was hit.
        OutOfMemory = "out_of_memory",
        /// The disk limit was hit.
        OutOfDisk = "out_of_disk",
        /// A step failed; see the logs.
        BuildFailed = "build_failed",
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
    pub services: Option<Vec<ContainerizedService>>,
}

/// Where a build context comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildContext {
    /// Always `object`.
    pub r#type: String,
    /// The archive.
    pub object_id: ObjectId,
}

impl Default for BuildContext {
    fn default() -> Self {
        Self { r#type: "object".to_owned(), object_id: ObjectId::default() }
    }
}

/// A container that runs beside a devbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerizedService {
    /// Its name, for `required_services`.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Access to the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<ContainerizedServiceCredentials>,
    /// Its environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Metadata>,
    /// More options of the container's start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
    /// Ports as `host:container`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_mappings: Option<Vec<String>>,
}

/// Access to an image.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerizedServiceCredentials {
    /// User of the registry.
    pub username: String,
    /// Password; a secret.
    pub password: String,
}

debug_only!(ContainerizedServiceCredentials { username });

/// What a blueprint of an inspected repository is built from. Legacy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlueprintCreateFromInspectionParams {
    /// Its name.
    pub name: String,
    /// The inspection.
    pub inspection_source: InspectionSource,
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
    /// Build-time variable to secret name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Metadata>,
    /// Commands run in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_setup_commands: Option<Vec<String>>,
}

/// An inspection of a repository. Legacy.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InspectionSource {
    /// The inspection.
    pub inspection_id: RepositoryInspectionId,
    /// Access to the repository; a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github_auth_token: Option<String>,
}

debug_only!(InspectionSource { inspection_id });

/// What a preview shows. Deprecated by the API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlueprintPreviewView {
    /// The whole Dockerfile of the build.
    pub dockerfile: String,
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
    /// Why the build failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<BlueprintFailureReason>,
    /// The blueprint below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_blueprint_id: Option<BlueprintId>,
    /// Containers that run beside devboxes made from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containerized_services: Option<Vec<ContainerizedService>>,
    /// What devboxes made from it can do beyond the usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devbox_capabilities: Option<Vec<DevboxCapability>>,
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
