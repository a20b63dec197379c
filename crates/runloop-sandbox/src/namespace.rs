//! Building the world of a box: runs in its first process, once, before that becomes the broker.
//!
//! All mounts are first made detached, while the host's files can still be named. Then the root is changed, and the
//! mounts are put in their places inside it, where no link of the box's own files can lead out.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::protocol::{Failure, Lower, Plan, Tree};
use crate::sys::clone::Namespaces;
use crate::sys::mount::{self, Attributes};
use crate::sys::{clone, files, ids, process};

/// Directory in the state directory on which roots are mounted, each in a mount namespace of its own.
pub(crate) const MOUNT_POINT: &str = "ns/root";
/// Where the zygote of the root driver keeps the device files.
pub(crate) const DEVICE_TEMPLATE: &str = "ns/dev";
/// Where overlays are mounted for a moment on kernels without detached ones.
const SCRATCH: &str = "ns/scratch";

const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
const DEVICE_LINKS: [(&str, &str); 5] = [
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// Who the first process is while it builds, and what it becomes.
pub(crate) enum Identity {
    /// Root of the host, among the zygote's mounts. Mounts go into the empty namespace `mounts`; at the end it joins this user
    /// namespace, where its ids begin at `shift`.
    Shifted { user_namespace: OwnedFd, mounts: OwnedFd, shift: u32 },
    /// Already in a user namespace of its own, with this user as the only one.
    Single,
}

trait At<T> {
    fn at(self, step: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, step: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(step(), &error))
    }
}

/// Makes user `inside` of a fresh user namespace, the one this process is in, out of the caller's own id.
pub(crate) fn map_single_user(inside: u32, uid: u32, gid: u32) -> Result<(), Failure> {
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{inside} {uid} 1")),
        ("gid_map", format!("{inside} {gid} 1")),
    ] {
        std::fs::write(format!("/proc/self/{file}"), text).at(|| format!("writing /proc/self/{file}"))?;
    }
    ids::become_user(inside, inside).at(|| "taking on the box's user".into())
}

/// Joins the network namespace of an earlier start, or a fresh one if anything there remembers a socket: a connection that
/// is still being closed would keep its port from the next user.
pub(crate) fn enter_network(kept: BorrowedFd<'_>) -> Result<(), Failure> {
    clone::join(kept, Namespaces::NET).at(|| "joining the network namespace".into())?;
    let is_clean = ["sockstat", "sockstat6"].iter().all(|file| {
        let path = format!("/proc/self/net/{file}");
        std::fs::read_to_string(path).is_ok_and(|text| no_sockets(&text))
    });
    let no_names =
        || std::fs::read("/proc/self/net/unix").is_ok_and(|text| !text.trim_ascii().contains(&b'\n'));
    if is_clean && no_names() {
        return Ok(());
    }
    fresh_network().at(|| "making a network namespace".into())
}

/// Moves this process into a network of its own, with nothing in it but loopback.
pub(crate) fn fresh_network() -> io::Result<()> {
    clone::unshare(Namespaces::NET)?;
    process::loopback_up()
}

/// Whether `/proc/net/sockstat` or `sockstat6` counts no socket of any protocol, nor one that is being closed, nor parts of
/// a packet. The total in its first line counts the kernel's own and is passed over; so are memory and what is allocated
/// in the whole system.
fn no_sockets(counts: &str) -> bool {
    counts.lines().filter(|line| !line.starts_with("sockets:")).all(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        while let (Some(name), Some(count)) = (words.next(), words.next()) {
            if matches!(name, "inuse" | "orphan" | "tw") && count != "0" {
                return false;
            }
        }
        true
    })
}

/// Device files that all boxes of the root driver share, read-only.
pub(crate) fn make_device_template() -> Result<(), Failure> {
    let path = Path::new(DEVICE_TEMPLATE);
    std::fs::create_dir_all(path).at(|| format!("creating {DEVICE_TEMPLATE}"))?;
    let mounted = small_tmpfs("755", 0, "64k").at(|| "mounting a tmpfs for device files".into())?;
    mount::attach(mounted.as_fd(), path).at(|| format!("mounting {DEVICE_TEMPLATE}"))?;
    let directory = files::open_directory(path).at(|| format!("opening {DEVICE_TEMPLATE}"))?;
    for (name, major, minor) in DEVICES {
        let number = files::device_number(major, minor);
        let c_name = crate::sys::c_path(Path::new(name)).at(|| name.into())?;
        files::make_special(directory.as_fd(), &c_name, libc::S_IFCHR | 0o666, number)
            .and_then(|()| files::set_mode(directory.as_fd(), &c_name, 0o666))
            .at(|| format!("making the device file {name}"))?;
    }
    furnish_devices(path)
}

