//! File calls relative to an open directory, so that no name is resolved twice and no link is followed unasked.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use super::{c_path, check};

/// How far a name may lead away from the directory it is resolved in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resolve {
    /// As everybody does, except through the links of `/proc` that are not really links.
    NoMagic,
    /// Not above the directory; links that stay below it are followed.
    Beneath,
    /// Not above the directory, and through no link at all.
    Strict,
    /// The directory is the root: absolute links and `..` stay inside.
    InRoot,
}

/// `struct open_how` of openat2(2).
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// openat2(2). `O_CLOEXEC` is added.
pub(crate) fn open_at(
    directory: BorrowedFd<'_>,
    path: &Path,
    flags: i32,
    mode: u32,
    resolve: Resolve,
) -> io::Result<OwnedFd> {
    let name = c_path(path)?;
    let bits = match resolve {
        Resolve::NoMagic => libc::RESOLVE_NO_MAGICLINKS,
        Resolve::Beneath => libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS,
        Resolve::Strict => libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS,
        Resolve::InRoot => libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_MAGICLINKS,
    };
    let how =
        OpenHow { flags: (flags | libc::O_CLOEXEC) as u64, mode: u64::from(mode & 0o7777), resolve: bits };
    loop {
        // SAFETY: the path is NUL-terminated, the struct lives until the call returns and has the size given.
        let result = check(unsafe {
            libc::syscall(
                libc::SYS_openat2,
                directory.as_raw_fd(),
                name.as_ptr(),
                &raw const how,
                size_of::<OpenHow>(),
            )
        });
        match result {
            // SAFETY: the descriptor was just made and belongs to nobody else.
            Ok(fd) => return Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) }),
            // EAGAIN: something was renamed while the kernel checked that the path stays inside.
            Err(error)
                if error.kind() == io::ErrorKind::Interrupted
                    || error.raw_os_error() == Some(libc::EAGAIN) && flags & libc::O_NONBLOCK == 0 => {}
            Err(error) => return Err(error),
        }
    }
}

/// openat(2) of one name that is not followed if it is a link. `O_CLOEXEC` and `O_NOFOLLOW` are added.
pub(crate) fn open_entry(
    directory: BorrowedFd<'_>,
    name: &CStr,
    flags: i32,
    mode: u32,
) -> io::Result<OwnedFd> {
    let flags = flags | libc::O_CLOEXEC | libc::O_NOFOLLOW;
    // SAFETY: the name is NUL-terminated; the result is a new descriptor of ours alone.
    let fd =
        check(unsafe { libc::openat(directory.as_raw_fd(), name.as_ptr(), flags, mode as libc::c_uint) })?;
    // SAFETY: see above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Makes a directory this process's working directory. Only a kernel call.
pub(crate) fn enter(directory: &CStr) -> io::Result<()> {
    // SAFETY: the string ends with its NUL.
    check(unsafe { libc::chdir(directory.as_ptr()) }).map(drop)
}

/// Opens a directory by its path.
pub(crate) fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let name = c_path(path)?;
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the path is NUL-terminated; the result is a new descriptor of ours alone.
    let fd = check(unsafe { libc::open(name.as_ptr(), flags) })?;
    // SAFETY: see above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// What kind of file a mode names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Regular,
    Directory,
    Link,
    CharDevice,
    Other,
}

/// The parts of `struct stat` that are used here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    pub(crate) kind: Kind,
    /// With the bits of the kind.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    /// Bytes on disk.
    pub(crate) allocated: u64,
    pub(crate) links: u64,
    pub(crate) inode: u64,
    pub(crate) device: u64,
    /// Number of a device file.
    pub(crate) special: u64,
    accessed: libc::timespec,
    modified: libc::timespec,
}

