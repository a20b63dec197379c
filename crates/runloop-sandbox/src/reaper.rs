//! Removes directories of ended boxes, one after the other, behind everybody's back: on some file systems each of them
//! costs a good part of a millisecond, and nobody needs to wait for that.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};

use crate::groups::{BoxGroups, Groups};
use crate::protocol::Remains;
use crate::tree;

enum Message {
    Remove(Remains, PathBuf, BoxGroups),
    Flush(oneshot::Sender<()>),
}

/// The way to the task that removes.
#[derive(Debug)]
pub(crate) struct Reaper(mpsc::UnboundedSender<Message>);

impl Reaper {
    /// Starts the task, for directories relative to `state`. It ends, when all is done, after this is dropped.
    pub(crate) fn start(state: OwnedFd, groups: Option<Groups>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(work(state, groups, receiver));
        Self(sender)
    }

    /// Has what is left of a box unmounted, its directory removed, and its control groups given back, soon.
    pub(crate) fn remove(&self, remains: Remains, path: PathBuf, groups: BoxGroups) {
        // Without a runtime there is no task: the directory then goes with the sandbox.
        let _ = self.0.send(Message::Remove(remains, path, groups));
    }

    /// Waits until everything handed over before is removed.
    pub(crate) async fn flush(&self) {
        let (sender, done) = oneshot::channel();
        if self.0.send(Message::Flush(sender)).is_ok() {
            let _ = done.await;
        }
    }
}

/// A group stays busy until the last zombie in it is reaped. One that stays so for longer is left to the sandbox's end.
fn retire(all: &Groups, groups: &BoxGroups) {
    for _ in 0..100 {
        if all.retire(groups.clone()) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

async fn work(state: OwnedFd, all: Option<Groups>, mut messages: mpsc::UnboundedReceiver<Message>) {
    let state = std::sync::Arc::new(state);
    while let Some(message) = messages.recv().await {
        match message {
            Message::Remove(remains, path, groups) => {
                let (state, shown, all) = (std::sync::Arc::clone(&state), path.clone(), all.clone());
                let removed = tokio::task::spawn_blocking(move || {
                    drop(remains);
                    if let Some(all) = all {
                        retire(&all, &groups);
                    }
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
