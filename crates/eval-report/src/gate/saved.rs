//! The verdict in a run's directory: no event, because it rests on files that are no part of the run.

use std::fs;
use std::io;
use std::path::Path;

use super::{FORMAT, Verdict};

/// The file in a run directory that has what its gate decided.
pub const FILE: &str = "gate.json";

impl Verdict {
    /// What the gate of the run in this directory decided; `None` if none did.
    ///
    /// # Errors
    /// If the file cannot be read, or is none of this version or one before it.
    pub fn saved_in(directory: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read(directory.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let verdict: Self = serde_json::from_slice(&text)?;
        if verdict.format > FORMAT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it was written by a later version"));
        }
        Ok(Some(verdict))
    }
}
