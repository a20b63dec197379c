//! What the harness, the zygote and the brokers say to each other.
//!
//! The zygote and the requests of the harness are trusted. Whatever a broker says is not: it shares a namespace with
//! the box's processes. The harness checks sizes, ids and descriptors of every answer and takes no path or process
//! number from it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use crate::sys::{files, socket};
use crate::wire::{self, Wire, wire_enum, wire_struct};

/// First argument that turns the program into the zygote.
pub(crate) const ZYGOTE_ARGUMENT: &str = "runloop-sandbox-zygote";

/// Longest packet; what is longer goes through sealed memory.
pub(crate) const MAX_PACKET: usize = 32 << 10;
/// Longest message at all: twice what Linux takes for the arguments of one command.
const MAX_MESSAGE: u64 = 8 << 20;
/// Longest answer of a broker.
pub(crate) const MAX_REPLY: usize = 4 << 10;

wire_enum!(
    /// What the zygote prepares once, for all its boxes.
    Setup {
        /// Root of the host: a mount namespace of the zygote's own, boxes in user namespaces of 65536 shifted ids.
        1 = Root { shift: u32 },
        /// An ordinary user: every box makes a user namespace for one id.
        2 = User {},
        /// No namespaces: boxes are process trees. `confine` says whether landlock is there to be used.
        3 = Process { confine: bool },
    }
);

wire_enum!(
    /// A directory at the bottom or in the middle of an overlay.
    Lower {
        /// A layer of ours, with the owners that it shall have.
        1 = Layer { path: PathBuf },
        /// A directory of the host, whose owners are to be shown shifted, below a skeleton of ours. Files of the host's
        /// user `stranger` must not look as if they belonged to the box's user of the same number.
        2 = Base { skeleton: PathBuf, host: PathBuf, stranger: Option<u32> },
    }
);

wire_struct!(
    /// One overlay of a box. Its changes are kept in `up/<name>` of the box.
    Tree {
        name: String,
        /// Absolute, inside the box. The first tree of a plan is at `/`.
        target: PathBuf,
        lowers: Vec<Lower>,
    }
);

wire_enum!(
    /// Where the broker of a box lives.
    Shape {
        /// In namespaces of its own, over these trees.
        1 = Namespaces {
            trees: Vec<Tree>,
            /// Host directories to be shown at the same place, read-only, with whatever is mounted below them.
            shown: Vec<(PathBuf, PathBuf)>,
            /// Content of `/etc/resolv.conf`.
            resolver: Option<OsString>,
            /// Answer "done" to calls that change owners: for a box whose only id is root.
            fake_owners: bool,
        },
        /// In a process tree that may write below this directory only.
        2 = Directory {
            path: PathBuf,
            /// User that runs the commands, if the harness may choose one.
            uid: Option<u32>,
            readable: Vec<PathBuf>,
        },
    }
);

wire_struct!(
    /// Everything the zygote and the broker need to know about a box.
    Plan {
        /// Directory of the box, relative to the state directory.
        directory: PathBuf,
        /// How often the box was started before: each start has a scratch directory of its own.
        generation: u32,
        shape: Shape,
        hostname: String,
        /// Loopback only?
        offline: bool,
        /// User that runs the commands, inside the box.
        uid: u32,
        home: PathBuf,
        max_processes: Option<u64>,
        max_file_size: u64,
        /// Resident bytes that the box may have.
        max_memory: u64,
        /// Whether the broker has to see to that, by killing the largest process beyond.
        watch_memory: bool,
        /// Processors to be used at most, where no control group holds the limit.
        processors: Option<u32>,
        /// Control groups the broker goes into before it begins: the files it writes itself into.
        groups: Vec<PathBuf>,
        /// Control groups of the sandbox, which the zygote removes in the end if the harness does not.
        group_roots: Vec<PathBuf>,
    }
);

wire_struct!(
    /// Which descriptors come along, in this order.
    Kept {
        root: bool,
        user: bool,
        network: bool,
        mounts: bool,
    }
);

