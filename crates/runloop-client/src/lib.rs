//! Async client for the Runloop REST API

mod archive;
mod byte_stream;
mod call;
mod client;
mod config;
mod devbox;
mod error;
mod error_body;
mod execution;
mod execution_stream;
mod file_source;
mod http;
mod page;
mod presigned;
mod query;
mod request;
mod resources;
mod retry;
mod sse;
mod transport;
mod wait;

pub use archive::{Archive, IgnoreRules, archive_dir, build_docker_context_tar};
pub use byte_stream::ByteStream;
pub use call::Call;
pub use client::Client;
pub use config::{ClientBuilder, ConfigError, DEFAULT_BASE_URL};
pub use devbox::{Devbox, ExecOptions};
pub use error::{
    DecodeError, Error, LastValue, PollingTimeout, PresignedError, PresignedKind, StatusError, TransportError,
    TransportKind, WrongState,
};
pub use execution::{ExecResult, Execution};
pub use execution_stream::{ExecutionStream, OutputKind};
pub use file_source::FileSource;
pub use page::{ListCall, Page};
pub use query::Query;
pub use request::{Method, Request};
pub use resources::{
    Accounts, BlueprintListParams, Blueprints, DevboxListParams, Devboxes, DiskSnapshotListParams, DiskSnapshots,
    Executions, NetworkPolicies, NetworkPolicyListParams, ObjectListParams, ObjectUpload, Objects, Secrets,
};
pub use retry::DEFAULT_MAX_RETRIES;
pub use runloop_types as types;
pub use secrecy::{ExposeSecret, SecretString};
pub use wait::{PollingConfig, WaitOptions};