/// The links and directories of `/dev`.
fn furnish_devices(path: &Path) -> Result<(), Failure> {
    for (name, target) in DEVICE_LINKS {
        std::os::unix::fs::symlink(target, path.join(name)).at(|| format!("making /dev/{name}"))?;
    }
    for name in ["pts", "shm"] {
        std::fs::create_dir(path.join(name)).at(|| format!("making /dev/{name}"))?;
    }
    Ok(())
}

fn small_tmpfs(mode: &str, owner: u32, size: &str) -> io::Result<OwnedFd> {
    let owner = owner.to_string();
    mount::filesystem(
        c"tmpfs",
        &[(c"mode", mode), (c"uid", &owner), (c"gid", &owner), (c"size", size)],
        Attributes::NO_SUID.with(Attributes::NO_EXEC),
    )
}

/// Builds the world of the box and moves into it.
///
/// With `kept`, a root that an earlier start of the box returned, over the same directories. A mounted overlay is worth
/// keeping: making one costs a dozen new files and directories, and it remembers what was looked up. Only host root can
/// take one to another user namespace, so only then one is returned.
pub(crate) fn enter(
    plan: &Plan,
    trees: &[Tree],
    shown: &[(PathBuf, PathBuf)],
    resolver: Option<&std::ffi::OsStr>,
    identity: Identity,
    mut kept: Option<OwnedFd>,
) -> Result<Option<OwnedFd>, Failure> {
    let shift = match &identity {
        Identity::Shifted { shift, .. } => *shift,
        Identity::Single => 0,
    };
    let shifted = matches!(identity, Identity::Shifted { .. });
    if !shifted {
        mount::stop_propagation().at(|| "making mounts private".into())?;
    }

    make_directory(&plan.directory)?;
    make_directory(&plan.directory.join("up"))?;
    let mut mounts = Vec::new();
    for tree in trees {
        let mounted = match kept.take() {
            Some(root) => root,
            None => tree_mount(plan, tree, shift, shifted)?,
        };
        mounts.push((tree.target.clone(), mounted));
    }
    mounts.push(("/proc".into(), process_files()?));
    mounts.push(("/sys".into(), system_files(plan.offline, shifted)?));
    let owner = if shifted { shift } else { plan.uid };
    let devices = device_files(shifted, owner, &mut mounts)?;
    let terminals = mount::filesystem(
        c"devpts",
        &[(c"newinstance", ""), (c"ptmxmode", "0666"), (c"mode", "620")],
        Attributes::NO_SUID.with(Attributes::NO_EXEC),
    );
    mounts.push(("/dev/pts".into(), terminals.at(|| "mounting devpts".into())?));
    let shared_memory = (plan.max_memory / 4).clamp(1 << 20, 4 << 30).to_string();
    let attributes = Attributes::NO_SUID.with(Attributes::NO_DEVICES);
    for (target, mode, size) in [("/dev/shm", "1777", shared_memory.as_str()), ("/run", "755", "64m")] {
        let owner = owner.to_string();
        let options = [(c"mode", mode), (c"uid", &owner), (c"gid", &owner), (c"size", size)];
        let mounted = mount::filesystem(c"tmpfs", &options, attributes);
        mounts.push((target.into(), mounted.at(|| format!("mounting a tmpfs for {target}"))?));
    }
    for (source, target) in shown {
        let tree = mount::clone_tree(source, true).at(|| format!("showing {}", source.display()))?;
        let attributes = Attributes::READ_ONLY.with(Attributes::NO_SUID).with(Attributes::NO_DEVICES);
        mount::restrict(tree.as_fd(), attributes, true)
            .at(|| format!("making {} read-only", source.display()))?;
        mounts.push((target.clone(), tree));
    }

    let mut mounts = mounts.into_iter();
    if let Some((_, root)) = mounts.next() {
        move_in(root.as_fd(), &identity)?;
    }
    // A second mount of the same overlay: it outlives this namespace. Boxes of one tree only, as all of host root's are.
    let again = if shifted && trees.len() == 1 {
        Some(mount::clone_tree(Path::new("/"), false).at(|| "keeping the root".into())?)
    } else {
        None
    };
    furnish(mounts, devices.as_deref())?;
    // A box user's limits on names are the kernel's: a longer one is cut rather than refused.
    let name = plan.hostname.as_bytes();
    process::set_host_name(&name[..name.len().min(64)]).at(|| "setting the host name".into())?;
    if plan.offline && !shifted {
        process::loopback_up().at(|| "bringing up loopback".into())?;
    }
    if let Identity::Shifted { user_namespace, .. } = identity {
        clone::join(user_namespace.as_fd(), Namespaces::USER).at(|| "joining the user namespace".into())?;
        ids::become_user(0, 0).at(|| "becoming the box's root".into())?;
        ids::clear_groups().at(|| "dropping groups".into())?;
    }
    write_run_files(plan, resolver)?;
    Ok(again)
}

