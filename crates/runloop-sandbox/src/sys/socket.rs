//! Sequenced-packet sockets that carry messages with file descriptors, and sealed memory for the messages that are
//! too long for a packet.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::check;

/// No message of ours carries more descriptors than this; more are closed unseen.
const MAX_FDS: usize = 8;

/// A connected pair. Each send is one message: it arrives whole or not at all.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds: [RawFd; 2] = [-1; 2];
    // SAFETY: `fds` has room for the two descriptors that the kernel writes.
    check(unsafe {
        libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0, fds.as_mut_ptr())
    })?;
    // SAFETY: both descriptors were just made and belong to nobody else.
    Ok(unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) })
}

#[repr(C, align(8))]
struct Control([u8; 64]);

/// Sends one message; `wait` says whether to block while the peer's queue is full.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    data: &[u8],
    fds: &[BorrowedFd<'_>],
    wait: bool,
) -> io::Result<()> {
    if fds.len() > MAX_FDS {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let mut iov = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    let mut control = Control([0; 64]);
    // SAFETY: an all-zero msghdr is a valid value: no name, no buffers, no control data.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut iov;
    message.msg_iovlen = 1;
    if !fds.is_empty() {
        let bytes = size_of::<RawFd>() * fds.len();
        message.msg_control = control.0.as_mut_ptr().cast();
        // SAFETY: CMSG_SPACE is pure arithmetic; for MAX_FDS descriptors it is 48, below the buffer's 64.
        message.msg_controllen = unsafe { libc::CMSG_SPACE(bytes as u32) } as _;
        // SAFETY: the control buffer is aligned and holds one header with `bytes` of data, so the first header is in
        // it, and its data area takes all descriptors.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(bytes as u32) as _;
            let target = libc::CMSG_DATA(header).cast::<RawFd>();
            for (index, fd) in fds.iter().enumerate() {
                target.add(index).write_unaligned(fd.as_raw_fd());
            }
        }
    }
    let flags = libc::MSG_NOSIGNAL | if wait { 0 } else { libc::MSG_DONTWAIT };
    loop {
        // SAFETY: the message points at `data`, `iov` and `control`, which all live until the call returns.
        match check(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags) }) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// One received message. Length 0 is the end: our messages are never empty.
pub(crate) struct Received {
    pub(crate) length: usize,
    pub(crate) fds: Vec<OwnedFd>,
    /// The message or its descriptors did not fit: whatever it was, it is not one of ours.
    pub(crate) cut: bool,
}

/// Receives one message into `buffer`.
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8], wait: bool) -> io::Result<Received> {
    let mut iov = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control = Control([0; 64]);
    // SAFETY: an all-zero msghdr is a valid value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut iov;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len() as _;
    let flags = libc::MSG_CMSG_CLOEXEC | if wait { 0 } else { libc::MSG_DONTWAIT };
    let length = loop {
        // SAFETY: the message points at `buffer`, `iov` and `control`, which live until the call returns.
        match check(unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) }) {
            Ok(length) => break length as usize,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    let mut fds = Vec::new();
    // SAFETY: the kernel filled the control buffer and set its length; the CMSG macros stay within that length, and
    // each descriptor in an SCM_RIGHTS message is new in this process and owned by nobody else.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let bytes = (*header).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let data = libc::CMSG_DATA(header).cast::<RawFd>();
                for index in 0..bytes / size_of::<RawFd>() {
                    fds.push(OwnedFd::from_raw_fd(data.add(index).read_unaligned()));
                }
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
    }
    let cut = message.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0;
    Ok(Received { length, fds, cut })
}

/// Ends a connection for every holder of it, in both directions.
pub(crate) fn shut(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes integers.
    check(unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_RDWR) }).map(drop)
}

/// Puts a long message into memory that can be passed as a descriptor and no longer be changed.
pub(crate) fn sealed_memory(data: &[u8]) -> io::Result<OwnedFd> {
    // SAFETY: the name is a NUL-terminated constant; the kernel copies it.
    let fd = check(unsafe {
        libc::memfd_create(c"runloop-message".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)
    })?;
    // SAFETY: the descriptor was just made and belongs to nobody else.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(data)?;
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: fcntl with F_ADD_SEALS takes an integer and touches no memory of ours.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) })?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_message_arrives_whole_with_its_descriptors() {
        let (ours, theirs) = pair().unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        send(ours.as_fd(), b"hello", &[writer.as_fd()], true).unwrap();
        drop(writer);
        let mut buffer = [0; 64];
        let received = receive(theirs.as_fd(), &mut buffer, true).unwrap();
        assert_eq!(&buffer[..received.length], b"hello");
        assert!(!received.cut);
        let mut passed = File::from(received.fds.into_iter().next().unwrap());
        passed.write_all(b"through").unwrap();
        drop(passed);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
    }

    #[test]
    fn a_message_that_does_not_fit_is_told_as_cut() {
        let (ours, theirs) = pair().unwrap();
        send(ours.as_fd(), &[7; 100], &[], true).unwrap();
        let received = receive(theirs.as_fd(), &mut [0; 10], true).unwrap();
        assert!(received.cut);
    }

    #[test]
    fn the_end_of_the_peer_is_a_message_of_length_zero() {
        let (ours, theirs) = pair().unwrap();
        drop(theirs);
        assert_eq!(receive(ours.as_fd(), &mut [0; 10], true).unwrap().length, 0);
        assert!(send(ours.as_fd(), b"x", &[], true).is_err());
    }

    #[test]
    fn sealed_memory_can_be_read_but_not_changed() {
        let mut file = File::from(sealed_memory(b"fixed").unwrap());
        file.rewind().unwrap();
        assert!(file.write_all(b"other").is_err());
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "fixed");
    }
}
