//! Signals, reaping, executing, polling.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::check;

/// How a child ended, as waitpid(2) tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Exited(i32),
    Signaled(i32),
}

/// Reaps one child that has ended. `Ok(None)` when children run but none has ended; an error when there is no child.
pub(crate) fn reap(wait: bool) -> io::Result<Option<(i32, Ended)>> {
    let mut status = 0;
    let pid = loop {
        // SAFETY: the kernel writes the status to a valid integer.
        match check(unsafe { libc::waitpid(-1, &raw mut status, if wait { 0 } else { libc::WNOHANG }) }) {
            Ok(pid) => break pid,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    if pid == 0 {
        return Ok(None);
    }
    let ended = if libc::WIFSIGNALED(status) {
        Ended::Signaled(libc::WTERMSIG(status))
    } else {
        Ended::Exited(libc::WEXITSTATUS(status))
    };
    Ok(Some((pid, ended)))
}

/// Waits for one child.
pub(crate) fn wait_for(pid: i32) -> io::Result<Ended> {
    let mut status = 0;
    loop {
        // SAFETY: the kernel writes the status to a valid integer.
        match check(unsafe { libc::waitpid(pid, &raw mut status, 0) }) {
            Ok(_) if libc::WIFSIGNALED(status) => return Ok(Ended::Signaled(libc::WTERMSIG(status))),
            Ok(_) => return Ok(Ended::Exited(libc::WEXITSTATUS(status))),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// kill(2): a process, a group (negative), or with -1 everything this process may signal.
pub(crate) fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: takes integers.
    check(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// Signals the process behind a pidfd, and never another one.
pub(crate) fn kill_handle(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: a null siginfo asks for the default one.
    check(unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, std::ptr::null::<u8>(), 0u32)
    })
    .map(drop)
}

/// The number of this process.
pub(crate) fn own() -> i32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::getpid() }
}

/// The number of this process's parent.
pub(crate) fn parent() -> i32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::getppid() }
}

/// The parent of another process, as `/proc` tells it.
pub(crate) fn parent_of(pid: i32) -> Option<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit(')').next()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Starts a new session and process group.
pub(crate) fn new_session() -> io::Result<()> {
    // SAFETY: no arguments.
    check(unsafe { libc::setsid() }).map(drop)
}

