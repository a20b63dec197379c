//! Writes the archives.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

use super::ignore::IgnoreRules;
use super::options::{ArchiveEntry, ArchiveEntryKind};
use crate::error::Error;

type Writer = Builder<flate2::write::GzEncoder<BufWriter<File>>>;

/// What of a directory goes into the archive.
pub(super) struct Selection<'a> {
    pub(super) rules: &'a IgnoreRules,
    pub(super) filter: Option<&'a (dyn Fn(ArchiveEntry) -> Option<ArchiveEntry> + Send + Sync)>,
    /// As Docker takes it: files and links only, and no complaint about others.
    pub(super) context: bool,
}

impl Selection<'_> {
    /// The entry's name and mode in the archive; `None` if it is left out.
    fn entry(&self, name: &str, mode: u32, kind: ArchiveEntryKind) -> Option<ArchiveEntry> {
        let entry = ArchiveEntry { name: name.to_owned(), mode, kind };
        match self.filter {
            Some(filter) => filter(entry),
            None => Some(entry),
        }
    }
}

/// Archives a directory.
pub(super) fn write(root: &Path, selection: &Selection<'_>) -> Result<NamedTempFile, Error> {
    let unreadable = |source| failed("read", root, source);
    if !fs::metadata(root).map_err(unreadable)?.is_dir() {
        return Err(unreadable(io::Error::from(io::ErrorKind::NotADirectory)));
    }
    let temporary = NamedTempFile::new().map_err(|source| failed("write", &std::env::temp_dir(), source))?;
    let unwritable = |source| failed("write", temporary.path(), source);
    let file = BufWriter::with_capacity(WRITE_BUFFER, temporary.reopen().map_err(unwritable)?);
    // No time and no name in the gzip header, and the same operating system everywhere.
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(file, Compression::new(LEVEL));
    let mut archive = Writing { tar: Builder::new(gzip), selection };
    if archive.directory(root, ".")? {
        archive.walk(root, "")?;
    }
    let file = archive.tar.into_inner().and_then(flate2::write::GzEncoder::finish).map_err(unwritable)?;
    file.into_inner().map_err(|error| unwritable(error.into_error()))?;
    Ok(temporary)
}

struct Writing<'a> {
    tar: Writer,
    selection: &'a Selection<'a>,
}

impl Writing<'_> {
    /// Entries of one directory, sorted by name, each directory followed by what is in it.
    fn walk(&mut self, directory: &Path, prefix: &str) -> Result<(), Error> {
        let unreadable = |source| failed("read", directory, source);
        let mut entries: Vec<_> =
            fs::read_dir(directory).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
        entries.sort_by_cached_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let file_name = entry.file_name();
            let Some(name) = file_name.to_str() else {
                let reason = io::Error::new(io::ErrorKind::InvalidFilename, "the name is not UTF-8");
                return Err(failed("archive", &path, reason));
            };
            let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if self.selection.rules.excludes(&name) {
                continue;
            }
            // The directory tells, without another look at the entry.
            let kind = entry.file_type().map_err(|source| failed("read", &path, source))?;
            if kind.is_dir() {
                if self.directory(&path, &name)? {
                    self.walk(&path, &name)?;
                }
            } else if kind.is_symlink() {
                self.link(&path, &name)?;
            } else if kind.is_file() {
                self.file(&path, &name)?;
            } else if !self.selection.context {
                let reason = io::Error::new(io::ErrorKind::Unsupported, "it is a socket, pipe or device");
                return Err(failed("archive", &path, reason));
            }
        }
        Ok(())
    }

    /// Whether the directory is to be entered.
    fn directory(&mut self, path: &Path, name: &str) -> Result<bool, Error> {
        if self.selection.context {
            return Ok(true);
        }
        let Some(entry) = self.selection.entry(name, 0o755, ArchiveEntryKind::Directory) else {
            return Ok(false);
        };
        let mut header = header(EntryType::Directory, 0, entry.mode);
        let appended = self.tar.append_data(&mut header, &entry.name, io::empty());
        appended.map(|()| true).map_err(|source| failed("archive", path, source))
    }

    fn link(&mut self, path: &Path, name: &str) -> Result<(), Error> {
        let Some(entry) = self.selection.entry(name, 0o777, ArchiveEntryKind::Link) else { return Ok(()) };
        let target = fs::read_link(path).map_err(|source| failed("read", path, source))?;
        let mut header = header(EntryType::Symlink, 0, entry.mode);
        let appended = self.tar.append_link(&mut header, &entry.name, target);
        appended.map_err(|source| failed("archive", path, source))
    }

    fn file(&mut self, path: &Path, name: &str) -> Result<(), Error> {
        let unreadable = |source| failed("read", path, source);
        let file = File::open(path).map_err(unreadable)?;
        // Of the open file: it may have been replaced since it was listed.
        let metadata = file.metadata().map_err(unreadable)?;
        let mode = if is_executable(&metadata) { 0o755 } else { 0o644 };
        let Some(entry) = self.selection.entry(name, mode, ArchiveEntryKind::File) else { return Ok(()) };
        let mut header = header(EntryType::Regular, metadata.len(), entry.mode);
        let mut exact = Exact { file, left: metadata.len() };
        let appended = self.tar.append_data(&mut header, &entry.name, &mut exact);
        appended.map_err(|source| failed("archive", path, source))
    }
}

