//! What this machine offers, found by trying it, with the one command that would improve it.

use std::io;
use std::path::Path;

use crate::drivers;
use crate::groups::Groups;
use crate::guarantees::{DriverKind, Guarantee, Probe, ProbeStep};
use crate::machine;
use crate::protocol::Failure;
use crate::sandbox::{SandboxOptions, prepare_directory};

/// Tries every driver in a directory beside the state directory's own files.
pub(crate) fn probe(options: &SandboxOptions) -> Probe {
    let mut probe = Probe { steps: Vec::new(), drivers: Vec::new(), in_container: machine::in_container() };
    let directory = match TrialDirectory::new(&options.state_dir) {
        Ok(directory) => directory,
        Err(error) => {
            probe.steps.push(ProbeStep {
                what: "state directory".into(),
                works: false,
                detail: format!("{}: {error}", options.state_dir.display()),
                remedy: Some("choose a directory that can be written".into()),
            });
            return probe;
        }
    };
    let version = crate::confine::landlock_version();
    probe.steps.push(ProbeStep {
        what: "landlock".into(),
        works: version > 0,
        detail: match version {
            0 => "not in this kernel, or not enabled".into(),
            1..6 => format!("version {version}: files, but not signals"),
            _ => format!("version {version}: files and signals"),
        },
        remedy: (version == 0).then(|| "boot a kernel of 5.13 or newer with landlock in lsm=".into()),
    });
    let mut groups: Option<Result<String, String>> = None;
    for kind in drivers::ALL {
        let tried = directory
            .lock()
            .and_then(|lock| drivers::attempt(kind, options.helper.as_deref(), directory.path(), &lock));
        let what = match kind {
            DriverKind::NamespacesRoot => "namespaces as root",
            DriverKind::NamespacesUser => "namespaces as an ordinary user",
            DriverKind::Process => "process driver",
        };
        match tried {
            Ok(driver) => {
                driver.started.end();
                driver.groups.iter().for_each(Groups::remove);
                // Of the best driver that works.
                groups.get_or_insert(driver.groups.map(|groups| match groups.hold_cpus() {
                    true => format!("memory and processors by {}", groups.version()),
                    false => format!("memory by {}, but not processors", groups.version()),
                }));
                let detail = match &driver.guarantees.files {
                    Guarantee::Enforced(by) | Guarantee::Watched(by) | Guarantee::None(by) => by.clone(),
                };
                let remedy = matches!(driver.guarantees.files, Guarantee::None(_))
                    .then(|| "use a kernel with landlock (5.13 or newer, enabled in lsm=)".to_owned());
                probe.steps.push(ProbeStep { what: what.into(), works: true, detail, remedy });
                probe.drivers.push(driver.guarantees);
            }
            Err(failure) => {
                let remedy = remedy(kind, &failure);
                let detail = format!("{}: {}", failure.step, failure.text);
                probe.steps.push(ProbeStep { what: what.into(), works: false, detail, remedy });
            }
        }
    }
    let (works, detail) = match groups {
        Some(Ok(by)) => (true, by),
        Some(Err(why)) => (false, why),
        None => (false, "no driver works".to_owned()),
    };
    probe.steps.push(ProbeStep { what: "control groups".into(), works, detail, remedy: None });
    probe
}

/// A directory for trial boxes, on the file system where real ones would be.
struct TrialDirectory {
    path: std::path::PathBuf,
    made_parent: bool,
}

impl TrialDirectory {
    fn new(state_dir: &Path) -> io::Result<Self> {
        let made_parent = !state_dir.exists();
        std::fs::create_dir_all(state_dir)?;
        let path = state_dir.canonicalize()?.join(crate::layers::unique_name("probe"));
        prepare_directory(&path)?;
        Ok(Self { path, made_parent })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&self) -> Result<std::os::fd::OwnedFd, Failure> {
        let file = std::fs::File::create(self.path.join("lock"));
        file.map(Into::into).map_err(|error| Failure::new("making a lock", &error))
    }
}

impl Drop for TrialDirectory {
    fn drop(&mut self) {
        let parent = self.path.parent().and_then(|parent| crate::sys::files::open_directory(parent).ok());
        if let (Some(parent), Some(name)) = (parent, self.path.file_name()) {
            let _ = crate::tree::remove(std::os::fd::AsFd::as_fd(&parent), Path::new(name));
        }
        if self.made_parent
            && let Some(parent) = self.path.parent()
        {
            let _ = std::fs::remove_dir(parent);
        }
    }
}

fn setting(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The one command that would make a driver work, where there is one.
pub(crate) fn remedy(kind: DriverKind, failure: &Failure) -> Option<String> {
    match kind {
        DriverKind::NamespacesRoot if crate::sys::ids::effective_uid() != 0 => Some("run as root".into()),
        DriverKind::NamespacesRoot | DriverKind::NamespacesUser => {
            if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
                return Some("sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0".into());
            }
            if setting("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0") {
                return Some("sudo sysctl -w kernel.unprivileged_userns_clone=1".into());
            }
            if setting("/proc/sys/user/max_user_namespaces").as_deref() == Some("0") {
                return Some("sudo sysctl -w user.max_user_namespaces=28633".into());
            }
            let filtered = setting("/proc/self/status").is_some_and(|text| text.contains("Seccomp:\t2"));
            if filtered && machine::in_container() {
                return Some("start the container with --security-opt seccomp=unconfined".into());
            }
            if failure.step.contains("overlay") {
                return Some(
                    "put the state directory on ext4, xfs, btrfs or tmpfs, outside the container's own root"
                        .into(),
                );
            }
            None
        }
        DriverKind::Process => None,
    }
}

/// Whether landlock can be used, found by a helper process that confines itself.
pub(crate) fn has_landlock() -> bool {
    // Asking for the version changes nothing; that it can be used follows from there being one.
    crate::confine::landlock_version() > 0
}
