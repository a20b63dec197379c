//! From YAML files to checked definitions and API scenarios.

mod agent;
mod benchmark;
mod compile;
mod diagnostic;
mod digest;
mod duration;
mod environment;
mod files;
mod keys;
mod loader;
mod matrix;
mod merge;
mod model;
mod scenario;
mod schema;
mod scorer;
mod shape;
mod solution;
mod source;
mod template;
mod yaml;

pub use agent::{RenderError, load_agent, render_agent_command};
pub use benchmark::{Loaded, load_benchmark};
pub use compile::{build_json, scenario_params};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use digest::{Digest, DigestBuilder};
pub use duration::parse_duration;
pub use files::{FileItem, FileKind, FilesError};
pub use loader::LoadOptions;
pub use model::*;
pub use schema::{agent_schema, benchmark_schema, scenario_schema, scorer_schema};
pub use scorer::{ScorerFile, load_scorer};
