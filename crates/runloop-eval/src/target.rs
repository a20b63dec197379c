//! Where devboxes come from: the embedded platform, the cloud, or a URL.

use std::path::PathBuf;

use runloop_sandbox::{DriverChoice, DriverKind, SandboxOptions};

use crate::args::{Driver, IsolationArgs};

/// Options of a sandbox as the command line asks for it.
pub(crate) fn sandbox_options(state_dir: PathBuf, isolation: &IsolationArgs) -> SandboxOptions {
    let driver = match isolation.driver {
        Driver::Auto => DriverChoice::Auto,
        Driver::Process => DriverChoice::Only(DriverKind::Process),
        Driver::Namespaces if is_root() => DriverChoice::Only(DriverKind::NamespacesRoot),
        Driver::Namespaces => DriverChoice::Only(DriverKind::NamespacesUser),
    };
    SandboxOptions { state_dir, driver, allow_weak: isolation.allow_weak, helper: None }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;

    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
