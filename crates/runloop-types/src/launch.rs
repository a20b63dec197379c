//! Launch parameters: size, user, life time and network of a devbox.

use serde::{Deserialize, Serialize};

use crate::NetworkPolicyId;

open_enum! {
    /// Sizes by name: cores, GiB of memory, GiB of disk.
    ResourceSize {
        /// 0.5 cores, 1 GiB, 4 GiB.
        XSmall = "X_SMALL",
        /// 1 core, 2 GiB, 4 GiB.
        Small = "SMALL",
        /// 2 cores, 4 GiB, 8 GiB.
        Medium = "MEDIUM",
        /// 2 cores, 8 GiB, 16 GiB.
        Large = "LARGE",
        /// 4 cores, 16 GiB, 16 GiB.
        XLarge = "X_LARGE",
        /// 8 cores, 32 GiB, 16 GiB.
        XxLarge = "XX_LARGE",
        /// As `custom_cpu_cores`, `custom_gb_memory` and `custom_disk_size` say.
        CustomSize = "CUSTOM_SIZE",
    }
}

/// How a devbox is launched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LaunchParameters {
    /// Size by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_size_request: Option<ResourceSize>,
    /// Cores, for `CUSTOM_SIZE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_cpu_cores: Option<f64>,
    /// Memory in GiB, for `CUSTOM_SIZE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_gb_memory: Option<i64>,
    /// Disk in GiB, for `CUSTOM_SIZE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_disk_size: Option<i64>,
    /// `x86_64` or `arm64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Seconds until the devbox is shut down unless kept alive: default 3600, at most 172800.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive_time_seconds: Option<i64>,
    /// Commands run at each boot and resume, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_commands: Option<Vec<String>>,
    /// The user that runs commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_parameters: Option<UserParameters>,
    /// Network policy; none means everything is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_policy_id: Option<NetworkPolicyId>,
    /// Names of blueprint services to start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_services: Option<Vec<String>>,
    /// `standard` or `flex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_tier: Option<String>,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_ports: Option<Vec<i64>>,
    /// What to do when idle; replaces `keep_alive_time_seconds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_idle: Option<AfterIdle>,
    /// Idle behaviour, wake-up and hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<serde_json::Value>,
}

/// The user that runs commands in a devbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserParameters {
    /// Login name.
    pub username: String,
    /// Numeric id, 0 or more.
    pub uid: u32,
}

/// What happens to an idle devbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AfterIdle {
    /// Idle time in seconds.
    pub idle_time_seconds: i64,
    /// `shutdown` or `suspend`.
    pub on_idle: String,
}