impl Status {
    fn new(stat: &libc::stat) -> Self {
        let kind = match stat.st_mode & libc::S_IFMT {
            libc::S_IFREG => Kind::Regular,
            libc::S_IFDIR => Kind::Directory,
            libc::S_IFLNK => Kind::Link,
            libc::S_IFCHR => Kind::CharDevice,
            _ => Kind::Other,
        };
        #[expect(
            clippy::unnecessary_cast,
            reason = "the widths of these fields differ between architectures"
        )]
        Self {
            kind,
            mode: stat.st_mode,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: stat.st_size.max(0) as u64,
            allocated: stat.st_blocks.max(0) as u64 * 512,
            links: stat.st_nlink as u64,
            inode: stat.st_ino,
            device: stat.st_dev,
            special: stat.st_rdev,
            accessed: libc::timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec },
            modified: libc::timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec },
        }
    }
}

/// fstat(2).
pub(crate) fn status(fd: BorrowedFd<'_>) -> io::Result<Status> {
    // SAFETY: stat is plain data for which all zeroes is valid; the kernel fills it.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        check(libc::fstat(fd.as_raw_fd(), &raw mut stat))?;
        Ok(Status::new(&stat))
    }
}

/// fstatat(2) of one name, not following it.
pub(crate) fn status_of(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<Status> {
    // SAFETY: stat is plain data for which all zeroes is valid; the name is NUL-terminated; the kernel fills the struct.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        let flags = libc::AT_SYMLINK_NOFOLLOW;
        check(libc::fstatat(directory.as_raw_fd(), name.as_ptr(), &raw mut stat, flags))?;
        Ok(Status::new(&stat))
    }
}

/// Gives a file the times that `status` shows.
pub(crate) fn set_times(directory: BorrowedFd<'_>, name: &CStr, status: &Status) -> io::Result<()> {
    let times = [status.accessed, status.modified];
    // SAFETY: the name is NUL-terminated and the array holds the two times that the call reads.
    check(unsafe {
        libc::utimensat(directory.as_raw_fd(), name.as_ptr(), times.as_ptr(), libc::AT_SYMLINK_NOFOLLOW)
    })
    .map(drop)
}

/// Gives an open file the times that `status` shows.
pub(crate) fn set_open_times(fd: BorrowedFd<'_>, status: &Status) -> io::Result<()> {
    let times = [status.accessed, status.modified];
    // SAFETY: the array holds the two times that the call reads.
    check(unsafe { libc::futimens(fd.as_raw_fd(), times.as_ptr()) }).map(drop)
}

/// Sets the modification time of an open file, in whole seconds since the epoch.
pub(crate) fn set_modified(fd: BorrowedFd<'_>, seconds: i64) -> io::Result<()> {
    let now = libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_OMIT };
    let times = [now, libc::timespec { tv_sec: seconds as libc::time_t, tv_nsec: 0 }];
    // SAFETY: the array holds the two times that the call reads.
    check(unsafe { libc::futimens(fd.as_raw_fd(), times.as_ptr()) }).map(drop)
}

pub(crate) fn make_directory(directory: BorrowedFd<'_>, name: &CStr, mode: u32) -> io::Result<()> {
    // SAFETY: the name is NUL-terminated.
    check(unsafe { libc::mkdirat(directory.as_raw_fd(), name.as_ptr(), mode as libc::mode_t) }).map(drop)
}

pub(crate) fn make_link(target: &CStr, directory: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    // SAFETY: both names are NUL-terminated.
    check(unsafe { libc::symlinkat(target.as_ptr(), directory.as_raw_fd(), name.as_ptr()) }).map(drop)
}

/// Makes another name for the file `old`; a link there is not followed.
pub(crate) fn make_name(
    old_directory: BorrowedFd<'_>,
    old: &CStr,
    new_directory: BorrowedFd<'_>,
    new: &CStr,
) -> io::Result<()> {
    // SAFETY: both names are NUL-terminated.
    check(unsafe {
        libc::linkat(old_directory.as_raw_fd(), old.as_ptr(), new_directory.as_raw_fd(), new.as_ptr(), 0)
    })
    .map(drop)
}

