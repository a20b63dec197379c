//! The client: a handle per resource.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::call::Call;
use crate::config::{ClientBuilder, ConfigError};
use crate::error::Error;
use crate::request::Request;
use crate::resources::{
    Accounts, Agents, ApiKeys, Axons, BenchmarkJobs, BenchmarkRuns, Benchmarks, Blueprints, Devboxes,
    DiskSnapshots, Executions, GatewayConfigs, McpConfigs, NetworkPolicies, Objects, Ptys, Repositories,
    RestrictedKeys, Scenarios, Secrets,
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

    /// A client as `RUNLOOP_API_KEY`, `RUNLOOP_BASE_URL`, `RUNLOOP_CUSTOM_HEADERS` and `RUNLOOP_LOG` say; the environment
    /// of the process is `|name| std::env::var(name).ok()`.
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

    /// Endpoints of the agent registry.
    pub fn agents(&self) -> Agents {
        Agents::new(self.clone())
    }

    /// Endpoints of axons, their events and their database.
    pub fn axons(&self) -> Axons {
        Axons::new(self.clone())
    }

    /// Endpoints of gateway configs.
    pub fn gateway_configs(&self) -> GatewayConfigs {
        GatewayConfigs::new(self.clone())
    }

    /// Endpoints of MCP configs.
    pub fn mcp_configs(&self) -> McpConfigs {
        McpConfigs::new(self.clone())
    }

    /// Endpoints of scenarios, their runs and custom scorers.
    pub fn scenarios(&self) -> Scenarios {
        Scenarios::new(self.clone())
    }

    /// Endpoints of benchmarks.
    pub fn benchmarks(&self) -> Benchmarks {
        Benchmarks::new(self.clone())
    }

    /// Endpoints of benchmark runs.
    pub fn benchmark_runs(&self) -> BenchmarkRuns {
        BenchmarkRuns::new(self.clone())
    }

    /// Endpoints of benchmark jobs.
    pub fn benchmark_jobs(&self) -> BenchmarkJobs {
        BenchmarkJobs::new(self.clone())
    }

    /// Endpoints of connected repositories, which only old servers have.
    pub fn repositories(&self) -> Repositories {
        Repositories::new(self.clone())
    }
}
