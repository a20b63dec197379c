//! Removing, measuring and copying directory trees that a box has written, so that nothing in them can hurt: no link
//! is followed, no name is resolved twice, and no depth exhausts stack or descriptors.

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use crate::sys::files::{self, Kind, Status};
use crate::sys::{c_bytes, c_path};

/// Directories open at once while a tree is removed.
const MAX_OPEN: usize = 64;
/// Levels that a tree may have to be measured or copied.
pub(crate) const MAX_DEPTH: usize = 700;

const DIRECTORY: i32 = libc::O_RDONLY | libc::O_DIRECTORY;

/// Value of the mark of a directory that hides what is below it.
const OPAQUE: &[u8] = b"y";

/// Removes a directory of `state` and everything in it. That it is not there is not an error.
pub(crate) fn remove(state: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    match there(remove_contents(state, path))? {
        None => Ok(()),
        Some(()) => there(files::remove(state, &c_path(path)?, true)).map(drop),
    }
}

/// Removes everything in a directory of `state`. Somebody else may be removing it at the same time.
pub(crate) fn remove_contents(state: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let top = open_to_empty(state, &c_path(path)?)?;
    let mut moved = 0u64;
    // Directories being emptied, each with its name in the one before.
    let mut stack: Vec<(CString, OwnedFd)> = Vec::new();
    loop {
        let current = stack.last().map_or(top.as_fd(), |(_, directory)| directory.as_fd());
        let mut next = None;
        let mut found = false;
        for entry in there(files::entries(current, 4096))?.unwrap_or_default() {
            found = true;
            if entry.kind != Some(Kind::Directory) {
                match there(files::remove(current, &entry.name, false)) {
                    Err(error) if matches!(error.raw_os_error(), Some(libc::EISDIR | libc::EPERM)) => {}
                    Err(error) => return Err(error),
                    Ok(_) => continue,
                }
            }
            if there(files::remove(current, &entry.name, true)).is_ok() {
                continue;
            }
            if stack.len() < MAX_OPEN {
                next = Some(entry.name);
                break;
            }
            // Too deep to hold every parent open: continue with it at the top.
            there(open_to_empty(current, &entry.name))?;
            let name = c_bytes(format!(".deep-{moved}").as_bytes())?;
            moved += 1;
            there(files::rename(current, &entry.name, top.as_fd(), &name))?;
        }
        if let Some(name) = next {
            if let Some(directory) = there(open_to_empty(current, &name))? {
                stack.push((name, directory));
            }
        } else if !found {
            let Some((name, directory)) = stack.pop() else { return Ok(()) };
            drop(directory);
            let parent = stack.last().map_or(top.as_fd(), |(_, directory)| directory.as_fd());
            there(files::remove(parent, &name, true))?;
        }
    }
}

/// Takes "not there" as nothing rather than as an error.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// Opens a directory, giving its owner the rights to empty it first if need be.
fn open_to_empty(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let open = || files::open_entry(parent, name, DIRECTORY, 0);
    let usable = |status: Status| status.mode & 0o700 == 0o700;
    if crate::sys::ids::effective_uid() != 0 && !files::status_of(parent, name).is_ok_and(usable) {
        let _ = files::set_mode(parent, name, 0o700);
    }
    open()
}

/// What a tree takes on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    /// Something is nested deeper than can be measured.
    pub(crate) too_deep: bool,
}

/// Measures a tree that may change meanwhile.
pub(crate) fn usage(state: BorrowedFd<'_>, path: &Path) -> io::Result<Usage> {
    let mut total = Usage::default();
    let top = files::open_entry(state, &c_path(path)?, DIRECTORY, 0)?;
    let mut pending = vec![(Arc::new(top), None::<CString>, 0usize)];
    while let Some((parent, name, depth)) = pending.pop() {
        let directory = match name {
            None => parent,
            Some(name) => match files::open_entry(parent.as_fd(), &name, DIRECTORY, 0) {
                Ok(directory) => Arc::new(directory),
                // Gone meanwhile, or closed by its owner: then nothing in it grows either.
                Err(_) => continue,
            },
        };
        if depth >= MAX_DEPTH {
            total.too_deep = true;
            continue;
        }
        for entry in files::entries(directory.as_fd(), usize::MAX)? {
            let Ok(status) = files::status_of(directory.as_fd(), &entry.name) else { continue };
            total.files += 1;
            total.bytes += status.allocated / status.links.max(1);
            if status.kind == Kind::Directory {
                total.bytes += status.allocated - status.allocated / status.links.max(1);
                pending.push((Arc::clone(&directory), Some(entry.name), depth + 1));
            }
        }
    }
    Ok(total)
}

