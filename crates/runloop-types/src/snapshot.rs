//! Disk snapshots.

use serde::{Deserialize, Serialize};

use crate::{BlueprintId, DevboxId, Metadata, SnapshotId};

/// A disk snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxSnapshotView {
    /// Its id.
    pub id: SnapshotId,
    /// When it was asked for.
    pub create_time_ms: i64,
    /// Labels.
    pub metadata: Metadata,
    /// The devbox it was taken of.
    pub source_devbox_id: DevboxId,
    /// The blueprint of that devbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_blueprint_id: Option<BlueprintId>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why it was taken, at most 1000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_message: Option<String>,
    /// Bytes it holds of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<i64>,
}

/// Labels of a new snapshot, or the changes to one (metadata is replaced whole).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SnapshotParams {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Why it was taken, at most 1000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_message: Option<String>,
}

open_enum! {
    /// Where a snapshot is.
    SnapshotStatus {
        /// Being taken.
        InProgress = "in_progress",
        /// Could not be taken.
        Error = "error",
        /// Usable.
        Complete = "complete",
        /// Was deleted.
        Deleted = "deleted",
    }
}

impl Default for SnapshotStatus {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// How far a snapshot is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxSnapshotAsyncStatusView {
    /// Where it is.
    pub status: SnapshotStatus,
    /// Why it could not be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<DevboxSnapshotView>,
}
