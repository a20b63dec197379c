//! Identifiers. Opaque to clients; the prefix only helps a reader.

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        id!($(#[$meta])* $name);

        impl $name {
            /// The prefix that servers put before such an id.
            pub const PREFIX: &'static str = $prefix;
        }
    };
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps an id as it came; ids are not checked, they are opaque.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(/// Names a devbox.
    DevboxId, "dbx_");
id!(/// Names an execution: one command run in a devbox.
    ExecutionId, "exec_");
id!(/// Names a disk snapshot.
    SnapshotId, "snp_");
id!(/// Names a stored object.
    ObjectId, "obj_");
id!(/// Names a blueprint.
    BlueprintId, "bpt_");
id!(/// Names a secret; most of the API goes by the secret's name instead.
    SecretId, "sec_");
id!(/// Names a network policy.
    NetworkPolicyId, "npol_");
id!(/// Names an agent of the agent registry.
    AgentId, "agt_");
id!(/// Names an axon.
    AxonId, "axn_");
id!(/// Names a benchmark.
    BenchmarkId, "bmd_");
id!(/// Names a benchmark run.
    BenchmarkRunId, "bmr_");
id!(/// Names a benchmark job.
    BenchmarkJobId);
id!(/// Names a gateway config.
    GatewayConfigId, "gwc_");
id!(/// Names an MCP config.
    McpConfigId, "mcp_");
id!(/// Names a scenario.
    ScenarioId, "scn_");
id!(/// Names a scenario run.
    ScenarioRunId, "scr_");
id!(/// Names a custom scorer.
    ScorerId, "scs_");
id!(/// Names a connected repository (legacy).
    RepositoryId);
id!(/// Names an inspection of a repository (legacy).
    RepositoryInspectionId);
