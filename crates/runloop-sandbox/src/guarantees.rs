//! What a box guarantees on this machine, and how that was found out.

use serde::{Deserialize, Serialize};

/// Which mechanism makes the boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriverKind {
    /// Linux namespaces as root, with shifted ids.
    NamespacesRoot,
    /// Linux namespaces as an ordinary user.
    NamespacesUser,
    /// A private directory, landlock and seccomp, where namespaces are refused.
    Process,
}

/// How one promise is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "level", content = "by")]
pub enum Guarantee {
    /// The kernel refuses a violation; the text names the mechanism.
    Enforced(String),
    /// A violation is noticed and ended soon after; the text names the watcher.
    Watched(String),
    /// Nothing holds it; the text says why.
    None(String),
}

/// What a box holds, promise by promise. Stored with every result that was made in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guarantees {
    /// The mechanism behind the boxes.
    pub driver: DriverKind,
    /// Writes stay in the box's own layers and files of harness and other boxes are out of sight.
    pub files: Guarantee,
    /// Processes of the host and of other boxes are out of sight and reach; all of the box's own end with it.
    pub processes: Guarantee,
    /// `Network::None` means no network.
    pub network_none: Guarantee,
    /// The memory limit.
    pub memory: Guarantee,
    /// The process limit.
    pub pids: Guarantee,
    /// The CPU limit.
    pub cpus: Guarantee,
    /// The disk limit.
    pub disk: Guarantee,
}

/// One thing that was tried on the way to a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeStep {
    /// What was tried, such as `user namespace`.
    pub what: String,
    /// Whether it worked.
    pub works: bool,
    /// What the kernel answered, or which mechanism was found.
    pub detail: String,
    /// The one command (or setting) that would improve it, where there is one.
    pub remedy: Option<String>,
}

/// The outcome of trying this machine's isolation, best driver first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Each thing that was tried, in order.
    pub steps: Vec<ProbeStep>,
    /// Guarantees of each driver that works here, best first; empty when none does.
    pub drivers: Vec<Guarantees>,
    /// Whether this process seems to run inside a container, where the container is the boundary.
    pub in_container: bool,
}
