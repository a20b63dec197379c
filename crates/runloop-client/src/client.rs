//! The client: a handle per resource.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use runloop_types::DevboxId;

use crate::call::Call;
use crate::config::{ClientBuilder, ConfigError};
use crate::devbox::Devbox;
use crate::error::Error;
use crate::request::Request;
use crate::resources::{
    Accounts, ApiKeys, Blueprints, Devboxes, DiskSnapshots, Executions, NetworkPolicies, Objects, Ptys,
    RestrictedKeys, Secrets,
};
use crate::transport::Transport;

/// A client of one Runloop API server. Clones are cheap and share connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Transport,
    /// The server answered that it does not know `create_and_await_running`.
    lacks_optimistic_create: AtomicBool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

impl Client {
    /// Sets up a client step by step.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client as `RUNLOOP_API_KEY`, `RUNLOOP_BASE_URL` and `RUNLOOP_CUSTOM_HEADERS` say; the environment of the
    /// process is `|name| std::env::var(name).ok()`.
    ///
    /// # Errors
    /// [`ConfigError`] if the key is missing or a value cannot be used.
    pub fn from_env(environment: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::builder().from_env(environment)?.build()
    }

    pub(crate) fn new(transport: Transport) -> Self {
        Self { shared: Arc::new(Shared { transport, lacks_optimistic_create: AtomicBool::new(false) }) }
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    pub(crate) fn lacks_optimistic_create(&self) -> &AtomicBool {
        &self.shared.lacks_optimistic_create
    }

    pub(crate) fn call<T>(&self, request: Result<Request<T>, Error>) -> Call<T> {
        Call::new(self.clone(), request)
    }

    /// The server's address, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.shared.transport.base_url
    }

    /// Sends a request that was built by hand: for endpoints that this crate does not know.
    pub fn send<T>(&self, request: Request<T>) -> Call<T> {
        self.call(Ok(request))
    }

    /// A handle on one devbox; makes no request.
    pub fn devbox(&self, id: impl Into<DevboxId>) -> Devbox {
        Devbox::new(self.clone(), id.into())
    }

    /// Endpoints of devboxes, their commands and their files.
    pub fn devboxes(&self) -> Devboxes {
        Devboxes::new(self.clone())
    }

    /// Endpoints of executions.
    pub fn executions(&self) -> Executions {
        Executions::new(self.clone())
    }

    /// Endpoints of disk snapshots.
    pub fn disk_snapshots(&self) -> DiskSnapshots {
        DiskSnapshots::new(self.clone())
    }

    /// Endpoints of stored objects, and uploads.
    pub fn objects(&self) -> Objects {
        Objects::new(self.clone())
    }

    /// Endpoints of blueprints.
    pub fn blueprints(&self) -> Blueprints {
        Blueprints::new(self.clone())
    }

    /// Endpoints of secrets.
    pub fn secrets(&self) -> Secrets {
        Secrets::new(self.clone())
    }

    /// Endpoints of network policies.
    pub fn network_policies(&self) -> NetworkPolicies {
        NetworkPolicies::new(self.clone())
    }

    /// Endpoints of accounts.
    pub fn accounts(&self) -> Accounts {
        Accounts::new(self.clone())
    }

    /// Endpoints of full API keys.
    pub fn apikeys(&self) -> ApiKeys {
        ApiKeys::new(self.clone())
    }

    /// Endpoints of restricted keys.
    pub fn restricted_keys(&self) -> RestrictedKeys {
        RestrictedKeys::new(self.clone())
    }

    /// Endpoints of terminals, for a client of a devbox's terminal tunnel.
    pub fn pty(&self) -> Ptys {
        Ptys::new(self.clone())
    }
}
