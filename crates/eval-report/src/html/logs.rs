//! Where the page has the logs from.

use std::io;

/// Both ends of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Its first bytes; all of it if `tail` is empty.
    pub head: Vec<u8>,
    /// Its last bytes, behind what is left out.
    pub tail: Vec<u8>,
    /// Bytes of the whole.
    pub size: u64,
}

impl Log {
    /// Both ends of what is in memory already.
    pub fn of(content: &[u8], head: usize, tail: usize) -> Self {
        let size = content.len() as u64;
        if content.len() <= head.saturating_add(tail) {
            return Self { head: content.to_vec(), tail: Vec::new(), size };
        }
        let (first, rest) = content.split_at(head);
        Self { head: first.to_vec(), tail: rest[rest.len() - tail..].to_vec(), size }
    }
}

/// The files of a run.
pub trait Logs {
    /// The first `head` and the last `tail` bytes of a file; all of it, in `head`, if it is no longer than both.
    /// The path is relative to the run directory, with forward slashes; it may come from a record that somebody else wrote
    /// and must not lead out of that directory.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if there is none, which the page passes over; any other one it shows.
    fn read(&self, path: &str, head: usize, tail: usize) -> io::Result<Log>;

    /// Where a reader of the page finds a file or a directory of the run. `None` where the page can only name it.
    fn link(&self, _path: &str) -> Option<String> {
        None
    }
}
