//! The layer that lies between a base and everything that is written in boxes: accounts, the home directory, mount
//! points, and over the host's own root the directories that are none of the box's business. Made once per run and base
//! and user, so that a new box needs nothing but two empty directories.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::mountinfo;
use crate::protocol::{Lower, Tree};
use crate::spec::{Base, User};
use crate::sys::c_path;
use crate::sys::files::{self, Resolve};
use crate::tree;

/// Directory of the state directory that holds the skeletons.
pub(crate) const SKELETONS: &str = "skeletons";

/// What the names of copies of the host's settings begin with, and how many are kept for later runs.
const COPY: &str = "etc-";
const KEPT_COPIES: usize = 3;
/// Levels of directories that are copied.
const MAX_SETTINGS_DEPTH: usize = 32;

/// Top-level directories of the host that boxes see: programs, libraries and their settings.
const SHOWN: [&str; 12] =
    ["bin", "etc", "lib", "lib32", "lib64", "libx32", "nix", "opt", "sbin", "usr", "var", "gnu"];
/// Top-level directories that are there but empty, with their modes.
const EMPTY: [(&str, u32); 6] =
    [("home", 0o755), ("root", 0o700), ("mnt", 0o755), ("media", 0o755), ("srv", 0o755), ("tmp", 0o1777)];
/// Where other file systems are mounted.
const MOUNT_POINTS: [&str; 4] = ["proc", "sys", "dev", "run"];
/// Directories below the shown ones that hold what other programs and people left there.
const HIDDEN: [(&str, u32); 5] = [
    ("var/tmp", 0o1777),
    ("var/log", 0o755),
    ("var/mail", 0o755),
    ("var/spool", 0o755),
    ("var/backups", 0o755),
];
/// Directories that only the host's root may read; the box's root shall not either.
const SECRET: [&str; 12] = [
    "etc/ssl/private",
    "etc/docker",
    "etc/kubernetes",
    "etc/sudoers.d",
    "var/lib/containerd",
    "var/lib/containers",
    "var/lib/docker",
    "var/lib/kubelet",
    "var/lib/mysql",
    "var/lib/postgresql",
    "var/lib/private",
    "var/lib/rancher",
];

/// `/etc/profile` of a box: a login shell costs no forks.
const PROFILE: &str = "# Set for every login shell of this box.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
umask 022
";

/// Who makes the skeletons, and for which driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// Root: owners are shifted by this much, marks are `trusted.` attributes.
    Shifted(u32),
    /// An ordinary user: all is his, marks are `user.` attributes.
    Own,
}

/// What a box stands on, from the bottom up to its snapshots: filled in by the caller above `lowers`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Foundation {
    pub(crate) trees: Vec<Tree>,
    /// Directories of the host that can only be shown as they are, read-only.
    pub(crate) shown: Vec<(PathBuf, PathBuf)>,
}

/// The skeletons made so far in this run.
#[derive(Debug)]
pub(crate) struct Skeletons {
    root: PathBuf,
    marks: Marks,
    /// Directories of the harness that lie below shown ones.
    private: Vec<PathBuf>,
    made: Mutex<HashMap<u64, Foundation>>,
}

impl Skeletons {
    /// Starts with none: those of an earlier run may not fit what the host is now. Copies of settings are kept, their
    /// names say what they are copies of.
    pub(crate) fn new(root: &Path, marks: Marks) -> io::Result<Self> {
        let state = files::open_directory(root)?;
        let top = root.join(SKELETONS);
        std::fs::create_dir_all(&top)?;
        std::fs::set_permissions(&top, PermissionsExt::from_mode(0o711))?;
        let mut copies = Vec::new();
        for entry in std::fs::read_dir(&top)? {
            let entry = entry?;
            if entry.file_name().as_bytes().starts_with(COPY.as_bytes()) {
                copies.push((entry.metadata()?.modified()?, entry.file_name()));
            } else {
                tree::remove(state.as_fd(), &Path::new(SKELETONS).join(entry.file_name()))?;
            }
        }
        copies.sort();
        for (_, old) in copies.iter().rev().skip(KEPT_COPIES) {
            tree::remove(state.as_fd(), &Path::new(SKELETONS).join(old))?;
        }
        let private = private_directories(root);
        Ok(Self { root: root.to_owned(), marks, private, made: Mutex::default() })
    }

