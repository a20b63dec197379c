//! What the zygote of host root makes ahead of need, while nobody asks it for anything: with these a box starts sooner.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::namespace;
use crate::protocol::{self, Birth, Failure};
use crate::sys::clone::{self, Namespaces};

/// Making a user namespace takes a fork.
const USERS: usize = 4;
/// Making a network namespace takes the kernel longer than all others together, and tens of kilobytes.
const NETWORKS: usize = 2;

#[derive(Default)]
pub(crate) struct Spares {
    pub(crate) users: Vec<OwnedFd>,
    pub(crate) networks: Vec<OwnedFd>,
    pub(crate) child: Option<SpareChild>,
}

pub(crate) enum Wanted {
    User,
    Network,
    Child,
}

impl Spares {
    /// What is short; what is missed most comes first.
    pub(crate) fn wanted(&self) -> Option<Wanted> {
        if self.users.is_empty() {
            Some(Wanted::User)
        } else if self.child.is_none() {
            Some(Wanted::Child)
        } else if self.networks.len() < NETWORKS {
            Some(Wanted::Network)
        } else if self.users.len() < USERS {
            Some(Wanted::User)
        } else {
            None
        }
    }
}

/// A process in namespaces of its own that waits to become the first process of a box. It goes when its channel is dropped.
pub(crate) struct SpareChild {
    pub(crate) pid: i32,
    pub(crate) pidfd: OwnedFd,
    pub(crate) channel: OwnedFd,
}

impl SpareChild {
    /// Makes it the first process of this box, unless it is gone.
    pub(crate) fn become_box(self, birth: &Birth, along: &[BorrowedFd<'_>]) -> Option<(i32, OwnedFd)> {
        protocol::send(self.channel.as_fd(), 0, birth, along).ok()?;
        Some((self.pid, self.pidfd))
    }
}

/// A network namespace with nothing in it but loopback. This process, which has one thread, goes through it and comes back.
pub(crate) fn network() -> Result<OwnedFd, Failure> {
    let make = || -> io::Result<OwnedFd> {
        let own = OwnedFd::from(File::open("/proc/self/ns/net")?);
        let made = namespace::fresh_network().and_then(|()| File::open("/proc/self/ns/net"));
        clone::join(own.as_fd(), Namespaces::NET)?;
        Ok(made?.into())
    };
    make().map_err(|error| Failure::new("making a network namespace", &error))
}
