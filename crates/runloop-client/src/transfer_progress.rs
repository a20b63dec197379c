//! How far an upload or download is.

use std::sync::Arc;

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferProgress {
    /// Bytes done so far.
    pub done: u64,
    /// All bytes, if their number is known.
    pub total: Option<u64>,
}

/// Is told of every piece of a transfer, by the task that does it: keep it short. Clones share the closure.
///
/// Bytes of an upload count when the connection takes them. An upload that is tried again begins again at 0.
///
/// ```
/// use runloop_client::ProgressHook;
///
/// let hook = ProgressHook::new(|progress| match progress.total {
///     Some(total) => eprintln!("{} of {total} bytes", progress.done),
///     None => eprintln!("{} bytes", progress.done),
/// });
/// # drop(hook);
/// ```
#[derive(Clone)]
pub struct ProgressHook(Arc<dyn Fn(TransferProgress) + Send + Sync>);

impl ProgressHook {
    /// A hook that calls this.
    pub fn new(hook: impl Fn(TransferProgress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    pub(crate) fn tell(&self, done: u64, total: Option<u64>) {
        (self.0)(TransferProgress { done, total });
    }
}

impl std::fmt::Debug for ProgressHook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProgressHook").finish_non_exhaustive()
    }
}
