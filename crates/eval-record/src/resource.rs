//! What a run asks of its target, and what became of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::TrialKey;

/// A kind of thing that lives at the target until somebody ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A devbox.
    Devbox,
    /// A snapshot of a devbox's disk.
    Snapshot,
    /// A stored object.
    Object,
    /// A blueprint.
    Blueprint,
    /// A network policy.
    NetworkPolicy,
}

impl ResourceKind {
    /// Every kind, in the order in which they can be ended: what stands on another goes first.
    pub const ALL: [Self; 5] =
        [Self::Devbox, Self::Snapshot, Self::Blueprint, Self::Object, Self::NetworkPolicy];

    /// The word for one of it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Devbox => "devbox",
            Self::Snapshot => "snapshot",
            Self::Object => "object",
            Self::Blueprint => "blueprint",
            Self::NetworkPolicy => "network policy",
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}

/// Something that is asked of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRequest {
    /// Names the request: it is sent as the API's idempotency key and is a label of what comes of it.
    pub key: String,
    /// What is asked for.
    pub resource: ResourceKind,
    /// What for, such as `agent`, `scoring`, `prepare`.
    pub purpose: String,
    /// The trial, unless it is shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialKey>,
    /// The attempt at the trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
}

/// How a run was done with something that it had asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceEnd {
    /// It is gone, so nothing of it can be left over.
    #[default]
    Ended,
    /// The target refused: it never was.
    Refused,
    /// It was found and ended after the death of the program that made it.
    Reaped,
    /// It is left alive on purpose: for people, or for later runs.
    Kept,
}
