//! Events of axons.

use serde::{Deserialize, Serialize};

use crate::AxonId;

open_enum! {
    /// Who an event comes from.
    AxonEventOrigin {
        /// A system outside.
        External = "EXTERNAL_EVENT",
        /// The agent.
        Agent = "AGENT_EVENT",
        /// The user.
        User = "USER_EVENT",
        /// The service itself; never published.
        System = "SYSTEM_EVENT",
    }
}

untold_by_default!(AxonEventOrigin);

/// An event of an axon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AxonEventView {
    /// The axon.
    pub axon_id: AxonId,
    /// Its place: grows strictly within an axon.
    pub sequence: i64,
    /// When it was published.
    pub timestamp_ms: i64,
    /// Who it comes from.
    pub origin: AxonEventOrigin,
    /// Who exactly, in words of the publisher.
    pub source: String,
    /// What it is, in words of the publisher.
    pub event_type: String,
    /// Its content: text, by convention JSON.
    pub payload: String,
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
