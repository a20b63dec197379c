//! Devboxes: isolated machines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    BlueprintId, CodeMountParameters, DevboxGateway, DevboxGatewaySpec, DevboxId, DevboxMcp, DevboxMcpSpec,
    LaunchParameters, Metadata, Mount, RepositoryId, SnapshotId, TunnelParams, TunnelView,
};

open_enum! {
    /// Where a devbox is in its life.
    DevboxStatus {
        /// Waits for capacity (flex tier); older servers say `scheduled`.
        Queued = "queued",
        /// Deprecated alias of `queued`.
        Scheduled = "scheduled",
        /// The machine is being made.
        Provisioning = "provisioning",
        /// Booted; mounts and launch commands are under way.
        Initializing = "initializing",
        /// Ready for commands.
        Running = "running",
        /// On the way to `suspended`.
        Suspending = "suspending",
        /// Disk kept, processes and memory lost.
        Suspended = "suspended",
        /// On the way back to `running`.
        Resuming = "resuming",
        /// Final: it broke; see `failure_reason`.
        Failure = "failure",
        /// Final: it was ended; see `shutdown_reason`.
        Shutdown = "shutdown",
    }
}

impl DevboxStatus {
    /// Whether no other state can follow.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Failure | Self::Shutdown)
    }
}

untold_by_default!(DevboxStatus);

open_enum! {
    /// Why a devbox failed.
    DevboxFailureReason {
        /// The memory limit was hit.
        OutOfMemory = "out_of_memory",
        /// The disk limit was hit.
        OutOfDisk = "out_of_disk",
        /// A launch command or mount failed.
        ExecutionFailed = "execution_failed",
        /// The machine stopped answering.
        HealthCheckFailed = "health_check_failed",
    }
}

open_enum! {
    /// Why a devbox was shut down.
    DevboxShutdownReason {
        /// Someone asked for it.
        ApiShutdown = "api_shutdown",
        /// `keep_alive_time_seconds` ran out.
        KeepAliveTimeout = "keep_alive_timeout",
        /// The entrypoint ended.
        EntrypointExit = "entrypoint_exit",
        /// It was idle for longer than `after_idle` allows.
        Idle = "idle",
        /// The longest life was reached.
        TtlExpired = "ttl_expired",
    }
}

open_enum! {
    /// What a devbox or blueprint can do beyond the usual.
    DevboxCapability {
        /// The service itself does not know.
        Unknown = "unknown",
        /// Containers in the devbox.
        DockerInDocker = "docker_in_docker",
        /// A desktop. Legacy.
        ComputerUsage = "computer_usage",
        /// A browser. Legacy.
        BrowserUsage = "browser_usage",
    }
}

open_enum! {
    /// Who asks for devboxes.
    InitiatorType {
        /// The service itself does not know.
        Unknown = "unknown",
        /// A request to the API.
        Api = "api",
        /// An agent of the service.
        Reflex = "reflex",
        /// A scenario run. SDK 1 only.
        Scenario = "scenario",
        /// The check of a scorer. SDK 1 only.
        ScoringValidation = "scoring_validation",
    }
}

/// A step in a devbox's life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StateTransition {
    /// The state that was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<DevboxStatus>,
    /// When, in Unix milliseconds; untyped in the API.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub transition_time_ms: serde_json::Value,
    /// Why, when the state is `failure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
}

/// A devbox as the server sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxView {
    /// Its id.
    pub id: DevboxId,
    /// Where it is in its life.
    pub status: DevboxStatus,
    /// What it can do beyond the usual.
    pub capabilities: Vec<DevboxCapability>,
    /// When it was asked for.
    pub create_time_ms: i64,
    /// When it ended; null while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time_ms: Option<i64>,
    /// The launch parameters in force.
    pub launch_parameters: LaunchParameters,
    /// The caller's labels.
    pub metadata: Metadata,
    /// Its life so far, oldest first.
    pub state_transitions: Vec<StateTransition>,
    /// The blueprint it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint_id: Option<BlueprintId>,
    /// The snapshot it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<SnapshotId>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<DevboxFailureReason>,
    /// Why it was shut down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shutdown_reason: Option<DevboxShutdownReason>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator_type: Option<InitiatorType>,
    /// Which one of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator_id: Option<String>,
    /// A name for people; need not be unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its gateways by environment prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_specs: Option<BTreeMap<String, DevboxGatewaySpec>>,
    /// Its MCP servers by environment variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp_specs: Option<BTreeMap<String, DevboxMcpSpec>>,
    /// Its tunnel, if one is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<TunnelView>,
}

/// What a new devbox shall be. At most one of `blueprint_id`, `blueprint_name` and `snapshot_id`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxCreateParams {
    /// Start from this blueprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint_id: Option<BlueprintId>,
    /// Start from the newest successful build of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint_name: Option<String>,
    /// Start from this disk snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<SnapshotId>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Environment of every command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_variables: Option<Metadata>,
    /// Environment variable to secret name; the value is injected by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Metadata>,
    /// Main process: the devbox shuts down when it exits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<String>,
    /// Size, user, life time, network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_parameters: Option<LaunchParameters>,
    /// Files, objects, code that are put in place before it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mounts: Option<Vec<Mount>>,
    /// Deprecated form of file mounts: path to content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_mounts: Option<Metadata>,
    /// Deprecated form of code mounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_mounts: Option<Vec<CodeMountParameters>>,
    /// Open a tunnel at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<TunnelParams>,
    /// Gateways by environment prefix: `PREFIX_URL` and `PREFIX` become where it is and the token for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateways: Option<BTreeMap<String, DevboxGateway>>,
    /// MCP configs by the environment variable that gets the token; `RL_MCP_URL` becomes where the hub is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp: Option<BTreeMap<String, DevboxMcp>>,
    /// A connected repository. Legacy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo_connection_id: Option<RepositoryId>,
}

/// Changes to a devbox: absent or null leaves as is, empty clears, metadata is replaced whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxUpdateParams {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// A long poll for one of several states, of a devbox or an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitForStatusParams<S> {
    /// The states that end the wait; at least one.
    pub statuses: Vec<S>,
    /// Longest hold in seconds, fractions allowed; the server clamps it (30 for devboxes, 25 for executions).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
}
