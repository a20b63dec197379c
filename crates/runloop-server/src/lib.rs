//! The embedded platform: the Runloop REST API over real sandboxes, on the loopback of this machine.
//!
//! [`Server::start`] serves the API until [`Server::shutdown`]; an unmodified official SDK can use it with the
//! [`url`](Server::url) and the [`key`](Server::api_key). The program that starts it calls [`runloop_sandbox::init`] in
//! the first line of its `main`.
//!
//! Objects, snapshots, blueprints, secrets and network policies outlive a restart. Devboxes and executions end with the
//! server; the next one shows devboxes that were alive then as failed, or as shut down if the server had the time.

mod auth;
mod blueprint;
mod body;
mod clock;
mod data_dir;
mod devbox;
mod error;
mod execution;
mod idempotency;
mod lock;
mod new_id;
mod pagination;
mod query;
mod routes;
mod server;
mod signing;
mod state;
mod store;
mod wait;

pub use data_dir::DataDirError;
pub use server::{SandboxSource, Server, ServerOptions, StartError};
pub use store::StoreError;
