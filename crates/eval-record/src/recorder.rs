//! Writes events and logs to a run directory, in a thread of its own.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use crate::queue::{Item, Queue};
use crate::read::parse;
use crate::syncer::Syncer;
use crate::{Event, EventKind, EventSink, ReadError, Then};

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
/// What [`EventSink::event_then`] waits for is a write, which outlives this process however it ends. Each verdict also
/// reaches the disk (fsync) soon after it came; verdicts that come together share one sync. After the first failure nothing
/// more is written, and [`EventSink::failure`] says where it was.
pub struct Recorder {
    queue: Arc<Queue>,
    failed: Arc<OnceLock<Arc<RecordError>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Appends to `<root>/events.jsonl`. A last line that a killed program left unfinished, or that a lost disk
    /// spoiled, is removed first.
    pub(crate) fn start(root: &Path) -> Result<Self, RecordError> {
        let path = root.join("events.jsonl");
        let file = open_events(&path).map_err(|source| RecordError {
            action: "open",
            path: path.clone(),
            source,
        })?;
        let queue = Arc::new(Queue::new(BACKLOG));
        let failed: Arc<OnceLock<Arc<RecordError>>> = Arc::default();
        let no_thread =
            |source| RecordError { action: "start a thread for", path: root.to_path_buf(), source };
        let syncer = {
            let (failed, path) = (Arc::clone(&failed), path.clone());
            let file = file.try_clone().map_err(no_thread)?;
            let fail = move |source| drop(failed.set(Arc::new(RecordError { action: "sync", path, source })));
            Syncer::start(file, fail).map_err(no_thread)?
        };
        let writer = Writer { root: root.to_path_buf(), path, file, syncer, failed: Arc::clone(&failed) };
        let thread = {
            let queue = Arc::clone(&queue);
            let builder = std::thread::Builder::new().name("recorder".into());
            builder.spawn(move || writer.run(&queue)).map_err(no_thread)?
        };
        Ok(Self { queue, failed, thread: Mutex::new(Some(thread)) })
    }

    /// Waits until everything is written. What comes later, from tasks that nobody waited for, is dropped.
    ///
    /// # Errors
    /// The first failure of the whole record.
    pub fn finish(&self) -> Result<(), Arc<RecordError>> {
        self.join();
        self.failed.get().map_or(Ok(()), |error| Err(Arc::clone(error)))
    }

    fn join(&self) {
        self.queue.close();
        // Held until the thread has ended: whoever else asks waits, too.
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
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

impl Recorder {
    fn line(&self, event: &Event, then: Option<Then>) {
        if self.failed.get().is_some() {
            return;
        }
        let sync = matches!(
            event.kind,
            EventKind::RunStarted(_)
                | EventKind::RunResumed(_)
                | EventKind::TrialFinished(_)
                | EventKind::RunFinished { .. }
        );
        match serde_json::to_vec(event) {
            Ok(mut line) => {
                line.push(b'\n');
                self.queue.push(Item::Line { line, sync, then });
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
}

impl EventSink for Recorder {
    fn event(&self, event: &Event) {
        self.line(event, None);
    }

    fn event_then(&self, event: &Event, then: Then) {
        self.line(event, Some(then));
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
    syncer: Syncer,
    failed: Arc<OnceLock<Arc<RecordError>>>,
}

impl Writer {
    fn run(mut self, queue: &Queue) {
        while let Some(mut items) = queue.take() {
            let waiting: Vec<Then> = items.iter_mut().filter_map(Item::take_then).collect();
            if let Err(error) = self.write(items) {
                // Before anybody learns that there is nothing to wait for.
                let _ = self.failed.set(Arc::new(error));
                // Nobody may wait for a queue that is not emptied any more.
                queue.abandon();
                return;
            }
            for then in waiting {
                then();
            }
        }
    }

    /// Writes one batch: log files first, so that an event never names one that is not there, then all lines at once.
    fn write(&mut self, items: Vec<Item>) -> Result<(), RecordError> {
        let mut lines = Vec::new();
        let mut must_sync = false;
        for item in items {
            match item {
                Item::Line { line, sync, .. } => {
                    lines.extend_from_slice(&line);
                    must_sync |= sync;
                }
                Item::File { path, content } => self.write_file(&path, &content)?,
            }
        }
        let path = &self.path;
        let failed = |source| RecordError { action: "write", path: path.clone(), source };
        self.file.write_all(&lines).map_err(failed)?;
        if must_sync {
            self.syncer.request();
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

/// Opens for appending, after removing a last line that a reader leaves out: one that is unfinished, or no event. Followed
/// by another it would be damage.
fn open_events(path: &Path) -> io::Result<File> {
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    let mut end = line_start(&mut file, length)?;
    if end == length && end > 0 {
        let start = line_start(&mut file, end - 1)?;
        let mut line = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        (&file).take(end - start).read_to_end(&mut line)?;
        let is_damaged = matches!(parse(&line, path, 0), Err(ReadError::Malformed { .. }));
        if is_damaged && !line.trim_ascii().is_empty() {
            end = start;
        }
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(file)
}

/// Where the line begins that goes on at `end`: behind the last line end before it.
fn line_start(file: &mut File, mut end: u64) -> io::Result<u64> {
    let mut block = vec![0; 64 << 10];
    while end > 0 {
        let from = end.saturating_sub(block.len() as u64);
        let part = &mut block[..usize::try_from(end - from).unwrap_or_default()];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + at as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RecordedEvents, read_events};

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
    fn what_waits_for_the_record_finds_it_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        let recorder = Recorder::start(directory.path()).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        for n in 1..=100 {
            let (sender, path) = (sender.clone(), path.clone());
            let then = Box::new(move || sender.send(read_events(&path).unwrap().events.len()).unwrap());
            recorder.event_then(&finished(true), then);
            // Read by the thread that wrote it, before it goes on.
            assert!(receiver.recv().unwrap() >= n);
        }
    }

    #[test]
    fn who_waits_for_a_record_that_failed_is_told_and_not_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(directory.path()).unwrap();
        recorder.file("trials", b"in the way".to_vec());
        recorder.file("trials/a/log", b"x".to_vec());
        for _ in 0..100 {
            let (sender, receiver) = std::sync::mpsc::channel();
            recorder.event_then(&finished(true), Box::new(move || sender.send(()).unwrap()));
            // Either it was written before the failure, or the other end is gone.
            if receiver.recv().is_err() {
                assert!(recorder.failure().is_some());
                return;
            }
        }
        panic!("the record never failed");
    }

    #[test]
    fn a_resumed_record_goes_on_after_the_last_whole_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        let whole = [serde_json::to_vec(&finished(true)).unwrap().as_slice(), b"\n"].concat();
        let long = format!("{{\"at_ms\": 1, \"torn{}", "x".repeat(200_000));
        for torn in [long.clone(), long + "\n", "\0\0\0\n".to_owned(), "\0\0\0".to_owned()] {
            for before in [whole.as_slice(), b""] {
                fs::write(&path, [before, torn.as_bytes()].concat()).unwrap();
                let read = read_events(&path).unwrap();
                assert!(read.torn);

                let recorder = Recorder::start(directory.path()).unwrap();
                recorder.event(&finished(false));
                recorder.finish().unwrap();

                let events = [read.events, vec![finished(false)]].concat();
                assert_eq!(read_events(&path).unwrap(), RecordedEvents { events, torn: false });
            }
        }
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