/// Whose a copied tree shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owners {
    /// As in the original.
    Keep,
    /// All this user's.
    Set(u32),
}

/// Copies `from` of `state` to `to`, which must not exist, with `threads` threads: modes, times, links between names,
/// holes, attributes and the marks of an overlay for deleted files and replaced directories.
pub(crate) fn copy(
    state: BorrowedFd<'_>,
    from: &Path,
    to: &Path,
    owners: Owners,
    threads: usize,
) -> io::Result<()> {
    let sources = vec![files::open_entry(state, &c_path(from)?, DIRECTORY, 0)?];
    fill(state, sources, to, Job::new(owners, None, &AtomicBool::new(false)), threads)
}

/// Makes one layer of several, the uppermost first, that does to whatever lies below what they did together: their files,
/// and the marks for what they deleted and replaced. `opaque` is the attribute by which these layers mark directories
/// that hide what is below. Given up with an error when `stop` becomes true.
pub(crate) fn merge(
    state: BorrowedFd<'_>,
    from: &[PathBuf],
    to: &Path,
    opaque: &CStr,
    stop: &AtomicBool,
) -> io::Result<()> {
    let sources = from.iter().map(|path| files::open_entry(state, &c_path(path)?, DIRECTORY, 0));
    let sources = sources.collect::<io::Result<Vec<_>>>()?;
    fill(state, sources, to, Job::new(Owners::Keep, Some(opaque), stop), 1)
}

fn fill(
    state: BorrowedFd<'_>,
    sources: Vec<OwnedFd>,
    to: &Path,
    job: Job<'_>,
    threads: usize,
) -> io::Result<()> {
    let to = c_path(to)?;
    files::make_directory(state, &to, 0o700)?;
    let target = Arc::new(files::open_entry(state, &to, DIRECTORY, 0)?);
    let top = Arc::new(Pair { sources, target });
    lock(&job.queue).pending.push(Work { pair: top, below: None, depth: 0 });
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| job.work());
        }
        job.work();
    });
    let mut queue = job.queue.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    queue.error.take().map_or(Ok(()), Err)
}

/// A directory and its copy.
struct Pair {
    /// One directory, or those that are merged, the uppermost first.
    sources: Vec<OwnedFd>,
    target: Arc<OwnedFd>,
}

struct Work {
    pair: Arc<Pair>,
    /// Directory of the pair that is to be copied with all below, and which is the first of the sources that has it;
    /// `None` for the pair itself.
    below: Option<(CString, usize)>,
    depth: usize,
}

struct Queue {
    pending: Vec<Work>,
    busy: usize,
    error: Option<io::Error>,
}

/// Device and inode: one file, whatever its names.
type FileNumber = (u64, u64);

