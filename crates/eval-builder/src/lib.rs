//! From YAML files to checked definitions and API scenarios.
//!
//! [`load_benchmark`] reads a benchmark, or a scenario as a benchmark of one, and returns it checked, with every
//! default applied, every template rendered and every text file read; or all mistakes of all files at once, each with
//! its line and what to write instead. [`build_json`] turns the result into what the API would be sent. The keys of
//! the files are described by their JSON Schemas: [`benchmark_schema`], [`scenario_schema`], [`scorer_schema`] and
//! [`agent_schema`], which are made from the same description as the checks.
//!
//! # Defaults
//!
//! `defaults` of a benchmark lie below each of its scenarios. `environment` and `metadata` are merged key by key;
//! every other value is replaced as a whole. A snapshot in a scenario takes the default blueprint away, and the other
//! way round; `blueprint: null` takes it away without another. A default that every scenario replaces is a warning.
//!
//! # Paths
//!
//! A path is relative to the file it stands in; this holds for defaults, too. Directories in `files` and `test_files`
//! are read as a whole, but for `__pycache__` and `*.pyc`. Symbolic links stay links (in `test_files` they are
//! followed) and must not lead out of their directory.
//!
//! # Templates
//!
//! Texts of a scenario are [minijinja](https://docs.rs/minijinja) templates with strict variables: problem statement,
//! commands, inline scripts, patterns, paths, variables, solutions that are written in place, labels, `with` and
//! `params`. Not rendered are names, `additional_context`, everything that is read from a file, and what a variable
//! brings in.
//!
//! | variable | value |
//! | --- | --- |
//! | `name` | the name of the scenario, with its matrix values |
//! | `matrix.KEY` | the value of this combination |
//! | `metadata.KEY` | a label, as text; not in labels themselves |
//! | `additional_context` | as it is written; null if there is none |
//! | `env.NAME` | a variable of the harness that `required_environment_variables` lists; never a secret |
//!
//! The command of an agent sees `name`, `problem_statement`, `problem_statement_file`, `working_directory`, `metadata`
//! and `additional_context`; see [`render_agent_command`]. `{{ value | sh }}` quotes a value as one word of a shell.
//!
//! # Digests
//!
//! The digest of an [`Environment`] is over everything in it, files by name, content and executable bit, wherever they
//! are on this machine. The digest of a [`Scenario`] is over all that decides its outcome: not its description, its
//! labels, its reference and its controls. Neither depends on the order of keys or the place of a checkout.

mod agent;
mod agent_source;
mod agent_usage;
mod benchmark;
mod check;
mod compile;
mod diagnostic;
mod digest;
mod duration;
mod environment;
mod files;
mod git_objects;
mod invitation;
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

pub use agent::{RenderError, catalogue_agent, load_agent, render_agent_command};
pub use benchmark::{Loaded, load_benchmark};
pub use check::{Checked, check_file};
pub use compile::{build_json, scenario_params};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use digest::{Digest, DigestBuilder};
pub use duration::parse_duration;
pub use files::{FileItem, FileKind, FilesError};
pub use loader::LoadOptions;
pub use model::*;
pub use runloop_types::{AgentSource, CustomScript, Expect, PassRate, ScriptLanguage};
pub use schema::{agent_schema, benchmark_schema, scenario_schema, scorer_schema};
pub use scorer::{ScorerFile, load_scorer};