/// Makes this the root, and the only place that can be reached.
fn move_in(root: BorrowedFd<'_>, identity: &Identity) -> Result<(), Failure> {
    if let Identity::Shifted { mounts, .. } = identity {
        clone::join(mounts.as_fd(), Namespaces::MOUNT).at(|| "joining the mount namespace".into())?;
        // As the kernel's own first root is left: covered, with no way down to it.
        mount::attach(root, Path::new("/")).at(|| "mounting the root".into())?;
        return process::change_root(root).at(|| "changing the root".into());
    }
    mount::attach(root, Path::new(MOUNT_POINT)).at(|| "mounting the root".into())?;
    std::env::set_current_dir(MOUNT_POINT).at(|| "entering the new root".into())?;
    mount::pivot_here().at(|| "changing the root".into())
}

/// Puts mounts in their places below the new root, and what belongs into the box's own `/dev`.
fn furnish(
    mounts: impl Iterator<Item = (PathBuf, OwnedFd)>,
    devices: Option<&[&str]>,
) -> Result<(), Failure> {
    for (target, mounted) in mounts {
        place(&target, mounted.as_fd())?;
        if target == Path::new("/dev")
            && let Some(names) = devices
        {
            furnish_devices(&target)?;
            for name in names {
                std::fs::File::create(target.join(name)).at(|| format!("making /dev/{name}"))?;
            }
        }
    }
    Ok(())
}

/// Makes a directory; the umask leaves it open for reading. That it is there is fine.
fn make_directory(path: &Path) -> Result<(), Failure> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.at(|| format!("creating {}", path.display())),
    }
}

/// One overlay of the box, with fresh scratch space.
fn tree_mount(plan: &Plan, tree: &Tree, shift: u32, shifted: bool) -> Result<OwnedFd, Failure> {
    let upper = plan.directory.join("up").join(&tree.name);
    let work = plan.directory.join(format!("work{}-{}", plan.generation, tree.name));
    for path in [&upper, &work] {
        make_directory(path)?;
    }
    if shifted {
        std::os::unix::fs::chown(&upper, Some(shift), Some(shift))
            .at(|| format!("giving {} to the box", upper.display()))?;
    }
    let lowers: Vec<&Path> = tree
        .lowers
        .iter()
        .map(|lower| match lower {
            Lower::Layer { path } | Lower::Base { skeleton: path, .. } => path.as_path(),
        })
        .collect();
    let overlay = mount::Overlay { lowers: &lowers, upper: &upper, work: &work, user_marks: !shifted };
    let made = mount::overlay(&overlay).or_else(|error| {
        // Kernels before 6.8 do not know `lowerdir+`. What else is wrong, mount(2) finds wrong again. That needs a place
        // where nobody else mounts anything meanwhile.
        if shifted {
            clone::unshare(Namespaces::MOUNT)?;
        }
        match mount::overlay_by_options(&overlay, Path::new(SCRATCH)) {
            Ok(mounted) => Ok(mounted),
            Err(_) => Err(error),
        }
    });
    made.at(|| format!("mounting the overlay for {}", tree.target.display()))
}

fn process_files() -> Result<OwnedFd, Failure> {
    let attributes = Attributes::NO_SUID.with(Attributes::NO_DEVICES).with(Attributes::NO_EXEC);
    mount::filesystem(c"proc", &[], attributes)
        .or_else(|error| {
            // Inside a container, where parts of /proc are covered, a fresh one would reveal them and is refused.
            mount::clone_tree(Path::new("/proc"), true).map_err(|_| error)
        })
        .at(|| "mounting /proc".into())
}