wire_enum!(
    /// Harness to zygote. The first comes with the lock of the state directory, the others with the broker's end of the
    /// box's socket and what is kept from an earlier start of the box.
    ZygoteRequest {
        1 = Begin { setup: Setup },
        2 = Create { plan: Box<Plan>, kept: Kept },
    }
);

wire_struct!(
    /// Zygote to a process that waits to become the first of a box. It comes with the broker's end of the box's socket and
    /// what is kept.
    Birth {
        plan: Plan,
        kept: Kept,
    }
);

wire_enum!(
    /// Zygote to harness. `Created` carries the broker's pidfd and what can be kept for another start; the root is not among
    /// that, since the broker mounts it.
    ZygoteReply {
        1 = Ready {},
        2 = Created { kept: Kept },
        3 = Failed { failure: Failure },
    }
);

wire_struct!(
    /// What could not be done and what the kernel said.
    Failure {
        step: String,
        errno: i32,
        /// More than the errno says, where there is more.
        text: String,
    }
);

/// What is left of a box's earlier start that saves the next one work. Only where host root makes the boxes.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    /// The root as it was mounted.
    pub(crate) root: Option<OwnedFd>,
    /// The user namespace.
    pub(crate) user: Option<OwnedFd>,
    /// The network namespace, without interfaces but loopback. Never used again while anything in it remembers a socket.
    pub(crate) network: Option<OwnedFd>,
    /// The mount namespace. Not for another start: while it is held, the end of the last process does not wait until the
    /// kernel has taken its mounts down. That is for whoever lets go of it, which must be soon.
    pub(crate) mounts: Option<OwnedFd>,
}

impl Remains {
    pub(crate) fn kept(&self) -> Kept {
        Kept {
            root: self.root.is_some(),
            user: self.user.is_some(),
            network: self.network.is_some(),
            mounts: self.mounts.is_some(),
        }
    }

    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.root.iter().chain(&self.user).chain(&self.network).chain(&self.mounts).map(AsFd::as_fd)
    }

    /// Takes what `kept` says from the front of the descriptors that came along.
    pub(crate) fn take(kept: &Kept, fds: &mut impl Iterator<Item = OwnedFd>) -> Self {
        let mut next = |there: bool| if there { fds.next() } else { None };
        Self {
            root: next(kept.root),
            user: next(kept.user),
            network: next(kept.network),
            mounts: next(kept.mounts),
        }
    }
}

impl Failure {
    pub(crate) fn new(step: impl Into<String>, error: &io::Error) -> Self {
        let mut text = error.to_string();
        let mut errno = error.raw_os_error();
        if let Some(explained) =
            error.get_ref().and_then(|inner| inner.downcast_ref::<crate::sys::mount::Explained>())
        {
            errno = explained.error.raw_os_error();
        }
        crate::text::truncate(&mut text, 1024);
        Self { step: step.into(), errno: errno.unwrap_or(0), text }
    }

    pub(crate) fn into_error(self) -> io::Error {
        if self.errno != 0 && io::Error::from_raw_os_error(self.errno).to_string() == self.text {
            io::Error::from_raw_os_error(self.errno)
        } else {
            let kind = if self.errno == 0 {
                io::ErrorKind::Other
            } else {
                io::Error::from_raw_os_error(self.errno).kind()
            };
            io::Error::new(kind, self.text)
        }
    }
}

wire_enum!(
    /// Harness to broker.
    Request {
        /// Standard input (unless `null_input`), output and error come along.
        1 = Exec {
            argv: Vec<OsString>,
            env: Vec<(OsString, OsString)>,
            cwd: PathBuf,
            uid: u32,
            null_input: bool,
        },
        2 = Read { path: PathBuf },
        3 = Write { path: PathBuf, mode: u32 },
        4 = MakeDirectories { path: PathBuf },
        /// The archive comes along, and the end of a pipe that takes the text of an error.
        5 = Unpack { target: PathBuf, gzip: bool },
        6 = Signal { command: u64, signal: i32, group: bool },
        7 = Freeze {},
        8 = Thaw {},
        /// Whether any process but the broker is there.
        9 = IsIdle {},
        /// Kill everything and end: for boxes that are not a pid namespace.
        10 = End {},
    }
);

