//! Where this program keeps what is not a result: the data of local platforms.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Name of the lock file in every ephemeral directory; held while its owner lives.
const LOCK: &str = "owner.lock";

/// A data directory that ends with the program. One that a killed program left behind is removed by the next.
#[derive(Debug)]
pub(crate) struct Ephemeral {
    path: PathBuf,
    /// Dropped after the directory was removed.
    _lock: File,
}

impl Ephemeral {
    /// Makes a fresh directory below the state home and sweeps those of dead owners.
    pub(crate) fn create(env: impl Fn(&str) -> Option<OsString>) -> io::Result<Self> {
        let parent = state_home(env)?.join("local");
        DirBuilder::new().recursive(true).mode(0o700).create(&parent)?;
        sweep(&parent, false);
        let path = tempfile::Builder::new().prefix("platform-").tempdir_in(&parent)?.keep();
        let lock = File::create(path.join(LOCK))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        if let Err(error) = remove_tree(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "could not remove the local platform's data");
        }
    }
}

/// Removes directories whose owner is gone. Best effort: what cannot be removed now is tried again next time.
fn sweep(parent: &Path, dry_run: bool) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut dead = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        // A directory without a lock file is one that another program is just making.
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => {
                if !dry_run {
                    tracing::info!(path = %path.display(), "removing what a killed run left behind");
                    let _ = remove_tree(&path);
                }
                dead.push(path);
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
    dead
}

/// Removes what local platforms left whose programs were killed, or only looks for it. Answers the directories.
pub(crate) fn sweep_dead(env: impl Fn(&str) -> Option<OsString>, dry_run: bool) -> io::Result<Vec<PathBuf>> {
    Ok(sweep(&state_home(env)?.join("local"), dry_run))
}

/// Removes a tree whose directories may have lost their permission bits, as overlay work directories have.
fn remove_tree(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mut pending = vec![path.to_path_buf()];
            while let Some(directory) = pending.pop() {
                let _ = std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700));
                for entry in std::fs::read_dir(&directory)?.flatten() {
                    if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                        pending.push(entry.path());
                    }
                }
            }
            std::fs::remove_dir_all(path)
        }
        outcome => outcome,
    }
}

/// The state home: `$XDG_STATE_HOME/runloop-eval`, else below `$HOME`, else (a user without a home, or one that cannot
/// be written) a private directory below the temporary directory.
pub(crate) fn state_home(env: impl Fn(&str) -> Option<OsString>) -> io::Result<PathBuf> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let candidates = [
        absolute("XDG_STATE_HOME").map(|path| path.join("runloop-eval")),
        absolute("HOME").map(|path| path.join(".local/state/runloop-eval")),
    ];
    for path in candidates.into_iter().flatten() {
        if DirBuilder::new().recursive(true).mode(0o700).create(&path).is_ok() && is_writable(&path) {
            return Ok(path);
        }
    }
    let uid = std::fs::metadata("/proc/self")?.uid();
    let temporary = absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
    let path = temporary.join(format!("runloop-eval-{uid}"));
    DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
    // Another user may have made it first, to see or change what we put there.
    if std::fs::symlink_metadata(&path)?.uid() != uid {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} belongs to another user; set XDG_STATE_HOME to a directory of yours", path.display()),
        ));
    }
    Ok(path)
}

fn is_writable(directory: &Path) -> bool {
    tempfile::tempfile_in(directory).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env_of(home: &Path) -> impl Fn(&str) -> Option<OsString> {
        let home = home.as_os_str().to_owned();
        move |name| (name == "XDG_STATE_HOME").then(|| home.clone())
    }

    #[test]
    fn a_directory_ends_with_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let data = Ephemeral::create(env_of(home.path())).unwrap();
        let path = data.path().to_path_buf();
        assert!(path.starts_with(home.path()));
        drop(data);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_owner_left_is_swept_and_what_a_living_one_has_is_not() {
        let home = tempfile::tempdir().unwrap();
        let living = Ephemeral::create(env_of(home.path())).unwrap();
        let dead = home.path().join("runloop-eval/local/platform-dead");
        std::fs::create_dir_all(dead.join("deep")).unwrap();
        File::create(dead.join(LOCK)).unwrap();

        let fresh = Ephemeral::create(env_of(home.path())).unwrap();

        assert!(!dead.exists());
        assert!(living.path().exists());
        assert!(fresh.path().exists());
    }

    #[test]
    fn without_a_usable_home_the_temporary_directory_serves() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().as_os_str().to_owned();
        let path = state_home(|name| match name {
            "HOME" => Some("/proc/nowhere".into()),
            "TMPDIR" => Some(dir.clone()),
            _ => None,
        });
        assert!(path.unwrap().starts_with(temporary.path()));
    }
}
