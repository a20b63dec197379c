//! How long a request is held.

use std::time::Duration;

use crate::error::{ApiError, ApiResult};

/// Reads a hold in seconds, whole or with a fraction; one above the longest is clamped.
pub(crate) fn hold(seconds: Option<f64>, default: Duration, max: Duration) -> ApiResult<Duration> {
    match seconds {
        None => Ok(default),
        Some(seconds) if seconds >= 0.0 => Ok(Duration::try_from_secs_f64(seconds).unwrap_or(max).min(max)),
        Some(seconds) => {
            Err(ApiError::bad_request(format!("{seconds} seconds cannot be waited: give 0 or more")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_are_defaulted_clamped_and_checked() {
        let read = |seconds| hold(seconds, Duration::from_secs(10), Duration::from_secs(30));
        assert_eq!(read(None).unwrap(), Duration::from_secs(10));
        assert_eq!(read(Some(12.73)).unwrap(), Duration::from_millis(12_730));
        assert_eq!(read(Some(30.0)).unwrap(), Duration::from_secs(30));
        assert_eq!(read(Some(1e300)).unwrap(), Duration::from_secs(30));
        assert_eq!(read(Some(0.0)).unwrap(), Duration::ZERO);
        assert!(read(Some(-1.0)).is_err() && read(Some(f64::NAN)).is_err());
    }
}
