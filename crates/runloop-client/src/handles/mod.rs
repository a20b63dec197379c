//! One handle per thing that lives on the server: a client, an id, and what one does with that thing.
//!
//! All handles are alike. `client.blueprint(id)` makes one and sends nothing; `client.create_blueprint(..)` makes the
//! thing itself. `id()` names it, `info()` asks what it is at present, and the other methods are verbs. Those of one
//! request give a [`Call`](crate::Call), so that its options can be set; those that take several, or wait, are plain
//! futures. Dropping a handle sends nothing.

mod agent;
mod axon;
mod benchmark;
mod benchmark_job;
mod benchmark_run;
mod blueprint;
mod custom_scorer;
mod devbox;
mod devbox_access;
mod devbox_commands;
mod devbox_files;
mod exec_options;
mod exec_result;
mod execution;
mod gateway_config;
mod mcp_config;
mod named_shell;
mod network_policy;
mod scenario;
mod scenario_builder;
mod scenario_run;
mod secret;
mod snapshot;
mod storage_object;
mod tunnel_url;

pub use agent::Agent;
pub use axon::Axon;
pub use benchmark::Benchmark;
pub use benchmark_job::BenchmarkJob;
pub use benchmark_run::BenchmarkRun;
pub use blueprint::Blueprint;
pub use custom_scorer::CustomScorer;
pub use devbox::Devbox;
pub use exec_options::ExecOptions;
pub use exec_result::ExecResult;
pub use execution::Execution;
pub use gateway_config::GatewayConfig;
pub use mcp_config::McpConfig;
pub use named_shell::NamedShell;
pub use network_policy::NetworkPolicy;
pub use scenario::Scenario;
pub use scenario_builder::{ScenarioBuilder, ScenarioPreview};
pub use scenario_run::ScenarioRun;
pub use secret::{Secret, SecretById};
pub use snapshot::Snapshot;
pub use storage_object::StorageObject;

/// Declares a handle that is a client and an id, and how a client makes one:
/// `handle! { /** docs */ Axon(AxonId), axon }`.
macro_rules! handle {
    ($(#[$meta:meta])* $name:ident($id:ident), $from_id:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $name {
            pub(super) client: crate::client::Client,
            pub(super) id: runloop_types::$id,
        }

        impl crate::client::Client {
            #[doc = concat!("A handle on what has this id; sends nothing. See [`", stringify!($name), "`].")]
            #[doc(alias = "from_id")]
            pub fn $from_id(&self, id: impl Into<runloop_types::$id>) -> $name {
                $name { client: self.clone(), id: id.into() }
            }
        }

        impl $name {
            /// Its id.
            pub fn id(&self) -> &runloop_types::$id {
                &self.id
            }

            /// The client it uses.
            pub fn client(&self) -> &crate::client::Client {
                &self.client
            }
        }
    };
}

pub(crate) use handle;
