//! Devboxes: isolated machines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BlueprintId, CodeMountParameters, DevboxId, LaunchParameters, Metadata, Mount, SnapshotId};

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

impl Default for DevboxStatus {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

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
    /// What it can do beyond the usual, such as `docker_in_docker`.
    pub capabilities: Vec<String>,
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
    pub initiator_type: Option<String>,
    /// Which one of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator_id: Option<String>,
    /// A name for people; need not be unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its tunnel, if one is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<TunnelView>,
}

/// An open tunnel: every port of the devbox under one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TunnelView {
    /// Part of the tunnel's host name.
    pub tunnel_key: String,
    /// `open` or `authenticated`.
    pub auth_mode: String,
    /// Bearer token, for `authenticated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<String>,
    /// Whether requests reset the idle clock.
    pub http_keep_alive: bool,
    /// Whether requests resume a suspended devbox.
    pub wake_on_http: bool,
    /// When it was opened.
    pub create_time_ms: i64,
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
    pub tunnel: Option<serde_json::Value>,
    /// Gateways by environment prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateways: Option<BTreeMap<String, serde_json::Value>>,
    /// MCP configs by environment variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp: Option<BTreeMap<String, serde_json::Value>>,
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
