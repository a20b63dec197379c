//! Sizes: cores, memory and disk.

use runloop_sandbox::Limits;
use runloop_types::{LaunchParameters, ResourceSize};

use crate::error::{ApiError, ApiResult, shown};

const GIB: f64 = (1_u64 << 30) as f64;

/// How large a devbox is. Memory and disk in GiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    pub(crate) cores: f64,
    pub(crate) memory: f64,
    pub(crate) disk: f64,
}

/// What is counted for a devbox that asked for no size.
const SMALL: Size = Size { cores: 1.0, memory: 2.0, disk: 4.0 };

impl Size {
    /// The size that was asked for; `None` if none was.
    ///
    /// # Errors
    /// 400 for a size that the API does not have.
    pub(crate) fn requested(launch: &LaunchParameters) -> ApiResult<Option<Self>> {
        let Some(name) = &launch.resource_size_request else { return Ok(None) };
        let (cores, memory, disk) = match name {
            ResourceSize::XSmall => (0.5, 1.0, 4.0),
            ResourceSize::Small => return Ok(Some(SMALL)),
            ResourceSize::Medium => (2.0, 4.0, 8.0),
            ResourceSize::Large => (2.0, 8.0, 16.0),
            ResourceSize::XLarge => (4.0, 16.0, 16.0),
            ResourceSize::XxLarge => (8.0, 32.0, 16.0),
            ResourceSize::CustomSize => return custom(launch).map(Some),
            ResourceSize::Other(other) => {
                return Err(ApiError::bad_request(format!(
                    "`resource_size_request` is `{}`: give one of {}",
                    shown(other),
                    ResourceSize::KNOWN.join(", ")
                )));
            }
        };
        Ok(Some(Self { cores, memory, disk }))
    }

    /// The size that usage is counted with.
    pub(crate) fn counted(launch: &LaunchParameters) -> Self {
        Self::requested(launch).ok().flatten().unwrap_or(SMALL)
    }

    /// As limits of the sandbox.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes are checked: 0.5 to 64 GiB"
    )]
    pub(crate) fn limits(self) -> Limits {
        Limits {
            memory_bytes: Some((self.memory * GIB) as u64),
            pids: None,
            cpus: Some(self.cores),
            disk_bytes: Some((self.disk * GIB) as u64),
        }
    }
}

fn custom(launch: &LaunchParameters) -> ApiResult<Size> {
    let even = |n: i64| n % 2 == 0;
    let missing = || {
        ApiError::bad_request(
            "CUSTOM_SIZE needs `custom_cpu_cores`, `custom_gb_memory` and `custom_disk_size` in `launch_parameters`",
        )
    };
    let (Some(cores), Some(memory), Some(disk)) =
        (launch.custom_cpu_cores, launch.custom_gb_memory, launch.custom_disk_size)
    else {
        return Err(missing());
    };
    if !(cores == 0.5 || cores == 1.0 || (cores > 0.0 && cores <= 16.0 && cores % 2.0 == 0.0)) {
        return Err(ApiError::bad_request(format!(
            "`custom_cpu_cores` is {cores}: give 0.5, 1 or an even number up to 16"
        )));
    }
    if !(memory == 1 || (2..=64).contains(&memory) && even(memory)) {
        return Err(ApiError::bad_request(format!(
            "`custom_gb_memory` is {memory}: give 1 or an even number up to 64"
        )));
    }
    if !((2..=64).contains(&disk) && even(disk)) {
        return Err(ApiError::bad_request(format!(
            "`custom_disk_size` is {disk}: give an even number from 2 to 64"
        )));
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 64")]
    let (memory, disk) = (memory as f64, disk as f64);
    if !(2.0..=8.0).contains(&(memory / cores)) {
        return Err(ApiError::bad_request(format!(
            "{cores} cores with {memory} GiB: memory must be 2 to 8 times the cores"
        )));
    }
    Ok(Size { cores, memory, disk })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(cores: f64, memory: i64, disk: i64) -> ApiResult<Option<Size>> {
        Size::requested(&LaunchParameters {
            resource_size_request: Some(ResourceSize::CustomSize),
            custom_cpu_cores: Some(cores),
            custom_gb_memory: Some(memory),
            custom_disk_size: Some(disk),
            ..LaunchParameters::default()
        })
    }

    #[test]
    fn nothing_asked_means_no_limit() {
        assert_eq!(Size::requested(&LaunchParameters::default()).unwrap(), None);
    }

    #[test]
    fn a_named_size_becomes_limits() {
        let launch = LaunchParameters {
            resource_size_request: Some(ResourceSize::Large),
            ..LaunchParameters::default()
        };
        let limits = Size::requested(&launch).unwrap().unwrap().limits();
        assert_eq!(
            (limits.cpus, limits.memory_bytes, limits.disk_bytes),
            (Some(2.0), Some(8 << 30), Some(16 << 30))
        );
    }

    #[test]
    fn custom_sizes_are_checked() {
        assert!(custom(0.5, 1, 2).is_ok() && custom(16.0, 64, 64).is_ok() && custom(1.0, 2, 10).is_ok());
        for (cores, memory, disk) in [
            (3.0, 6, 4),
            (0.0, 2, 4),
            (-2.0, 2, 4),
            (18.0, 64, 4),
            (2.0, 3, 4),
            (2.0, 2, 4),
            (1.0, 10, 4),
            (1.0, 2, 3),
            (1.0, 2, 66),
        ] {
            assert_eq!(custom(cores, memory, disk).unwrap_err().status(), 400, "{cores} {memory} {disk}");
        }
    }

    #[test]
    fn an_unknown_size_is_refused() {
        let launch =
            LaunchParameters { resource_size_request: Some("HUGE".into()), ..LaunchParameters::default() };
        assert!(Size::requested(&launch).unwrap_err().message().contains("X_SMALL"));
    }
}
