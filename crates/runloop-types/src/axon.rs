//! Axons: ordered streams of events between users, agents and systems.

use serde::{Deserialize, Serialize};

use crate::{AxonEventOrigin, AxonEventView, AxonId, Metadata};

/// A new axon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AxonCreateParams {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Changes to an axon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AxonUpdateParams {
    /// New labels in place of all old ones; absent leaves them, empty clears them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// An event to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AxonPublishParams {
    /// What it is.
    pub event_type: String,
    /// Who it comes from; `SYSTEM_EVENT` is refused.
    pub origin: AxonEventOrigin,
    /// Its content: text, by convention JSON.
    pub payload: String,
    /// Who exactly.
    pub source: String,
}

/// A published event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishResultView {
    /// Its place in the axon.
    pub sequence: i64,
    /// When it was published.
    pub timestamp_ms: i64,
}

/// An axon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AxonView {
    /// Its id.
    pub id: AxonId,
    /// When it was created.
    pub created_at_ms: i64,
    /// Labels.
    pub metadata: Metadata,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was deleted (SDK 2 and later).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at_ms: Option<i64>,
}

/// Events of an axon, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AxonEventListView {
    /// The events.
    pub events: Vec<AxonEventView>,
    /// Whether older ones follow.
    pub has_more: bool,
    /// How many there are, if the server counted them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_count: Option<i64>,
}
