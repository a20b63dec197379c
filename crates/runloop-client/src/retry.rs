//! When to try again, and after how long: a pure function.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

/// Retries after the first attempt, unless configured.
pub const DEFAULT_MAX_RETRIES: u32 = 5;

/// Longest pause, whether we or the server chose it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How an attempt failed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failure<'a> {
    /// An answer with an error status.
    Status(u16, &'a HeaderMap),
    /// No answer, or a cut one.
    Transport,
}

/// The pause before the next attempt; `None` if there shall be none.
///
/// `retries` have been made so far. `jitter` is a random number in `[0, 1)`. The rules are those of the official
/// SDKs: `x-should-retry` decides first, then 408, 409, 429, 5xx and transport errors are tried again; the server's
/// own wish (`retry-after-ms`, `retry-after`) is honoured up to 60 s, else the pause doubles from 1 s up to 60 s.
pub(crate) fn pause(
    failure: Failure<'_>,
    retries: u32,
    max_retries: u32,
    now: SystemTime,
    jitter: f64,
) -> Option<Duration> {
    if retries >= max_retries || !is_worth_retrying(failure) {
        return None;
    }
    let wish = match failure {
        Failure::Status(_, headers) => retry_after(headers, now),
        Failure::Transport => None,
    };
    match wish {
        Some(wish) if !wish.is_zero() && wish <= LONGEST_PAUSE => Some(wish),
        _ => Some(backoff(retries, jitter)),
    }
}

/// Whether another attempt could end better.
pub(crate) fn is_worth_retrying(failure: Failure<'_>) -> bool {
    match failure {
        Failure::Transport => true,
        Failure::Status(status, headers) => match headers.get("x-should-retry").map(|value| value.as_bytes())
        {
            Some(b"true") => true,
            Some(b"false") => false,
            _ => matches!(status, 408 | 409 | 429 | 500..),
        },
    }
}

/// `min(2^n, 60)` seconds times a factor in (0.75, 1].
pub(crate) fn backoff(retries: u32, jitter: f64) -> Duration {
    let longest = LONGEST_PAUSE.as_secs_f64();
    let seconds = 2f64.powi(retries.min(16).cast_signed()).min(longest);
    Duration::from_secs_f64(seconds * (1.0 - 0.25 * jitter.clamp(0.0, 1.0)))
}

/// The pause that the server asks for: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(milliseconds) = text("retry-after-ms").and_then(|value| value.parse::<f64>().ok()) {
        return seconds(milliseconds / 1000.0);
    }
    let value = text("retry-after")?;
    match value.parse::<f64>() {
        Ok(value) => seconds(value),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).ok(),
    }
}

/// Not for negative, infinite and absurd numbers.
fn seconds(value: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn after(status: u16, pairs: &[(&'static str, &'static str)]) -> Option<f64> {
        pause(Failure::Status(status, &headers(pairs)), 0, 5, NOW, 0.0).map(|pause| pause.as_secs_f64())
    }

    #[test]
    fn statuses_that_are_tried_again() {
        for status in [408, 409, 429, 500, 502, 503, 504, 529, 599] {
            assert_eq!(after(status, &[]), Some(1.0), "{status}");
        }
        for status in [300, 302, 400, 401, 403, 404, 405, 410, 413, 422, 451] {
            assert_eq!(after(status, &[]), None, "{status}");
        }
        assert!(pause(Failure::Transport, 0, 5, NOW, 0.0).is_some());
    }

    #[test]
    fn the_server_has_the_first_word() {
        assert_eq!(after(409, &[("x-should-retry", "false")]), None);
        assert_eq!(after(503, &[("x-should-retry", "false")]), None);
        assert_eq!(after(400, &[("x-should-retry", "true")]), Some(1.0));
        assert_eq!(after(400, &[("x-should-retry", "maybe")]), None);
        assert_eq!(after(503, &[("x-should-retry", "maybe")]), Some(1.0));
    }

    #[test]
    fn the_servers_pause_is_honoured_up_to_a_minute() {
        assert_eq!(after(429, &[("retry-after-ms", "250")]), Some(0.25));
        assert_eq!(after(429, &[("retry-after-ms", "250"), ("retry-after", "9")]), Some(0.25));
        assert_eq!(after(429, &[("retry-after-ms", "soon"), ("retry-after", "9")]), Some(9.0));
        assert_eq!(after(429, &[("retry-after", "1.5")]), Some(1.5));
        assert_eq!(after(429, &[("retry-after", "60")]), Some(60.0));
        assert_eq!(after(429, &[("retry-after", "Thu, 01 Jan 1970 00:00:07 GMT")]), Some(7.0));
        for useless in ["61", "0", "-1", "NaN", "inf", "1e300", "Thu, 01 Jan 1970 00:02:00 GMT", "x", ""] {
            assert_eq!(after(429, &[("retry-after", useless)]), Some(1.0), "{useless:?}");
        }
    }

    #[test]
    fn a_date_in_the_past_asks_for_nothing() {
        let later = NOW + Duration::from_secs(100);
        let headers = headers(&[("retry-after", "Thu, 01 Jan 1970 00:00:07 GMT")]);
        assert_eq!(pause(Failure::Status(429, &headers), 0, 5, later, 0.0), Some(Duration::from_secs(1)));
    }

    #[test]
    fn the_pause_doubles_up_to_a_minute_and_shrinks_by_at_most_a_quarter() {
        let pauses: Vec<f64> = (0..8).map(|n| backoff(n, 0.0).as_secs_f64()).collect();
        assert_eq!(pauses, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        assert_eq!(backoff(0, 1.0), Duration::from_millis(750));
        assert_eq!(backoff(u32::MAX, 0.5), Duration::from_secs_f64(52.5));
    }

    #[test]
    fn the_budget_ends() {
        assert!(pause(Failure::Transport, 4, 5, NOW, 0.0).is_some());
        assert!(pause(Failure::Transport, 5, 5, NOW, 0.0).is_none());
        assert!(pause(Failure::Transport, 0, 0, NOW, 0.0).is_none());
        let headers = headers(&[("x-should-retry", "true")]);
        assert!(pause(Failure::Status(503, &headers), 5, 5, NOW, 0.0).is_none());
    }
}
