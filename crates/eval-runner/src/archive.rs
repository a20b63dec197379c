//! Gzipped tar archives that are the same bytes for the same files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eval_builder::FileEntry;
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
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the target `{0}` leads out of the home directory: write an absolute path if that is meant")]
    Outside(String),
    #[error("{} is neither a file, a directory nor a link", .0.display())]
    Special(PathBuf),
    #[error("cannot pack the files: {0}")]
    Pack(#[from] io::Error),
}

/// What stands at a path of the archive.
enum Node {
    File { source: PathBuf, executable: bool },
    Directory,
    Link(PathBuf),
}

/// Packs an environment's files for unpacking in the home directory. Later entries win over earlier ones. Absolute targets
/// are below [`STAGING`].
///
/// Reads the disk: for a thread that may block.
pub(crate) fn pack(files: &[FileEntry], working_directory: &str) -> Result<Vec<u8>, PackError> {
    let mut nodes = BTreeMap::new();
    for entry in files {
        let mut target = resolve(&entry.target, working_directory)?;
        if !entry.is_directory && (entry.target.ends_with('/') || entry.target == "." || target.is_empty()) {
            let name = entry.source.file_name().map(|name| name.to_string_lossy().into_owned());
            target = join(&target, &name.unwrap_or_default());
        }
        // A link that the definition names stands for what it leads to; links below a directory stay links.
        let source = fs::canonicalize(&entry.source)
            .map_err(|error| PackError::Read { path: entry.source.clone(), source: error })?;
        add(&mut nodes, &source, &target)?;
    }
    let mut archive = Archive::new();
    for (path, node) in &nodes {
        match node {
            Node::File { source, executable } => {
                let content =
                    fs::read(source).map_err(|error| PackError::Read { path: source.clone(), source: error })?;
                archive.file(path, &content, *executable)?;
            }
            Node::Directory => archive.directory(path)?,
            Node::Link(target) => archive.link(path, target)?,
        }
    }
    Ok(archive.finish()?)
}

fn add(nodes: &mut BTreeMap<String, Node>, source: &Path, target: &str) -> Result<(), PackError> {
    let failed = |error| PackError::Read { path: source.to_path_buf(), source: error };
    let metadata = fs::symlink_metadata(source).map_err(failed)?;
    if metadata.is_dir() {
        if !target.is_empty() {
            nodes.insert(target.to_owned(), Node::Directory);
        }
        for entry in fs::read_dir(source).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            add(nodes, &entry.path(), &join(target, &entry.file_name().to_string_lossy()))?;
        }
        return Ok(());
    }
    let node = if metadata.is_symlink() {
        Node::Link(fs::read_link(source).map_err(failed)?)
    } else if metadata.is_file() {
        Node::File { source: source.to_path_buf(), executable: is_executable(&metadata) }
    } else {
        return Err(PackError::Special(source.to_path_buf()));
    };
    nodes.insert(target.to_owned(), node);
    Ok(())
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
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

    use eval_builder::DigestBuilder;

    use super::*;

    fn entry(source: &Path, target: &str) -> FileEntry {
        FileEntry {
            source: source.to_path_buf(),
            is_directory: source.is_dir(),
            target: target.to_owned(),
            digest: DigestBuilder::new("test").finish(),
        }
    }

    fn listing(archive: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
        let describe = |entry: io::Result<tar::Entry<'_, _>>| {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            let path = entry.path().unwrap().display().to_string();
            let mode = entry.header().mode().unwrap();
            let link = entry.link_name().unwrap().map(|to| format!(" -> {}", to.display())).unwrap_or_default();
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
        let files = [entry(&repo, "."), entry(&root.path().join("history.sh"), "../")];

        let first = pack(&files, "repo").unwrap();

        assert_eq!(
            listing(&first),
            [
                "644 history.sh h",
                "755 repo/",
                "644 repo/a text",
                "755 repo/b.sh run",
                "755 repo/empty/",
                "777 repo/link -> a"
            ]
        );
        assert_eq!(first, pack(&files, "repo").unwrap());
    }

    #[test]
    fn a_missing_file_is_told_by_its_path() {
        let error = pack(&[entry(Path::new("/nowhere/x"), "x")], "").unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nowhere/x: "), "{error}");
    }
}
