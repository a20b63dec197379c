//! Local files of an environment: what is listed here is what is digested and what is put into the archive.
//!
//! Everything below a directory counts, hidden files and `.git` included, except `__pycache__` and `*.pyc`: running
//! the tests of a repository here must not change its digest. Symbolic links stay links, and must not lead out of
//! the directory. Of the mode only "executable" counts, because nothing else survives a checkout.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use crate::digest::{Digest, DigestBuilder};
use crate::model::FileEntry;

/// A file, link or directory of a [`FileEntry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileItem {
    /// Relative to the entry's source, in components separated by `/`; the file's name if the source is a single file.
    pub path: String,
    /// Where it can be read, absolute.
    pub location: PathBuf,
    /// What it is.
    pub kind: FileKind,
}

/// What a [`FileItem`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File {
        /// Whether anyone may execute it.
        executable: bool,
        /// Its length in bytes.
        len: u64,
    },
    /// A symbolic link, kept as it is.
    Symlink {
        /// What it says: relative, and within the source directory.
        target: String,
    },
    /// A directory.
    Directory,
}

/// Why local files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Something could not be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file name is not UTF-8.
    #[error("the name of {} is not UTF-8", path.display())]
    NameNotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// A socket, pipe or device.
    #[error("{} is neither a file nor a directory nor a symbolic link", path.display())]
    SpecialFile {
        /// The file.
        path: PathBuf,
    },
    /// A symbolic link leads out of the source directory.
    #[error("the symbolic link {} leads to {target}, which is outside of the source directory", path.display())]
    LinkLeadsOut {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: String,
    },
}

impl FileEntry {
    /// Reads a local file or directory that goes to `target`: digests its content and adds up its size.
    ///
    /// # Errors
    /// If something cannot be read or carried over.
    pub fn read(source: &Path, target: impl Into<String>) -> Result<Self, FilesError> {
        let io = |error| FilesError::Io { path: source.to_owned(), source: error };
        let is_directory = std::fs::metadata(source).map_err(io)?.is_dir();
        // As it was given, so that errors name it so.
        let items = walk(source, is_directory)?;
        let size = items
            .iter()
            .map(|item| match item.kind {
                FileKind::File { len, .. } => len,
                FileKind::Symlink { .. } | FileKind::Directory => 0,
            })
            .sum();
        let digest = digest(&items, is_directory)?;
        let source = std::path::absolute(source).map_err(io)?;
        Ok(Self { source, is_directory, target: target.into(), size, digest })
    }

    /// What there is, sorted by path, directories before what is in them. A single file is one item.
    ///
    /// # Errors
    /// If something cannot be read or carried over.
    pub fn walk(&self) -> Result<Vec<FileItem>, FilesError> {
        walk(&self.source, self.is_directory)
    }

    /// Where an item goes: below `target` for a directory, exactly `target` for a single file.
    pub fn destination(&self, item: &FileItem) -> String {
        match (self.is_directory, self.target.as_str()) {
            (false, target) => target.to_owned(),
            (true, "." | "") => item.path.clone(),
            (true, target) => format!("{}/{}", target.trim_end_matches('/'), item.path),
        }
    }
}

fn walk(source: &Path, is_directory: bool) -> Result<Vec<FileItem>, FilesError> {
    if !is_directory {
        let name = source.file_name().unwrap_or(source.as_os_str());
        let path = name.to_str().ok_or_else(|| FilesError::NameNotUtf8 { path: source.to_owned() })?;
        // The source itself may be a link; its content is meant.
        let metadata = std::fs::metadata(source)
            .map_err(|error| FilesError::Io { path: source.to_owned(), source: error })?;
        if !metadata.is_file() {
            return Err(FilesError::SpecialFile { path: source.to_owned() });
        }
        let kind = FileKind::File { executable: is_executable(&metadata), len: metadata.len() };
        return Ok(vec![FileItem { path: path.to_owned(), location: source.to_owned(), kind }]);
    }
    let mut items = Vec::new();
    let entries = WalkDir::new(source)
        .min_depth(1)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_python_cache(entry.file_name(), entry.file_type()));
    for entry in entries {
        let entry = entry.map_err(|error| FilesError::Io {
            path: error.path().unwrap_or(source).to_owned(),
            source: error.into(),
        })?;
        items.push(item(source, &entry)?);
    }
    // By path, not by directory: the order must not depend on how a file system lists.
    items.sort_by(|left, right| left.path.split('/').cmp(right.path.split('/')));
    Ok(items)
}

