//! Forking, with and without namespaces of its own for the child, and joining namespaces.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::check;

/// Which namespaces a child gets of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Namespaces(u64);

impl Namespaces {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const USER: Self = Self(libc::CLONE_NEWUSER as u64);
    pub(crate) const MOUNT: Self = Self(libc::CLONE_NEWNS as u64);
    pub(crate) const PID: Self = Self(libc::CLONE_NEWPID as u64);
    pub(crate) const IPC: Self = Self(libc::CLONE_NEWIPC as u64);
    pub(crate) const UTS: Self = Self(libc::CLONE_NEWUTS as u64);
    pub(crate) const NET: Self = Self(libc::CLONE_NEWNET as u64);

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Which side of a fork this is.
pub(crate) enum Forked {
    Child,
    Parent {
        /// Number of the child in this process's own pid namespace; valid until the child is reaped.
        pid: i32,
        /// A handle on the child that no other process can take over.
        pidfd: OwnedFd,
    },
}

/// `struct clone_args` of clone3(2), first version.
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

/// Forks with namespaces of its own for the child. Only for single-threaded processes: the child is a copy of
/// the caller alone.
pub(crate) fn fork_into(namespaces: Namespaces) -> io::Result<Forked> {
    let mut pidfd: RawFd = -1;
    let args = CloneArgs {
        flags: namespaces.0 | libc::CLONE_PIDFD as u64,
        pidfd: &raw mut pidfd as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    // SAFETY: without CLONE_VM and without a stack this is a fork: the child continues here on a copy of this stack.
    // The kernel writes the pidfd through a pointer that is valid in the parent. The callers are single-threaded, so
    // no lock of the allocator can be held by a thread that the child does not have.
    let mut pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<CloneArgs>()) };
    if pid < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ENOSYS) {
        // Container engines refuse clone3 with ENOSYS because their filters cannot see its flags; clone they can see.
        let flags = (namespaces.0 | libc::CLONE_PIDFD as u64 | libc::SIGCHLD as u64) as libc::c_long;
        // SAFETY: as above; with a null stack clone is a fork, and its third argument takes the pidfd.
        pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0usize, &raw mut pidfd, 0usize, 0usize) };
    }
    if check(pid)? == 0 {
        return Ok(Forked::Child);
    }
    // SAFETY: on success the kernel stored a new descriptor, which belongs to nobody else.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Forked::Parent { pid: pid as i32, pidfd })
}

/// Forks plainly; `None` in the child. Only for single-threaded processes.
pub(crate) fn fork() -> io::Result<Option<i32>> {
    // SAFETY: the callers are single-threaded, so the child may use everything it has a copy of.
    let pid = check(unsafe { libc::fork() })?;
    Ok((pid != 0).then_some(pid))
}

/// Stack of a child that shares memory: deep enough for a handful of kernel calls.
const SHARING_STACK: usize = 64 << 10;

/// Starts `work` in a child that shares this process's memory, and waits until the child has executed a program or ended.
/// Several times cheaper than a fork, which copies page tables that an exec throws away.
///
/// Whoever may signal the child can end it at any point, and what it was changing then stays half-changed in this process.
/// So `work` must not allocate, lock or drop: it makes kernel calls on values that exist already and may write plain
/// numbers to variables of the caller. It must not return unless it failed; the result is the exit status.
///
/// Only for single-threaded processes without signal handlers.
pub(crate) fn spawn_sharing(work: &mut dyn FnMut() -> i32) -> io::Result<i32> {
    extern "C" fn run(argument: *mut libc::c_void) -> libc::c_int {
        // SAFETY: the argument is the reference that `spawn_sharing` holds, suspended, until this process is done with it.
        let work = unsafe { &mut *argument.cast::<&mut dyn FnMut() -> i32>() };
        work()
    }
    let mut work = work;
    let mut stack: Vec<std::mem::MaybeUninit<u8>> = Vec::with_capacity(SHARING_STACK);
    // SAFETY: the child runs on a stack of its own, which grows down from its end (glibc and musl align it), with this
    // thread suspended until it has left our memory: no two threads ever run in it at a time. Our thread-local storage is
    // used by the child meanwhile, for `errno` alone. Stack and argument outlive the suspension.
    let pid = unsafe {
        let top = stack.as_mut_ptr().add(SHARING_STACK).cast::<libc::c_void>();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        libc::clone(run, top, flags, (&raw mut work).cast::<libc::c_void>())
    };
    check(pid)
}

/// Moves this process into namespaces of its own.
pub(crate) fn unshare(namespaces: Namespaces) -> io::Result<()> {
    // SAFETY: takes an integer and touches no memory of ours.
    check(unsafe { libc::unshare(namespaces.0 as libc::c_int) }).map(drop)
}

/// Joins the namespace behind a descriptor of a file in `/proc/PID/ns`, which must be of this kind. With that of mounts, the
/// root and the working directory become its root.
pub(crate) fn join(namespace: BorrowedFd<'_>, kind: Namespaces) -> io::Result<()> {
    // SAFETY: takes a descriptor and an integer.
    check(unsafe { libc::setns(namespace.as_raw_fd(), kind.0 as libc::c_int) }).map(drop)
}

/// Takes hold of the namespace that a directory `/proc/PID/ns` has under this name.
pub(crate) fn open_namespace(names: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: the name is NUL-terminated; the result is a new descriptor of ours alone.
    unsafe {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        Ok(OwnedFd::from_raw_fd(check(libc::openat(names.as_raw_fd(), name.as_ptr(), flags))?))
    }
}
