//! Evictions: devboxes that the platform is about to end.

use serde::{Deserialize, Serialize};

use crate::DevboxId;

/// A devbox will be evicted. Advisory and on best effort: an eviction may come without it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxEvictionEventView {
    /// The devbox.
    pub devbox_id: DevboxId,
    /// When it will end.
    pub eviction_deadline_ms: i64,
}