fn item(source: &Path, entry: &walkdir::DirEntry) -> Result<FileItem, FilesError> {
    let location = entry.path().to_owned();
    let relative = location.strip_prefix(source).unwrap_or(&location);
    let path = slashed(relative).ok_or_else(|| FilesError::NameNotUtf8 { path: location.clone() })?;
    let io = |error| FilesError::Io { path: location.clone(), source: error };
    let kind = if entry.file_type().is_symlink() {
        let target = std::fs::read_link(&location).map_err(io)?;
        let target =
            target.to_str().ok_or_else(|| FilesError::NameNotUtf8 { path: location.clone() })?.to_owned();
        if leads_out(relative, Path::new(&target)) {
            return Err(FilesError::LinkLeadsOut { path: location, target });
        }
        FileKind::Symlink { target }
    } else if entry.file_type().is_dir() {
        FileKind::Directory
    } else if entry.file_type().is_file() {
        let metadata = entry
            .metadata()
            .map_err(|error| FilesError::Io { path: location.clone(), source: error.into() })?;
        FileKind::File { executable: is_executable(&metadata), len: metadata.len() }
    } else {
        return Err(FilesError::SpecialFile { path: location });
    };
    Ok(FileItem { path, location, kind })
}

fn digest(items: &[FileItem], is_directory: bool) -> Result<Digest, FilesError> {
    let mut builder = DigestBuilder::new(if is_directory { "directory" } else { "file" });
    for item in items {
        // The name of a single file does not count: it is written to the target.
        if is_directory {
            builder = builder.field("path", item.path.as_bytes());
        }
        builder = match &item.kind {
            FileKind::File { executable, .. } => {
                let content = content_hash(&item.location)?;
                builder.field(if *executable { "executable" } else { "file" }, &content)
            }
            FileKind::Symlink { target } => builder.field("link", target.as_bytes()),
            FileKind::Directory => builder.field("directory", b""),
        };
    }
    Ok(builder.finish())
}

/// SHA-256 of a file of any size, read in pieces.
fn content_hash(path: &Path) -> Result<Vec<u8>, FilesError> {
    let io = |error| FilesError::Io { path: path.to_owned(), source: error };
    let mut file = File::open(path).map_err(io)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).map_err(io)? {
            0 => return Ok(hash.finalize().to_vec()),
            length => hash.update(&buffer[..length]),
        }
    }
}

fn is_python_cache(name: &std::ffi::OsStr, file_type: std::fs::FileType) -> bool {
    if file_type.is_dir() {
        return name == "__pycache__";
    }
    Path::new(name).extension().is_some_and(|extension| extension == "pyc")
}

