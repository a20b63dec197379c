//! Control groups, where root may make them: the kernel then holds the memory limit of each box, and that of all boxes
//! together, and shares of processors.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What the boxes of all sandboxes' groups are named after, with the number of the harness.
const PREFIX: &str = "runloop-sandbox-";
/// Length of a period in which a share of processors is counted, in microseconds.
const PERIOD: u64 = 100_000;

/// Groups of ended boxes that are kept for others.
const SPARE_GROUPS: usize = 64;

/// The groups of one sandbox; its boxes' are below.
///
/// Groups of ended boxes serve others of the same limits: a removed one stays in the kernel as long as any page or name in
/// a cache was charged to it, and thousands of those slow everything down.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    spare: Arc<Mutex<Vec<BoxGroups>>>,
    memory: PathBuf,
    /// The same directory in version 2, another hierarchy in version 1.
    cpu: Option<PathBuf>,
    unified: bool,
}

/// What a box may use: bytes, and processors if they are limited.
type Limits = (u64, Option<f64>);

/// The groups of one box.
#[derive(Debug, Clone, Default)]
pub(crate) struct BoxGroups {
    limits: Limits,
    unified: bool,
    directories: Vec<PathBuf>,
    /// File that counts the processes that were killed for lack of memory.
    events: Option<PathBuf>,
    /// How many of them were of earlier boxes.
    earlier_kills: u64,
}

impl Groups {
    /// Makes the groups of a sandbox, if this process may. `limit` is what all its boxes together may use.
    pub(crate) fn new(limit: u64) -> Option<Self> {
        let name = format!("{PREFIX}{}-{}", std::process::id(), crate::layers::unique_name("g"));
        let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
        let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        Self::version_1(&mounts, &groups, &name, limit).or_else(|| Self::version_2(&mounts, &name, limit))
    }

    fn version_1(mounts: &str, groups: &str, name: &str, limit: u64) -> Option<Self> {
        let hierarchy = |controller: &str| -> Option<PathBuf> {
            let top = mount_of(mounts, "cgroup", Some(controller))?;
            // The own group as far as it can be seen from here: in a container it may lie above what is mounted.
            let own = own_group(groups, controller).map(|path| top.join(path.trim_start_matches('/')));
            let parent = own.filter(|path| path.is_dir()).unwrap_or(top);
            remove_remains(&parent);
            let directory = parent.join(name);
            std::fs::create_dir(&directory).ok()?;
            Some(directory)
        };
        let memory = hierarchy("memory")?;
        if std::fs::write(memory.join("memory.limit_in_bytes"), limit.to_string()).is_err() {
            let _ = std::fs::remove_dir(&memory);
            return None;
        }
        Some(Self { spare: Arc::default(), memory, cpu: hierarchy("cpu"), unified: false })
    }

    fn version_2(mounts: &str, name: &str, limit: u64) -> Option<Self> {
        let top = mount_of(mounts, "cgroup2", None)?;
        let offered = std::fs::read_to_string(top.join("cgroup.controllers")).ok()?;
        if !offered.split_whitespace().any(|controller| controller == "memory") {
            return None;
        }
        // At the very top this is on already, or may be turned on; elsewhere it is refused while processes are in there.
        let enable = |directory: &Path, controller: &str| {
            std::fs::write(directory.join("cgroup.subtree_control"), controller).is_ok()
        };
        enable(&top, "+memory");
        enable(&top, "+cpu");
        remove_remains(&top);
        let memory = top.join(name);
        std::fs::create_dir(&memory).ok()?;
        let usable = enable(&memory, "+memory")
            && std::fs::write(memory.join("memory.max"), limit.to_string()).is_ok();
        if !usable {
            let _ = std::fs::remove_dir(&memory);
            return None;
        }
        let cpu = enable(&memory, "+cpu").then(|| memory.clone());
        Some(Self { spare: Arc::default(), memory, cpu, unified: true })
    }

    /// Whether shares of processors can be held.
    pub(crate) fn hold_cpus(&self) -> bool {
        self.cpu.is_some()
    }

