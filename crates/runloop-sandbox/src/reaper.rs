//! Removes directories of ended boxes, one after the other, behind everybody's back: on some file systems each of them
//! costs a good part of a millisecond, and nobody needs to wait for that.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};

use crate::groups::BoxGroups;
use crate::tree;

enum Message {
    Remove(Option<OwnedFd>, PathBuf, BoxGroups),
    Flush(oneshot::Sender<()>),
}

/// The way to the task that removes.
#[derive(Debug)]
pub(crate) struct Reaper(mpsc::UnboundedSender<Message>);

impl Reaper {
    /// Starts the task, for directories relative to `state`. It ends, when all is done, after this is dropped.
    pub(crate) fn start(state: OwnedFd) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(work(state, receiver));
        Self(sender)
    }

    /// Has the root of a box unmounted, and its directory and its control groups removed, soon.
    pub(crate) fn remove(&self, root: Option<OwnedFd>, path: PathBuf, groups: BoxGroups) {
        // Without a runtime there is no task: the directory then goes with the sandbox.
        let _ = self.0.send(Message::Remove(root, path, groups));
    }

    /// Waits until everything handed over before is removed.
    pub(crate) async fn flush(&self) {
        let (sender, done) = oneshot::channel();
        if self.0.send(Message::Flush(sender)).is_ok() {
            let _ = done.await;
        }
    }
}

/// A group stays busy until the last zombie in it is reaped.
fn remove_groups(groups: &BoxGroups) {
    for _ in 0..100 {
        if groups.remove() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

async fn work(state: OwnedFd, mut messages: mpsc::UnboundedReceiver<Message>) {
    let state = std::sync::Arc::new(state);
    while let Some(message) = messages.recv().await {
        match message {
            Message::Remove(root, path, groups) => {
                let (state, shown) = (std::sync::Arc::clone(&state), path.clone());
                let removed = tokio::task::spawn_blocking(move || {
                    drop(root);
                    remove_groups(&groups);
                    tree::remove(state.as_fd(), &path)
                });
                let removed = removed.await;
                if let Ok(Err(error)) = removed {
                    tracing::warn!(path = %shown.display(), %error, "a box's directory could not be removed");
                }
            }
            Message::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}
