//! Which driver works here, found by making a box with it.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::groups::Groups;
use crate::guarantees::{DriverKind, Guarantee, Guarantees};
use crate::helper::{self, Started};
use crate::places::{self, BOXES};
use crate::protocol::{Failure, Plan, Setup, Shape};
use crate::sandbox::{DriverChoice, OpenError, SandboxOptions};
use crate::skeleton::{Foundation, Marks, Skeletons};
use crate::spec::{Base, User};
use crate::sys::ids;
use crate::{machine, probe, skeleton};

/// First id of the host that boxes of the root driver use, 65536 of them: far above those that distributions, user
/// databases and container engines hand out.
const SHIFT: u32 = 1_900_000_000;
/// First user that boxes of the process driver run as, where root may choose.
const FIRST_UID: u32 = SHIFT + 65_536;
/// So many there are, and groups of the same ids.
pub(crate) const OWN_UIDS: u32 = 60_000;

/// The drivers, the best first.
pub(crate) const ALL: [DriverKind; 3] =
    [DriverKind::NamespacesRoot, DriverKind::NamespacesUser, DriverKind::Process];

/// A driver that has been tried and is ready.
pub(crate) struct Driver {
    pub(crate) started: Started,
    pub(crate) guarantees: Guarantees,
    pub(crate) skeletons: Option<Skeletons>,
    /// Where the directories of boxes are.
    pub(crate) boxes: PathBuf,
    pub(crate) readable: Vec<PathBuf>,
    pub(crate) first_uid: Option<u32>,
    /// Or why there are none.
    pub(crate) groups: Result<Groups, String>,
}

/// The name of a driver in messages.
pub(crate) fn name(kind: DriverKind) -> &'static str {
    match kind {
        DriverKind::NamespacesRoot => "namespaces-root",
        DriverKind::NamespacesUser => "namespaces-user",
        DriverKind::Process => "process",
    }
}

/// Finds the driver to use.
pub(crate) fn choose(options: &SandboxOptions, root: &Path, lock: &OwnedFd) -> Result<Driver, OpenError> {
    let candidates: Vec<DriverKind> = match options.driver {
        DriverChoice::Auto => ALL.to_vec(),
        DriverChoice::Only(kind) => vec![kind],
    };
    let mut reasons = Vec::new();
    let mut hint = None;
    for kind in candidates {
        let weak_allowed = options.allow_weak || machine::in_container();
        if kind == DriverKind::Process && options.driver == DriverChoice::Auto && !weak_allowed {
            return Err(OpenError::OnlyWeak {
                reason: reasons.join("; "),
                hint: hint.unwrap_or_else(|| "run as root".to_owned()),
            });
        }
        match attempt(kind, options.helper.as_deref(), root, lock) {
            Ok(driver) => {
                let unconfined = matches!(driver.guarantees.files, Guarantee::None(_));
                if kind == DriverKind::Process && unconfined && !weak_allowed {
                    driver.started.end();
                    driver.groups.iter().for_each(Groups::remove);
                    reasons.push("process: the kernel has no landlock".to_owned());
                    continue;
                }
                return Ok(driver);
            }
            Err(failure) => {
                hint = hint.or_else(|| probe::remedy(kind, &failure));
                reasons.push(format!("{}: {}: {}", name(kind), failure.step, failure.text));
            }
        }
    }
    Err(OpenError::NoDriver {
        reason: reasons.join("; "),
        hint: hint.unwrap_or_else(|| "see what the doctor says".to_owned()),
    })
}

