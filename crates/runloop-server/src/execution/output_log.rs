//! The output of a command: in memory while it is short, in a file from then on.
//!
//! One task appends, any number read. However long the output gets, at most [`KEPT`] of its last bytes are in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::tail::{Tail, last_lines};
use crate::lock::lock;

/// Bytes kept in memory: all of a short output, the end of a long one.
pub(crate) const KEPT: usize = 128 * 1024;

/// Bytes stored of one stream; what comes after is read and thrown away, so that a runaway command cannot fill the disk.
pub(crate) const LONGEST: u64 = 1024 * 1024 * 1024;

/// How much there is of an output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes that can be read.
    pub(crate) len: u64,
    /// Whether every writer is gone.
    pub(crate) closed: bool,
    /// Whether the server could not store what the command wrote: see [`OutputLog::lost`].
    pub(crate) lost: bool,
}

/// One stream of a command's output.
#[derive(Debug)]
pub(crate) struct OutputLog {
    path: PathBuf,
    longest: u64,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Default)]
struct State {
    /// The last bytes, at least `KEPT` of a longer output, at most twice that.
    kept: Vec<u8>,
    /// Position of the first kept byte in the whole output.
    kept_from: u64,
    /// All of the output, once it is longer than `KEPT`.
    file: Option<Arc<File>>,
    /// Whether the end was cut off, at `LONGEST` or because the disk refused it.
    full: bool,
    /// What the disk said when it refused.
    lost: Option<String>,
}