    /// The foundation for a base and user if it is there and fits the base as it is now.
    pub(crate) fn known(&self, base: &Base, user: &User) -> Option<Foundation> {
        let key = self.key(base, user).ok()?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    /// The foundation for a base and user, made if it is not there or the base has changed since.
    pub(crate) fn foundation(&self, base: &Base, user: &User) -> io::Result<Foundation> {
        let key = self.key(base, user)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(foundation) = made.get(&key) {
            return Ok(foundation.clone());
        }
        let path = Path::new(SKELETONS).join(format!("{key:016x}"));
        let builder = Builder { top: self.root.join(&path), marks: self.marks, user };
        let foundation = match (base, self.marks) {
            (Base::Dir(base), _) => builder.over_directory(&path, base)?,
            (Base::Host, Marks::Shifted(_)) => builder.over_host(&path, &self.private)?,
            (Base::Host, Marks::Own) => builder.over_host_by_parts(&path, &self.private)?,
        };
        made.insert(key, foundation.clone());
        Ok(foundation)
    }

    /// Changes whenever something changes that the skeleton was made from.
    fn key(&self, base: &Base, user: &User) -> io::Result<u64> {
        let mut hasher = DefaultHasher::new();
        (&user.name, user.uid, &user.home).hash(&mut hasher);
        let top = match base {
            Base::Host => Path::new("/"),
            Base::Dir(path) => path,
        };
        top.hash(&mut hasher);
        for name in ["", "etc/passwd", "etc/group"] {
            // Relative to a base that is not the host's, a link could lead elsewhere: its own times will do.
            if let Ok(status) = std::fs::symlink_metadata(top.join(name)) {
                (status.ino(), status.ctime(), status.ctime_nsec()).hash(&mut hasher);
            } else if name.is_empty() {
                return Err(io::Error::from_raw_os_error(libc::ENOENT));
            }
        }
        Ok(hasher.finish())
    }
}

/// Directories of the harness that lie, or may lie, below directories that boxes see: its state, and the project that
/// it was started in.
pub(crate) fn private_directories(root: &Path) -> Vec<PathBuf> {
    let current = std::env::current_dir().ok().filter(|current| is_project(current));
    std::iter::once(root.to_owned()).chain(current).collect()
}

/// Whether a directory below a shown one is somebody's project rather than part of the system.
fn is_project(path: &Path) -> bool {
    let parts: Vec<&OsStr> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    matches!(
        parts[..],
        [b"opt" | b"srv", _, ..]
            | [b"usr", b"src", _, ..]
            | [b"usr", b"local", b"src", _, ..]
            | [b"var", _, _, ..]
    )
}

struct Builder<'a> {
    top: PathBuf,
    marks: Marks,
    user: &'a User,
}