/// On source code a hundredth larger than the usual level, in little more than half of its time. The portable compressor
/// is used on purpose: one that picks its steps by the processor may give other bytes on another machine.
const LEVEL: u32 = 5;

/// Compressed bytes are written to the temporary file in pieces of this size.
const WRITE_BUFFER: usize = 256 * 1024;

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        root
    }

    fn bytes(root: &Path, rules: Option<&str>) -> Vec<u8> {
        let parsed = rules.map(IgnoreRules::parse).unwrap_or_default();
        let selection = Selection { rules: &parsed, filter: None, context: rules.is_some() };
        fs::read(write(root, &selection).unwrap().path()).unwrap()
    }

    fn everything() -> Selection<'static> {
        static NONE: std::sync::OnceLock<IgnoreRules> = std::sync::OnceLock::new();
        Selection { rules: NONE.get_or_init(IgnoreRules::default), filter: None, context: false }
    }

    /// Name to what the entry is.
    fn entries(archive: &[u8]) -> Vec<(String, String)> {
        let mut tar = tar::Archive::new(GzDecoder::new(archive));
        tar.entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let header = entry.header();
                assert_eq!(
                    (header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()),
                    (0, 0, 0)
                );
                let mode = header.mode().unwrap();
                let link = entry.link_name().unwrap().map(|link| format!("-> {}", link.display()));
                let name = entry.path().unwrap().to_string_lossy().into_owned();
                let mut content = String::new();
                entry.read_to_string(&mut content).unwrap();
                (name, format!("{mode:o} {}", link.unwrap_or(content)))
            })
            .collect()
    }

    fn names(archive: &[u8]) -> Vec<String> {
        entries(archive).into_iter().map(|(name, _)| name).collect()
    }

    #[cfg(unix)]
    #[test]
    fn everything_is_archived_in_order_with_plain_modes() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tree(&[("b.txt", "b"), ("a/run.sh", "#!"), ("a.txt", "")]);
        fs::set_permissions(root.path().join("a/run.sh"), fs::Permissions::from_mode(0o711)).unwrap();
        fs::set_permissions(root.path().join("b.txt"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::create_dir(root.path().join("empty")).unwrap();
        symlink("../nowhere", root.path().join("a/link")).unwrap();
        let entries = entries(&bytes(root.path(), None));
        let entries: Vec<_> = entries.iter().map(|(name, what)| (name.as_str(), what.as_str())).collect();
        let expected = [
            (".", "755 "),
            ("a", "755 "),
            ("a/link", "777 -> ../nowhere"),
            ("a/run.sh", "755 #!"),
            ("a.txt", "644 "),
            ("b.txt", "644 b"),
            ("empty", "755 "),
        ];
        assert_eq!(entries, expected);
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let files = [("a/b", "1"), ("c", "2")];
        let (first, second) = (tree(&files), tree(&[("c", "2"), ("a/b", "1")]));
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        File::options().write(true).open(second.path().join("c")).unwrap().set_modified(old).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As another umask would have it.
            fs::set_permissions(second.path().join("c"), fs::Permissions::from_mode(0o600)).unwrap();
            fs::set_permissions(second.path().join("a"), fs::Permissions::from_mode(0o700)).unwrap();
        }
        assert_eq!(bytes(first.path(), None), bytes(second.path(), None));
    }

    #[test]
    fn a_context_holds_what_the_rules_let_through() {
        let root = tree(&[
            (".dockerignore", "x"),
            ("a.log", ""),
            ("src/a.rs", ""),
            ("target/keep.rs", ""),
            ("src/b.log", ""),
        ]);
        let context = bytes(root.path(), Some("*.log\n!src/b.log\ntarget\n!target/keep.rs\n"));
        assert_eq!(names(&context), [".dockerignore", "src/a.rs", "src/b.log"]);
        assert_eq!(names(&bytes(root.path(), Some("**\n!a.log"))), ["a.log"]);
    }

    #[tokio::test]
    async fn a_context_honours_its_dockerignore_and_then_the_callers_rules() {
        let root = tree(&[
            (".dockerignore", "*.log\n.dockerignore"),
            ("a.log", ""),
            ("b.log", ""),
            ("c", ""),
            ("d", ""),
        ]);
        let extra = IgnoreRules::from_patterns(["!b.log", "d"]);
        let archive = crate::archive::build_docker_context_tar(root.path(), &extra).await.unwrap();
        assert_eq!(names(&fs::read(archive.path()).unwrap()), ["b.log", "c"]);
        let path = archive.path().to_owned();
        drop(archive);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_filter_renames_and_leaves_out() {
        use crate::archive::{ArchiveOptions, archive_dir_with};
        let root = tree(&[("keep/a", "1"), ("drop/b", ""), ("c.log", ""), ("d", "")]);
        let options = ArchiveOptions::default().ignore(IgnoreRules::parse("*.log")).filter(|mut entry| {
            match &*entry.name {
                "drop" => None,
                "keep/a" => {
                    assert_eq!((entry.kind, entry.mode), (ArchiveEntryKind::File, 0o644));
                    entry.name = "renamed".to_owned();
                    entry.mode = 0o600;
                    Some(entry)
                }
                _ => Some(entry),
            }
        });
        let archive = archive_dir_with(root.path(), options.clone()).await.unwrap();
        let found = entries(&fs::read(archive.path()).unwrap());
        let found: Vec<_> = found.iter().map(|(name, what)| (name.as_str(), what.as_str())).collect();
        assert_eq!(found, [(".", "755 "), ("d", "644 "), ("keep", "755 "), ("renamed", "600 1")]);

        let nothing = archive_dir_with(root.path(), options.filter(|_| None)).await.unwrap();
        assert_eq!(names(&fs::read(nothing.path()).unwrap()), Vec::<String>::new());
        // A name that leads out of the archive is refused.
        let escape = ArchiveOptions::default().filter(|mut entry| {
            entry.name = format!("../{}", entry.name);
            Some(entry)
        });
        assert!(archive_dir_with(root.path(), escape).await.is_err());
    }

    #[test]
    fn names_longer_than_a_header_are_kept() {
        let long = format!("{}/{}", "d".repeat(200), "f".repeat(200));
        let root = tree(&[(&long, "x")]);
        assert_eq!(names(&bytes(root.path(), None)).last(), Some(&long));
    }

    #[test]
    fn what_cannot_be_archived_is_named() {
        let root = tree(&[("file", "")]);
        for missing in [root.path().join("file"), root.path().join("missing")] {
            let error = write(&missing, &everything()).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot read {}", missing.display()));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_is_refused_in_a_directory_and_left_out_of_a_context() {
        let root = tree(&[("file", "")]);
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("s")).unwrap();
        let error = write(root.path(), &everything()).unwrap_err();
        assert!(error.to_string().starts_with("cannot archive"), "{error}");
        assert_eq!(names(&bytes(root.path(), Some(""))), ["file"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_context_is_every_file_that_no_rule_stops_on_its_way(
            files in prop::collection::btree_set("[ab]{1,2}(/[ab]{1,2}){0,2}/f", 1..8),
            rules in prop::collection::vec("!?[ab*]{1,2}(/[ab*]{1,2}){0,1}", 0..4),
        ) {
            let root = tree(&files.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>());
            let rules = rules.join("\n");
            let parsed = IgnoreRules::parse(&rules);
            let reachable = |name: &&String| {
                let ends = name.match_indices('/').map(|(end, _)| end).chain([name.len()]);
                ends.map(|end| &name[..end]).all(|part| !parsed.excludes(part))
            };
            let expected: Vec<String> = files.iter().filter(reachable).cloned().collect();
            let mut found = names(&bytes(root.path(), Some(&rules)));
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn contents_survive() {
        let big: String = "0123456789".repeat(30_000);
        let root = tree(&[("big", &big), ("small", "x")]);
        let contents: BTreeMap<_, _> = entries(&bytes(root.path(), Some(""))).into_iter().collect();
        assert_eq!(contents["big"], format!("644 {big}"));
        assert_eq!(contents["small"], "644 x");
    }
}
