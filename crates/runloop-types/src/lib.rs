//! Wire types of the Runloop REST API.
//!
//! Plain serde structs without any I/O. Names of types and fields are those of the API; `*View` is what a server
//! answers, `*Params` is what a client sends. Times ending in `_ms` are Unix milliseconds.
//!
//! Decoding is lenient, as the official SDKs are: unknown fields are ignored, unknown enum values are kept as text
//! (see [`open_enum!`]), and absent required fields take a default.

#[macro_use]
mod open_enum;
#[macro_use]
mod hidden;
#[macro_use]
mod ids;

mod account;
mod agent;
mod auth_mechanism;
mod axon;
mod axon_event;
mod benchmark;
mod benchmark_job;
mod benchmark_run;
mod blueprint;
mod browser;
mod computer;
mod devbox;
mod error;
mod eviction;
mod execution;
mod gateway;
mod gateway_config;
mod key;
mod launch;
mod lenient;
mod lifecycle;
mod logs;
mod mcp_config;
mod mount;
mod network_policy;
mod object;
mod page;
mod pty;
mod repository;
mod run_profile;
mod scenario;
mod scenario_run;
mod scorer;
mod scoring;
mod secret;
mod snapshot;
mod sql;
mod tunnel;

pub use account::*;
pub use agent::*;
pub use auth_mechanism::*;
pub use axon::*;
pub use axon_event::*;
pub use benchmark::*;
pub use benchmark_job::*;
pub use benchmark_run::*;
pub use blueprint::*;
pub use browser::*;
pub use computer::*;
pub use devbox::*;
pub use error::*;
pub use eviction::*;
pub use execution::*;
pub use gateway::*;
pub use gateway_config::*;
pub use ids::*;
pub use key::*;
pub use launch::*;
pub use lifecycle::*;
pub use logs::*;
pub use mcp_config::*;
pub use mount::*;
pub use network_policy::*;
pub use object::*;
pub use page::*;
pub use pty::*;
pub use repository::*;
pub use run_profile::*;
pub use scenario::*;
pub use scenario_run::*;
pub use scorer::*;
pub use scoring::*;
pub use secret::*;
pub use snapshot::*;
pub use sql::*;
pub use tunnel::*;

/// String-to-string map that keeps the order of keys stable on the wire.
pub type Metadata = std::collections::BTreeMap<String, String>;
