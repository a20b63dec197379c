//! A thread with a stack for the deepest recursion that a file can cause.

use std::io;
use std::thread;

use tokio::sync::oneshot;

/// The parser frees its own stack recursively, a level for each token at worst: measured at 128 bytes a level. Pages that
/// are not reached are never taken.
pub(crate) const STACK_BYTES: usize = 512 * 1024 * 1024;

/// Runs blocking work on a thread of its own and waits for it. Dropping the future does not end the work, and the work does
/// not keep the program from ending.
///
/// # Errors
///
/// If there can be no such thread, or the work panicked.
pub(crate) async fn on_deep_stack<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (send, receive) = oneshot::channel();
    thread::Builder::new().name("ast-grep".to_owned()).stack_size(STACK_BYTES).spawn(move || {
        // Nobody waits any more after a timeout.
        let _ = send.send(work());
    })?;
    receive.await.map_err(|_| io::Error::other("the thread ended without a result"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_gives_its_result_and_a_panic_is_an_error() {
        assert_eq!(on_deep_stack(|| 6 * 7).await.ok(), Some(42));
        assert!(on_deep_stack(|| assert_eq!(1, 2)).await.is_err());
    }
}