/// mknodat(2): devices, pipes, sockets, and with a character device 0 the mark of an overlay for "deleted".
pub(crate) fn make_special(directory: BorrowedFd<'_>, name: &CStr, mode: u32, device: u64) -> io::Result<()> {
    // SAFETY: the name is NUL-terminated.
    check(unsafe {
        libc::mknodat(directory.as_raw_fd(), name.as_ptr(), mode as libc::mode_t, device as libc::dev_t)
    })
    .map(drop)
}

/// The number of a device, from its major and minor part.
pub(crate) fn device_number(major: u32, minor: u32) -> u64 {
    libc::makedev(major, minor)
}

pub(crate) fn remove(directory: BorrowedFd<'_>, name: &CStr, is_directory: bool) -> io::Result<()> {
    let flags = if is_directory { libc::AT_REMOVEDIR } else { 0 };
    // SAFETY: the name is NUL-terminated.
    check(unsafe { libc::unlinkat(directory.as_raw_fd(), name.as_ptr(), flags) }).map(drop)
}

pub(crate) fn rename(
    old_directory: BorrowedFd<'_>,
    old: &CStr,
    new_directory: BorrowedFd<'_>,
    new: &CStr,
) -> io::Result<()> {
    // SAFETY: both names are NUL-terminated.
    check(unsafe {
        libc::renameat(old_directory.as_raw_fd(), old.as_ptr(), new_directory.as_raw_fd(), new.as_ptr())
    })
    .map(drop)
}

/// Changes the permission bits of one entry; fails on a link on most kernels, which have no use for its bits.
pub(crate) fn set_mode(directory: BorrowedFd<'_>, name: &CStr, mode: u32) -> io::Result<()> {
    // SAFETY: the name is NUL-terminated.
    check(unsafe { libc::fchmodat(directory.as_raw_fd(), name.as_ptr(), (mode & 0o7777) as libc::mode_t, 0) })
        .map(drop)
}

pub(crate) fn set_open_mode(fd: BorrowedFd<'_>, mode: u32) -> io::Result<()> {
    // SAFETY: takes a descriptor and an integer.
    check(unsafe { libc::fchmod(fd.as_raw_fd(), (mode & 0o7777) as libc::mode_t) }).map(drop)
}

/// Changes the owner of one entry, not following it.
pub(crate) fn set_owner(directory: BorrowedFd<'_>, name: &CStr, uid: u32, gid: u32) -> io::Result<()> {
    // SAFETY: the name is NUL-terminated.
    check(unsafe {
        libc::fchownat(directory.as_raw_fd(), name.as_ptr(), uid, gid, libc::AT_SYMLINK_NOFOLLOW)
    })
    .map(drop)
}

pub(crate) fn read_link(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<CString> {
    let mut buffer = vec![0u8; 4096];
    // SAFETY: the name is NUL-terminated; the kernel writes at most the buffer's length.
    let length = check(unsafe {
        libc::readlinkat(directory.as_raw_fd(), name.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len())
    })?;
    buffer.truncate(length as usize);
    CString::new(buffer).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Makes a descriptor's reads and writes wait again.
pub(crate) fn make_blocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes integers.
    unsafe {
        let flags = check(libc::fcntl(fd.as_raw_fd(), libc::F_GETFL))?;
        check(libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags & !libc::O_NONBLOCK)).map(drop)
    }
}

/// One entry of a directory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: CString,
    /// What the file system says without being asked further; `None` if it does not.
    pub(crate) kind: Option<Kind>,
}