    /// The mechanism's name.
    pub(crate) fn version(&self) -> &'static str {
        if self.unified { "control group v2" } else { "control group v1" }
    }

    /// Finds or makes the groups of a box.
    pub(crate) fn for_box(&self, name: &str, memory: u64, cpus: Option<f64>) -> io::Result<BoxGroups> {
        let spare = {
            let mut spare = self.spare();
            let fitting = spare.iter().position(|groups| groups.limits == (memory, cpus));
            fitting.map(|index| spare.swap_remove(index))
        };
        if let Some(groups) = spare {
            return Ok(groups);
        }
        let mut groups = BoxGroups { limits: (memory, cpus), unified: self.unified, ..BoxGroups::default() };
        let made = self.fill(&mut groups, name, memory, cpus);
        if made.is_err() {
            groups.remove();
        }
        made.map(|()| groups)
    }

    fn fill(&self, groups: &mut BoxGroups, name: &str, memory: u64, cpus: Option<f64>) -> io::Result<()> {
        let directory = self.memory.join(name);
        std::fs::create_dir(&directory)?;
        groups.directories.push(directory.clone());
        if self.unified {
            std::fs::write(directory.join("memory.max"), memory.to_string())?;
            // Without swap accounting there is no such file, and nothing to be limited.
            let _ = std::fs::write(directory.join("memory.swap.max"), "0");
            groups.events = Some(directory.join("memory.events"));
        } else {
            std::fs::write(directory.join("memory.limit_in_bytes"), memory.to_string())?;
            let _ = std::fs::write(directory.join("memory.memsw.limit_in_bytes"), memory.to_string());
            groups.events = Some(directory.join("memory.oom_control"));
        }
        if let (Some(cpus), Some(top)) = (cpus, &self.cpu) {
            // The kernel takes no quota below a millisecond.
            let quota = ((cpus * PERIOD as f64) as u64).max(1000);
            if self.unified {
                std::fs::write(directory.join("cpu.max"), format!("{quota} {PERIOD}"))?;
            } else {
                let directory = top.join(name);
                std::fs::create_dir(&directory)?;
                groups.directories.push(directory.clone());
                std::fs::write(directory.join("cpu.cfs_period_us"), PERIOD.to_string())?;
                std::fs::write(directory.join("cpu.cfs_quota_us"), quota.to_string())?;
            }
        }
        Ok(())
    }

    /// Takes back the groups of a box that ended: for another, or to be removed. `false` if a process is still in there.
    pub(crate) fn retire(&self, mut groups: BoxGroups) -> bool {
        if !groups.are_empty() {
            return false;
        }
        if self.spare().len() >= SPARE_GROUPS {
            return groups.remove();
        }
        groups.earlier_kills += groups.memory_kills();
        self.spare().push(groups);
        true
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<BoxGroups>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directories of the sandbox's own groups.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        std::iter::once(&self.memory).chain(&self.cpu).cloned().collect()
    }

    /// Removes the groups of a sandbox whose boxes are gone.
    pub(crate) fn remove(&self) {
        self.roots().iter().for_each(|directory| remove_group(directory));
    }
}

impl BoxGroups {
    /// The files that a process of one thread writes itself into.
    ///
    /// In version 1 that is the list of threads: to move a process the kernel first waits, for up to 20 ms, until nobody
    /// forks or ends; a thread that moves itself is moved at once.
    pub(crate) fn entrances(&self) -> Vec<PathBuf> {
        let file = if self.unified { "cgroup.procs" } else { "tasks" };
        self.directories.iter().map(|directory| directory.join(file)).collect()
    }

    /// Processes that the kernel killed so far because the box's memory was used up.
    pub(crate) fn memory_kills(&self) -> u64 {
        let text =
            self.events.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        count_of(&text, "oom_kill").unwrap_or(0).saturating_sub(self.earlier_kills)
    }

    fn are_empty(&self) -> bool {
        self.directories.iter().all(|group| match std::fs::read(group.join("cgroup.procs")) {
            Ok(text) => text.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        })
    }

