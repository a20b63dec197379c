//! Logs from a run directory.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use super::{Log, Logs};

/// The files of a run directory. Nothing outside of it is read, wherever a path or a link in it may lead.
#[derive(Debug, Clone)]
pub struct DirectoryLogs {
    root: PathBuf,
}

impl DirectoryLogs {
    /// Those in this directory.
    ///
    /// # Errors
    ///
    /// If there is no such directory.
    pub fn open(directory: &Path) -> io::Result<Self> {
        Ok(Self { root: fs::canonicalize(directory)? })
    }
}

impl Logs for DirectoryLogs {
    fn read(&self, path: &str, head: usize, tail: usize) -> io::Result<Log> {
        let outside =
            || io::Error::new(io::ErrorKind::PermissionDenied, "it is outside of the run directory");
        if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(outside());
        }
        let place = fs::canonicalize(self.root.join(path))?;
        if !place.starts_with(&self.root) {
            return Err(outside());
        }
        // Before it is opened: a pipe would wait for its other end.
        if !fs::metadata(&place)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        let mut file = File::open(&place)?;
        let size = file.metadata()?.len();
        let (head, tail) = (head as u64, tail as u64);
        let mut log = Log { size, ..Log::default() };
        if size <= head.saturating_add(tail) {
            file.take(head.saturating_add(tail)).read_to_end(&mut log.head)?;
            return Ok(log);
        }
        file.by_ref().take(head).read_to_end(&mut log.head)?;
        file.seek(SeekFrom::Start(size - tail))?;
        file.take(tail).read_to_end(&mut log.tail)?;
        Ok(log)
    }
}
