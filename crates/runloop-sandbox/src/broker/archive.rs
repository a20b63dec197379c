//! Unpacking an archive, in a child of the broker that is the box's user.
//!
//! Every name is resolved by the kernel beneath the target directory, so neither an entry nor a link that was there
//! before can lead a write elsewhere. An entry that tries is an error that names it, not something to be skipped.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use tar::EntryType;

use crate::sys::files::{self, Kind, Resolve};
use crate::sys::{c_bytes, c_path, process};

/// Does the work of the child: the archive and the pipe for an error's text are its descriptors.
pub(super) fn run(
    fds: Vec<OwnedFd>,
    gzip: bool,
    target: &Path,
    become_user: impl FnOnce() -> io::Result<()>,
) -> Result<Infallible, i32> {
    let Ok([archive, complaints]) = <[OwnedFd; 2]>::try_from(fds) else { return Err(2) };
    let result = become_user()
        .map_err(|error| format!("cannot become the box's user: {error}"))
        .and_then(|()| unpack(File::from(archive), gzip, target));
    match result {
        Ok(()) => process::exit_now(0),
        Err(mut text) => {
            crate::text::truncate(&mut text, 2048);
            let _ = File::from(complaints).write_all(text.as_bytes());
            Err(1)
        }
    }
}

fn unpack(archive: File, gzip: bool, target: &Path) -> Result<(), String> {
    let directory = super::paths::make_directories(target)
        .and_then(|made| files::open_at(made.as_fd(), Path::new("."), libc::O_DIRECTORY, 0, Resolve::NoMagic))
        .map_err(|error| format!("cannot make {}: {error}", target.display()))?;
    if gzip {
        entries(tar::Archive::new(flate2::read::MultiGzDecoder::new(archive)), directory.as_fd())
    } else {
        entries(tar::Archive::new(archive), directory.as_fd())
    }
}

fn entries<R: Read>(mut archive: tar::Archive<R>, target: BorrowedFd<'_>) -> Result<(), String> {
    let mut directories = Vec::new();
    let all = archive.entries().map_err(|error| format!("the archive cannot be read: {error}"))?;
    for entry in all {
        let mut entry = entry.map_err(|error| format!("the archive is damaged: {error}"))?;
        let name =
            entry.path().map_err(|error| format!("an entry's name cannot be read: {error}"))?.into_owned();
        one(&mut entry, &name, target, &mut directories)
            .map_err(|error| format!("entry {:?}: {error}", name.display().to_string()))?;
    }
    // Last, because a directory may be read-only, and because every entry in it changed its time.
    for (path, mode, modified) in directories.into_iter().rev() {
        let done = files::open_at(target, &path, libc::O_RDONLY | libc::O_DIRECTORY, 0, Resolve::Strict)
            .and_then(|directory| {
                files::set_open_mode(directory.as_fd(), mode)?;
                files::set_modified(directory.as_fd(), modified)
            });
        done.map_err(|error| format!("entry {:?}: {error}", path.display().to_string()))?;
    }
    Ok(())
}

fn one<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    name: &Path,
    target: BorrowedFd<'_>,
    directories: &mut Vec<(PathBuf, u32, i64)>,
) -> io::Result<()> {
    let kind = entry.header().entry_type();
    if matches!(kind, EntryType::XGlobalHeader) {
        return Ok(());
    }
    let path = clean(name)?;
    let mode = entry.header().mode()? & 0o777;
    let modified = entry.header().mtime().ok().and_then(|time| i64::try_from(time).ok()).unwrap_or(0);
    let (Some(parent), Some(file_name)) = (path.parent(), path.file_name()) else {
        // The target itself, as `./`.
        return Ok(());
    };
    let parent = if parent.as_os_str().is_empty() {
        target.try_clone_to_owned()?
    } else {
        files::make_directories(target, parent, 0o755, Resolve::Beneath)?
    };
    let parent = parent.as_fd();
    let last = c_path(Path::new(file_name))?;
    match kind {
        EntryType::Directory => {
            match files::make_directory(parent, &last, 0o755) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if files::status_of(parent, &last)?.kind != Kind::Directory {
                        return Err(io::Error::from_raw_os_error(libc::ENOTDIR));
                    }
                }
                made => made?,
            }
            directories.push((path, mode, modified));
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            make_room(parent, &last)?;
            let file =
                files::open_entry(parent, &last, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL, 0o600)?;
            let mut file = File::from(file);
            io::copy(entry, &mut file)?;
            files::set_open_mode(file.as_fd(), mode)?;
            files::set_modified(file.as_fd(), modified)?;
        }
        EntryType::Symlink => {
            let link = link_target(entry)?;
            stays_inside(path.parent().unwrap_or(Path::new("")), Path::new(&link))?;
            make_room(parent, &last)?;
            files::make_link(&c_bytes(link.as_bytes())?, parent, &last)?;
        }
        EntryType::Link => {
            let old = clean(Path::new(&link_target(entry)?))?;
            let (Some(old_parent), Some(old_name)) = (old.parent(), old.file_name()) else {
                return Err(refused("a hard link to a directory"));
            };
            let flags = libc::O_PATH | libc::O_DIRECTORY;
            let here = if old_parent.as_os_str().is_empty() { Path::new(".") } else { old_parent };
            let old_parent = files::open_at(target, here, flags, 0, Resolve::Beneath)?;
            make_room(parent, &last)?;
            files::make_name(old_parent.as_fd(), &c_path(Path::new(old_name))?, parent, &last)?;
        }
        _ => return Err(refused("devices, pipes and unknown kinds are not unpacked")),
    }
    Ok(())
}