struct Job<'a> {
    owners: Owners,
    /// Mark of directories that hide what is below, where several layers are merged.
    opaque: Option<&'a CStr>,
    stop: &'a AtomicBool,
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Files with several names: where the first copy of each is.
    names: Mutex<HashMap<FileNumber, (Arc<OwnedFd>, CString)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl<'a> Job<'a> {
    fn new(owners: Owners, opaque: Option<&'a CStr>, stop: &'a AtomicBool) -> Self {
        Self {
            owners,
            opaque,
            stop,
            queue: Mutex::new(Queue { pending: Vec::new(), busy: 0, error: None }),
            changed: Condvar::new(),
            names: Mutex::default(),
        }
    }

    fn work(&self) {
        loop {
            let mut queue = lock(&self.queue);
            let work = loop {
                if queue.error.is_some() {
                    return;
                }
                if let Some(work) = queue.pending.pop() {
                    queue.busy += 1;
                    break work;
                }
                if queue.busy == 0 {
                    return;
                }
                queue = self.changed.wait(queue).unwrap_or_else(std::sync::PoisonError::into_inner);
            };
            drop(queue);
            let result = self.directory(work);
            let mut queue = lock(&self.queue);
            queue.busy -= 1;
            match result {
                Ok(more) => queue.pending.extend(more),
                Err(error) => queue.error = queue.error.take().or(Some(error)),
            }
            drop(queue);
            self.changed.notify_all();
        }
    }

    /// Copies one directory's entries; returns the directories below it.
    fn directory(&self, work: Work) -> io::Result<Vec<Work>> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        if work.depth >= MAX_DEPTH {
            return Err(io::Error::other(format!(
                "directories are nested more than {MAX_DEPTH} levels deep"
            )));
        }
        let (pair, cut) = match &work.below {
            None => (work.pair, false),
            Some((name, first)) => {
                let (sources, cut) = self.contributors(&work.pair.sources[*first..], name)?;
                let target = files::open_entry(work.pair.target.as_fd(), name, DIRECTORY, 0)?;
                (Arc::new(Pair { sources, target: Arc::new(target) }), cut)
            }
        };
        let Some(uppermost) = pair.sources.first() else { return Ok(Vec::new()) };
        let mut below = Vec::new();
        let mut seen = HashSet::new();
        for (number, source) in pair.sources.iter().enumerate() {
            for entry in files::entries(source.as_fd(), usize::MAX)? {
                if pair.sources.len() > 1 && !seen.insert(entry.name.clone()) {
                    // An upper layer has something by this name.
                    continue;
                }
                let status = files::status_of(source.as_fd(), &entry.name)?;
                if status.kind == Kind::Directory {
                    files::make_directory(pair.target.as_fd(), &entry.name, 0o700)?;
                    let next = (entry.name, number);
                    below.push(Work { pair: Arc::clone(&pair), below: Some(next), depth: work.depth + 1 });
                } else {
                    self.entry(source.as_fd(), &pair.target, entry.name, &status)?;
                }
            }
        }
        let status = files::status(uppermost.as_fd())?;
        copy_attributes(uppermost.as_fd(), pair.target.as_fd())?;
        if let (true, Some(mark)) = (cut, self.opaque) {
            files::set_attribute(pair.target.as_fd(), mark, OPAQUE)?;
        }
        self.own(pair.target.as_fd(), c".", &status)?;
        files::set_open_mode(pair.target.as_fd(), status.mode)?;
        // After all its entries were made, each of which changed them.
        files::set_open_times(pair.target.as_fd(), &status)?;
        Ok(below)
    }

    /// Those of the sources' directories of this name that are seen through each other, and whether they hide what is
    /// below them all.
    fn contributors(&self, sources: &[OwnedFd], name: &CStr) -> io::Result<(Vec<OwnedFd>, bool)> {
        let mut found = Vec::new();
        for source in sources {
            match there(files::status_of(source.as_fd(), name))?.map(|status| status.kind) {
                None => continue,
                Some(Kind::Directory) => {}
                // Something that was deleted or is not a directory ends here what is seen through the ones above.
                Some(_) => return Ok((found, true)),
            }
            let directory = files::open_entry(source.as_fd(), name, DIRECTORY, 0)?;
            let hides = self.opaque.is_some_and(|mark| {
                files::attribute(directory.as_fd(), mark).is_ok_and(|value| value == OPAQUE)
            });
            found.push(directory);
            if hides {
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }

    fn own(&self, directory: BorrowedFd<'_>, name: &CStr, status: &Status) -> io::Result<()> {
        match self.owners {
            Owners::Set(uid) => files::set_owner(directory, name, uid, uid),
            Owners::Keep if crate::sys::ids::effective_uid() == 0 => {
                files::set_owner(directory, name, status.uid, status.gid)
            }
            Owners::Keep => Ok(()),
        }
    }

    fn entry(
        &self,
        source: BorrowedFd<'_>,
        target: &Arc<OwnedFd>,
        name: CString,
        status: &Status,
    ) -> io::Result<()> {
        if status.links > 1 {
            let mut names = lock(&self.names);
            if let Some((first, first_name)) = names.get(&(status.device, status.inode)) {
                return files::make_name(first.as_fd(), first_name, target.as_fd(), &name);
            }
            // Made while the lock is held, so that the next name finds it there.
            self.one(source, target.as_fd(), &name, status)?;
            names.insert((status.device, status.inode), (Arc::clone(target), name));
            return Ok(());
        }
        self.one(source, target.as_fd(), &name, status)
    }

    fn one(
        &self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        name: &CStr,
        status: &Status,
    ) -> io::Result<()> {
        match status.kind {
            Kind::Regular => {
                let from = File::from(files::open_entry(source, name, libc::O_RDONLY | libc::O_NONBLOCK, 0)?);
                let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
                let to = File::from(files::open_entry(target, name, flags, 0o600)?);
                files::copy_content(&from, &to, status.size)?;
                self.own(target, name, status)?;
                copy_attributes(from.as_fd(), to.as_fd())?;
                // After the owner, whose change clears the set-user bits.
                files::set_open_mode(to.as_fd(), status.mode)?;
                return files::set_open_times(to.as_fd(), status);
            }
            Kind::Link => files::make_link(&files::read_link(source, name)?, target, name)?,
            Kind::CharDevice | Kind::Other => {
                // Deleted names are character devices 0:0 in an overlay, which any user may make.
                files::make_special(target, name, status.mode, status.special)?;
            }
            Kind::Directory => {}
        }
        self.own(target, name, status)?;
        files::set_times(target, name, status)
    }
}

/// Copies extended attributes, except those by which an overlay remembers where a file came from.
fn copy_attributes(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<()> {
    for name in files::attribute_names(from)? {
        let text = name.to_bytes();
        let overlay = text.strip_prefix(b"trusted.overlay.").or(text.strip_prefix(b"user.overlay."));
        if overlay.is_some_and(|rest| rest != b"opaque") {
            continue;
        }
        let value = match files::attribute(from, &name) {
            Ok(value) => value,
            Err(error) if error.raw_os_error() == Some(libc::ENODATA) => continue,
            Err(error) => return Err(error),
        };
        match files::set_attribute(to, &name, &value) {
            // Labels of a security module and capabilities need rights that an ordinary user has not.
            Err(error)
                if text.starts_with(b"security.")
                    && matches!(error.raw_os_error(), Some(libc::EPERM | libc::EOPNOTSUPP)) => {}
            done => done?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn state() -> (tempfile::TempDir, OwnedFd) {
        let directory = tempfile::tempdir().unwrap();
        let fd = files::open_directory(directory.path()).unwrap();
        (directory, fd)
    }

    #[test]
    fn a_copy_has_modes_times_links_and_hard_links() {
        let (directory, fd) = state();
        let from = directory.path().join("from");
        std::fs::create_dir_all(from.join("sub")).unwrap();
        std::fs::write(from.join("sub/file"), "text").unwrap();
        std::fs::set_permissions(from.join("sub/file"), PermissionsExt::from_mode(0o640)).unwrap();
        std::fs::hard_link(from.join("sub/file"), from.join("twin")).unwrap();
        std::os::unix::fs::symlink("/nowhere", from.join("link")).unwrap();
        std::fs::set_permissions(from.join("sub"), PermissionsExt::from_mode(0o500)).unwrap();
        copy(fd.as_fd(), Path::new("from"), Path::new("to"), Owners::Keep, 2).unwrap();
        let to = directory.path().join("to");
        let file = std::fs::metadata(to.join("sub/file")).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("twin")).unwrap(), "text");
        assert_eq!(file.ino(), std::fs::metadata(to.join("twin")).unwrap().ino());
        assert_eq!(file.mode() & 0o777, 0o640);
        assert_eq!(std::fs::metadata(to.join("sub")).unwrap().mode() & 0o777, 0o500);
        assert_eq!(file.mtime_nsec(), std::fs::metadata(from.join("sub/file")).unwrap().mtime_nsec());
        assert_eq!(std::fs::read_link(to.join("link")).unwrap(), Path::new("/nowhere"));
        remove(fd.as_fd(), Path::new("from")).unwrap();
        remove(fd.as_fd(), Path::new("to")).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    const MARK: &CStr = c"user.overlay.opaque";

    /// A mark for a deleted file, which any user may make.
    fn delete(path: PathBuf) {
        let name = c_path(path.strip_prefix("/").unwrap()).unwrap();
        let root = files::root().unwrap();
        files::make_special(root.as_fd(), &name, libc::S_IFCHR, 0).unwrap();
    }

    fn mark_opaque(path: &Path) {
        let directory = files::open_directory(path).unwrap();
        files::set_attribute(directory.as_fd(), MARK, OPAQUE).unwrap();
    }

    fn is_opaque(path: &Path) -> bool {
        files::attribute(files::open_directory(path).unwrap().as_fd(), MARK)
            .is_ok_and(|value| value == OPAQUE)
    }

    fn is_deleted(path: PathBuf) -> bool {
        std::fs::symlink_metadata(path)
            .is_ok_and(|status| status.rdev() == 0 && status.mode() & 0o170000 == 0o020000)
    }

    /// Merges what the function makes of the three directories it is given, the uppermost first.
    fn merged(make: impl FnOnce([PathBuf; 3])) -> (tempfile::TempDir, PathBuf) {
        let (directory, fd) = state();
        let paths = ["upper", "middle", "lower"].map(|name| directory.path().join(name));
        for path in &paths {
            std::fs::create_dir(path).unwrap();
        }
        make(paths);
        let from = ["upper", "middle", "lower"].map(PathBuf::from);
        merge(fd.as_fd(), &from, Path::new("to"), MARK, &AtomicBool::new(false)).unwrap();
        let to = directory.path().join("to");
        (directory, to)
    }

    #[test]
    fn the_uppermost_file_of_a_name_is_merged_and_deletions_stay() {
        let (_directory, to) = merged(|[upper, middle, lower]| {
            for path in [&upper, &middle, &lower] {
                std::fs::create_dir(path.join("dir")).unwrap();
                std::fs::write(path.join("dir/all"), path.file_name().unwrap().as_encoded_bytes()).unwrap();
            }
            std::fs::write(middle.join("dir/two"), "middle").unwrap();
            std::fs::write(lower.join("dir/two"), "lower").unwrap();
            std::fs::write(lower.join("dir/one"), "lower").unwrap();
            std::fs::write(lower.join("dir/gone"), "lower").unwrap();
            delete(middle.join("dir/gone"));
            delete(middle.join("back"));
            std::fs::write(upper.join("back"), "upper").unwrap();
            delete(lower.join("of-the-base"));
            std::fs::set_permissions(upper.join("dir"), PermissionsExt::from_mode(0o750)).unwrap();
            std::os::unix::fs::symlink("upper", upper.join("link")).unwrap();
            std::fs::write(lower.join("link"), "lower").unwrap();
        });
        let read = |name: &str| std::fs::read_to_string(to.join(name)).unwrap();
        assert_eq!(
            (read("dir/all"), read("dir/two"), read("dir/one")),
            ("upper".into(), "middle".into(), "lower".into())
        );
        assert_eq!(read("back"), "upper");
        assert!(is_deleted(to.join("dir/gone")) && is_deleted(to.join("of-the-base")));
        assert_eq!(std::fs::metadata(to.join("dir")).unwrap().mode() & 0o777, 0o750);
        assert_eq!(std::fs::read_link(to.join("link")).unwrap(), Path::new("upper"));
        assert!(!is_opaque(&to.join("dir")), "the base still shows through");
    }

    #[test]
    fn a_directory_that_replaced_something_hides_it_and_the_base() {
        let (_directory, to) = merged(|[upper, middle, lower]| {
            for path in [&upper, &middle, &lower] {
                for name in ["opaque", "deleted", "file", "deep/er"] {
                    std::fs::create_dir_all(path.join(name)).unwrap();
                    std::fs::write(path.join(name).join(path.file_name().unwrap()), "").unwrap();
                }
            }
            mark_opaque(&middle.join("opaque"));
            mark_opaque(&upper.join("deep/er"));
            for (name, marked) in [("deleted", true), ("file", false)] {
                std::fs::remove_dir_all(middle.join(name)).unwrap();
                if marked {
                    delete(middle.join(name))
                } else {
                    std::fs::write(middle.join(name), "").unwrap()
                }
            }
        });
        let names = |name: &str| {
            let mut names: Vec<_> =
                std::fs::read_dir(to.join(name)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names("opaque"), ["middle", "upper"]);
        for name in ["deleted", "file", "deep/er"] {
            assert_eq!(names(name), ["upper"], "{name}");
        }
        for name in ["opaque", "deleted", "file", "deep/er"] {
            assert!(is_opaque(&to.join(name)), "{name}");
        }
        assert!(!is_opaque(&to.join("deep")));
    }

    #[test]
    fn merged_files_keep_their_names_attributes_and_times() {
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        let (_directory, to) = merged(|[upper, middle, lower]| {
            std::fs::create_dir(lower.join("dir")).unwrap();
            std::fs::write(lower.join("dir/one"), "text").unwrap();
            for name in ["two", "dir/three"] {
                std::fs::hard_link(lower.join("dir/one"), lower.join(name)).unwrap();
            }
            let file = File::open(lower.join("two")).unwrap();
            files::set_attribute(file.as_fd(), c"user.own", b"value").unwrap();
            file.set_modified(old).unwrap();
            // One of the names is another file since.
            std::fs::create_dir(middle.join("dir")).unwrap();
            std::fs::write(middle.join("dir/three"), "other").unwrap();
            std::fs::create_dir(upper.join("dir")).unwrap();
            File::open(upper.join("dir")).unwrap().set_modified(old).unwrap();
        });
        let one = std::fs::metadata(to.join("dir/one")).unwrap();
        assert_eq!((one.ino(), one.nlink()), (std::fs::metadata(to.join("two")).unwrap().ino(), 2));
        assert_eq!(one.modified().unwrap(), old);
        assert_eq!(
            files::attribute(File::open(to.join("two")).unwrap().as_fd(), c"user.own").unwrap(),
            b"value"
        );
        assert_eq!(std::fs::read_to_string(to.join("dir/three")).unwrap(), "other");
        assert_eq!(std::fs::metadata(to.join("dir")).unwrap().modified().unwrap(), old);
    }

    #[test]
    fn merging_stops_when_it_is_told_to() {
        let (directory, fd) = state();
        std::fs::create_dir(directory.path().join("one")).unwrap();
        let stopped = merge(fd.as_fd(), &["one".into()], Path::new("to"), MARK, &AtomicBool::new(true));
        assert_eq!(stopped.unwrap_err().kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn a_very_deep_tree_is_removed() {
        let (directory, fd) = state();
        std::fs::create_dir(directory.path().join("deep")).unwrap();
        let mut current = files::open_directory(&directory.path().join("deep")).unwrap();
        for _ in 0..2000 {
            files::make_directory(current.as_fd(), c"d", 0o700).unwrap();
            current = files::open_entry(current.as_fd(), c"d", DIRECTORY, 0).unwrap();
        }
        drop(current);
        assert!(usage(fd.as_fd(), Path::new("deep")).unwrap().too_deep);
        let copied = copy(fd.as_fd(), Path::new("deep"), Path::new("copy"), Owners::Keep, 2);
        assert!(copied.unwrap_err().to_string().contains("nested"));
        remove(fd.as_fd(), Path::new("deep")).unwrap();
        remove(fd.as_fd(), Path::new("copy")).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_closed_directory_is_removed_by_its_owner() {
        let (directory, fd) = state();
        let closed = directory.path().join("top/closed");
        std::fs::create_dir_all(&closed).unwrap();
        std::fs::write(closed.join("file"), "x").unwrap();
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o000)).unwrap();
        remove(fd.as_fd(), Path::new("top")).unwrap();
        assert!(!closed.exists());
    }

    #[test]
    fn usage_counts_a_file_with_two_names_once() {
        let (directory, fd) = state();
        let top = directory.path().join("top");
        std::fs::create_dir(&top).unwrap();
        std::fs::write(top.join("one"), vec![1u8; 1 << 20]).unwrap();
        std::fs::hard_link(top.join("one"), top.join("two")).unwrap();
        let found = usage(fd.as_fd(), Path::new("top")).unwrap();
        assert!(found.bytes >= 1 << 20 && found.bytes < 2 << 20, "{found:?}");
        assert_eq!(found.files, 2);
    }

    #[test]
    fn removing_what_is_not_there_is_no_error() {
        let (_directory, fd) = state();
        remove(fd.as_fd(), Path::new("nothing")).unwrap();
    }
}
