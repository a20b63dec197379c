//! What happens to a devbox that is idle, suspended or woken up.

use serde::{Deserialize, Serialize};

open_enum! {
    /// What becomes of an idle devbox.
    OnIdle {
        /// It is ended for good.
        Shutdown = "shutdown",
        /// It is suspended: the disk is kept.
        Suspend = "suspend",
    }
}

untold_by_default!(OnIdle);

/// What happens to an idle devbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AfterIdle {
    /// Idle time in seconds.
    pub idle_time_seconds: i64,
    /// What becomes of it then.
    pub on_idle: OnIdle,
}

/// Idle behaviour, wake-up and hooks of a devbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LifecycleConfiguration {
    /// What happens when it is idle. If [`LaunchParameters::after_idle`](crate::LaunchParameters::after_idle) is set too,
    /// both must say the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_idle: Option<AfterIdle>,
    /// What resumes it when it is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_triggers: Option<ResumeTriggers>,
    /// Commands run on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_hooks: Option<LifecycleHooks>,
}

/// What resumes a suspended devbox, besides a request to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResumeTriggers {
    /// A request to its tunnel; wins over the tunnel's `wake_on_http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<bool>,
    /// An event of an axon that it is tied to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axon_event: Option<bool>,
}

/// Commands run when the state of a devbox changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LifecycleHooks {
    /// Run in order, as the devbox's user, before it is suspended. A failure is only logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend_commands: Option<Vec<String>>,
    /// Milliseconds for all of them: default 30000, at most 60000. Past that it is suspended all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend_deadline_ms: Option<i64>,
}
