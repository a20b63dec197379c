//! Reads events while they are written.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::read::parse;
use crate::{Event, ReadError};

/// Bytes after which a batch ends.
const BATCH: u64 = 4 << 20;

/// Reads `events.jsonl` again and again, each time only what was added.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    /// Bytes that were read: whole lines.
    offset: u64,
    lines: usize,
    file: Option<Identity>,
}

/// The next events of a file.
#[derive(Debug, Default, PartialEq)]
pub struct Batch {
    /// In their order.
    pub events: Vec<Event>,
    /// The file is not the one it was, so what came before this batch is void.
    pub anew: bool,
    /// There is more to read at once.
    pub more: bool,
}

/// What tells a file from one that took its place.
type Identity = (u64, u64);

impl Follower {
    /// Begins at the beginning. The file need not be there yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf(), offset: 0, lines: 0, file: None }
    }

    /// What was added since, in a batch of a few MB at most (or one event). A last line that is unfinished, or is no event
    /// yet, is left for later.
    ///
    /// # Errors
    /// See [`ReadError`]; the place is kept, so that the error comes again.
    pub fn read(&mut self) -> Result<Batch, ReadError> {
        let failed = |source| ReadError::Io { path: self.path.clone(), source };
        // Before it is opened: a pipe would wait for its other end.
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.offset == 0 => {
                return Ok(Batch::default());
            }
            Err(error) => return Err(failed(error)),
        };
        let mut batch = Batch::default();
        let identity = identity(&metadata);
        if metadata.len() < self.offset || self.file.is_some_and(|file| file != identity) {
            (self.offset, self.lines, batch.anew) = (0, 0, true);
        }
        self.file = Some(identity);
        if metadata.len() == self.offset {
            return Ok(batch);
        }
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(self.offset)).map_err(failed)?;
        // What is added meanwhile is for the next time: a fast writer must not hold the reader.
        let mut file = BufReader::new(file.take(metadata.len() - self.offset));
        let start = self.offset;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = file.read_until(b'\n', &mut line).map_err(failed)?;
            if !line.ends_with(b"\n") {
                return Ok(batch);
            }
            if !line.trim_ascii().is_empty() {
                match parse(&line, &self.path, self.lines + 1) {
                    Ok((event, second)) => {
                        batch.events.push(event);
                        batch.events.extend(second);
                    }
                    Err(ReadError::Malformed { .. }) if file.fill_buf().map_err(failed)?.is_empty() => {
                        return Ok(batch);
                    }
                    // What came before it is no worse for it.
                    Err(_) if batch.anew || !batch.events.is_empty() => {
                        batch.more = true;
                        return Ok(batch);
                    }
                    Err(error) => return Err(error),
                }
            }
            self.offset += read as u64;
            self.lines += 1;
            if self.offset - start >= BATCH {
                batch.more = true;
                return Ok(batch);
            }
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::EventKind;

    fn event(at_ms: i64) -> Event {
        Event { at_ms, kind: EventKind::RunFinished { complete: true, interrupted: false } }
    }

    fn line(at_ms: i64) -> Vec<u8> {
        let mut line = serde_json::to_vec(&event(at_ms)).unwrap();
        line.push(b'\n');
        line
    }

    fn times(batch: &Batch) -> Vec<i64> {
        batch.events.iter().map(|event| event.at_ms).collect()
    }

    struct Written {
        _directory: tempfile::TempDir,
        path: PathBuf,
    }

    impl Written {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("events.jsonl");
            Self { _directory: directory, path }
        }

        fn append(&self, bytes: &[u8]) {
            File::options().create(true).append(true).open(&self.path).unwrap().write_all(bytes).unwrap();
        }
    }

    #[test]
    fn each_event_comes_once_at_whatever_byte_the_writer_was() {
        let written = Written::new();
        let mut follower = Follower::new(&written.path);
        assert_eq!(follower.read().unwrap(), Batch::default(), "there is no file yet");
        let bytes = [line(1), line(2)].concat();
        let mut seen = Vec::new();
        for byte in &bytes {
            written.append(std::slice::from_ref(byte));
            seen.extend(follower.read().unwrap().events);
        }
        assert_eq!(seen, [event(1), event(2)]);
    }

    #[test]
    fn a_torn_line_that_a_resumed_run_removed_was_never_seen() {
        let written = Written::new();
        let mut follower = Follower::new(&written.path);
        written.append(&[line(1), b"{\"at_ms\": 7, \"ev".to_vec()].concat());
        assert_eq!(times(&follower.read().unwrap()), [1]);
        fs::write(&written.path, line(1)).unwrap();
        written.append(&line(2));
        let batch = follower.read().unwrap();
        assert_eq!((times(&batch), batch.anew), (vec![2], false));
    }

    #[test]
    fn a_file_in_the_place_of_another_is_read_from_its_beginning() {
        let written = Written::new();
        let mut follower = Follower::new(&written.path);
        written.append(&[line(1), line(2)].concat());
        follower.read().unwrap();
        let other = written.path.with_extension("other");
        fs::write(&other, [line(3), line(4), line(5)].concat()).unwrap();
        fs::rename(&other, &written.path).unwrap();
        let batch = follower.read().unwrap();
        assert_eq!((times(&batch), batch.anew), (vec![3, 4, 5], true));
    }

    #[test]
    fn damage_is_told_with_its_line_once_something_follows_it() {
        let written = Written::new();
        let mut follower = Follower::new(&written.path);
        written.append(&[line(1), b"nonsense\n".to_vec()].concat());
        assert_eq!(times(&follower.read().unwrap()), [1]);
        assert_eq!(times(&follower.read().unwrap()), [0; 0], "it may yet be made whole");
        written.append(&line(2));
        for _ in 0..2 {
            let error = follower.read().unwrap_err();
            assert!(error.to_string().ends_with("line 2: not an event of a run"), "{error}");
        }
    }

    #[test]
    fn what_comes_before_damage_is_read() {
        let written = Written::new();
        written.append(&[line(1), b"nonsense\n".to_vec(), line(2)].concat());
        let mut follower = Follower::new(&written.path);
        let batch = follower.read().unwrap();
        assert_eq!((times(&batch), batch.more), (vec![1], true));
        assert!(follower.read().is_err());
    }

    #[test]
    fn a_long_file_comes_in_batches() {
        let written = Written::new();
        let mut bytes = Vec::new();
        let mut wanted = 0;
        while bytes.len() < 9 << 20 {
            wanted += 1;
            bytes.extend(line(wanted));
        }
        written.append(&bytes);
        let mut follower = Follower::new(&written.path);
        let mut seen = 0;
        let mut batches = 0;
        loop {
            let batch = follower.read().unwrap();
            seen += batch.events.len() as i64;
            batches += 1;
            if !batch.more {
                break;
            }
        }
        assert_eq!((seen, batches), (wanted, 3));
    }
}
