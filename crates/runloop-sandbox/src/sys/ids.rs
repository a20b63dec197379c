//! Changing who this process is.

use std::io;

use super::check;

pub(crate) fn effective_uid() -> u32 {
    // SAFETY: geteuid has no arguments and cannot fail.
    unsafe { libc::geteuid() }
}

pub(crate) fn effective_gid() -> u32 {
    // SAFETY: getegid has no arguments and cannot fail.
    unsafe { libc::getegid() }
}

/// Drops all supplementary groups.
pub(crate) fn clear_groups() -> io::Result<()> {
    // SAFETY: with a length of 0 the pointer is not read.
    check(unsafe { libc::setgroups(0, std::ptr::null()) }).map(drop)
}

/// Becomes this user and group for good: real, effective and saved ids. Capabilities go with uid 0.
pub(crate) fn become_user(uid: u32, gid: u32) -> io::Result<()> {
    // SAFETY: takes integers.
    check(unsafe { libc::setresgid(gid, gid, gid) })?;
    // SAFETY: takes integers.
    check(unsafe { libc::setresuid(uid, uid, uid) }).map(drop)
}

/// Runs `work` with the file-system identity of another user, as a file server does. Only for single-threaded
/// processes that are user 0 of their namespace: to them the kernel gives the file capabilities back afterwards.
pub(crate) fn as_file_user<T>(uid: u32, gid: u32, work: impl FnOnce() -> T) -> T {
    // SAFETY: both take integers and return the former id; -1 changes nothing and only asks.
    let (old_gid, old_uid) = unsafe { (libc::setfsgid(gid), libc::setfsuid(uid)) };
    let result = work();
    // SAFETY: as above; the former ids were returned by the kernel.
    unsafe {
        libc::setfsuid(old_uid as u32);
        libc::setfsgid(old_gid as u32);
    }
    result
}

/// Programs that are executed from here on have no capabilities, whoever runs them. This process keeps its own.
pub(crate) fn forget_capabilities() {
    for capability in 0..64 {
        // SAFETY: takes integers; numbers that this kernel does not know are refused.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    }
}
