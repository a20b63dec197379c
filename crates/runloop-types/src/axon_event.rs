//! Events of an axon, as its stream tells them.

use serde::{Deserialize, Serialize};

use crate::AxonId;

open_enum! {
    /// Who caused an event.
    AxonEventOrigin {
        /// Something outside, such as a webhook.
        ExternalEvent = "EXTERNAL_EVENT",
        /// An agent.
        AgentEvent = "AGENT_EVENT",
        /// A person.
        UserEvent = "USER_EVENT",
        /// The platform itself; never published by clients.
        SystemEvent = "SYSTEM_EVENT",
    }
}

impl Default for AxonEventOrigin {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// One event of an axon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AxonEventView {
    /// The axon.
    pub axon_id: AxonId,
    /// Its place: strictly increasing within an axon. A stream is resumed after it.
    pub sequence: i64,
    /// When it was published.
    pub timestamp_ms: i64,
    /// Who caused it.
    pub origin: AxonEventOrigin,
    /// Who published it, such as `github`.
    pub source: String,
    /// What happened, such as `turn.completed`.
    pub event_type: String,
    /// Its content: JSON by convention.
    pub payload: String,
}