/// Gives every signal its default action and unblocks all: what a fresh program expects.
pub(crate) fn default_signals() {
    for signal in 1..=64 {
        // SAFETY: setting a default action runs no code of ours; refused numbers only return an error.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    unblock_signals();
}

/// Unblocks all signals.
pub(crate) fn unblock_signals() {
    // SAFETY: an emptied set is initialised before it is used; the old mask is not asked for.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// Blocks SIGCHLD and returns a descriptor that is readable when children have ended.
pub(crate) fn child_events() -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised by sigemptyset before use; signalfd returns a descriptor of ours alone.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        check(libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()))?;
        let fd = check(libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Forgets what a descriptor of [`child_events`] has gathered.
pub(crate) fn drain(events: BorrowedFd<'_>) {
    let mut buffer = [0u8; 1024];
    // SAFETY: the kernel writes at most the buffer's length.
    while unsafe { libc::read(events.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) } > 0 {}
}

/// Waits until one of the descriptors can be read (or is at its end); says which. `None` waits for ever.
pub(crate) fn wait_readable<const N: usize>(
    fds: [BorrowedFd<'_>; N],
    milliseconds: Option<u32>,
) -> io::Result<[bool; N]> {
    let mut polled = fds.map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    let timeout = milliseconds.map_or(-1, |value| value.min(i32::MAX as u32) as i32);
    // SAFETY: the array has as many entries as the length says.
    match check(unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, timeout) }) {
        Ok(_) => Ok(polled.map(|entry| entry.revents != 0)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok([false; N]),
        Err(error) => Err(error),
    }
}

/// Makes `fd` the descriptor number `target`, kept across exec.
pub(crate) fn place(fd: BorrowedFd<'_>, target: RawFd) -> io::Result<()> {
    let flags = if fd.as_raw_fd() == target {
        // SAFETY: takes integers. dup2 onto itself would leave close-on-exec set.
        unsafe { libc::fcntl(target, libc::F_SETFD, 0) }
    } else {
        // SAFETY: takes integers; what `target` was before is closed, which is what the callers (about to exec) want.
        unsafe { libc::dup2(fd.as_raw_fd(), target) }
    };
    check(flags).map(drop)
}

/// A copy of `fd` at a number of at least `lowest`, closed on exec.
pub(crate) fn copy_above(fd: BorrowedFd<'_>, lowest: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: takes integers; the result is a new descriptor of ours alone.
    unsafe {
        let copy = check(libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, lowest))?;
        Ok(OwnedFd::from_raw_fd(copy))
    }
}

/// Makes a directory the root and the working directory of this process.
pub(crate) fn change_root(directory: BorrowedFd<'_>) -> io::Result<()> {
    change_directory(directory)?;
    std::os::unix::fs::chroot(".")
}

/// Makes a directory the working directory of this process.
pub(crate) fn change_directory(directory: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes an integer.
    check(unsafe { libc::fchdir(directory.as_raw_fd()) }).map(drop)
}

/// Renumbers these descriptors from 3 on and closes all others above 2. Only for a process just forked that never
/// goes back to what its parent was doing: values there that own descriptors must not be used or dropped.
pub(crate) fn keep_only(fds: &[BorrowedFd<'_>]) -> io::Result<Vec<OwnedFd>> {
    let end = 3 + fds.len() as RawFd;
    let mut raised = Vec::with_capacity(fds.len());
    for fd in fds {
        raised.push(copy_above(*fd, end)?);
    }
    for (fd, number) in raised.iter().zip(3..) {
        // SAFETY: takes integers; what had this number before is given up, see above.
        check(unsafe { libc::dup3(fd.as_raw_fd(), number, libc::O_CLOEXEC) })?;
    }
    std::mem::forget(raised);
    close_from(end);
    // SAFETY: these numbers were just made; the copies they came from are closed and forgotten.
    Ok((3..end).map(|number| unsafe { OwnedFd::from_raw_fd(number) }).collect())
}

/// Closes every descriptor from `first` on. Whoever calls this has no owner of such a descriptor left in use.
pub(crate) fn close_from(first: RawFd) {
    // SAFETY: takes integers. Descriptors that Rust values still own are only used by a process that goes on to `_exit`
    // or that dropped them before.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
    if closed < 0 {
        for fd in first..4096 {
            // SAFETY: as above, one at a time on kernels without close_range.
            unsafe { libc::close(fd) };
        }
    }
}

/// Arguments or environment as execve(2) wants them: kept alive together with the pointers to them.
pub(crate) struct Strings {
    _owned: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl Strings {
    pub(crate) fn new(strings: Vec<CString>) -> Self {
        let mut pointers: Vec<_> = strings.iter().map(|text| text.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Self { _owned: strings, pointers }
    }
}

/// Becomes another program; returns only if that failed.
pub(crate) fn execute(program: &CStr, argv: &Strings, env: &Strings) -> io::Error {
    // SAFETY: both arrays end with a null pointer and every other pointer leads to a string that lives in `Strings`.
    unsafe { libc::execve(program.as_ptr(), argv.pointers.as_ptr(), env.pointers.as_ptr()) };
    io::Error::last_os_error()
}

/// Ends this process at once, without running destructors or exit handlers of the parent it was copied from.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: never returns and touches no memory.
    unsafe { libc::_exit(status) }
}

/// Sets the host name of this process's UTS namespace.
pub(crate) fn set_host_name(name: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads as many bytes as the length says.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }).map(drop)
}

/// Brings up the loopback interface of this process's network namespace.
pub(crate) fn loopback_up() -> io::Result<()> {
    // SAFETY: ifreq is plain data for which all zeroes is valid; the name is two bytes of its 16; the ioctl reads the
    // struct that the pointer names; the socket is closed by its owner.
    unsafe {
        let socket = check(libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0))?;
        let socket = OwnedFd::from_raw_fd(socket);
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        check(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request)).map(drop)
    }
}