impl Builder<'_> {
    /// One overlay over an unpacked image.
    fn over_directory(&self, path: &Path, base: &Path) -> io::Result<Foundation> {
        let base = base.canonicalize()?;
        self.directory("root", 0o755, 0)?;
        for name in MOUNT_POINTS {
            self.directory(&format!("root/{name}"), 0o755, 0)?;
            self.close(&format!("root/{name}"))?;
        }
        self.directory("root/tmp", 0o1777, 0)?;
        let root = files::open_directory(&base)?;
        let read = |name: &str| -> Vec<u8> {
            // The base is not trusted: its links must not lead out of it.
            files::open_at(
                root.as_fd(),
                Path::new(name),
                libc::O_RDONLY | libc::O_NONBLOCK,
                0,
                Resolve::InRoot,
            )
            .ok()
            .filter(|fd| files::status(fd.as_fd()).is_ok_and(|status| status.kind == files::Kind::Regular))
            .and_then(|fd| {
                let mut text = Vec::new();
                io::Read::read_to_end(&mut io::Read::take(std::fs::File::from(fd), 4 << 20), &mut text)
                    .ok()?;
                Some(text)
            })
            .unwrap_or_default()
        };
        let shell = files::open_at(root.as_fd(), Path::new("bin/bash"), libc::O_PATH, 0, Resolve::InRoot);
        let shell = if shell.is_ok() { "/bin/bash" } else { "/bin/sh" };
        self.accounts("root", &read("etc/passwd"), &read("etc/group"), shell)?;
        self.home("root")?;
        let lowers = self.below(path, "root", base, None);
        Ok(Foundation { trees: vec![part_tree("root", "/", lowers)], shown: Vec::new() })
    }

    /// One overlay over the host's root.
    fn over_host(&self, path: &Path, private: &[PathBuf]) -> io::Result<Foundation> {
        self.directory("root", 0o755, 0)?;
        self.hide_top_level("root")?;
        for (name, mode) in HIDDEN {
            if Path::new("/").join(name).is_dir() && !Path::new("/").join(name).is_symlink() {
                self.hide("root", Path::new(name), mode)?;
            }
        }
        for name in SECRET {
            if Path::new("/").join(name).is_dir() {
                self.hide("root", Path::new(name), 0o700)?;
            }
        }
        for key in host_keys() {
            self.parents("root", &key)?;
            self.whiteout(&Path::new("root").join(&key))?;
        }
        for directory in private {
            let below = directory.strip_prefix("/").unwrap_or(directory);
            if is_shown(below) {
                self.hide("root", below, 0o755)?;
            }
        }
        self.accounts("root", &read_host("/etc/passwd")?, &read_host("/etc/group")?, host_shell())?;
        self.home("root")?;
        let stranger = (self.user.uid != 0).then_some(self.user.uid);
        let lowers = self.below(path, "root", "/".into(), stranger);
        Ok(Foundation { trees: vec![part_tree("root", "/", lowers)], shown: Vec::new() })
    }

    /// For an ordinary user the kernel refuses an overlay over a directory that has mounts below it, so each top-level
    /// directory gets its own, or is shown as it is.
    fn over_host_by_parts(&self, path: &Path, private: &[PathBuf]) -> io::Result<Foundation> {
        let mounted = mountinfo::mount_points(&std::fs::read("/proc/self/mountinfo")?);
        self.directory("root", 0o755, 0)?;
        let mut foundation = Foundation::default();
        foundation.trees.push(part_tree("root", "/", vec![self.layer(path, "root")]));
        for (name, mode) in EMPTY {
            self.directory(&format!("root/{name}"), mode, 0)?;
        }
        for name in MOUNT_POINTS {
            self.directory(&format!("root/{name}"), 0o755, 0)?;
        }
        for name in SHOWN {
            let host = Path::new("/").join(name);
            let Ok(status) = host.symlink_metadata() else { continue };
            let inside = Path::new("root").join(name);
            if status.is_symlink() {
                symlink(host.read_link()?, self.top.join(inside))?;
                continue;
            }
            if !status.is_dir() {
                continue;
            }
            self.directory(inside.to_str().unwrap_or(name), 0o755, 0)?;
            if name == "etc" {
                // Copied: it is small, and inside containers files of it are mounts.
                let copy = self.settings(&host)?;
                foundation.trees[0].lowers.push(Lower::Layer { path: copy });
                continue;
            }
            let part = format!("top-{name}");
            self.directory(&part, 0o755, 0)?;
            for (hidden, mode) in HIDDEN {
                if let Ok(below) = Path::new(hidden).strip_prefix(name)
                    && Path::new("/").join(hidden).is_dir()
                    && !Path::new("/").join(hidden).is_symlink()
                {
                    self.hide_below(&part, name, below, mode)?;
                }
            }
            let mut harness_inside = false;
            for directory in private {
                if let Ok(below) = directory.strip_prefix(&host) {
                    harness_inside = true;
                    self.hide_below(&part, name, below, 0o755)?;
                }
            }
            if self.top.starts_with(&host) {
                // The kernel refuses to stack a directory over one that contains it.
                if name != "var" {
                    return Err(io::Error::other(format!(
                        "the state directory must not be below /{name}: choose another one"
                    )));
                }
                foundation.trees.push(part_tree(&part, "/var", vec![self.layer(path, &part)]));
            } else if !mounted.iter().any(|point| point != &host && point.starts_with(&host)) {
                let lowers = self.below(path, &part, host.clone(), None);
                foundation.trees.push(part_tree(&part, &format!("/{name}"), lowers));
            } else if name == "var" || harness_inside {
                // It cannot be shown without what has to stay hidden.
                foundation.trees.push(part_tree(&part, &format!("/{name}"), vec![self.layer(path, &part)]));
            } else {
                foundation.shown.push((host.clone(), host.clone()));
            }
        }
        self.accounts("root", &read_host("/etc/passwd")?, &read_host("/etc/group")?, host_shell())?;
        self.home("root")?;
        Ok(foundation)
    }

    /// A layer with a copy of `/etc`, made if there is none of what it is now.
    fn settings(&self, host: &Path) -> io::Result<PathBuf> {
        let mut hasher = DefaultHasher::new();
        digest(host, &mut hasher, 0)?;
        let name = format!("{COPY}{:016x}", hasher.finish());
        let skeletons = self.top.parent().unwrap_or(&self.top);
        let layer = skeletons.join(&name);
        if !layer.is_dir() {
            let unfinished = skeletons.join("unfinished");
            std::fs::create_dir_all(unfinished.join("etc"))?;
            copy_readable(host, &unfinished.join("etc"), 0)?;
            std::fs::rename(unfinished, layer)?;
        }
        Ok(Path::new(SKELETONS).join(name))
    }

    fn layer(&self, path: &Path, name: &str) -> Lower {
        Lower::Layer { path: path.join(name) }
    }

    /// The skeleton and what lies below it.
    fn below(&self, path: &Path, part: &str, host: PathBuf, stranger: Option<u32>) -> Vec<Lower> {
        match self.marks {
            Marks::Shifted(_) => vec![Lower::Base { skeleton: path.join(part), host, stranger }],
            Marks::Own => vec![self.layer(path, part), Lower::Layer { path: host }],
        }
    }

    /// The box's view of a directory is this one alone: nothing of the layers below shows through.
    fn close(&self, path: &str) -> io::Result<()> {
        let directory = files::open_directory(&self.top.join(path))?;
        let name = match self.marks {
            Marks::Shifted(_) => c"trusted.overlay.opaque",
            Marks::Own => c"user.overlay.opaque",
        };
        files::set_attribute(directory.as_fd(), name, b"y")
    }

    fn own(&self, path: &Path, uid: u32) -> io::Result<()> {
        match self.marks {
            Marks::Shifted(shift) => std::os::unix::fs::lchown(path, Some(shift + uid), Some(shift + uid)),
            Marks::Own => Ok(()),
        }
    }

    fn directory(&self, path: &str, mode: u32, uid: u32) -> io::Result<()> {
        let path = self.top.join(path);
        std::fs::create_dir_all(&path)?;
        self.own(&path, uid)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode))
    }

    fn file(&self, path: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let path = self.top.join(path);
        remove_if_there(&path)?;
        std::fs::write(&path, content)?;
        self.own(&path, 0)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode))
    }

    fn link(&self, path: &str, target: &str) -> io::Result<()> {
        let path = self.top.join(path);
        remove_if_there(&path)?;
        symlink(target, &path)?;
        self.own(&path, 0)
    }

    fn whiteout(&self, path: &Path) -> io::Result<()> {
        let path = self.top.join(path);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
        let parent = files::open_directory(parent)?;
        files::make_special(parent.as_fd(), &c_path(Path::new(name))?, libc::S_IFCHR, 0)
    }

    /// Empties or removes, in the box's view, every top-level name of the host that is not shown.
    fn hide_top_level(&self, part: &str) -> io::Result<()> {
        for (name, mode) in EMPTY {
            self.directory(&format!("{part}/{name}"), mode, 0)?;
            self.close(&format!("{part}/{name}"))?;
        }
        for name in MOUNT_POINTS {
            self.directory(&format!("{part}/{name}"), 0o755, 0)?;
            self.close(&format!("{part}/{name}"))?;
        }
        for entry in std::fs::read_dir("/")? {
            let name = entry?.file_name();
            let known = SHOWN.iter().chain(&MOUNT_POINTS).any(|known| name == *known)
                || EMPTY.iter().any(|(known, _)| name == *known);
            if !known {
                self.whiteout(&Path::new(part).join(&name))?;
            }
        }
        Ok(())
    }

    /// Makes the directories above a path as they are on the host.
    fn parents(&self, part: &str, path: &Path) -> io::Result<()> {
        self.parents_below(part, Path::new("/"), path)
    }

    fn parents_below(&self, part: &str, host: &Path, path: &Path) -> io::Result<()> {
        let mut above: Vec<&Path> =
            path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).collect();
        above.reverse();
        for directory in above {
            let mode = std::fs::metadata(host.join(directory)).map_or(0o755, |status| status.mode() & 0o7777);
            let inside = self.top.join(part).join(directory);
            if !inside.exists() {
                std::fs::create_dir(&inside)?;
                self.own(&inside, 0)?;
                std::fs::set_permissions(&inside, PermissionsExt::from_mode(mode | 0o700))?;
            }
        }
        Ok(())
    }

    fn hide(&self, part: &str, path: &Path, mode: u32) -> io::Result<()> {
        self.parents(part, path)?;
        let inside = Path::new(part).join(path);
        let inside = inside.to_str().ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        self.directory(inside, mode, 0)?;
        self.close(inside)
    }

    fn hide_below(&self, part: &str, name: &str, path: &Path, mode: u32) -> io::Result<()> {
        self.parents_below(part, &Path::new("/").join(name), path)?;
        let inside = Path::new(part).join(path);
        let inside = inside.to_str().ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        self.directory(inside, mode, 0)?;
        self.close(inside)
    }

    fn home(&self, part: &str) -> io::Result<()> {
        let path = self.user.home.strip_prefix("/").unwrap_or(&self.user.home);
        self.parents(part, path)?;
        let inside = Path::new(part).join(path);
        let inside = inside.to_str().ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        self.directory(inside, if self.user.uid == 0 { 0o700 } else { 0o755 }, self.user.uid)
    }

    fn accounts(&self, part: &str, passwd: &[u8], group: &[u8], shell: &str) -> io::Result<()> {
        let etc = format!("{part}/etc");
        self.directory(&etc, 0o755, 0)?;
        let User { name, uid, home } = self.user;
        let home = home.as_os_str().as_bytes();
        let mut entry = format!("{name}:x:{uid}:{uid}:{name}:").into_bytes();
        entry.extend(home);
        entry.extend(format!(":{shell}\n").as_bytes());
        let passwd = with_account(passwd, name, *uid, &entry, b"root:x:0:0:root:/root:/bin/sh\n");
        let group = with_account(group, name, *uid, format!("{name}:x:{uid}:\n").as_bytes(), b"root:x:0:\n");
        let mut shadow = Vec::new();
        for line in passwd.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            shadow.extend(line.split(|&byte| byte == b':').next().unwrap_or_default());
            shadow.extend(b":*:19000:0:99999:7:::\n");
        }
        self.file(&format!("{etc}/passwd"), &passwd, 0o644)?;
        self.file(&format!("{etc}/group"), &group, 0o644)?;
        self.file(&format!("{etc}/shadow"), &shadow, 0o640)?;
        self.file(&format!("{etc}/gshadow"), b"", 0o640)?;
        self.file(&format!("{etc}/profile"), PROFILE.as_bytes(), 0o644)?;
        for name in ["hosts", "hostname", "resolv.conf"] {
            self.link(&format!("{etc}/{name}"), &format!("/run/{name}"))?;
        }
        Ok(())
    }
}