/// Starts a zygote for this driver and makes a box with it.
pub(crate) fn attempt(
    kind: DriverKind,
    helper: Option<&Path>,
    root: &Path,
    lock: &OwnedFd,
) -> Result<Driver, Failure> {
    let failed = |step: &'static str| move |error: io::Error| Failure::new(step, &error);
    let is_root = ids::effective_uid() == 0;
    let lock = lock.try_clone().map_err(failed("sharing the lock"))?;
    let user = User::default();
    let (setup, marks) = match kind {
        DriverKind::NamespacesRoot if !is_root => {
            return Err(Failure::new("becoming root", &io::Error::from_raw_os_error(libc::EPERM)));
        }
        DriverKind::NamespacesRoot => (Setup::Root { shift: SHIFT }, Some(Marks::Shifted(SHIFT))),
        DriverKind::NamespacesUser => (Setup::User {}, Some(Marks::Own)),
        DriverKind::Process => {
            let confine = probe::has_landlock();
            (Setup::Process { confine }, None)
        }
    };
    let confined = matches!(setup, Setup::Process { confine: true });
    // Root of a container may have no users to give away. Boxes with users of their own are where these can reach them.
    let own_users = kind == DriverKind::Process && is_root && machine::has_ids(FIRST_UID, OWN_UIDS);
    let place = match own_users && !places::is_reachable(root) {
        true => places::move_out(root).ok(),
        false => Some(root.join(BOXES)),
    };
    let first_uid = (own_users && place.is_some()).then_some(FIRST_UID);
    let boxes = place.unwrap_or_else(|| root.join(BOXES));
    let readable = readable_directories(&skeleton::private_directories(root));
    let started = helper::start(helper, root, setup, lock)?;
    let made = marks.map(|marks| {
        let skeletons = Skeletons::new(root, marks)?;
        let foundation = skeletons.foundation(&Base::Host, &user)?;
        io::Result::Ok((skeletons, foundation))
    });
    let made = match made.transpose() {
        Ok(made) => made,
        Err(error) => {
            started.end();
            return Err(Failure::new("preparing the host's root as a base", &error));
        }
    };
    let (skeletons, shape) = match made {
        Some((skeletons, foundation)) => {
            let Foundation { trees, shown } = foundation;
            (Some(skeletons), Shape::Namespaces { trees, shown, resolver: None, fake_owners: false })
        }
        None => {
            let path = boxes.join("trial");
            (None, Shape::Directory { path, uid: first_uid, readable: readable.clone() })
        }
    };
    let plan = Plan {
        directory: "boxes/trial".into(),
        generation: 0,
        shape,
        hostname: "trial".into(),
        offline: true,
        uid: user.uid,
        home: user.home,
        max_processes: None,
        max_file_size: u64::MAX,
        max_memory: machine::memory(),
        watch_memory: false,
        processors: None,
        groups: Vec::new(),
        group_roots: Vec::new(),
    };
    let tried = started.try_box(plan);
    let removed = crate::sys::files::open_directory(root)
        .and_then(|state| crate::tree::remove(std::os::fd::AsFd::as_fd(&state), Path::new("boxes/trial")));
    match tried.and_then(|own| removed.map(|()| own).map_err(failed("removing the trial box"))) {
        Ok(own_processes) => {
            // All boxes together leave a tenth of the memory to the harness and the rest of the machine.
            let groups = match kind {
                DriverKind::NamespacesUser => Err("boxes of an ordinary user have none".to_owned()),
                _ if !is_root => Err("making them needs root".to_owned()),
                _ => Groups::new(machine::memory() / 10 * 9),
            };
            let held = groups.as_ref().ok();
            let guarantees = guarantees(kind, confined, first_uid.is_some(), own_processes, held);
            Ok(Driver { started, guarantees, skeletons, boxes, readable, first_uid, groups })
        }
        Err(failure) => {
            started.end();
            Err(failure)
        }
    }
}

/// What boxes of the process driver may read: the system, and neither anybody's files nor the harness's.
fn readable_directories(private: &[PathBuf]) -> Vec<PathBuf> {
    [
        "/bin",
        "/etc",
        "/gnu",
        "/lib",
        "/lib32",
        "/lib64",
        "/libx32",
        "/nix",
        "/opt",
        "/proc",
        "/sbin",
        "/sys",
        "/usr",
        "/var/lib",
        "/var/cache",
        "/run/systemd/resolve",
        "/run/resolvconf",
        "/dev/shm",
    ]
    .iter()
    .flat_map(|directory| without(Path::new(directory), private))
    .collect()
}

