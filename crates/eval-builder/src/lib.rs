//! From YAML files to checked definitions and API scenarios.

mod diagnostic;
mod digest;
mod duration;
mod files;
mod model;
mod source;
mod template;
mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use digest::{Digest, DigestBuilder};
pub use duration::parse_duration;
pub use files::{FileItem, FileKind, FilesError};
pub use model::*;
