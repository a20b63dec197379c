//! Gzipped tar archives that are the same bytes for the same files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eval_builder::{FileEntry, FileKind, FilesError};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

/// Where members that do not go below the home directory wait for being put in place, relative to the home directory.
pub(crate) const STAGING: &str = ".runloop-eval/root";

/// An archive under construction: no times, no owners, two modes.
pub(crate) struct Archive(Builder<GzEncoder<Vec<u8>>>);

impl Archive {
    pub(crate) fn new() -> Self {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        builder.follow_symlinks(false);
        Self(builder)
    }

    pub(crate) fn file(&mut self, path: &str, content: &[u8], executable: bool) -> io::Result<()> {
        let mut header = header(EntryType::Regular, if executable { 0o755 } else { 0o644 });
        header.set_size(content.len() as u64);
        self.0.append_data(&mut header, path, content)
    }

    pub(crate) fn directory(&mut self, path: &str) -> io::Result<()> {
        self.0.append_data(&mut header(EntryType::Directory, 0o755), format!("{path}/"), io::empty())
    }

    pub(crate) fn link(&mut self, path: &str, target: &Path) -> io::Result<()> {
        self.0.append_link(&mut header(EntryType::Symlink, 0o777), path, target)
    }

    pub(crate) fn hard_link(&mut self, path: &str, target: &Path) -> io::Result<()> {
        self.0.append_link(&mut header(EntryType::Link, 0o644), path, target)
    }

    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        self.0.into_inner()?.finish()
    }
}

fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// The files of an environment cannot be packed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackError {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the target `{0}` leads out of the home directory: write an absolute path if that is meant")]
    Outside(String),
    #[error("cannot pack the files")]
    Pack(#[from] io::Error),
}

/// Packs an environment's files for unpacking in the home directory: exactly what its digest covers. Later entries win over
/// earlier ones. Absolute targets are below [`STAGING`].
///
/// Reads the disk: for a thread that may block.
pub(crate) fn pack(files: &[FileEntry], working_directory: &str) -> Result<Vec<u8>, PackError> {
    pack_to(files, |target| resolve(target, working_directory))
}

/// Packs a directory as it is, for a blueprint's build.
pub(crate) fn pack_context(context: &FileEntry) -> Result<Vec<u8>, PackError> {
    let root = FileEntry { target: ".".to_owned(), ..context.clone() };
    pack_to(&[root], |target| resolve(target, "~"))
}

fn pack_to(
    files: &[FileEntry],
    place: impl Fn(&str) -> Result<String, PackError>,
) -> Result<Vec<u8>, PackError> {
    let mut items = BTreeMap::new();
    for entry in files {
        for item in entry.walk()? {
            let path = place(&entry.destination(&item))?;
            if !path.is_empty() {
                items.insert(path, item);
            }
        }
    }
    let mut archive = Archive::new();
    for (path, item) in &items {
        match &item.kind {
            FileKind::File { executable, .. } => {
                let content = fs::read(&item.location)
                    .map_err(|source| PackError::Read { path: item.location.clone(), source })?;
                archive.file(path, &content, *executable)?;
            }
            FileKind::Directory => archive.directory(path)?,
            FileKind::Symlink { target } => archive.link(path, Path::new(target))?,
        }
    }
    Ok(archive.finish()?)
}

/// A target as a path in the archive: relative to the home directory, or below the staging directory.
fn resolve(target: &str, working_directory: &str) -> Result<String, PackError> {
    let joined = if target.starts_with('/') || target == "~" || target.starts_with("~/") {
        target.to_owned()
    } else {
        format!("{}/{target}", if working_directory.is_empty() { "~" } else { working_directory })
    };
    let absolute = joined.starts_with('/');
    let relative = joined.strip_prefix('~').unwrap_or(&joined);
    let mut parts: Vec<&str> = Vec::new();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            // Above the root is the root, as everywhere.
            ".." if absolute => drop(parts.pop()),
            ".." if parts.pop().is_none() => return Err(PackError::Outside(target.to_owned())),
            ".." => {}
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    Ok(if absolute { join(STAGING, &path) } else { path })
}

fn join(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("", name) => name.to_owned(),
        (directory, "") => directory.to_owned(),
        (directory, name) => format!("{directory}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn entry(source: &Path, target: &str) -> FileEntry {
        FileEntry::read(source, target).unwrap()
    }

    fn listing(archive: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
        let describe = |entry: io::Result<tar::Entry<'_, _>>| {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            let path = entry.path().unwrap().display().to_string();
            let mode = entry.header().mode().unwrap();
            let link =
                entry.link_name().unwrap().map(|to| format!(" -> {}", to.display())).unwrap_or_default();
            entry.read_to_string(&mut content).unwrap();
            format!("{mode:o} {path}{link} {content}").trim_end().to_owned()
        };
        archive.entries().unwrap().map(describe).collect()
    }

    #[test]
    fn targets_are_relative_to_the_working_directory() {
        for (target, working_directory, path) in [
            (".", "repo", "repo"),
            ("../history.sh", "repo", "history.sh"),
            ("a//b/./c", "repo", "repo/a/b/c"),
            ("~/x", "repo", "x"),
            ("x", "", "x"),
            ("x", "~/w", "w/x"),
            ("/etc/x", "repo", ".runloop-eval/root/etc/x"),
            ("x", "/srv", ".runloop-eval/root/srv/x"),
            ("../../../x", "/srv", ".runloop-eval/root/x"),
        ] {
            assert_eq!(resolve(target, working_directory).unwrap(), path, "{target} in {working_directory}");
        }
        assert!(matches!(resolve("../../x", "repo"), Err(PackError::Outside(_))));
    }

    #[test]
    #[cfg(unix)]
    fn directories_are_packed_with_links_and_modes_but_without_times_and_owners() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let root = tempfile::tempdir().unwrap();
        let repo = root.path().join("repo");
        fs::create_dir_all(repo.join("empty")).unwrap();
        fs::write(repo.join("b.sh"), "run").unwrap();
        fs::set_permissions(repo.join("b.sh"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(repo.join("a"), "text").unwrap();
        symlink("a", repo.join("link")).unwrap();
        fs::write(root.path().join("history.sh"), "h").unwrap();
        let files = [entry(&repo, "."), entry(&root.path().join("history.sh"), "../history.sh")];

        let first = pack(&files, "repo").unwrap();

        assert_eq!(
            listing(&first),
            [
                "644 history.sh h",
                "644 repo/a text",
                "755 repo/b.sh run",
                "755 repo/empty/",
                "777 repo/link -> a"
            ]
        );
        assert_eq!(first, pack(&files, "repo").unwrap());
        let context = pack_context(&entry(&repo, "anywhere")).unwrap();
        assert_eq!(listing(&context), ["644 a text", "755 b.sh run", "755 empty/", "777 link -> a"]);
    }

    #[test]
    fn a_file_that_vanished_is_told_by_its_path() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x");
        fs::write(&path, "x").unwrap();
        let files = [entry(&path, "x")];
        fs::remove_file(&path).unwrap();
        let error = pack(&files, "").unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
