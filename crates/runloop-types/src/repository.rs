//! Connected repositories and what was found in them (legacy: gone before SDK 1.32).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BlueprintId, ContainerizedService, Metadata, RepositoryId, RepositoryInspectionId};

open_enum! {
    /// Where an inspection is.
    RepositoryInspectionStatus {
        /// Not told.
        Invalid = "invalid",
        /// It waits for access.
        RepoAuthPending = "repo_auth_pending",
        /// The token was refused.
        RepoAuthenticationFailure = "repo_authentication_failure",
        /// The repository cannot be read.
        RepoAccessFailure = "repo_access_failure",
        /// It is under way.
        InspectionPending = "inspection_pending",
        /// It failed.
        InspectionFailed = "inspection_failed",
        /// It is complete.
        InspectionSuccess = "inspection_success",
        /// A manifest of the user is in its place.
        InspectionUserManifestAdded = "inspection_user_manifest_added",
    }
}

open_enum! {
    /// Where the build of an inspected repository is.
    RepositoryBuildStatus {
        /// Under way.
        ImageBuilding = "image_building",
        /// Complete.
        ImageBuildSuccess = "image_build_success",
        /// Failed.
        ImageBuildFailure = "image_build_failure",
    }
}

open_enum! {
    /// A processor architecture.
    RepositoryArchitecture {
        /// 64-bit x86.
        X86_64 = "x86_64",
        /// 64-bit Arm.
        Arm64 = "arm64",
    }
}

untold_by_default!(RepositoryInspectionStatus);

/// A repository to connect.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryCreateParams {
    /// Its name.
    pub name: String,
    /// Its owner on the code host.
    pub owner: String,
    /// The blueprint it is inspected in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint_id: Option<BlueprintId>,
    /// Access token. Not shown by `Debug`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github_auth_token: Option<String>,
}

impl std::fmt::Debug for RepositoryCreateParams {
    /// Leaves out `github_auth_token`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RepositoryCreateParams")
            .field("name", &self.name)
            .field("owner", &self.owner)
            .field("blueprint_id", &self.blueprint_id)
            .finish_non_exhaustive()
    }
}

/// An inspection to begin.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryInspectParams {
    /// Access token. Not shown by `Debug`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github_auth_token: Option<String>,
}

impl std::fmt::Debug for RepositoryInspectParams {
    /// Leaves out `github_auth_token`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RepositoryInspectParams").finish_non_exhaustive()
    }
}

/// A refresh to begin.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryRefreshParams {
    /// The blueprint it is inspected in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint_id: Option<BlueprintId>,
    /// Access token. Not shown by `Debug`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github_auth_token: Option<String>,
}

impl std::fmt::Debug for RepositoryRefreshParams {
    /// Leaves out `github_auth_token`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RepositoryRefreshParams")
            .field("blueprint_id", &self.blueprint_id)
            .finish_non_exhaustive()
    }
}

/// A connected repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryConnectionView {
    /// Its id.
    pub id: RepositoryId,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
}

/// The inspections of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryInspectionListView {
    /// The inspections.
    pub inspections: Vec<RepositoryInspectionDetails>,
}

/// An inspection of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryInspectionDetails {
    /// Its id.
    pub id: RepositoryInspectionId,
    /// The commit.
    pub commit_sha: String,
    /// When, in Unix time.
    pub inspected_at: i64,
    /// What was found.
    pub repository_manifest: RepositoryManifestView,
    /// Where it is.
    pub status: RepositoryInspectionStatus,
    /// The blueprint that was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint_id: Option<BlueprintId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint_name: Option<String>,
    /// Where its build is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_status: Option<RepositoryBuildStatus>,
    /// What the user says instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_manifest: Option<RepositoryManifestView>,
    /// What was read from workflows, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_contexts: Option<BTreeMap<String, RepositoryWorkflowContext>>,
}

/// What was read from a workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryWorkflowContext {
    /// Its file.
    pub file_name: String,
    /// Its actions.
    pub actions_context: RepositoryActionsContext,
}

/// What became of the actions of a workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryActionsContext {
    /// Followed.
    pub actions_taken: Vec<String>,
    /// Not needed.
    pub actions_skipped_unnecessary: Vec<String>,
    /// Not understood.
    pub actions_unknown: Vec<String>,
}

/// What a repository needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryManifestView {
    /// Its container.
    pub container_config: RepositoryContainerConfig,
    /// Its languages.
    pub languages: Vec<RepositoryLanguage>,
    /// Its workspaces.
    pub workspaces: Vec<RepositoryWorkspace>,
    /// Its services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containerized_services: Option<Vec<ContainerizedService>>,
    /// Environment variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_vars: Option<Metadata>,
    /// Environment variables that must be provided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_env_vars: Option<Vec<String>>,
}

/// The container of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryContainerConfig {
    /// Its base image.
    pub base_image_name: String,
    /// Its architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<RepositoryArchitecture>,
    /// Commands that set it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup_commands: Option<Vec<String>>,
}

/// A language of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryLanguage {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A workspace of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryWorkspace {
    /// Its build tools.
    pub build_tool: Vec<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dev_commands: Option<RepositoryDevCommands>,
    /// Commands that refresh it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_refresh_commands: Option<Vec<String>>,
    /// Commands that set it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_setup_commands: Option<Vec<String>>,
}

/// Commands of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositoryDevCommands {
    /// They build it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Vec<String>>,
    /// They install what it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install: Option<Vec<String>>,
    /// They check it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lint: Option<Vec<String>>,
    /// Others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scripts: Option<Vec<String>>,
    /// They test it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Vec<String>>,
}