/// A directory, or what is in it other than the private directories below it: a rule of landlock cannot take back what
/// another gave.
fn without(directory: &Path, private: &[PathBuf]) -> Vec<PathBuf> {
    let real = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    if private.iter().any(|path| real.starts_with(path)) {
        return Vec::new();
    }
    if !private.iter().any(|path| path.starts_with(&real)) {
        return vec![directory.to_owned()];
    }
    let entries = std::fs::read_dir(&real).into_iter().flatten().flatten();
    entries.flat_map(|entry| without(&entry.path(), private)).collect()
}

/// What the boxes of a driver hold, in words that are kept with every result.
fn guarantees(
    kind: DriverKind,
    confined: bool,
    own_users: bool,
    own_processes: bool,
    groups: Option<&Groups>,
) -> Guarantees {
    let enforced = |text: &str| Guarantee::Enforced(text.to_owned());
    let watched = |text: &str| Guarantee::Watched(text.to_owned());
    let none = |text: &str| Guarantee::None(text.to_owned());
    let memory = match groups {
        Some(groups) => enforced(&format!("memory {}, and one for all boxes together", groups.version())),
        None if kind != DriverKind::Process && !own_processes => {
            none("the container's /proc hides the box's own processes from the watcher")
        }
        None => watched("resident memory summed every 250 ms, the largest process killed"),
    };
    let cpus = match groups.filter(|groups| groups.hold_cpus()) {
        Some(groups) => enforced(&format!("cpu {}", groups.version())),
        None => watched("processor affinity, whole processors, which a program may change for itself"),
    };
    let disk = watched(
        "the writable layer measured as the disk fills, every process killed; each file by RLIMIT_FSIZE",
    );
    let in_pid_namespace = if own_processes {
        enforced("pid namespace, killed with its first process")
    } else {
        enforced(
            "pid namespace, killed with its first process; the container's /proc, which names the processes outside, is visible",
        )
    };
    match kind {
        DriverKind::NamespacesRoot => Guarantees {
            driver: kind,
            files: enforced("mount namespace with an overlay root; owners shifted by a user namespace"),
            processes: in_pid_namespace,
            network_none: enforced("network namespace with loopback only"),
            memory,
            pids: enforced("RLIMIT_NPROC in the box's user namespace"),
            cpus,
            disk,
        },
        DriverKind::NamespacesUser => Guarantees {
            driver: kind,
            files: enforced(
                "mount namespace with overlay roots; files that belong to the host's root are read-only inside",
            ),
            processes: in_pid_namespace,
            network_none: enforced("network namespace with loopback only"),
            memory,
            pids: enforced("RLIMIT_NPROC in the box's user namespace"),
            cpus,
            disk,
        },
        DriverKind::Process => Guarantees {
            driver: kind,
            files: if confined {
                enforced(
                    "landlock: writes only in the box's directory; system directories readable, homes are not",
                )
            } else if own_users {
                watched("a user of its own for each box; the host's readable files stay readable")
            } else {
                none("the kernel has no landlock: files are those of the user who runs the harness")
            },
            processes: if own_users {
                watched(
                    "out of reach by a user of its own for each box, all of whose processes are killed; the host's are visible",
                )
            } else {
                watched("orphans adopted, the process tree stopped and killed; other processes are visible")
            },
            network_none: enforced("seccomp: no sockets at all, loopback included"),
            memory,
            pids: if own_users {
                enforced("RLIMIT_NPROC of the box's own user")
            } else {
                none("boxes share the user, whose processes are counted together")
            },
            cpus,
            disk,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_directory_is_taken_out_of_what_is_readable() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        for name in ["system", "shared/project/src", "shared/tool"] {
            std::fs::create_dir_all(top.join(name)).unwrap();
        }
        let private = [top.join("shared/project")];
        assert_eq!(without(&top.join("system"), &private), [top.join("system")]);
        assert_eq!(without(&top.join("shared"), &private), [top.join("shared/tool")]);
        assert!(without(&top.join("shared/project/src"), &private).is_empty());
    }
}