fn system_files(offline: bool, shifted: bool) -> Result<OwnedFd, Failure> {
    let attributes = Attributes::READ_ONLY
        .with(Attributes::NO_SUID)
        .with(Attributes::NO_DEVICES)
        .with(Attributes::NO_EXEC);
    if offline && let Ok(fresh) = mount::filesystem(c"sysfs", &[], attributes) {
        return Ok(fresh);
    }
    // Without what is mounted below it where that is allowed: control groups are not the box's business.
    let tree = mount::clone_tree(Path::new("/sys"), !shifted).at(|| "showing /sys".into())?;
    mount::restrict(tree.as_fd(), attributes, true).at(|| "making /sys read-only".into())?;
    Ok(tree)
}

/// Adds `/dev`: the zygote's template, or an empty file system and the host's device files to be put into it, whose
/// names are returned.
fn device_files(
    shifted: bool,
    owner: u32,
    mounts: &mut Vec<(PathBuf, OwnedFd)>,
) -> Result<Option<Vec<&'static str>>, Failure> {
    if shifted {
        let tree = mount::clone_tree(Path::new(DEVICE_TEMPLATE), false).at(|| "showing /dev".into())?;
        mount::restrict(tree.as_fd(), Attributes::READ_ONLY, false).at(|| "making /dev read-only".into())?;
        mounts.push(("/dev".into(), tree));
        return Ok(None);
    }
    let tmpfs = small_tmpfs("755", owner, "64k");
    mounts.push(("/dev".into(), tmpfs.at(|| "mounting a tmpfs for /dev".into())?));
    let mut names = Vec::new();
    for (name, ..) in DEVICES {
        // A container may lack one of them; programs rarely need more than null.
        if let Ok(device) = mount::clone_tree(&Path::new("/dev").join(name), false) {
            mounts.push((Path::new("/dev").join(name), device));
            names.push(name);
        }
    }
    Ok(Some(names))
}

/// Puts a mount at an absolute path of the box, making what is missing on the way.
fn place(target: &Path, mounted: BorrowedFd<'_>) -> Result<(), Failure> {
    let step = || format!("mounting {}", target.display());
    match mount::attach(mounted, target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        done => return done.at(step),
    }
    let root = files::root().at(step)?;
    let is_directory = files::status(mounted).is_ok_and(|status| status.kind == files::Kind::Directory);
    let directory = if is_directory { Some(target) } else { target.parent() };
    if let Some(directory) = directory {
        let below = directory.strip_prefix("/").unwrap_or(directory);
        if !below.as_os_str().is_empty() {
            files::make_directories(root.as_fd(), below, 0o755, files::Resolve::InRoot).at(step)?;
        }
    }
    if !is_directory {
        std::fs::File::create_new(target).at(step)?;
    }
    mount::attach(mounted, target).at(step)
}

/// Files that differ from box to box lie in `/run`, where the skeleton's links in `/etc` lead.
fn write_run_files(plan: &Plan, resolver: Option<&std::ffi::OsStr>) -> Result<(), Failure> {
    let name = &plan.hostname;
    let hosts = format!("127.0.0.1 localhost {name}\n::1 localhost ip6-localhost ip6-loopback\n");
    let mut files =
        vec![("/run/hosts", hosts.into_bytes()), ("/run/hostname", format!("{name}\n").into_bytes())];
    if let Some(resolver) = resolver {
        files.push(("/run/resolv.conf", resolver.as_bytes().to_vec()));
    }
    for (path, content) in files {
        std::fs::write(path, content).at(|| format!("writing {path}"))?;
    }
    std::fs::create_dir("/run/lock").at(|| "making /run/lock".into())?;
    std::fs::set_permissions("/run/lock", std::os::unix::fs::PermissionsExt::from_mode(0o1777))
        .at(|| "opening /run/lock".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_clean_without_sockets_of_any_kind() {
        let fresh = "sockets: used 2\nTCP: inuse 0 orphan 0 tw 0 alloc 1 mem 276\nUDP: inuse 0 mem 0\nRAW: inuse 0\n\
                     FRAG: inuse 0 memory 0\n";
        assert!(no_sockets(fresh));
        for (was, is) in [("tw 0", "tw 1"), ("orphan 0", "orphan 2"), ("UDP: inuse 0", "UDP: inuse 1")] {
            assert!(!no_sockets(&fresh.replace(was, is)), "{is}");
        }
    }
}
