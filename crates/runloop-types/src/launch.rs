//! Launch parameters: size, user, life time and network of a devbox.

use serde::{Deserialize, Serialize};

use crate::{AfterIdle, LifecycleConfiguration, NetworkPolicyId};

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

open_enum! {
    /// Processors.
    Architecture {
        /// The default.
        X86_64 = "x86_64",
        /// 64-bit ARM.
        Arm64 = "arm64",
    }
}

open_enum! {
    /// How soon a devbox starts, and whether it may be taken away.
    ProvisioningTier {
        /// The default: starts at once and stays.
        Standard = "standard",
        /// Waits for capacity and may be evicted.
        Flex = "flex",
    }
}

/// How a devbox is launched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LaunchParameters {
    /// Size by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_size_request: Option<ResourceSize>,
    /// Cores, for `CUSTOM_SIZE`: 0.5, 1, or an even number up to 16. A whole number up to SDK 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_cpu_cores: Option<f64>,
    /// Memory in GiB, for `CUSTOM_SIZE`: 1, or an even number up to 64; 2 to 8 for each core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_gb_memory: Option<i64>,
    /// Disk in GiB, for `CUSTOM_SIZE`: an even number from 2 to 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_disk_size: Option<i64>,
    /// The processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
    /// Seconds until the devbox is shut down unless kept alive: default 3600, at most 172800.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive_time_seconds: Option<i64>,
    /// Commands run at each boot and resume, in order, before the entrypoint.
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
    /// How soon it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_tier: Option<ProvisioningTier>,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_ports: Option<Vec<i64>>,
    /// What to do when idle; replaces `keep_alive_time_seconds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_idle: Option<AfterIdle>,
    /// Idle behaviour, wake-up and hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<LifecycleConfiguration>,
}

/// The user that runs commands in a devbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenUser")]
pub struct UserParameters {
    /// Login name.
    pub username: String,
    /// Numeric id, 0 or more.
    pub uid: u32,
}

/// A missing id must not read as 0, which is root: only an object that says nothing at all has defaults.
#[derive(Deserialize)]
struct WrittenUser {
    username: Option<String>,
    uid: Option<u32>,
}

impl TryFrom<WrittenUser> for UserParameters {
    type Error = &'static str;

    fn try_from(written: WrittenUser) -> Result<Self, Self::Error> {
        match (written.username, written.uid) {
            (Some(username), Some(uid)) => Ok(Self { username, uid }),
            (None, None) => Ok(Self::default()),
            (Some(_), None) => Err("missing field `uid`"),
            (None, Some(_)) => Err("missing field `username`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_an_id_is_not_root() {
        let error = serde_json::from_str::<UserParameters>(r#"{"username": "dev"}"#).unwrap_err();
        assert!(error.to_string().contains("`uid`"), "{error}");
        assert!(serde_json::from_str::<UserParameters>(r#"{"uid": 0}"#).is_err());
    }
}
