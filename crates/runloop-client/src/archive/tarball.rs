//! Writes the archives.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

use super::ignore::IgnoreRules;
use crate::error::Error;

type Writer = Builder<flate2::write::GzEncoder<BufWriter<File>>>;

/// Archives a directory: everything, or the files and links that `rules` let through.
pub(super) fn write(root: &Path, rules: Option<&IgnoreRules>) -> Result<NamedTempFile, Error> {
    let unreadable = |source| failed("read", root, source);
    if !fs::metadata(root).map_err(unreadable)?.is_dir() {
        return Err(unreadable(io::Error::from(io::ErrorKind::NotADirectory)));
    }
    let temporary = NamedTempFile::new().map_err(|source| failed("write", &std::env::temp_dir(), source))?;
    let unwritable = |source| failed("write", temporary.path(), source);
    let file = BufWriter::new(temporary.reopen().map_err(unwritable)?);
    // No time and no name in the gzip header, and the same operating system everywhere.
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(file, Compression::default());
    let mut tar = Builder::new(gzip);
    if rules.is_none() {
        append_directory(&mut tar, root, ".")?;
    }
    walk(&mut tar, root, "", rules)?;
    let file = tar.into_inner().and_then(flate2::write::GzEncoder::finish).map_err(unwritable)?;
    file.into_inner().map_err(|error| unwritable(error.into_error()))?;
    Ok(temporary)
}

/// Entries of one directory, sorted by name, each directory followed by what is in it.
fn walk(tar: &mut Writer, directory: &Path, prefix: &str, rules: Option<&IgnoreRules>) -> Result<(), Error> {
    let unreadable = |source| failed("read", directory, source);
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            let reason = io::Error::new(io::ErrorKind::InvalidFilename, "the name is not UTF-8");
            return Err(failed("archive", &path, reason));
        };
        let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        if rules.is_some_and(|rules| rules.excludes(&name)) {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).map_err(|source| failed("read", &path, source))?;
        if metadata.is_dir() {
            if rules.is_none() {
                append_directory(tar, &path, &name)?;
            }
            walk(tar, &path, &name, rules)?;
        } else if metadata.is_symlink() {
            append_link(tar, &path, &name)?;
        } else if metadata.is_file() {
            append_file(tar, &path, &name)?;
        } else if rules.is_none() {
            let reason = io::Error::new(io::ErrorKind::Unsupported, "it is a socket, pipe or device");
            return Err(failed("archive", &path, reason));
        }
    }
    Ok(())
}

fn append_directory(tar: &mut Writer, path: &Path, name: &str) -> Result<(), Error> {
    let mut header = header(EntryType::Directory, 0, 0o755);
    tar.append_data(&mut header, name, io::empty()).map_err(|source| failed("archive", path, source))
}

fn append_link(tar: &mut Writer, path: &Path, name: &str) -> Result<(), Error> {
    let target = fs::read_link(path).map_err(|source| failed("read", path, source))?;
    let mut header = header(EntryType::Symlink, 0, 0o777);
    tar.append_link(&mut header, name, target).map_err(|source| failed("archive", path, source))
}

fn append_file(tar: &mut Writer, path: &Path, name: &str) -> Result<(), Error> {
    let unreadable = |source| failed("read", path, source);
    let file = File::open(path).map_err(unreadable)?;
    // Of the open file: it may have been replaced since it was listed.
    let metadata = file.metadata().map_err(unreadable)?;
    let mode = if is_executable(&metadata) { 0o755 } else { 0o644 };
    let mut header = header(EntryType::Regular, metadata.len(), mode);
    let mut exact = Exact { file, left: metadata.len() };
    tar.append_data(&mut header, name, &mut exact).map_err(|source| failed("archive", path, source))
}

/// Gives exactly the length that the header says, so that a file that changes meanwhile cannot break the archive.
struct Exact {
    file: File,
    left: u64,
}

impl io::Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.file.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &Metadata) -> bool {
    false
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File { action, path: path.to_owned(), source }
}