/// The target of a link; every byte of it.
fn link_target<R: Read>(entry: &tar::Entry<'_, R>) -> io::Result<std::ffi::OsString> {
    let name = entry.link_name()?.ok_or_else(|| refused("a link without a target"))?;
    Ok(name.into_owned().into_os_string())
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

/// An entry's name without `.`; refused if it would leave the target.
fn clean(name: &Path) -> io::Result<PathBuf> {
    let mut path = PathBuf::new();
    for component in name.components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err(refused("`..` would lead out of the target")),
            Component::RootDir | Component::Prefix(_) => {
                return Err(refused("an absolute name would lead out of the target"));
            }
        }
    }
    Ok(path)
}

/// Refuses a symbolic link, in directory `from` of the target, that leads out of the target by its own text.
fn stays_inside(from: &Path, link: &Path) -> io::Result<()> {
    let mut depth = from.components().count();
    for component in link.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir => return Err(refused("the link leads out of the target")),
            Component::RootDir | Component::Prefix(_) => {
                return Err(refused("the link is absolute and leads out of the target"));
            }
        }
    }
    Ok(())
}

/// Removes what an entry replaces. A directory is not replaced by something else.
fn make_room(parent: BorrowedFd<'_>, name: &CString) -> io::Result<()> {
    match files::remove(parent, name, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Seek;

    use super::*;

    fn archive(build: impl FnOnce(&mut tar::Builder<&mut File>)) -> File {
        let mut file = tempfile::tempfile().unwrap();
        let mut builder = tar::Builder::new(&mut file);
        build(&mut builder);
        builder.finish().unwrap();
        drop(builder);
        file.rewind().unwrap();
        file
    }

    /// `tar` refuses to write hostile names, so they are put into the header by hand.
    fn raw(builder: &mut tar::Builder<&mut File>, name: &str, kind: EntryType, link: &str, data: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, data).unwrap();
    }

    fn refused_with(name: &str, kind: EntryType, link: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let file = archive(|builder| raw(builder, name, kind, link, b""));
        let error = unpack(file, false, directory.path()).unwrap_err();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{error}");
        error
    }

    #[test]
    fn names_that_lead_out_are_refused_and_named() {
        for name in ["../escape", "a/../../escape", "/etc/escape"] {
            let error = refused_with(name, EntryType::Regular, "");
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn links_that_lead_out_are_refused_and_named() {
        for link in ["/etc/passwd", "../up", "a/../../up"] {
            let error = refused_with("link", EntryType::Symlink, link);
            assert!(error.contains("link"), "{error}");
        }
        refused_with("hard", EntryType::Link, "../../etc/passwd");
    }

    #[test]
    fn devices_and_pipes_are_refused() {
        refused_with("pipe", EntryType::Fifo, "");
        refused_with("device", EntryType::Char, "");
    }

    #[test]
    fn a_link_that_was_there_before_leads_no_write_out() {
        let (outside, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), directory.path().join("way")).unwrap();
        let file = archive(|builder| raw(builder, "way/out", EntryType::Regular, "", b"x"));
        unpack(file, false, directory.path()).unwrap_err();
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn files_links_and_directories_come_out_as_they_went_in() {
        let directory = tempfile::tempdir().unwrap();
        let file = archive(|builder| {
            raw(builder, "dir/sub/a\nb", EntryType::Regular, "", b"text");
            raw(builder, "dir/soft", EntryType::Symlink, "sub/a\nb", b"");
            raw(builder, "hard", EntryType::Link, "dir/sub/a\nb", b"");
            raw(builder, "dir/sub/a\nb", EntryType::Regular, "", b"newer");
        });
        unpack(file, false, directory.path()).unwrap();
        assert_eq!(std::fs::read(directory.path().join("dir/soft")).unwrap(), b"newer");
        assert_eq!(std::fs::read(directory.path().join("hard")).unwrap(), b"text");
    }

    #[test]
    fn a_damaged_archive_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'x'; 1024]).unwrap();
        file.rewind().unwrap();
        assert!(unpack(file, false, directory.path()).unwrap_err().contains("damaged"));
    }
}
