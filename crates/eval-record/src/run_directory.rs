//! The directory of a run.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::names::safe_name;
use crate::{EventReader, ReadError, RecordError, Recorder, RunHeader, RunLock, lock};

/// A run directory cannot be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunDirectoryError {
    /// There is something already.
    #[error("{} exists and is not empty; name another directory", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// It is no run directory.
    #[error("{} is not a run directory: it has no run.json", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// Another program writes to it.
    #[error("{} is in use by {}", path.display(), pid.map_or("another program".to_owned(), |pid| format!("process {pid}")))]
    InUse {
        /// The directory.
        path: PathBuf,
        /// That program, if it could be told.
        pid: Option<u32>,
    },
    /// A file cannot be made, read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// `create`, `read`, `write`, `lock`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `run.json` does not hold what it should.
    #[error("cannot understand {}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// The directory of a run: `run.json`, `events.jsonl`, `trials/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes `<parent>/<time>-<benchmark>-<id>`, with the time in UTC to the second and the first 8 characters of the
    /// id, so that a list of directories is in the order of time.
    ///
    /// # Errors
    /// If it exists or cannot be made.
    pub fn create(
        parent: &Path,
        benchmark: &str,
        run_id: &str,
        at: Timestamp,
    ) -> Result<Self, RunDirectoryError> {
        let time = at.strftime("%Y%m%dT%H%M%SZ");
        let id: String = run_id.chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect();
        Self::create_at(&parent.join(format!("{time}-{}-{}", safe_name(benchmark), safe_name(&id))))
    }

    /// Makes this directory, with its parents. An empty one may exist.
    ///
    /// # Errors
    /// If it holds something or cannot be made.
    pub fn create_at(path: &Path) -> Result<Self, RunDirectoryError> {
        fs::create_dir_all(path).map_err(failed("create", path))?;
        if fs::read_dir(path).map_err(failed("read", path))?.next().is_some() {
            return Err(RunDirectoryError::Exists { path: path.to_path_buf() });
        }
        Ok(Self { path: path.to_path_buf() })
    }

    /// An existing one.
    ///
    /// # Errors
    /// If it has no `run.json`.
    pub fn open(path: &Path) -> Result<Self, RunDirectoryError> {
        if !path.join("run.json").is_file() {
            return Err(RunDirectoryError::NotARun { path: path.to_path_buf() });
        }
        Ok(Self { path: path.to_path_buf() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps every other program from writing to it until this is dropped.
    ///
    /// # Errors
    /// [`RunDirectoryError::InUse`] if one does, after a moment; or if the file of the lock cannot be made.
    pub fn lock(&self) -> Result<RunLock, RunDirectoryError> {
        lock::take(&self.path)
            .map_err(failed("lock", &self.path))?
            .map_err(|pid| RunDirectoryError::InUse { path: self.path.clone(), pid })
    }

    /// Whether a program writes to it now. Without one, a run whose last event is not its end was killed.
    pub fn is_locked(&self) -> bool {
        lock::is_held(&self.path)
    }

    /// Writes `run.json`: all of it or nothing.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_header(&self, header: &RunHeader) -> Result<(), RunDirectoryError> {
        let path = self.path.join("run.json");
        let mut json = serde_json::to_vec_pretty(header)
            .map_err(|source| RunDirectoryError::Malformed { path: path.clone(), source })?;
        json.push(b'\n');
        let new = self.path.join("run.json.new");
        write_to_disk(&new, &json).map_err(failed("write", &new))?;
        fs::rename(&new, &path).map_err(failed("write", &path))
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub fn header(&self) -> Result<RunHeader, RunDirectoryError> {
        let path = self.path.join("run.json");
        let json = fs::read(&path).map_err(failed("read", &path))?;
        serde_json::from_slice(&json).map_err(|source| RunDirectoryError::Malformed { path, source })
    }

    /// Starts recording at the end of what is there.
    ///
    /// # Errors
    /// If `events.jsonl` cannot be opened.
    pub fn recorder(&self) -> Result<Recorder, RecordError> {
        Recorder::start(&self.path)
    }

    /// Reads `events.jsonl`.
    ///
    /// # Errors
    /// If it cannot be opened; [`ReadError::is_missing`] if it was never written.
    pub fn events(&self) -> Result<EventReader, ReadError> {
        EventReader::open(&self.path.join("events.jsonl"))
    }
}

/// Writes a file and waits until the disk has it, so that a rename of it cannot become one of an empty file.
fn write_to_disk(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RunDirectoryError {
    let path = path.to_path_buf();
    move |source| RunDirectoryError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_name_tells_time_benchmark_and_id() {
        let parent = tempfile::tempdir().unwrap();
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let run = RunDirectory::create(parent.path(), "my bench", "0123456789abcdef", at).unwrap();
        let name = run.path().file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("20231114T221320Z-my-bench~"), "{name}");
        assert!(name.ends_with("-89abcdef"), "{name}");
    }

    #[test]
    fn results_are_never_mixed_with_what_is_there() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("precious"), "x").unwrap();
        assert!(matches!(RunDirectory::create_at(directory.path()), Err(RunDirectoryError::Exists { .. })));
    }

    #[test]
    fn the_header_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let run = RunDirectory::create_at(&directory.path().join("run")).unwrap();
        assert!(matches!(RunDirectory::open(run.path()), Err(RunDirectoryError::NotARun { .. })));
        let header = RunHeader { format: 1, run_id: "r".into(), seed: 7, ..RunHeader::default() };
        run.write_header(&header).unwrap();
        assert_eq!(RunDirectory::open(run.path()).unwrap().header().unwrap(), header);
    }
}
