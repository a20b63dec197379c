//! Puts a file on the disk, in a thread of its own: whoever writes to it does not wait for that.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Syncs a file when asked; requests that come while one is under way share the next.
#[derive(Debug)]
pub(crate) struct Syncer {
    requests: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Syncs `file`; `failed` is told of the first failure, after which there is no other try.
    pub(crate) fn start(file: File, failed: impl FnOnce(io::Error) + Send + 'static) -> io::Result<Self> {
        let (requests, receiver) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("record-sync".into())
            .spawn(move || sync_on(&receiver, &file).unwrap_or_else(failed))?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    /// Asks for everything that is written by now to reach the disk soon.
    pub(crate) fn request(&self) {
        if let Some(requests) = &self.requests {
            // One that waits already begins after this, and after what was written before it.
            let (Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(()))) =
                requests.try_send(());
        }
    }
}

impl Drop for Syncer {
    /// Waits for what was asked.
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // The thread does not panic; if it did, what it wrote stands.
            let _ = thread.join();
        }
    }
}

fn sync_on(requests: &Receiver<()>, file: &File) -> io::Result<()> {
    while requests.recv().is_ok() {
        file.sync_data()?;
    }
    Ok(())
}
