//! Writes events and logs to a run directory, in a thread of its own.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use crate::queue::{Item, Queue};
use crate::{Event, EventKind, EventSink};

/// Bytes that may wait for the disk.
const BACKLOG: usize = 64 << 20;

/// The record could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
#[non_exhaustive]
pub struct RecordError {
    /// `write`, `create`, ...
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// The sink that keeps a run: appends events to `events.jsonl` and writes log files.
///
/// Each verdict reaches the disk (fsync) soon after it came; verdicts that come together share one sync. After the first
/// failure nothing more is written, and [`EventSink::failure`] says where it was.
#[derive(Debug)]
pub struct Recorder {
    queue: Arc<Queue>,
    failed: Arc<OnceLock<Arc<RecordError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Appends to `<root>/events.jsonl`. A last line that a killed program left unfinished is removed first.
    pub(crate) fn start(root: &Path) -> Result<Self, RecordError> {
        let path = root.join("events.jsonl");
        let file = open_events(&path).map_err(|source| RecordError {
            action: "open",
            path: path.clone(),
            source,
        })?;
        let queue = Arc::new(Queue::new(BACKLOG));
        let failed = Arc::new(OnceLock::new());
        let writer = Writer { root: root.to_path_buf(), path, file, failed: Arc::clone(&failed) };
        let thread = {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name("recorder".into()).spawn(move || writer.run(&queue)).map_err(
                |source| RecordError { action: "start a thread for", path: root.to_path_buf(), source },
            )?
        };
        Ok(Self { queue, failed, thread: Some(thread) })
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// The first failure of the whole record.
    pub fn finish(mut self) -> Result<(), Arc<RecordError>> {
        self.join();
        self.failed.get().map_or(Ok(()), |error| Err(Arc::clone(error)))
    }

    fn join(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // The thread does not panic; if it did, what it wrote stands.
            let _ = thread.join();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.join();
    }
}

impl EventSink for Recorder {
    fn event(&self, event: &Event) {
        if self.failed.get().is_some() {
            return;
        }
        let sync = matches!(
            event.kind,
            EventKind::RunStarted(_) | EventKind::TrialFinished(_) | EventKind::RunFinished { .. }
        );
        match serde_json::to_vec(event) {
            Ok(mut line) => {
                line.push(b'\n');
                self.queue.push(Item::Line { line, sync });
            }
            Err(error) => {
                let _ = self.failed.set(Arc::new(RecordError {
                    action: "write an event to",
                    path: "events.jsonl".into(),
                    source: error.into(),
                }));
            }
        }
    }

    fn file(&self, path: &str, content: Vec<u8>) {
        if self.failed.get().is_none() {
            self.queue.push(Item::File { path: path.to_owned(), content });
        }
    }

    fn failure(&self) -> Option<String> {
        self.failed.get().map(|error| format!("{error}: {}", error.source))
    }
}

struct Writer {
    root: PathBuf,
    path: PathBuf,
    file: File,
    failed: Arc<OnceLock<Arc<RecordError>>>,
}

impl Writer {
    fn run(mut self, queue: &Queue) {
        while let Some(items) = queue.take() {
            if let Err(error) = self.write(items) {
                let _ = self.failed.set(Arc::new(error));
                // Nobody may wait for room in a queue that is not emptied any more.
                queue.close();
                return;
            }
        }
    }

    /// Writes one batch: log files first, so that an event never names one that is not there, then all lines at once.
    fn write(&mut self, items: Vec<Item>) -> Result<(), RecordError> {
        let mut lines = Vec::new();
        let mut must_sync = false;
        for item in items {
            match item {
                Item::Line { line, sync } => {
                    lines.extend_from_slice(&line);
                    must_sync |= sync;
                }
                Item::File { path, content } => self.write_file(&path, &content)?,
            }
        }
        let failed = |action| {
            let path = self.path.clone();
            move |source| RecordError { action, path, source }
        };
        self.file.write_all(&lines).map_err(failed("write"))?;
        if must_sync {
            self.file.sync_data().map_err(failed("sync"))?;
        }
        Ok(())
    }