/// Reads a directory from its start, without `.` and `..`, at most `limit` entries at once.
pub(crate) fn entries(directory: BorrowedFd<'_>, limit: usize) -> io::Result<Vec<Entry>> {
    // SAFETY: takes integers.
    check(unsafe { libc::lseek(directory.as_raw_fd(), 0, libc::SEEK_SET) })?;
    let mut buffer = vec![0u8; 32 << 10];
    let mut found = Vec::new();
    while found.len() < limit {
        // SAFETY: the kernel writes at most the buffer's length.
        let length = check(unsafe {
            libc::syscall(libc::SYS_getdents64, directory.as_raw_fd(), buffer.as_mut_ptr(), buffer.len())
        })? as usize;
        if length == 0 {
            break;
        }
        parse_entries(&buffer[..length], &mut found);
    }
    Ok(found)
}

/// Takes `struct linux_dirent64` records apart: inode 8, offset 8, length 2, type 1, then the name.
fn parse_entries(mut records: &[u8], found: &mut Vec<Entry>) {
    while let [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, low, high, kind, ..] = *records {
        let length = usize::from(u16::from_ne_bytes([low, high]));
        if length < 20 || length > records.len() {
            return;
        }
        if let Ok(name) = CStr::from_bytes_until_nul(&records[19..length])
            && !matches!(name.to_bytes(), b"." | b"..")
        {
            let kind = match kind {
                libc::DT_REG => Some(Kind::Regular),
                libc::DT_DIR => Some(Kind::Directory),
                libc::DT_LNK => Some(Kind::Link),
                libc::DT_CHR => Some(Kind::CharDevice),
                libc::DT_UNKNOWN => None,
                _ => Some(Kind::Other),
            };
            found.push(Entry { name: name.to_owned(), kind });
        }
        records = &records[length..];
    }
}

