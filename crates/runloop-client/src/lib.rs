//! Async client for the Runloop REST API: devboxes, the commands and files in them, snapshots, objects, blueprints,
//! secrets and network policies.
//!
//! # A tour
//!
//! A [`Client`] knows a server and a key. Clones are cheap and share connections.
//!
//! ```no_run
//! # async fn tour() -> Result<(), Box<dyn std::error::Error>> {
//! use runloop_client::Client;
//!
//! // RUNLOOP_API_KEY, RUNLOOP_BASE_URL, RUNLOOP_CUSTOM_HEADERS and RUNLOOP_LOG.
//! let client = Client::from_env(|name| std::env::var(name).ok())?;
//! // Or step by step.
//! let client = Client::builder().base_url("http://127.0.0.1:8080").api_key("ak_...").build()?;
//! # Ok(()) }
//! ```
//!
//! **Endpoints** are methods of resource handles. Each gives a [`Call`]: set options, then await it.
//!
//! ```no_run
//! # use runloop_client::{Client, WaitOptions, types::DevboxCreateParams};
//! # async fn tour(client: Client) -> Result<(), runloop_client::Error> {
//! use std::time::Duration;
//!
//! let params = DevboxCreateParams { name: Some("trial-7".into()), ..Default::default() };
//! let view = client.devboxes().create(&params).idempotency_key("run-1/trial-7").await?;
//! let view = client.devboxes().await_running(&view.id, WaitOptions::within(Duration::from_secs(600))).await?;
//! # Ok(()) }
//! ```
//!
//! Options of a single call are headers, query parameters, body fields that this crate does not know (also an explicit
//! `null`), timeouts and retries. [`Call::with_response`] gives the answer beside the value: status, headers, request id,
//! attempts, time. [`ListCall`] has the same, for each page.
//!
//! ```no_run
//! # use runloop_client::Client;
//! # async fn tour(client: Client) -> Result<(), runloop_client::Error> {
//! use std::time::Duration;
//!
//! let answer = client.devboxes().suspend("dbx_1")
//!     .header("X-Team", "evals")
//!     .body_field("reason", "idle")
//!     .total_timeout(Duration::from_secs(90))
//!     .with_response()
//!     .await?;
//! println!("{:?}: {} after {} attempts", answer.raw.request_id(), answer.raw.status, answer.raw.attempts);
//! # Ok(()) }
//! ```
//!
//! **Handles** stand for one thing each: a client, an id, and what one does with that thing. All are alike:
//!
//! | handle | of what has this id | of a new one |
//! | --- | --- | --- |
//! | [`Devbox`] | [`Client::devbox`] | [`Client::create_devbox`], [`Client::with_devbox`], `create_devbox` of blueprints and snapshots |
//! | [`Execution`], [`NamedShell`] | [`Devbox::execution`], [`Devbox::shell`] | [`Devbox::spawn`] |
//! | [`Snapshot`] | [`Client::snapshot`] | [`Devbox::snapshot_disk`] |
//! | [`Blueprint`] | [`Client::blueprint`] | [`Client::create_blueprint`] |
//! | [`StorageObject`] | [`Client::storage_object`] | [`Client::create_object`], [`Client::upload_object_from_file`] and its like |
//! | [`NetworkPolicy`] | [`Client::network_policy`] | [`Client::create_network_policy`] |
//! | [`GatewayConfig`], [`McpConfig`] | [`Client::gateway_config`], [`Client::mcp_config`] | [`Client::create_gateway_config`], [`Client::create_mcp_config`] |
//! | [`Secret`], [`SecretById`] | [`Client::secret`] (by name), [`Client::secret_by_id`] | [`Client::create_secret`] |
//! | [`Axon`] | [`Client::axon`] | [`Client::create_axon`] |
//! | [`Agent`] | [`Client::agent`] | [`Client::create_agent`], [`Client::create_agent_from_npm`] and its like |
//! | [`Scenario`] | [`Client::scenario`] | [`ScenarioBuilder::push`], [`Client::create_scenario`] |
//! | [`ScenarioRun`] | [`Client::scenario_run`] | [`Scenario::run`], [`BenchmarkRun::start_scenario_run`] |
//! | [`CustomScorer`] | [`Client::custom_scorer`] | [`Client::create_custom_scorer`] |
//! | [`Benchmark`] | [`Client::benchmark`] | [`Client::create_benchmark`] |
//! | [`BenchmarkRun`], [`BenchmarkJob`] | [`Client::benchmark_run`], [`Client::benchmark_job`] | [`Benchmark::start_run`], [`Client::create_benchmark_job`] |
//!
//! The first column of methods sends nothing. `id()` is the id, `info()` asks what the thing is at present. Verbs of one
//! request give a [`Call`]; those that wait take [`WaitOptions`] (long polls) or a [`PollingConfig`] (plain polls).
//! Creating with options of the call, such as an idempotency key, goes by the endpoint; so do lists, of which an item's id
//! gives its handle: `client.devbox(view.id)`.
//!
//! Dropping a handle ends nothing and sends nothing: a devbox lives until it is shut down or its keep-alive time is over.
//! [`Client::with_devbox`] shuts it down after some work, however that ends.
//!
//! ```no_run
//! # use runloop_client::{Client, ExecOptions, OutputKind, WaitOptions, types::DevboxCreateParams};
//! # async fn tour(client: Client) -> Result<(), runloop_client::Error> {
//! let devbox = client.create_devbox(&DevboxCreateParams::default(), WaitOptions::default()).await?;
//! devbox.write_file("repo/note.txt", "hello").await?;
//! // To its end, however long that takes, with all of its output. A command that fails is a result, not an error.
//! let result = devbox.exec("cat repo/note.txt").await?;
//! assert!(result.success());
//!
//! // With a deadline, and output as it is printed.
//! let options = ExecOptions::within(std::time::Duration::from_secs(60));
//! devbox.exec_with("make test", &options, |kind, text| match kind {
//!     OutputKind::Stdout => print!("{text}"),
//!     OutputKind::Stderr => eprint!("{text}"),
//! }).await?;
//! devbox.shutdown(false).await?;
//! # Ok(()) }
//! ```
//!
//! **Evaluations**: a [`ScenarioBuilder`] puts a scenario together, a [`ScenarioRun`] is one attempt at it.
//!
//! ```no_run
//! # use runloop_client::{Client, PollingConfig, WaitOptions, types::ScenarioStartRunParams};
//! # async fn tour(client: Client) -> Result<(), runloop_client::Error> {
//! let scenario = client
//!     .scenario_builder("fix-the-build")
//!     .with_problem_statement("`make` fails. Fix it.")
//!     .add_shell_command_scorer("builds", "make", 1.0)?
//!     .push()
//!     .await?;
//! let run = scenario.run(&ScenarioStartRunParams::default(), WaitOptions::default()).await?;
//! run.devbox().exec("my-agent").await?;
//! let view = run.score_and_complete(PollingConfig::default()).await?;
//! println!("{:?}", view.scoring_contract_result.map(|result| result.score));
//! # Ok(()) }
//! ```
//!
//! **Lists** come as a [`Page`], or as a stream of all items.
//!
//! ```no_run
//! # use runloop_client::{Client, DiskSnapshotListParams};
//! # async fn tour(client: Client) -> Result<(), runloop_client::Error> {
//! use futures::TryStreamExt;
//!
//! let call = client.disk_snapshots().list(&DiskSnapshotListParams::default()).with_metadata("run", "run-1");
//! let mut snapshots = std::pin::pin!(call.items());
//! while let Some(snapshot) = snapshots.try_next().await? {
//!     client.disk_snapshots().delete(&snapshot.id).await?;
//! }
//! # Ok(()) }
//! ```
//!
//! **Objects** are uploaded from bytes, text, files, directories and streams, in constant memory. [`archive_dir`] and
//! [`build_docker_context_tar`] make archives whose bytes depend on nothing but the files.
//!
//! ```no_run
//! # use runloop_client::{ArchiveOptions, Client, ObjectUpload};
//! # async fn tour(client: Client) -> Result<(), runloop_client::Error> {
//! let upload = ObjectUpload::named("inputs").on_progress(|progress| eprintln!("{} bytes", progress.done));
//! let object = client.upload_object_from_dir("inputs", &upload, ArchiveOptions::default()).await?;
//! object.download().await?.save_to("inputs.tar.gz").await?;
//! # Ok(()) }
//! ```
//!
//! **Errors** say method, path, status, code, message, request id and attempts. [`Error::kind`] has the official SDKs'
//! names; [`Error::is_retryable`] and [`Error::retry_after`] say what to do next. None shows a key, a presigned URL or
//! what an answer held.
//!
//! ```no_run
//! # use runloop_client::{Client, ErrorKind};
//! # async fn tour(client: Client) -> Result<(), runloop_client::Error> {
//! match client.devboxes().retrieve("dbx_1").await {
//!     Ok(view) => println!("{}", view.status.as_str()),
//!     Err(error) if error.is_not_found() => println!("it is gone"),
//!     Err(error) if error.kind() == ErrorKind::RateLimit => println!("come back in {:?}", error.retry_after()),
//!     Err(error) => return Err(error),
//! }
//! # Ok(()) }
//! ```
//!
//! **An endpoint that is missing here** can be called all the same: [`Client::send`] takes any [`Request`].
//!
//! ```no_run
//! # use runloop_client::{Client, Request};
//! # async fn tour(client: Client) -> Result<(), runloop_client::Error> {
//! let request = Request::<serde_json::Value>::get("/v1/devboxes/{}/usage", &["dbx_1"])?;
//! let usage = client.send(request).await?;
//! # Ok(()) }
//! ```
//!
//! # What happens on its own
//!
//! - **Retries**: up to 5, on 408, 409, 429, 5xx and broken or silent connections, after a pause that doubles or that the
//!   server asks for; `x-should-retry` has the first word. Every call but a GET carries an `x-request-id`, the same for
//!   all its attempts, by which a server does it only once.
//! - **Waits** have one deadline, made of holds of at most 30 s. A hold that expires and a connection that breaks mean
//!   "not yet". Dropping the future ends a wait at once, and nothing else.
//! - **Output streams** ([`ExecutionStream`]) that break are resumed at the byte where they stopped, axon events
//!   ([`AxonEventStream`]) after the last one that arrived; the watch for evictions ([`EvictionWatch`]) never gives up.
//! - **Timeouts** are about silence, not about size: 5 s to connect, then 30 s without a byte (600 s where the server works
//!   before it answers). Bytes of an upload that are still being taken count as a sign of life. [`Call::total_timeout`]
//!   limits a whole call.
//! - **Connections**: over TLS HTTP/2 where the server speaks it, else HTTP/1.1. Waits, transfers and other calls never
//!   share one. Each of the three has shards (16, 2 and 8), made only when those before are busy: a small program pays
//!   for one. Over HTTP/1.1 a shard has at most 20 connections, but for plain http to this machine. A wait that is open
//!   takes a few KiB, so that a thousand of them at once are nothing special.
//! - **Proxies** are those of the environment, unless [`ClientBuilder::proxy`] names one.
//! - **Presigned URLs** are credentials: they get none of the client's headers, no redirect and no retry, and appear in no
//!   error and no `Debug` output.
//! - **TLS** is set up when the first https connection is made; over plain http no certificate is ever loaded. A server on
//!   this machine is never asked through a proxy. [`ClientBuilder::add_root_certificate_pem`] adds a private authority.
//!
//! # Supported Rust
//!
//! The oldest Rust that builds this crate is the `rust-version` of its manifest, 1.95.
//!
//! # Layers
//!
//! Requests are plain values, built by the resource modules without I/O. One transport sends them; when to try again is a
//! pure function. The parser of event streams and the rules of `.dockerignore` know nothing of networks and files.