    fn write_file(&self, relative: &str, content: &[u8]) -> Result<(), RecordError> {
        let path = self.root.join(relative);
        let mut written = fs::write(&path, content);
        if let Err(error) = &written
            && matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
            && let Some(parent) = path.parent()
        {
            fs::create_dir_all(parent).map_err(|source| RecordError {
                action: "create",
                path: parent.to_path_buf(),
                source,
            })?;
            written = fs::write(&path, content);
        }
        written.map_err(|source| {
            // Half a log is none, and takes room that the events may need.
            let _ = fs::remove_file(&path);
            RecordError { action: "write", path, source }
        })
    }
}

/// Opens for appending, after removing an unfinished last line.
fn open_events(path: &Path) -> io::Result<File> {
    use std::io::{Read as _, Seek as _, SeekFrom};

    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    let mut end = file.metadata()?.len();
    let mut block = vec![0; 64 << 10];
    while end > 0 {
        let from = end.saturating_sub(block.len() as u64);
        let part = &mut block[..usize::try_from(end - from).unwrap_or_default()];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = from + at as u64 + 1;
            break;
        }
        end = from;
    }
    if end < file.metadata()?.len() {
        file.set_len(end)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_events;

    fn finished(interrupted: bool) -> Event {
        Event { at_ms: 1, kind: EventKind::RunFinished { complete: true, interrupted } }
    }

    #[test]
    fn what_was_recorded_is_read_back_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(directory.path()).unwrap();
        for n in 0..100 {
            recorder.event(&finished(n % 2 == 0));
        }
        recorder.file("trials/a/b/1/attempt-1/agent.stdout", b"hello".to_vec());
        recorder.finish().unwrap();

        let events = read_events(&directory.path().join("events.jsonl")).unwrap().events;
        assert_eq!(events, (0..100).map(|n| finished(n % 2 == 0)).collect::<Vec<_>>());
        assert_eq!(fs::read(directory.path().join("trials/a/b/1/attempt-1/agent.stdout")).unwrap(), b"hello");
    }

    #[test]
    fn a_resumed_record_goes_on_after_the_last_whole_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        let mut whole = serde_json::to_vec(&finished(true)).unwrap();
        whole.push(b'\n');
        let long = "x".repeat(200_000);
        fs::write(&path, [whole.as_slice(), b"{\"at_ms\": 1, \"torn", long.as_bytes()].concat()).unwrap();

        let recorder = Recorder::start(directory.path()).unwrap();
        recorder.event(&finished(false));
        recorder.finish().unwrap();

        let read = read_events(&path).unwrap();
        assert_eq!(read.events, [finished(true), finished(false)]);
        assert!(!read.torn);
    }

    #[test]
    fn a_disk_that_refuses_says_where_and_nobody_hangs() {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(directory.path()).unwrap();
        // A file stands where a directory is needed.
        recorder.file("trials", b"in the way".to_vec());
        recorder.file("trials/a/log", b"x".to_vec());
        while recorder.failure().is_none() {
            std::thread::yield_now();
        }
        for _ in 0..100 {
            recorder.file("more", vec![0; 10 << 20]);
            recorder.event(&finished(false));
        }
        assert!(recorder.failure().unwrap().contains("trials/a"), "{:?}", recorder.failure());
        assert_eq!(recorder.finish().unwrap_err().path, directory.path().join("trials/a"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_and_not_a_silent_loss() {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", directory.path().join("events.jsonl")).unwrap();
        // A device has no length and cannot be read back; a recorder either refuses it at once or fails on writing.
        match Recorder::start(directory.path()) {
            Err(error) => assert_eq!(error.path, directory.path().join("events.jsonl")),
            Ok(recorder) => {
                recorder.event(&finished(false));
                let error = recorder.finish().unwrap_err();
                assert_eq!(error.path, directory.path().join("events.jsonl"));
                assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
            }
        }
    }
}
