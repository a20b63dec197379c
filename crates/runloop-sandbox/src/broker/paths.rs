//! Opening files for the harness, from inside the box.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use crate::sys::files::{self, Kind, Resolve};

fn below_root(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

/// The part of a path below the root that is to be opened as a file. The root itself is no name that could be opened
/// below it, and says what it is.
fn file_below_root(path: &Path) -> io::Result<&Path> {
    match below_root(path) {
        below if below.as_os_str().is_empty() => Err(io::Error::from_raw_os_error(libc::EISDIR)),
        below => Ok(below),
    }
}

/// Opens a regular file. Nothing that is planted here can make it wait: the file is looked at before it is believed.
pub(super) fn open_for_reading(path: &Path) -> io::Result<OwnedFd> {
    let root = files::root()?;
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
    regular(files::open_at(root.as_fd(), file_below_root(path)?, flags, 0, Resolve::NoMagic)?)
}

/// Creates or empties a regular file, with the directories above it.
pub(super) fn open_for_writing(path: &Path, mode: u32) -> io::Result<OwnedFd> {
    let root = files::root()?;
    let below = file_below_root(path)?;
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_NONBLOCK | libc::O_NOCTTY;
    let open = || files::open_at(root.as_fd(), below, flags, mode, Resolve::NoMagic);
    let opened = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directories(path.parent().unwrap_or(Path::new("/")))?;
            open()
        }
        opened => opened,
    };
    let file = std::fs::File::from(regular(opened?)?);
    // Not by O_TRUNC: what is not a regular file shall stay as it is. And not for nothing: a file that was emptied is
    // written to the disk when it is closed.
    if file.metadata()?.len() > 0 {
        file.set_len(0)?;
    }
    Ok(file.into())
}

pub(super) fn make_directories(path: &Path) -> io::Result<OwnedFd> {
    let root = files::root()?;
    let below = below_root(path);
    if below.as_os_str().is_empty() {
        return Ok(root);
    }
    files::make_directories(root.as_fd(), below, 0o755, Resolve::NoMagic)
}

fn regular(file: OwnedFd) -> io::Result<OwnedFd> {
    match files::status(file.as_fd())?.kind {
        Kind::Regular => {
            files::make_blocking(file.as_fd())?;
            Ok(file)
        }
        Kind::Directory => Err(io::Error::from_raw_os_error(libc::EISDIR)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}