fn part_tree(name: &str, target: &str, lowers: Vec<Lower>) -> Tree {
    Tree { name: name.to_owned(), target: target.into(), lowers }
}

fn is_shown(path: &Path) -> bool {
    let first = path.components().next();
    first.is_some_and(|first| SHOWN.iter().any(|name| first.as_os_str() == *name))
}

fn read_host(path: &str) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

fn host_shell() -> &'static str {
    if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" }
}

/// Private keys of the host's ssh daemon.
fn host_keys() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/etc/ssh").into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .filter(|name| name.as_bytes().starts_with(b"ssh_host_") && name.as_bytes().ends_with(b"_key"))
        .map(|name| Path::new("etc/ssh").join(name))
        .collect()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// A passwd or group file with this account in place of whoever had its name or number, and with a root.
fn with_account(file: &[u8], name: &str, id: u32, entry: &[u8], root: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut has_root = id == 0;
    for line in file.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let fields: Vec<&[u8]> = line.splitn(4, |&byte| byte == b':').collect();
        let number = fields.get(2).and_then(|field| std::str::from_utf8(field).ok()?.parse::<u32>().ok());
        if fields.first() == Some(&name.as_bytes()) || number == Some(id) {
            continue;
        }
        has_root |= number == Some(0);
        text.extend(line);
        text.push(b'\n');
    }
    if !has_root {
        text.splice(0..0, root.iter().copied());
    }
    text.extend(entry);
    text
}

