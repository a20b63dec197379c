//! The new mount interface: mounts are made detached, configured, and only then put in their place.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use super::{c_bytes, c_path, check};

const FSOPEN_CLOEXEC: libc::c_uint = 1;
const FSMOUNT_CLOEXEC: libc::c_uint = 1;
const FSCONFIG_SET_FLAG: libc::c_uint = 0;
const FSCONFIG_SET_STRING: libc::c_uint = 1;
const FSCONFIG_CMD_CREATE: libc::c_uint = 6;
const OPEN_TREE_CLONE: libc::c_uint = 1;
const MOVE_MOUNT_F_EMPTY_PATH: libc::c_uint = 4;
const MOUNT_ATTR_IDMAP: u64 = 0x0010_0000;

/// Properties of a mount, as bits of mount_setattr(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attributes(u64);

impl Attributes {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const READ_ONLY: Self = Self(1);
    pub(crate) const NO_SUID: Self = Self(2);
    pub(crate) const NO_DEVICES: Self = Self(4);
    pub(crate) const NO_EXEC: Self = Self(8);

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// `struct mount_attr` of mount_setattr(2).
#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns: u64,
}

/// A file system being configured.
struct Context(OwnedFd);

impl Context {
    fn open(kind: &CStr) -> io::Result<Self> {
        // SAFETY: the name is NUL-terminated; the result is a new descriptor of ours alone.
        let fd = check(unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), FSOPEN_CLOEXEC) })?;
        // SAFETY: see above.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
    }

    fn configure(&self, command: libc::c_uint, key: Option<&CStr>, value: Option<&CStr>) -> io::Result<()> {
        let pointer = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: key and value are null or NUL-terminated, as the command demands, and live until the call returns.
        check(unsafe {
            libc::syscall(libc::SYS_fsconfig, self.0.as_raw_fd(), command, pointer(key), pointer(value), 0)
        })
        .map(drop)
        .map_err(|error| self.explain(error))
    }

    fn set(&self, key: &CStr, value: &[u8]) -> io::Result<()> {
        self.configure(FSCONFIG_SET_STRING, Some(key), Some(&c_bytes(value)?))
    }

    fn flag(&self, key: &CStr) -> io::Result<()> {
        self.configure(FSCONFIG_SET_FLAG, Some(key), None)
    }

    fn mount(self, attributes: Attributes) -> io::Result<OwnedFd> {
        self.configure(FSCONFIG_CMD_CREATE, None, None)?;
        // SAFETY: takes a descriptor and integers.
        let fd = check(unsafe {
            libc::syscall(
                libc::SYS_fsmount,
                self.0.as_raw_fd(),
                FSMOUNT_CLOEXEC,
                attributes.0 as libc::c_uint,
            )
        })
        .map_err(|error| self.explain(error))?;
        // SAFETY: the descriptor was just made and belongs to nobody else.
        Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
    }

    /// Adds what the kernel has to say about a refusal: the errno alone is nearly always EINVAL.
    fn explain(&self, error: io::Error) -> io::Error {
        let mut buffer = [0u8; 512];
        // SAFETY: the kernel writes at most the buffer's length.
        let length = unsafe { libc::read(self.0.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        match usize::try_from(length) {
            Ok(length @ 3..) => {
                let text = String::from_utf8_lossy(&buffer[2..length]).trim_end().to_owned();
                io::Error::new(error.kind(), Explained { error, text })
            }
            _ => error,
        }
    }
}

/// An errno with the kernel's own words.
#[derive(Debug)]
pub(crate) struct Explained {
    pub(crate) error: io::Error,
    text: String,
}

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.error, self.text)
    }
}

impl std::error::Error for Explained {}

/// What an overlay mount is made of.
pub(crate) struct Overlay<'a> {
    /// Directories below, the uppermost first.
    pub(crate) lowers: &'a [&'a Path],
    /// Directory that takes the changes, and the scratch directory beside it on the same file system.
    pub(crate) upper: &'a Path,
    pub(crate) work: &'a Path,
    /// Marks are kept as `user.` attributes: the only ones that an unprivileged mounter may write.
    pub(crate) user_marks: bool,
}

/// Makes an overlay that is never synced to disk: what is in it is either snapshot or thrown away.
pub(crate) fn overlay(overlay: &Overlay<'_>) -> io::Result<OwnedFd> {
    use std::os::unix::ffi::OsStrExt;
    let context = Context::open(c"overlay")?;
    context.set(c"source", b"overlay")?;
    for lower in overlay.lowers {
        context.set(c"lowerdir+", lower.as_os_str().as_bytes())?;
    }
    context.set(c"upperdir", overlay.upper.as_os_str().as_bytes())?;
    context.set(c"workdir", overlay.work.as_os_str().as_bytes())?;
    if overlay.user_marks {
        context.flag(c"userxattr")?;
    } else {
        context.set(c"redirect_dir", b"off")?;
        context.set(c"metacopy", b"off")?;
    }
    context.set(c"index", b"off")?;
    context.flag(c"volatile")?;
    context.mount(Attributes::NONE)
}

/// Makes a read-only overlay out of these directories, the uppermost first.
pub(crate) fn merged(lowers: &[&Path]) -> io::Result<OwnedFd> {
    use std::os::unix::ffi::OsStrExt;
    let context = Context::open(c"overlay")?;
    context.set(c"source", b"overlay")?;
    let added = lowers.iter().try_for_each(|lower| context.set(c"lowerdir+", lower.as_os_str().as_bytes()));
    let context = match added {
        Ok(()) => context,
        Err(_) => {
            // Before 6.8 all at once. Our own paths have nothing in them that would have to be escaped.
            let context = Context::open(c"overlay")?;
            let all: Vec<_> = lowers.iter().map(|lower| lower.as_os_str().as_bytes()).collect();
            context.set(c"source", b"overlay")?;
            context.set(c"lowerdir", &all.join(&b':'))?;
            context
        }
    };
    context.mount(Attributes::READ_ONLY)
}

