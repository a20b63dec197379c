//! As many open files as trials at once need: each has a connection, and leaves idle ones behind.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::CliError;
use crate::exit::Exit;

/// Files besides the connections of trials.
const OTHERS: u64 = 256;

/// Connections of a trial on both sides, with idle ones and the pipes of its commands.
const COMFORT: u64 = 8;

/// Makes room for these many trials at once. Nothing is raised that need not be: agents beside the harness inherit it, and
/// some programs look at every file that they could have.
///
/// # Errors
/// When the system does not allow as many as they need.
pub(crate) fn make_room(concurrency: usize) -> Result<(), CliError> {
    let concurrency = u64::try_from(concurrency).unwrap_or(u64::MAX);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= concurrency.saturating_mul(COMFORT).saturating_add(OTHERS)) {
        return Ok(());
    }
    // A system that allows more and then refuses says so when it matters.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    match short_of(concurrency, maximum) {
        None => Ok(()),
        Some(allowed) => {
            let needed = concurrency.saturating_add(OTHERS);
            let message =
                format!("{concurrency} trials at once need {needed} open files, and the limit is {allowed}");
            Err(CliError::new(Exit::Usage, message).hint(format!(
                "use --concurrency {}, or raise the hard limit: `ulimit -Hn {needed}` as root",
                allowed.saturating_sub(OTHERS).max(1)
            )))
        }
    }
}

/// The limit, if it is too low for these many trials at once.
fn short_of(concurrency: u64, limit: Option<u64>) -> Option<u64> {
    limit.filter(|limit| *limit < concurrency.saturating_add(OTHERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_too_few_files_are_too_few() {
        assert_eq!(short_of(10_000, Some(20_000)), None);
        assert_eq!(short_of(10_000, None), None);
        assert_eq!(short_of(10_000, Some(4096)), Some(4096));
        assert_eq!(short_of(u64::MAX, Some(4096)), Some(4096));
    }
}
