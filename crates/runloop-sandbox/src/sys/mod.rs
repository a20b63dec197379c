//! The kernel calls that the standard library does not have, one idea per file, each with a safe signature.
//!
//! Nothing here knows what a box is. Every function reports the errno and leaves the decision to its caller.
#![expect(unsafe_code, reason = "the one place where the kernel is called directly")]

pub(crate) mod clone;
pub(crate) mod files;
pub(crate) mod ids;
pub(crate) mod limits;
pub(crate) mod mount;
pub(crate) mod process;
pub(crate) mod readiness;
pub(crate) mod seccomp;
pub(crate) mod socket;

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Turns the C convention "negative is an error, look at errno" into a `Result`.
fn check<T: Copy + Default + PartialOrd>(result: T) -> io::Result<T> {
    if result < T::default() { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// A path as the kernel wants it. A name with a NUL byte cannot exist, so it is an invalid argument.
pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    c_bytes(path.as_os_str().as_bytes())
}

pub(crate) fn c_bytes(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}