mod archive;
mod axon_stream;
mod byte_stream;
mod call;
mod client;
mod config;
mod cycle;
mod error;
mod error_body;
mod event_stream;
mod eviction_watch;
mod execution_stream;
mod file_sink;
mod file_source;
mod gate;
mod handles;
mod http;
mod lines;
mod log;
mod long_poll;
mod options;
mod page;
mod presigned;
mod query;
mod request;
mod resources;
mod response;
mod retry;
mod shards;
mod sse;
mod tls;
mod transfer_progress;
mod transport;
mod wait;

pub use archive::{
    Archive, ArchiveEntry, ArchiveEntryKind, ArchiveOptions, IgnoreRules, archive_dir, archive_dir_with,
    build_docker_context_tar,
};
pub use axon_stream::AxonEventStream;
pub use byte_stream::ByteStream;
pub use call::Call;
pub use client::Client;
pub use config::{ClientBuilder, ConfigError, DEFAULT_BASE_URL};
pub use error::{
    DecodeError, Error, ErrorKind, LastValue, PollingTimeout, PresignedError, PresignedKind, StatusError,
    TransportError, TransportKind, WrongState,
};
pub use eviction_watch::EvictionWatch;
pub use execution_stream::{ExecutionStream, OutputKind};
pub use file_source::FileSource;
pub use gate::{Attempt, Gate, Outcome, Pass, Traffic};
pub use handles::{
    Agent, Axon, Benchmark, BenchmarkJob, BenchmarkRun, Blueprint, CustomScorer, Devbox, ExecOptions,
    ExecResult, Execution, GatewayConfig, McpConfig, NamedShell, NetworkPolicy, Scenario, ScenarioBuilder,
    ScenarioPreview, ScenarioRun, Secret, SecretById, Snapshot, StorageObject,
};
pub use lines::{LineSplitter, LineStream};
pub use log::LogLevel;
pub use page::{ListCall, Page};
pub use query::Query;
pub use request::{Method, Request};
pub use reqwest::header::HeaderMap;
pub use resources::{
    Accounts, AgentListParams, Agents, ApiKeys, AxonEvents, AxonListParams, AxonSql, Axons,
    BenchmarkDefinitionsParams, BenchmarkJobListParams, BenchmarkJobs, BenchmarkListParams,
    BenchmarkRunListParams, BenchmarkRuns, BenchmarkScenarioRunListParams, Benchmarks, BlueprintListParams,
    Blueprints, Browsers, Computers, DevboxListParams, DevboxLogListParams, DevboxLogs, Devboxes,
    DiskSnapshotListParams, DiskSnapshots, Executions, GatewayConfigListParams, GatewayConfigs,
    McpConfigListParams, McpConfigs, NetworkPolicies, NetworkPolicyListParams, ObjectListParams,
    ObjectUpload, Objects, PtyConnectParams, Ptys, PublicScenarioListParams, Repositories,
    RepositoryListParams, RestrictedKeys, ScenarioListParams, ScenarioRunListParams, ScenarioRuns, Scenarios,
    ScorerListParams, Scorers, Secrets,
};
pub use response::{RawResponse, Response};
pub use retry::DEFAULT_MAX_RETRIES;
pub use runloop_types as types;
pub use secrecy::{ExposeSecret, SecretString};
pub use transfer_progress::{ProgressHook, TransferProgress};
pub use wait::{PollingConfig, WaitOptions};