/// The same as [`overlay`] by way of mount(2), for kernels before 6.8, which cannot add lower directories one by one. The mount is
/// made on `scratch` and taken away from there. All options together must fit a page.
pub(crate) fn overlay_by_options(overlay: &Overlay<'_>, scratch: &Path) -> io::Result<OwnedFd> {
    use std::os::unix::ffi::OsStrExt;
    let escaped = |path: &Path| -> Vec<u8> {
        let mut text = Vec::new();
        for &byte in path.as_os_str().as_bytes() {
            if matches!(byte, b':' | b',' | b'\\') {
                text.push(b'\\');
            }
            text.push(byte);
        }
        text
    };
    let lowers: Vec<_> = overlay.lowers.iter().map(|path| escaped(path)).collect();
    let mut options = b"lowerdir=".to_vec();
    options.extend(lowers.join(&b':'));
    for (key, path) in [(&b",upperdir="[..], overlay.upper), (&b",workdir="[..], overlay.work)] {
        options.extend(key);
        options.extend(escaped(path));
    }
    options.extend(if overlay.user_marks {
        &b",userxattr"[..]
    } else {
        &b",redirect_dir=off,metacopy=off"[..]
    });
    options.extend(b",index=off,volatile");
    if options.len() >= 4096 {
        return Err(io::Error::from_raw_os_error(libc::E2BIG));
    }
    let (target, options) = (c_path(scratch)?, c_bytes(&options)?);
    let kind = c"overlay".as_ptr();
    // SAFETY: all strings are NUL-terminated and live until the call returns.
    check(unsafe { libc::mount(kind, target.as_ptr(), kind, 0, options.as_ptr().cast()) })?;
    let tree = clone_tree(scratch, false);
    detach(scratch)?;
    tree
}

/// Makes a file system of this kind, detached.
pub(crate) fn filesystem(
    kind: &CStr,
    options: &[(&CStr, &str)],
    attributes: Attributes,
) -> io::Result<OwnedFd> {
    let context = Context::open(kind)?;
    for (key, value) in options {
        if value.is_empty() {
            context.flag(key)?;
        } else {
            context.set(key, value.as_bytes())?;
        }
    }
    context.mount(attributes)
}

/// A detached copy of the mount at `path`, with the mounts below it if `recursive`.
pub(crate) fn clone_tree(path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    let path = c_path(path)?;
    let flags = OPEN_TREE_CLONE
        | libc::O_CLOEXEC as libc::c_uint
        | if recursive { libc::AT_RECURSIVE as libc::c_uint } else { 0 };
    // SAFETY: the path is NUL-terminated; the result is a new descriptor of ours alone.
    let fd = check(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) })?;
    // SAFETY: see above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn set_attributes(mount: BorrowedFd<'_>, attributes: &MountAttr, recursive: bool) -> io::Result<()> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty NUL-terminated string; the struct lives until the call returns and has the size given.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<MountAttr>(),
        )
    })
    .map(drop)
}

/// Adds properties to a mount, and to those below it if `recursive`.
pub(crate) fn restrict(mount: BorrowedFd<'_>, attributes: Attributes, recursive: bool) -> io::Result<()> {
    set_attributes(mount, &MountAttr { set: attributes.0, clear: 0, propagation: 0, userns: 0 }, recursive)
}

/// Shows the owners of a detached mount's files through the id map of a user namespace.
pub(crate) fn map_owners(mount: BorrowedFd<'_>, user_namespace: BorrowedFd<'_>) -> io::Result<()> {
    let userns = user_namespace.as_raw_fd() as u64;
    set_attributes(mount, &MountAttr { set: MOUNT_ATTR_IDMAP, clear: 0, propagation: 0, userns }, false)
}

/// Puts a detached mount in its place. A link at the end of `target` is not followed.
pub(crate) fn attach(mount: BorrowedFd<'_>, target: &Path) -> io::Result<()> {
    let target = c_path(target)?;
    // SAFETY: both paths are NUL-terminated and live until the call returns.
    check(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            target.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH,
        )
    })
    .map(drop)
}

/// Mounts and unmounts here are no longer seen outside; those outside still arrive here.
pub(crate) fn stop_propagation() -> io::Result<()> {
    let flags = libc::MS_REC | libc::MS_SLAVE;
    // SAFETY: source, type and data may be null for a change of propagation.
    check(unsafe { libc::mount(std::ptr::null(), c"/".as_ptr(), std::ptr::null(), flags, std::ptr::null()) })
        .map(drop)
}

/// Takes a mount away, with everything below it, as soon as nobody uses it.
pub(crate) fn detach(target: &Path) -> io::Result<()> {
    let target = c_path(target)?;
    // SAFETY: the path is NUL-terminated.
    check(unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH | libc::UMOUNT_NOFOLLOW) }).map(drop)
}

/// Makes the working directory, which must be a mount, the root of this process, and lets go of the old root.
pub(crate) fn pivot_here() -> io::Result<()> {
    let here = c".".as_ptr();
    // SAFETY: the paths are NUL-terminated.
    check(unsafe { libc::syscall(libc::SYS_pivot_root, here, here) })?;
    // SAFETY: as above. The old root now lies over the new one at `.`, so this is what is taken away.
    check(unsafe { libc::umount2(here, libc::MNT_DETACH) })?;
    // SAFETY: as above.
    check(unsafe { libc::chdir(c"/".as_ptr()) }).map(drop)
}
