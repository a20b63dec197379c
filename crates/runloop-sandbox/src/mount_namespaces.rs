//! Mount namespaces of boxes that host root makes.
//!
//! A namespace that begins as a copy of the host's has to lose all of the host's mounts, and the kernel makes whoever asks
//! for that wait until every processor has taken note. So boxes begin with a copy of an empty one, where there is nothing
//! to be lost: a directory without entries, over which the box's root is mounted.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use crate::namespace::MOUNT_POINT;
use crate::protocol::Failure;
use crate::sys::clone::{self, Namespaces};
use crate::sys::mount::{self, Attributes};
use crate::sys::{files, process};

/// Makes them in this process, which has one thread: it goes through each and comes back.
pub(crate) struct MountNamespaces {
    empty: OwnedFd,
    home: Home,
}

/// Where this process belongs.
struct Home {
    mounts: OwnedFd,
    root: OwnedFd,
    directory: OwnedFd,
    /// `/proc/self/ns`, where its namespaces have names; those cannot be looked up from an empty one.
    names: OwnedFd,
}

impl MountNamespaces {
    pub(crate) fn new() -> Result<Self, Failure> {
        let make = || -> io::Result<Self> {
            let home = Home {
                mounts: File::open("/proc/self/ns/mnt")?.into(),
                root: files::root()?,
                directory: files::open_directory(Path::new("."))?,
                names: files::open_directory(Path::new("/proc/self/ns"))?,
            };
            let empty = home.visit(|| {
                clone::unshare(Namespaces::MOUNT)?;
                let attributes = Attributes::READ_ONLY.with(Attributes::NO_SUID).with(Attributes::NO_EXEC);
                let nothing = mount::filesystem(c"tmpfs", &[(c"mode", "555"), (c"size", "4k")], attributes)?;
                mount::attach(nothing.as_fd(), Path::new(MOUNT_POINT))?;
                std::env::set_current_dir(MOUNT_POINT)?;
                mount::pivot_here()
            })?;
            Ok(Self { empty, home })
        };
        make().map_err(|error| Failure::new("making an empty mount namespace", &error))
    }

    /// Makes another, as empty.
    pub(crate) fn another(&self) -> Result<OwnedFd, Failure> {
        let made = self.home.visit(|| {
            clone::join(self.empty.as_fd(), Namespaces::MOUNT)?;
            clone::unshare(Namespaces::MOUNT)
        });
        made.map_err(|error| Failure::new("making a mount namespace", &error))
    }
}

impl Home {
    /// Goes somewhere, takes hold of the mount namespace there, and comes back.
    fn visit(&self, go: impl FnOnce() -> io::Result<()>) -> io::Result<OwnedFd> {
        let there = go().and_then(|()| clone::open_namespace(self.names.as_fd(), c"mnt"));
        clone::join(self.mounts.as_fd(), Namespaces::MOUNT)?;
        process::change_root(self.root.as_fd())?;
        process::change_directory(self.directory.as_fd())?;
        there
    }
}
