//! A queue between many tasks and the one writer, bounded by the bytes in it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::Then;

/// Work for the writer.
pub(crate) enum Item {
    /// A line of the event file; whether it must be on the disk soon; what to do once it is written.
    Line { line: Vec<u8>, sync: bool, then: Option<Then> },
    /// A file of its own.
    File { path: String, content: Vec<u8> },
}

impl Item {
    /// What is to be done once it is written.
    pub(crate) fn take_then(&mut self) -> Option<Then> {
        match self {
            Self::Line { then, .. } => then.take(),
            Self::File { .. } => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Line { line, .. } => line.len(),
            Self::File { path, content } => path.len() + content.len(),
        }
    }
}

#[derive(Default)]
struct State {
    items: Vec<Item>,
    bytes: usize,
    closed: bool,
}

pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
    limit: usize,
}

impl Queue {
    pub(crate) fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), emptied: Condvar::new(), limit }
    }

    /// Adds an item. Blocks while more than the limit waits: a slow disk slows the run instead of eating the memory.
    pub(crate) fn push(&self, item: Item) {
        let mut state = self.lock();
        while state.bytes > self.limit && !state.closed {
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return;
        }
        state.bytes += item.len();
        state.items.push(item);
        self.filled.notify_one();
    }

    /// Everything that waits; blocks until there is something. `None` once closed and empty.
    pub(crate) fn take(&self) -> Option<Vec<Item>> {
        let mut state = self.lock();
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.bytes = 0;
        let items = std::mem::take(&mut state.items);
        self.emptied.notify_all();
        Some(items)
    }

    /// Ends it: what is in it is still taken, nothing is added any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    /// Ends it at once: what is in it is dropped, nothing is added any more.
    pub(crate) fn abandon(&self) {
        self.close();
        let items = std::mem::take(&mut self.lock().items);
        // Dropped without the lock: whoever waits for an item may look at the queue.
        drop(items);
    }

    /// A panic elsewhere leaves the state whole: every change of it is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_however_slow_the_writer_is() {
        const SIZE: usize = 10;
        const WRITERS: usize = 4;
        let queue = Queue::new(5 * SIZE);
        let mut taken = 0;
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    for _ in 0..500 {
                        queue.push(Item::File { path: String::new(), content: vec![0; SIZE] });
                    }
                });
            }
            while taken < WRITERS * 500 {
                // A slow disk: all who can add something have done so.
                (0..200).for_each(|_| std::thread::yield_now());
                let batch = queue.take().unwrap();
                let bytes: usize = batch.iter().map(Item::len).sum();
                assert!(bytes <= (5 + WRITERS) * SIZE, "{bytes} bytes wait");
                taken += batch.len();
            }
        });
        assert_eq!(taken, WRITERS * 500, "and nothing is lost");
    }
}
