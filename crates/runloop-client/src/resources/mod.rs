//! One handle per resource of the API; each method builds the request of one endpoint.

mod accounts;
mod agents;
mod axons;
mod benchmark_jobs;
mod benchmark_runs;
mod benchmarks;
mod blueprints;
mod browsers;
mod computers;
mod devbox_access;
mod devbox_commands;
mod devbox_files;
mod devbox_logs;
mod devboxes;
mod disk_snapshots;
mod executions;
mod gateway_configs;
mod keys;
mod mcp_configs;
mod network_policies;
mod object_transfer;
mod objects;
mod ptys;
mod repositories;
mod scenario_runs;
mod scenarios;
mod scorers;
mod secrets;

pub use accounts::Accounts;
pub use agents::{AgentListParams, Agents};
pub use axons::{AxonEvents, AxonListParams, AxonSql, Axons};
pub use benchmark_jobs::{BenchmarkJobListParams, BenchmarkJobs};
pub use benchmark_runs::{BenchmarkRunListParams, BenchmarkRuns, BenchmarkScenarioRunListParams};
pub use benchmarks::{BenchmarkDefinitionsParams, BenchmarkListParams, Benchmarks};
pub use blueprints::{BlueprintListParams, Blueprints};
pub use browsers::Browsers;
pub use computers::Computers;
pub use devbox_logs::{DevboxLogListParams, DevboxLogs};
pub use devboxes::{DevboxListParams, Devboxes};
pub use disk_snapshots::{DiskSnapshotListParams, DiskSnapshots};
pub use executions::Executions;
pub use gateway_configs::{GatewayConfigListParams, GatewayConfigs};
pub use keys::{ApiKeys, RestrictedKeys};
pub use mcp_configs::{McpConfigListParams, McpConfigs};
pub use network_policies::{NetworkPolicies, NetworkPolicyListParams};
pub use object_transfer::ObjectUpload;
pub use objects::{ObjectListParams, Objects};
pub use ptys::{PtyConnectParams, Ptys};
pub use repositories::{Repositories, RepositoryListParams};
pub use scenario_runs::{ScenarioRunListParams, ScenarioRuns};
pub use scenarios::{PublicScenarioListParams, ScenarioListParams, Scenarios};
pub use scorers::{ScorerListParams, Scorers};
pub use secrets::Secrets;

/// Declares a resource handle: a client by another name.
macro_rules! resource {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $name {
            pub(crate) client: crate::client::Client,
        }

        impl $name {
            pub(crate) fn new(client: crate::client::Client) -> Self {
                Self { client }
            }
        }
    };
}

pub(crate) use resource;

/// The error of a call that means nothing and so is not sent.
pub(crate) fn refuse(reason: impl Into<String>) -> crate::error::Error {
    crate::error::Error::InvalidRequest { reason: reason.into() }
}