/// Takes in what tells one state of a directory from another, without reading files.
fn digest(directory: &Path, hasher: &mut DefaultHasher, depth: usize) -> io::Result<()> {
    if depth > MAX_SETTINGS_DEPTH {
        return Ok(());
    }
    let mut entries = std::fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let Ok(status) = entry.metadata() else { continue };
        let times = (status.mtime(), status.mtime_nsec(), status.ctime(), status.ctime_nsec());
        (entry.file_name(), status.mode(), status.size(), times).hash(hasher);
        if status.is_dir() {
            // Of a directory that cannot be read nothing is copied either.
            let _ = digest(&entry.path(), hasher, depth + 1);
        }
    }
    Ok(())
}

/// Copies what everybody may read; the rest would be unreadable in the box too.
fn copy_readable(from: &Path, to: &Path, depth: usize) -> io::Result<()> {
    if depth > MAX_SETTINGS_DEPTH {
        return Ok(());
    }
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let Ok(status) = entry.metadata() else { continue };
        if status.is_symlink() {
            symlink(std::fs::read_link(&source)?, &target)?;
        } else if status.is_dir() {
            if status.mode() & 0o005 == 0o005 && std::fs::read_dir(&source).is_ok() {
                std::fs::create_dir(&target)?;
                copy_readable(&source, &target, depth + 1)?;
            }
        } else if status.is_file() && status.mode() & 0o004 != 0 {
            // Another security layer may still say no; then the file is simply not there.
            if std::fs::copy(&source, &target).is_ok() {
                std::fs::set_permissions(&target, PermissionsExt::from_mode(status.mode() & 0o777 | 0o600))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_replaces_whoever_had_its_name_or_number() {
        let file = b"root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/sh\nuser:x:7:7::/:/bin/sh\n";
        let text = with_account(file, "user", 1000, b"user:x:1000:1000::/home/user:/bin/bash\n", b"root\n");
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n"
        );
    }

    #[test]
    fn a_file_without_root_gets_one() {
        let text =
            with_account(b"", "user", 5, b"user:x:5:5::/:/bin/sh\n", b"root:x:0:0:root:/root:/bin/sh\n");
        assert!(text.starts_with(b"root:x:0:0:"));
        let text = with_account(b"", "root", 0, b"root:x:0:0::/root:/bin/sh\n", b"unused\n");
        assert_eq!(text, b"root:x:0:0::/root:/bin/sh\n");
    }

    #[test]
    fn projects_are_told_from_system_directories() {
        for path in ["/opt/app", "/usr/src/app", "/var/lib/app", "/var/www/html"] {
            assert!(is_project(Path::new(path)), "{path}");
        }
        for path in ["/", "/usr", "/usr/bin", "/usr/local/bin", "/opt", "/var", "/home/someone"] {
            assert!(!is_project(Path::new(path)), "{path}");
        }
    }
}