impl OutputLog {
    /// An empty log that makes a file at this path, for a moment, if it becomes long.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self::with_longest(path, LONGEST)
    }

    fn with_longest(path: PathBuf, longest: u64) -> Self {
        let progress = watch::Sender::new(Progress::default());
        Self { path, longest, state: Mutex::default(), progress }
    }

    /// Whether appending goes to the disk, and had better not be done on an async thread.
    pub(crate) fn is_spilled(&self) -> bool {
        lock(&self.state).file.is_some()
    }

    /// Appends output. There is one appender at a time.
    pub(crate) fn append(&self, bytes: &[u8]) {
        let len = self.progress.borrow().len;
        let (file, full) = {
            let state = lock(&self.state);
            (state.file.clone(), state.full)
        };
        if full || bytes.is_empty() {
            return;
        }
        let room = usize::try_from(self.longest.saturating_sub(len)).unwrap_or(usize::MAX);
        if bytes.len() > room {
            self.store(file, &bytes[..room], len);
            self.stop("the output is longer than this server keeps; the rest is thrown away");
        } else {
            self.store(file, bytes, len);
        }
    }

    fn store(&self, file: Option<Arc<File>>, bytes: &[u8], len: u64) {
        // The disk is written outside of the lock: readers never wait for it.
        let spilled = match file {
            Some(file) => file.write_all_at(bytes, len).map(|()| None),
            None if bytes.len() + usize::try_from(len).unwrap_or(usize::MAX) > KEPT => {
                self.spill(bytes).map(Some)
            }
            None => Ok(None),
        };
        match spilled {
            Ok(new_file) => self.publish(bytes, new_file),
            Err(error) => self.lose(&error),
        }
    }

    /// Makes the file, with all there is so far and these bytes. It has no name from the start: what a command printed is
    /// gone with the server, also with one that is killed.
    fn spill(&self, bytes: &[u8]) -> io::Result<Arc<File>> {
        let file = File::options().read(true).write(true).create_new(true).open(&self.path)?;
        std::fs::remove_file(&self.path)?;
        let kept = lock(&self.state).kept.clone();
        file.write_all_at(&kept, 0)?;
        file.write_all_at(bytes, kept.len() as u64)?;
        Ok(Arc::new(file))
    }

    fn publish(&self, bytes: &[u8], new_file: Option<Arc<File>>) {
        let len = {
            let mut state = lock(&self.state);
            if new_file.is_some() {
                state.file = new_file;
            }
            state.kept.extend_from_slice(bytes);
            // Dropping only when twice the size is reached makes this amortised constant.
            if state.file.is_some() && state.kept.len() > 2 * KEPT {
                let surplus = state.kept.len() - KEPT;
                state.kept.drain(..surplus);
                state.kept_from += surplus as u64;
            }
            state.kept_from + state.kept.len() as u64
        };
        self.progress.send_modify(|progress| progress.len = len);
    }

    /// What was written is lost by the server's fault, which is not to be taken for the command's silence.
    fn lose(&self, error: &io::Error) {
        lock(&self.state).lost = Some(error.to_string());
        self.stop(&format!("the server cannot store more output: {error}"));
        self.progress.send_modify(|progress| progress.lost = true);
    }

    /// Why the server has not all of the output, though it should: its disk refused it. `None` if it has. What a command
    /// wrote beyond [`LONGEST`] does not count: that is the command's own doing.
    pub(crate) fn lost(&self) -> Option<String> {
        lock(&self.state).lost.clone()
    }

    /// Stores nothing from now on; views tell that they are incomplete.
    fn stop(&self, why: &str) {
        lock(&self.state).full = true;
        tracing::warn!(path = %self.path.display(), "{why}");
    }

    /// Tells readers that nothing more will come.
    pub(crate) fn close(&self) {
        self.progress.send_modify(|progress| progress.closed = true);
    }

    /// How much there is now.
    pub(crate) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Follows how much there is.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// The last lines.
    pub(crate) fn tail(&self, lines: usize) -> Tail {
        let state = lock(&self.state);
        let mut tail = last_lines(&state.kept, state.kept_from > 0, lines);
        // Also what is missing at the end makes the view incomplete.
        tail.truncated |= state.full;
        tail
    }

    /// At most `max` bytes from a position on; fewer only at the end. Reads the disk for what is no longer in memory.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub(crate) async fn read_at(&self, offset: u64, max: usize) -> io::Result<Vec<u8>> {
        let (file, limit) = {
            let state = lock(&self.state);
            if offset >= state.kept_from {
                let start =
                    usize::try_from(offset - state.kept_from).unwrap_or(usize::MAX).min(state.kept.len());
                let end = start.saturating_add(max).min(state.kept.len());
                return Ok(state.kept[start..end].to_vec());
            }
            let Some(file) = state.file.clone() else { return Ok(Vec::new()) };
            (file, state.kept_from + state.kept.len() as u64)
        };
        let wanted = usize::try_from(limit - offset).unwrap_or(usize::MAX).min(max);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; wanted];
            file.read_exact_at(&mut bytes, offset).map(|()| bytes)
        });
        read.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (tempfile::TempDir, OutputLog) {
        let dir = tempfile::tempdir().unwrap();
        let log = OutputLog::new(dir.path().join("out"));
        (dir, log)
    }

    #[tokio::test]
    async fn short_output_stays_in_memory() {
        let (dir, log) = log();
        log.append(b"one\n");
        log.append(b"two\n");
        assert_eq!(log.tail(1), Tail { text: "two\n".into(), truncated: true });
        assert_eq!(log.read_at(2, 4).await.unwrap(), b"e\ntw");
        assert_eq!(log.read_at(99, 4).await.unwrap(), b"");
        assert_eq!(log.progress(), Progress { len: 8, closed: false, lost: false });
        assert!(!dir.path().join("out").exists());
    }

    #[tokio::test]
    async fn long_output_is_whole_on_disk_and_bounded_in_memory() {
        let (dir, log) = log();
        let expected: Vec<u8> = (0..400_000_u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        for piece in expected.chunks(10_007) {
            log.append(piece);
        }
        log.close();
        assert_eq!(log.progress(), Progress { len: expected.len() as u64, closed: true, lost: false });
        assert!(lock(&log.state).kept.len() <= 2 * KEPT);

        let mut all = Vec::new();
        loop {
            let piece = log.read_at(all.len() as u64, 65_521).await.unwrap();
            if piece.is_empty() {
                break;
            }
            all.extend(piece);
        }
        assert!(all == expected, "every byte comes back");
        assert_eq!(log.tail(2), Tail { text: "399998\n399999\n".into(), truncated: true });

        assert!(!dir.path().join("out").exists(), "the file has no name that would outlive a killed server");
    }

    #[tokio::test]
    async fn a_runaway_output_is_cut_and_the_cut_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let log = OutputLog::with_longest(dir.path().join("out"), 10);
        log.append(b"0123456");
        assert!(!log.tail(100).truncated);
        log.append(b"789abcdef");
        log.append(b"more");
        assert_eq!(log.progress().len, 10);
        assert_eq!(log.tail(100), Tail { text: "0123456789".into(), truncated: true });
        assert_eq!(log.lost(), None, "that is the command's doing");
    }

    #[tokio::test]
    async fn a_disk_that_fills_up_under_an_output_is_told() {
        let (_dir, log) = log();
        log.append(&vec![b'x'; KEPT + 1]);
        assert!(log.is_spilled() && log.lost().is_none());
        let full = File::options().write(true).open("/dev/full").unwrap();
        lock(&log.state).file = Some(Arc::new(full));
        log.append(b"more");
        assert_eq!(log.lost(), Some(io::Error::from_raw_os_error(28).to_string()));
        assert_eq!(log.progress(), Progress { len: KEPT as u64 + 1, closed: false, lost: true });
        log.append(b"and more");
        assert_eq!(log.progress().len, KEPT as u64 + 1, "no hole in what is there");
        assert!(log.tail(1).truncated);
    }

    #[tokio::test]
    async fn an_output_that_no_file_can_be_made_for_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let log = OutputLog::new(dir.path().join("missing/out"));
        log.append(b"short");
        assert_eq!(log.lost(), None);
        log.append(&vec![b'x'; KEPT]);
        assert!(log.lost().is_some() && log.progress().lost);
        assert_eq!(log.read_at(0, 99).await.unwrap(), b"short");
    }

    #[tokio::test]
    async fn readers_are_woken() {
        let (_dir, log) = log();
        let mut seen = log.subscribe();
        log.append(b"x");
        seen.changed().await.unwrap();
        assert_eq!(seen.borrow_and_update().len, 1);
        log.close();
        seen.changed().await.unwrap();
        assert!(seen.borrow().closed);
    }
}
