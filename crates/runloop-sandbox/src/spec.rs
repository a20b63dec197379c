//! What a box is asked to be.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Everything that decides what a new box looks like.
#[derive(Debug, Clone)]
pub struct BoxSpec {
    /// What stands below the box's own writable layer.
    pub base: Base,
    /// Start from this snapshot instead of an empty layer. It must have been taken over the same `base`.
    pub snapshot: Option<SnapshotId>,
    /// What of the network the box may see.
    pub network: Network,
    /// Host name inside the box.
    pub hostname: String,
    /// Who runs the commands.
    pub user: User,
    /// Environment of every command, below what the command itself sets. Nothing is inherited from the harness.
    pub env: Vec<(OsString, OsString)>,
    /// Resource limits; how each is held is told by [`crate::Guarantees`].
    pub limits: Limits,
    /// Host directories that are hidden otherwise (toolchains below a home directory) and shall be visible, read-only.
    pub expose: Vec<PathBuf>,
}

/// What stands below the writable layer of a box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Base {
    /// The host's own root: its programs and libraries, a private copy-on-write view; homes and temporary
    /// directories are hidden.
    Host,
    /// A directory that holds a root file system.
    Dir(PathBuf),
}

/// What of the network a box may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// Loopback of its own and nothing else.
    None,
    /// The host's network.
    All,
}

/// The account that runs commands in a box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Numeric id inside the box; 0 makes it the box's root, which is never root of the host.
    pub uid: u32,
    /// Home directory inside the box, absolute.
    pub home: PathBuf,
}

impl Default for User {
    /// The API's default: `user` with uid 1000 in `/home/user`.
    fn default() -> Self {
        Self { name: "user".into(), uid: 1000, home: "/home/user".into() }
    }
}

/// Resource limits of one box. `None` means the driver's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Resident memory of all processes together, in bytes; by default three quarters of the machine's.
    pub memory_bytes: Option<u64>,
    /// Processes and threads; 2048 by default.
    pub pids: Option<u32>,
    /// Cores, fractions allowed; by default all there are.
    pub cpus: Option<f64>,
    /// Bytes in the writable layer, 10 GiB by default. No single file gets larger either.
    pub disk_bytes: Option<u64>,
}

/// Names a disk snapshot within one state directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SnapshotId(pub(crate) String);

impl SnapshotId {
    /// The id as text, to be stored and given back to [`SnapshotId::parse`].
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads an id written by [`SnapshotId::as_str`]; `None` if it could not be one (it is used as a file name).
    pub fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty()
            && text.len() <= 64
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        fits.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
