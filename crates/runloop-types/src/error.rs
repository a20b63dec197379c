//! The body of an error answer.

use serde::{Deserialize, Serialize};

/// What a server says beside an error status. No schema is published; this is what the official SDKs read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorBody {
    /// The HTTP status again.
    pub code: u16,
    /// What went wrong, for people.
    pub message: String,
}