/// Whether a relative link in a directory points above that directory, or is absolute.
fn leads_out(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count() - 1;
    for component in target.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

/// A relative path with `/` between its components.
fn slashed(path: &Path) -> Option<String> {
    let components: Option<Vec<&str>> =
        path.components().map(|component| component.as_os_str().to_str()).collect();
    components.map(|components| components.join("/"))
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &std::fs::Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        let at = |path: &str| root.path().join(path);
        std::fs::create_dir_all(at("repo/src")).expect("directories");
        std::fs::create_dir(at("repo/empty")).expect("a directory");
        std::fs::write(at("repo/src/main.py"), "print(1)\n").expect("a file");
        std::fs::write(at("repo/src.txt"), "x").expect("a file");
        std::fs::write(at("repo/.hidden"), "").expect("a file");
        symlink("src/main.py", at("repo/main")).expect("a link");
        root
    }

    fn digest_of(root: &tempfile::TempDir) -> Digest {
        FileEntry::read(&root.path().join("repo"), ".").expect("an entry").digest
    }

    #[test]
    fn a_directory_is_listed_by_path_with_links_kept() {
        let root = tree();
        let entry = FileEntry::read(&root.path().join("repo/"), "code").expect("an entry");
        let listed: Vec<String> =
            entry.walk().expect("items").iter().map(|item| entry.destination(item)).collect();
        assert_eq!(
            listed,
            ["code/.hidden", "code/empty", "code/main", "code/src", "code/src/main.py", "code/src.txt"]
        );
        assert_eq!(entry.size, 10);
        let link = entry.walk().expect("items").into_iter().find(|item| item.path == "main").expect("main");
        assert_eq!(link.kind, FileKind::Symlink { target: "src/main.py".into() });
    }

    #[test]
    fn a_single_file_goes_to_the_target_whatever_its_name() {
        let root = tree();
        let one = FileEntry::read(&root.path().join("repo/src.txt"), "../y").expect("an entry");
        let items = one.walk().expect("items");
        assert_eq!((items.len(), one.destination(&items[0]).as_str()), (1, "../y"));
        std::fs::copy(root.path().join("repo/src.txt"), root.path().join("renamed")).expect("a copy");
        assert_eq!(FileEntry::read(&root.path().join("renamed"), "y").expect("an entry").digest, one.digest);
    }

    #[test]
    fn equal_trees_have_equal_digests_wherever_they_are() {
        assert_eq!(digest_of(&tree()), digest_of(&tree()));
    }

    #[test]
    fn python_caches_change_nothing() {
        let (plain, run) = (tree(), tree());
        std::fs::create_dir(run.path().join("repo/__pycache__")).expect("a directory");
        std::fs::write(run.path().join("repo/__pycache__/a.cpython.pyc"), "x").expect("a file");
        std::fs::write(run.path().join("repo/src/b.pyc"), "x").expect("a file");
        assert_eq!(digest_of(&plain), digest_of(&run));
    }

    #[test]
    fn each_change_to_a_tree_changes_its_digest() {
        type Change = (&'static str, fn(&Path));
        let changes: [Change; 8] = [
            ("content", |repo| std::fs::write(repo.join("src.txt"), "y").expect("a file")),
            ("new file", |repo| std::fs::write(repo.join("new"), "").expect("a file")),
            ("removed file", |repo| std::fs::remove_file(repo.join(".hidden")).expect("removed")),
            ("renamed file", |repo| {
                std::fs::rename(repo.join("src.txt"), repo.join("s.txt")).expect("renamed")
            }),
            ("removed directory", |repo| std::fs::remove_dir(repo.join("empty")).expect("removed")),
            ("executable", |repo| {
                let mode = std::fs::Permissions::from_mode(0o755);
                std::fs::set_permissions(repo.join("src.txt"), mode).expect("a mode");
            }),
            ("link target", |repo| {
                std::fs::remove_file(repo.join("main")).expect("removed");
                symlink("src.txt", repo.join("main")).expect("a link");
            }),
            ("link to file", |repo| {
                std::fs::remove_file(repo.join("main")).expect("removed");
                std::fs::write(repo.join("main"), "print(1)\n").expect("a file");
            }),
        ];
        let before = digest_of(&tree());
        for (name, change) in changes {
            let root = tree();
            change(&root.path().join("repo"));
            assert_ne!(digest_of(&root), before, "{name}");
        }
    }

    #[test]
    fn links_that_lead_out_are_refused() {
        for target in ["/etc/passwd", "../secret", "src/../../secret"] {
            let root = tree();
            symlink(target, root.path().join("repo/leak")).expect("a link");
            let error = FileEntry::read(&root.path().join("repo"), ".").expect_err(target);
            assert!(matches!(error, FilesError::LinkLeadsOut { .. }), "{error}");
        }
        let root = tree();
        symlink("../src.txt", root.path().join("repo/src/up")).expect("a link");
        FileEntry::read(&root.path().join("repo"), ".").expect("a link that stays inside");
    }
}
