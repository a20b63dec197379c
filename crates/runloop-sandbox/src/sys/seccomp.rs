//! Installing a filter over the system calls of this process and its children; asking for landlock.

use std::io;

use super::check;

/// One instruction of the filter machine.
pub(crate) type Instruction = libc::sock_filter;

/// Installs a filter. Needs [`super::limits::forbid_new_privileges`] first, or capabilities over the user namespace.
pub(crate) fn install(filter: &mut [Instruction]) -> io::Result<()> {
    let length = u16::try_from(filter.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let program = libc::sock_fprog { len: length, filter: filter.as_mut_ptr() };
    // SAFETY: the program has as many instructions as its length says and is copied by the kernel.
    check(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0u32, &raw const program)
    })
    .map(drop)
}

/// The version of landlock that the kernel has.
pub(crate) fn landlock_version() -> io::Result<u32> {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the attributes must be null and nothing is made.
    check(unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, VERSION)
    })
    .map(|version| version as u32)
}
