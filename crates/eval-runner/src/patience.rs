//! How often something is asked again that costs nothing to ask: what is waited for goes on meanwhile.

use std::time::Duration;

use tokio::time::sleep;

use crate::platform::PlatformError;

/// Failures in a row that a wait survives. With pauses of 1, 2, 4, 8 and 16 s that is as long as any call is retried.
const MOST: u32 = 5;

/// Asks a devbox for something, and once more if it refuses: an agent may have broken it, which holds the second time too,
/// while a single refusal may be anybody's.
pub(crate) async fn insist<T, F>(call: impl Fn() -> F) -> Result<T, PlatformError>
where
    F: Future<Output = Result<T, PlatformError>>,
{
    match call().await {
        Err(error) if error.may_be_agents() => call().await,
        outcome => outcome,
    }
}

/// Failures of a wait in a row.
#[derive(Debug, Default)]
pub(crate) struct Failures(u32);

impl Failures {
    /// Waits a little after a failure that may pass. `false` if it will not, or did not.
    pub(crate) async fn passed(&mut self, error: &PlatformError) -> bool {
        if self.0 >= MOST || !error.may_pass() {
            return false;
        }
        sleep(Duration::from_secs(1 << self.0)).await;
        self.0 += 1;
        true
    }
}
