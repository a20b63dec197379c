//! Where the boxes of a state directory are: in a directory of it, or where its users could not reach that, in one
//! elsewhere that a link leads to.
//!
//! Boxes of the process driver see the host's directories. Run by root they have users of their own, who must be able to
//! pass every directory above their files; root's home, where state directories usually are, is closed to them.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::sys::{c_path, files, ids};
use crate::tree;

/// In the state directory: where its boxes are, or the link that leads there.
pub(crate) const BOXES: &str = "boxes";

/// What directories elsewhere are named after.
const PREFIX: &str = "runloop-boxes";

/// Can be passed by those who know a name in it, and listed by nobody else.
const PASSABLE: u32 = 0o711;

/// Makes the directory of boxes, unless it is there or elsewhere.
pub(crate) fn prepare(root: &Path) -> io::Result<()> {
    let path = root.join(BOXES);
    if std::fs::symlink_metadata(&path).is_ok_and(|status| status.is_symlink()) {
        return Ok(());
    }
    std::fs::create_dir_all(&path)?;
    std::fs::set_permissions(path, Permissions::from_mode(PASSABLE))
}

/// Removes every box. If they were elsewhere, nothing remains there, and the next are in the state directory.
pub(crate) fn clear(state: BorrowedFd<'_>) -> io::Result<()> {
    let Some(target) = elsewhere(state) else {
        return tree::remove_contents(state, Path::new(BOXES));
    };
    remove(&target)?;
    let name = c_path(Path::new(BOXES))?;
    files::remove(state, &name, false)?;
    files::make_directory(state, &name, PASSABLE)?;
    files::set_mode(state, &name, PASSABLE)
}

/// The directory of boxes, if it is not in the state directory.
pub(crate) fn elsewhere(state: BorrowedFd<'_>) -> Option<PathBuf> {
    let target = files::read_link(state, &c_path(Path::new(BOXES)).ok()?).ok()?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(target.as_bytes())))
}

/// Removes a directory that [`move_out`] made.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match (is_ours(path), path.parent(), path.file_name()) {
        (true, Some(parent), Some(name)) => {
            tree::remove(files::open_directory(parent)?.as_fd(), Path::new(name))
        }
        _ => Ok(()),
    }
}

/// Whether this is a directory that [`move_out`] made. It may have been cleaned away, and its name be another's by now.
fn is_ours(path: &Path) -> bool {
    let named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
    let status = std::fs::symlink_metadata(path);
    named && status.is_ok_and(|status| status.is_dir() && status.uid() == ids::effective_uid())
}

/// Whether every directory above can be passed by anybody.
pub(crate) fn is_reachable(path: &Path) -> bool {
    path.ancestors().all(|path| std::fs::metadata(path).is_ok_and(|status| status.mode() & 0o001 != 0))
}

/// Makes a directory that anybody can reach and puts a link to it in the place of the one in the state directory, which
/// must be empty. Returns its path.
pub(crate) fn move_out(root: &Path) -> io::Result<PathBuf> {
    // On a disk rather than in memory, if there is the choice.
    let chosen = std::env::var_os("TMPDIR").map(PathBuf::from);
    let candidates = chosen.into_iter().chain(["/var/tmp".into(), "/tmp".into()]);
    let reachable = candidates.filter_map(|path| path.canonicalize().ok()).filter(|path| is_reachable(path));
    let mut refused =
        io::Error::new(io::ErrorKind::NotFound, "no temporary directory is open to other users");
    for parent in reachable {
        let path = parent.join(crate::layers::unique_name(PREFIX));
        match DirBuilder::new().mode(PASSABLE).create(&path) {
            Ok(()) => {
                let linked = std::fs::set_permissions(&path, Permissions::from_mode(PASSABLE))
                    .and_then(|()| std::fs::remove_dir(root.join(BOXES)))
                    .and_then(|()| std::os::unix::fs::symlink(&path, root.join(BOXES)));
                if linked.is_err() {
                    let _ = std::fs::remove_dir(&path);
                    prepare(root)?;
                }
                return linked.map(|()| path);
            }
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_that_were_elsewhere_are_removed_and_the_next_are_not() {
        let directory = tempfile::tempdir().unwrap();
        prepare(directory.path()).unwrap();
        let elsewhere = move_out(directory.path()).unwrap();
        assert!(is_reachable(&elsewhere) && !elsewhere.starts_with(directory.path()));
        std::fs::create_dir(directory.path().join("boxes/one")).unwrap();
        assert!(elsewhere.join("one").is_dir());
        // A second harness that is refused changes nothing.
        prepare(directory.path()).unwrap();
        assert!(elsewhere.join("one").is_dir());
        let state = files::open_directory(directory.path()).unwrap();
        clear(state.as_fd()).unwrap();
        assert!(!elsewhere.exists());
        let boxes = std::fs::symlink_metadata(directory.path().join("boxes")).unwrap();
        assert!(boxes.is_dir() && boxes.mode() & 0o777 == PASSABLE);
    }

    #[test]
    fn what_is_not_ours_is_not_removed() {
        let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(other.path().join("kept"), "").unwrap();
        std::os::unix::fs::symlink(other.path(), directory.path().join("boxes")).unwrap();
        let state = files::open_directory(directory.path()).unwrap();
        clear(state.as_fd()).unwrap();
        assert!(other.path().join("kept").exists() && directory.path().join("boxes").is_dir());
        // A directory that is gone already is no error.
        prepare(directory.path()).unwrap();
        let elsewhere = move_out(directory.path()).unwrap();
        std::fs::remove_dir(&elsewhere).unwrap();
        clear(state.as_fd()).unwrap();
        clear(state.as_fd()).unwrap();
    }

    #[test]
    fn a_closed_directory_is_out_of_reach_with_all_below() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("below");
        std::fs::create_dir(&below).unwrap();
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(!is_reachable(&below));
    }
}