/// Names of the extended attributes of an open file or directory.
pub(crate) fn attribute_names(fd: BorrowedFd<'_>) -> io::Result<Vec<CString>> {
    let mut buffer = vec![0u8; 64 << 10];
    // SAFETY: the kernel writes at most the buffer's length.
    let result = check(unsafe { libc::flistxattr(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) });
    match result {
        Ok(length) => {
            let names = buffer[..length as usize].split(|&byte| byte == 0).filter(|name| !name.is_empty());
            Ok(names.filter_map(|name| CString::new(name).ok()).collect())
        }
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

pub(crate) fn attribute(fd: BorrowedFd<'_>, name: &CStr) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0u8; 64 << 10];
    // SAFETY: the name is NUL-terminated; the kernel writes at most the buffer's length.
    let length = check(unsafe {
        libc::fgetxattr(fd.as_raw_fd(), name.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len())
    })?;
    buffer.truncate(length as usize);
    Ok(buffer)
}

pub(crate) fn set_attribute(fd: BorrowedFd<'_>, name: &CStr, value: &[u8]) -> io::Result<()> {
    // SAFETY: the name is NUL-terminated; the kernel reads as many bytes as the length says.
    check(unsafe { libc::fsetxattr(fd.as_raw_fd(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) })
        .map(drop)
}

/// Copies a file's content, leaving its holes holes and letting the file system share blocks where it can.
pub(crate) fn copy_content(from: &File, to: &File, size: u64) -> io::Result<()> {
    // SAFETY: FICLONE takes a descriptor.
    if unsafe { libc::ioctl(to.as_raw_fd(), libc::FICLONE as _, from.as_raw_fd()) } == 0 {
        return Ok(());
    }
    to.set_len(size)?;
    let mut position: i64 = 0;
    loop {
        // SAFETY: takes integers.
        let start = unsafe { libc::lseek(from.as_raw_fd(), position, libc::SEEK_DATA) };
        if start < 0 {
            let error = io::Error::last_os_error();
            // ENXIO: nothing but a hole up to the end.
            return if error.raw_os_error() == Some(libc::ENXIO) { Ok(()) } else { Err(error) };
        }
        // SAFETY: takes integers.
        let end = check(unsafe { libc::lseek(from.as_raw_fd(), start, libc::SEEK_HOLE) })?;
        copy_range(from, to, start, end)?;
        position = end;
    }
}

fn copy_range(from: &File, to: &File, start: i64, end: i64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let (mut source, mut target) = (start, start);
    while source < end {
        let length = (end - source) as usize;
        // SAFETY: both offsets are valid integers that the kernel advances.
        let copied = unsafe {
            libc::copy_file_range(
                from.as_raw_fd(),
                &raw mut source,
                to.as_raw_fd(),
                &raw mut target,
                length,
                0,
            )
        };
        if copied == 0 {
            return Ok(());
        }
        if copied < 0 {
            let error = io::Error::last_os_error();
            if !matches!(
                error.raw_os_error(),
                Some(libc::EXDEV | libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS | libc::EPERM)
            ) {
                return Err(error);
            }
            let mut buffer = vec![0u8; (128 << 10).min(length)];
            let read = from.read_at(&mut buffer, source as u64)?;
            if read == 0 {
                return Ok(());
            }
            to.write_all_at(&buffer[..read], target as u64)?;
            source += read as i64;
            target += read as i64;
        }
    }
    Ok(())
}

/// Space of the file system that a directory is on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Space {
    /// Bytes in use.
    pub(crate) used: u64,
    /// Whether next to nothing can be written or created there any more.
    pub(crate) is_full: bool,
}

/// Less room than one part in this many counts as none, within these bytes: whoever writes needs more for a moment than is
/// left when it has failed.
const PART: u64 = 64;
const LEAST_BYTES: u64 = 4 << 20;
const MOST_BYTES: u64 = 64 << 20;
/// The same of files.
const LEAST_FILES: u64 = 16;

/// Some file systems count nothing, or no files: their totals are zero, and that is not full.
fn is_full(bytes: u64, free_bytes: u64, files: u64, free_files: u64) -> bool {
    let least = (bytes / PART).clamp(LEAST_BYTES, MOST_BYTES);
    (bytes > 0 && free_bytes < least) || (files > 0 && free_files < LEAST_FILES)
}

pub(crate) fn space(fd: BorrowedFd<'_>) -> io::Result<Space> {
    // SAFETY: statvfs is plain data for which all zeroes is valid; the kernel fills it.
    unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        check(libc::fstatvfs(fd.as_raw_fd(), &raw mut stat))?;
        let (unit, total, free) = (stat.f_frsize, stat.f_blocks, stat.f_bfree);
        // What is reserved for root is not room: boxes write with the rights of users.
        let bytes = |blocks: u64| blocks.saturating_mul(unit);
        let is_full = is_full(bytes(total), bytes(stat.f_bavail), stat.f_files, stat.f_favail);
        Ok(Space { used: total.saturating_sub(free) * unit, is_full })
    }
}

/// The root directory of this process, to resolve names in; it need not be readable.
pub(crate) fn root() -> io::Result<OwnedFd> {
    // SAFETY: the path is NUL-terminated; the result is a new descriptor of ours alone.
    unsafe {
        let fd = check(libc::open(c"/".as_ptr(), libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// An empty directory at a path, and its parents, as [`std::fs::create_dir_all`], but beneath `root` only, through
/// links that stay inside it. Returns the last directory and the ones that were made.
pub(crate) fn make_directories(
    root: BorrowedFd<'_>,
    path: &Path,
    mode: u32,
    resolve: Resolve,
) -> io::Result<OwnedFd> {
    let mut names: Vec<&Path> = path.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
    let flags = libc::O_PATH | libc::O_DIRECTORY;
    // From the deepest that exists downwards, so that parents without read permission do not matter.
    let mut missing = Vec::new();
    names.reverse();
    let mut current = root.as_fd().try_clone_to_owned()?;
    while let Some(last) = names.pop() {
        match open_at(root, last, flags, 0, resolve) {
            Ok(directory) => {
                current = directory;
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(last),
            Err(error) => return Err(error),
        }
    }
    while let Some(next) = missing.pop() {
        let Some(name) = next.file_name() else {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        };
        let name = c_path(Path::new(name))?;
        match make_directory(current.as_fd(), &name, mode) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        current = open_entry(current.as_fd(), &name, flags, 0)?;
    }
    Ok(current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_bytes_or_files_is_full() {
        assert!(!is_full(24 << 20, 5 << 20, 1000, 900));
        assert!(is_full(24 << 20, 0, 1000, 900) && is_full(24 << 20, LEAST_BYTES - 1, 1000, 900));
        assert!(is_full(1 << 40, MOST_BYTES - 1, 1000, 900) && !is_full(1 << 40, MOST_BYTES, 1000, 900));
        assert!(is_full(24 << 20, 24 << 20, 1000, 0), "no inodes are no room either");
        assert!(!is_full(24 << 20, 24 << 20, 0, 0), "one that does not count its files has room for them");
        assert!(!is_full(0, 0, 0, 0), "one that counts nothing tells nothing");
    }

    #[test]
    fn directory_records_give_names_and_kinds_without_the_two_dots() {
        let record = |name: &[u8], kind: u8| {
            let length = (19 + name.len() + 1).next_multiple_of(8);
            let mut bytes = vec![0u8; length];
            bytes[16..18].copy_from_slice(&(length as u16).to_ne_bytes());
            bytes[18] = kind;
            bytes[19..19 + name.len()].copy_from_slice(name);
            bytes
        };
        let records =
            [record(b".", libc::DT_DIR), record(b"a\nb", libc::DT_REG), record(b"x", libc::DT_UNKNOWN)]
                .concat();
        let mut found = Vec::new();
        parse_entries(&records, &mut found);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_c_str(), found[0].kind), (c"a\nb", Some(Kind::Regular)));
        assert_eq!((found[1].name.as_c_str(), found[1].kind), (c"x", None));
    }

    #[test]
    fn a_damaged_record_ends_the_list() {
        let mut found = Vec::new();
        parse_entries(&[0xff; 40], &mut found);
        assert!(found.is_empty());
    }

    #[test]
    fn a_copy_keeps_holes() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        {
            use std::os::unix::fs::FileExt;
            let file = File::create(&from).unwrap();
            file.set_len(8 << 20).unwrap();
            file.write_all_at(b"middle", 4 << 20).unwrap();
        }
        let source = File::open(&from).unwrap();
        let target = File::options().read(true).write(true).create_new(true).open(&to).unwrap();
        copy_content(&source, &target, 8 << 20).unwrap();
        assert_eq!(std::fs::read(&from).unwrap(), std::fs::read(&to).unwrap());
        assert!(status(target.as_fd()).unwrap().allocated < 1 << 20);
    }

    #[test]
    fn strict_resolution_follows_no_link_and_beneath_only_those_that_stay() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("inside")).unwrap();
        std::os::unix::fs::symlink("inside", directory.path().join("stays")).unwrap();
        std::os::unix::fs::symlink("/etc", directory.path().join("leaves")).unwrap();
        let root = open_directory(directory.path()).unwrap();
        let open = |name: &str, resolve| open_at(root.as_fd(), Path::new(name), libc::O_RDONLY, 0, resolve);
        assert!(open("stays", Resolve::Strict).is_err());
        assert!(open("stays", Resolve::Beneath).is_ok());
        assert!(open("leaves", Resolve::Beneath).is_err());
        assert!(open("../x", Resolve::Beneath).is_err());
    }

    #[test]
    fn directories_are_made_below_the_deepest_that_exists() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("a")).unwrap();
        let root = open_directory(directory.path()).unwrap();
        make_directories(root.as_fd(), Path::new("a/b/c"), 0o755, Resolve::Beneath).unwrap();
        assert!(directory.path().join("a/b/c").is_dir());
        make_directories(root.as_fd(), Path::new("a/b/c"), 0o755, Resolve::Beneath).unwrap();
    }
}
