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
mod ids;

mod account;
mod agent;
mod blueprint;
mod devbox;
mod error;
mod execution;
mod launch;
mod logs;
mod mount;
mod network_policy;
mod object;
mod page;
mod scenario;
mod scoring;
mod secret;
mod snapshot;

pub use account::*;
pub use agent::*;
pub use blueprint::*;
pub use devbox::*;
pub use error::*;
pub use execution::*;
pub use ids::*;
pub use launch::*;
pub use logs::*;
pub use mount::*;
pub use network_policy::*;
pub use object::*;
pub use page::*;
pub use scenario::*;
pub use scoring::*;
pub use secret::*;
pub use snapshot::*;

/// String-to-string map that keeps the order of keys stable on the wire.
pub type Metadata = std::collections::BTreeMap<String, String>;