    /// Whether the kernel holds the memory limit.
    pub(crate) fn hold_memory(&self) -> bool {
        self.events.is_some()
    }

    /// Removes them, as far as no process is left in them. Returns whether that worked.
    fn remove(&self) -> bool {
        self.directories.iter().fold(true, |all, directory| {
            let gone = match std::fs::remove_dir(directory) {
                Err(error) => error.kind() == io::ErrorKind::NotFound,
                Ok(()) => true,
            };
            all && gone
        })
    }
}

/// Removes a group with the empty ones below it.
pub(crate) fn remove_group(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = std::fs::remove_dir(entry.path());
        }
    }
    let _ = std::fs::remove_dir(directory);
}

/// Removes groups of harnesses that are no more.
fn remove_remains(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let harness =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if harness.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            remove_group(&entry.path());
        }
    }
}

/// Where a hierarchy is mounted, from lines such as `cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0`.
fn mount_of(mounts: &str, kind: &str, controller: Option<&str>) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let fits = fields.get(2) == Some(&kind)
            && controller.is_none_or(|wanted| {
                fields.get(3).is_some_and(|options| options.split(',').any(|option| option == wanted))
            });
        fits.then(|| PathBuf::from(fields[1]))
    })
}

/// The path of this process in a hierarchy, from lines such as `4:memory:/path`.
fn own_group<'a>(groups: &'a str, controller: &str) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next()?;
        controllers.split(',').any(|name| name == controller).then(|| fields.next()).flatten()
    })
}

/// The number behind a name in lines of both.
fn count_of(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_are_found_by_controller() {
        let mounts = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n\
            cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(mount_of(mounts, "cgroup", Some("memory")), Some("/sys/fs/cgroup/memory".into()));
        assert_eq!(mount_of(mounts, "cgroup", Some("cpu")), Some("/sys/fs/cgroup/cpu,cpuacct".into()));
        assert_eq!(mount_of(mounts, "cgroup2", None), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(mount_of(mounts, "cgroup", Some("pids")), None);
    }

    #[test]
    fn the_own_group_is_found_by_controller() {
        let groups = "4:memory:/a/b\n1:cpu,cpuacct:/\n0::/unified:with:colons\n";
        assert_eq!(own_group(groups, "memory"), Some("/a/b"));
        assert_eq!(own_group(groups, "cpuacct"), Some("/"));
        assert_eq!(own_group(groups, "pids"), None);
    }

    #[test]
    fn groups_of_an_ended_box_serve_another_of_the_same_limits() {
        let top = tempfile::tempdir().unwrap();
        let groups = Groups { spare: Arc::default(), memory: top.path().into(), cpu: None, unified: false };
        let first = groups.for_box("a", 100, None).unwrap();
        let directory = top.path().join("a");
        std::fs::write(directory.join("memory.oom_control"), "oom_kill 2\n").unwrap();
        std::fs::write(directory.join("cgroup.procs"), "17\n").unwrap();
        assert_eq!(first.memory_kills(), 2);
        assert!(!groups.retire(first.clone()), "somebody is in there");
        std::fs::write(directory.join("cgroup.procs"), "").unwrap();
        assert!(groups.retire(first));

        assert_eq!(groups.for_box("b", 200, None).unwrap().directories, [top.path().join("b")]);
        let again = groups.for_box("c", 100, None).unwrap();
        assert_eq!((again.directories.as_slice(), again.memory_kills()), ([directory.clone()].as_slice(), 0));
        std::fs::write(directory.join("memory.oom_control"), "oom_kill 3\n").unwrap();
        assert_eq!(again.memory_kills(), 1);
        assert_eq!(groups.for_box("d", 100, None).unwrap().directories, [top.path().join("d")]);
    }

    #[test]
    fn kills_are_counted_in_both_versions() {
        assert_eq!(count_of("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "oom_kill"), Some(3));
        assert_eq!(count_of("low 0\noom 1\noom_kill 2\noom_group_kill 0\n", "oom_kill"), Some(2));
        assert_eq!(count_of("", "oom_kill"), None);
    }
}
