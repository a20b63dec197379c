//! Resource limits and small per-process settings.

use std::io;

use super::check;

/// A limit of setrlimit(2).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resource {
    /// Processes and threads of this user in this user namespace.
    Processes,
    /// Size of any one file that is written.
    FileSize,
    /// Size of core dumps.
    Core,
}

/// Sets the soft and hard limit, never above the hard limit that is already there.
pub(crate) fn lower(resource: Resource, value: u64) -> io::Result<()> {
    let which = match resource {
        Resource::Processes => libc::RLIMIT_NPROC,
        Resource::FileSize => libc::RLIMIT_FSIZE,
        Resource::Core => libc::RLIMIT_CORE,
    };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel fills the struct that the pointer names.
    check(unsafe { libc::getrlimit(which, &raw mut limit) })?;
    let value = value.min(limit.rlim_max);
    let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: the kernel reads the struct that the pointer names.
    check(unsafe { libc::setrlimit(which, &raw const limit) }).map(drop)
}

/// Raises the number of descriptors this process may hold to what it is allowed at most, within reason.
pub(crate) fn raise_descriptors() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel fills, then reads, the struct that the pointer names.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            let wanted = limit.rlim_max.min(1 << 20);
            if limit.rlim_cur < wanted {
                limit.rlim_cur = wanted;
                libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
            }
        }
    }
}

/// Confines this process and its children to the first `count` processors it may use now.
pub(crate) fn use_processors(count: usize) -> io::Result<()> {
    // SAFETY: cpu_set_t is a plain bit set; all zeroes is the empty set.
    let mut allowed: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills the set, whose size is given.
    check(unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut allowed) })?;
    // SAFETY: as above.
    let mut chosen: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let mut left = count.max(1);
    for cpu in 0..libc::CPU_SETSIZE as usize {
        // SAFETY: `cpu` is below CPU_SETSIZE, so the bit is inside both sets.
        unsafe {
            if left > 0 && libc::CPU_ISSET(cpu, &allowed) {
                libc::CPU_SET(cpu, &mut chosen);
                left -= 1;
            }
        }
    }
    // SAFETY: the kernel reads the set, whose size is given.
    check(unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const chosen) }).map(drop)
}

/// Sets the permission bits that new files never get.
pub(crate) fn umask(mask: u32) {
    // SAFETY: takes an integer and cannot fail.
    unsafe { libc::umask(mask as libc::mode_t) };
}

/// The name that `ps` shows.
pub(crate) fn set_name(name: &std::ffi::CStr) {
    // SAFETY: the kernel reads at most 16 bytes of a NUL-terminated string.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// Makes memory, environment and descriptors of this process unreadable for all but the host's root.
pub(crate) fn forbid_inspection() -> io::Result<()> {
    // SAFETY: takes integers.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) }).map(drop)
}

/// Orphans among the descendants of this process become its children instead of init's.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: takes integers.
    check(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }).map(drop)
}

/// No program that is executed from here on gains rights from its file.
pub(crate) fn forbid_new_privileges() -> io::Result<()> {
    // SAFETY: takes integers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }).map(drop)
}