wire_enum!(
    /// Broker to harness.
    Reply {
        /// The box is there (number 0), and nothing of it has run yet. `/proc` shows its own processes only? Its mounted
        /// root comes along where the next start can use it.
        1 = Ready { own_processes: bool },
        2 = Done {},
        /// A descriptor comes along.
        3 = Opened {},
        4 = Idle { idle: bool },
        5 = Failed { failure: Failure },
        /// The command of this number ended: exit status, or minus the signal.
        6 = Ended { status: i32 },
        /// The memory limit was passed and a process was killed (number 0).
        7 = OutOfMemory {},
    }
);

/// Packs a message with its number. What does not fit a packet is put into sealed memory, whose descriptor then has
/// to be the first that is sent along.
pub(crate) fn pack(number: u64, body: &impl Wire) -> io::Result<(Vec<u8>, Option<OwnedFd>)> {
    let mut packet = Vec::with_capacity(512);
    number.put(&mut packet);
    packet.push(0);
    body.put(&mut packet);
    if packet.len() <= MAX_PACKET {
        return Ok((packet, None));
    }
    if packet.len() as u64 > MAX_MESSAGE {
        return Err(io::Error::from_raw_os_error(libc::E2BIG));
    }
    let memory = socket::sealed_memory(&packet[9..])?;
    packet.truncate(8);
    packet.push(1);
    Ok((packet, Some(memory)))
}

/// Takes a message apart; the descriptors that are left are the body's own.
pub(crate) fn unpack<T: Wire>(packet: &[u8], fds: &mut Vec<OwnedFd>) -> Option<(u64, T)> {
    let mut rest = packet;
    let number = u64::take(&mut rest)?;
    match u8::take(&mut rest)? {
        0 => Some((number, wire::read(rest)?)),
        1 if rest.is_empty() && !fds.is_empty() => {
            let mut file = File::from(fds.remove(0));
            if files::status(file.as_fd()).ok()?.size > MAX_MESSAGE {
                return None;
            }
            let mut body = Vec::new();
            file.rewind().ok()?;
            file.take(MAX_MESSAGE).read_to_end(&mut body).ok()?;
            Some((number, wire::read(&body)?))
        }
        _ => None,
    }
}

/// Sends a message, waiting while the peer is busy.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    number: u64,
    body: &impl Wire,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let (packet, memory) = pack(number, body)?;
    let all: Vec<_> = memory.iter().map(AsFd::as_fd).chain(fds.iter().copied()).collect();
    socket::send(socket, &packet, &all, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_megabyte_of_arguments_travels_in_sealed_memory() {
        let request = Request::Exec {
            argv: vec!["x".repeat(1 << 20).into()],
            env: Vec::new(),
            cwd: "/".into(),
            uid: 0,
            null_input: true,
        };
        let (packet, memory) = pack(9, &request).unwrap();
        assert!(packet.len() < 16);
        let mut fds = vec![memory.unwrap()];
        assert_eq!(unpack(&packet, &mut fds), Some((9, request)));
        assert!(fds.is_empty());
    }

    #[test]
    fn a_message_beyond_the_bound_is_refused_by_its_sender() {
        let huge = Request::Exec {
            argv: vec!["x".repeat(9 << 20).into()],
            env: Vec::new(),
            cwd: "/".into(),
            uid: 0,
            null_input: true,
        };
        assert_eq!(pack(1, &huge).unwrap_err().raw_os_error(), Some(libc::E2BIG));
    }

    #[test]
    fn a_packet_that_promises_memory_without_any_is_refused() {
        let mut packet = 1u64.to_ne_bytes().to_vec();
        packet.push(1);
        assert_eq!(unpack::<Request>(&packet, &mut Vec::new()), None);
    }
}
