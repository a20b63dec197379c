//! The directory that holds everything a server keeps.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why the data directory could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// Another server uses it.
    #[error("the data directory {} is in use by another server: end that one, or choose another directory", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// It cannot be made, read or written.
    #[error("the data directory cannot be used at {}", path.display())]
    Io {
        /// The path that was refused.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A data directory that this server holds the lock of.
#[derive(Debug)]
pub(crate) struct DataDir {
    pub(crate) root: PathBuf,
    /// Released when closed.
    _lock: File,
}

impl DataDir {
    /// Makes the directory if it is absent, its private part for its owner only, and locks it. What a dead server left half done is removed.
    pub(crate) fn open(root: &Path) -> Result<Self, DataDirError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| DataDirError::Io { path, source }
        };
        make(root, 0o711).map_err(failed(root))?;
        let root = fs::canonicalize(root).map_err(failed(root))?;
        let path = root.join("lock");
        let lock =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(failed(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataDirError::InUse { path: root }),
            Err(TryLockError::Error(source)) => return Err(DataDirError::Io { path, source }),
        }
        let dir = Self { root, _lock: lock };
        if let Err(error) = fs::remove_dir_all(dir.scratch())
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(failed(&dir.scratch())(error));
        }
        for path in [dir.private(), dir.scratch(), dir.objects()] {
            make(&path, 0o700).map_err(failed(&path))?;
        }
        Ok(dir)
    }

    /// What nobody but the owner may look into: secrets, objects, outputs.
    fn private(&self) -> PathBuf {
        self.root.join("private")
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.private().join("platform.sqlite")
    }

    /// Bytes of objects.
    pub(crate) fn objects(&self) -> PathBuf {
        self.private().join("objects")
    }

    /// Files that are of no use to the next server.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.private().join("scratch")
    }

    /// State of the sandbox. Beside the private part: a box that runs as another user must reach its own files there.
    pub(crate) fn sandbox(&self) -> PathBuf {
        self.root.join("sandbox")
    }
}

/// Makes a directory with this mode, also if it is there already.
fn make(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_at_a_time() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("a/b");
        let first = DataDir::open(&root).unwrap();
        assert!(matches!(DataDir::open(&root), Err(DataDirError::InUse { .. })));
        drop(first);
        DataDir::open(&root).unwrap();
    }

    #[test]
    fn what_is_private_is_for_its_owner_only_and_scratch_starts_empty() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(temp.path()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(temp.path()), mode(&dir.private())), (0o711, 0o700));
        assert!(dir.database().starts_with(dir.private()) && dir.objects().starts_with(dir.private()));
        fs::write(dir.scratch().join("left"), "x").unwrap();
        fs::write(dir.objects().join("kept"), "x").unwrap();
        drop(dir);
        let dir = DataDir::open(temp.path()).unwrap();
        assert!(!dir.scratch().join("left").exists() && dir.objects().join("kept").exists());
    }
}
