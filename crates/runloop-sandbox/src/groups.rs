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
    /// Makes the groups of a sandbox. `limit` is what all its boxes together may use. The error says, for people, why this
    /// process may not.
    pub(crate) fn new(limit: u64) -> Result<Self, String> {
        let name = format!("{PREFIX}{}-{}", std::process::id(), crate::layers::unique_name("g"));
        let read = |path| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
        Self::found(&read("/proc/self/mounts")?, &read("/proc/self/cgroup")?, &name, limit)
    }

    /// In the hierarchies of `mounts`, for a process in these `groups`.
    fn found(mounts: &str, groups: &str, name: &str, limit: u64) -> Result<Self, String> {
        Self::version_1(mounts, groups, name, limit).or_else(|first| {
            Self::version_2(mounts, groups, name, limit)
                .map_err(|second| format!("version 1: {first}; version 2: {second}"))
        })
    }

    fn version_1(mounts: &str, groups: &str, name: &str, limit: u64) -> Result<Self, String> {
        let hierarchy = |controller: &str| -> Result<PathBuf, String> {
            let top = mount_of(mounts, "cgroup", Some(controller))
                .ok_or_else(|| format!("no {controller} hierarchy is mounted"))?;
            // The own group as far as it can be seen from here: in a container it may lie above what is mounted.
            let own = own_group(groups, controller).map(|path| top.join(path.trim_start_matches('/')));
            let parent = own.filter(|path| path.is_dir()).unwrap_or(top);
            remove_remains(&parent);
            let directory = parent.join(name);
            std::fs::create_dir(&directory).map_err(refused(&directory))?;
            Ok(directory)
        };
        let memory = hierarchy("memory")?;
        let file = memory.join("memory.limit_in_bytes");
        if let Err(error) = std::fs::write(&file, limit.to_string()) {
            let _ = std::fs::remove_dir(&memory);
            return Err(refused(&file)(error));
        }
        Ok(Self { spare: Arc::default(), memory, cpu: hierarchy("cpu").ok(), unified: false })
    }

    /// At the very top of the hierarchy root may have groups of its own. Elsewhere none can be made where processes are, so
    /// where the top is not to be had they are made beside the own group.
    fn version_2(mounts: &str, groups: &str, name: &str, limit: u64) -> Result<Self, String> {
        let top = mount_of(mounts, "cgroup2", None).ok_or("it is not mounted")?;
        let beside = own_group(groups, "")
            .map(|own| top.join(own.trim_start_matches('/')))
            .and_then(|own| own.parent().map(Path::to_owned))
            .filter(|parent| parent.starts_with(&top) && *parent != top);
        let at_the_top = Self::below(&top, name, limit);
        match beside {
            Some(beside) if at_the_top.is_err() => Self::below(&beside, name, limit).or(at_the_top),
            _ => at_the_top,
        }
    }

    fn below(parent: &Path, name: &str, limit: u64) -> Result<Self, String> {
        let file = parent.join("cgroup.controllers");
        let offered = std::fs::read_to_string(&file).map_err(refused(&file))?;
        if !has_word(&offered, "memory") {
            return Err(format!("{} offers no memory controller", parent.display()));
        }
        enable(parent, "memory")?;
        let has_cpu = has_word(&offered, "cpu") && enable(parent, "cpu").is_ok();
        remove_remains(parent);
        let memory = parent.join(name);
        std::fs::create_dir(&memory).map_err(refused(&memory))?;
        let file = memory.join("memory.max");
        let limited = enable(&memory, "memory")
            .and_then(|()| std::fs::write(&file, limit.to_string()).map_err(refused(&file)));
        if let Err(error) = limited {
            let _ = std::fs::remove_dir(&memory);
            return Err(error);
        }
        let cpu = (has_cpu && enable(&memory, "cpu").is_ok()).then(|| memory.clone());
        Ok(Self { spare: Arc::default(), memory, cpu, unified: true })
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

/// Has a controller of version 2 hold limits in the groups below.
fn enable(directory: &Path, controller: &str) -> Result<(), String> {
    let file = directory.join("cgroup.subtree_control");
    if std::fs::read_to_string(&file).is_ok_and(|text| has_word(&text, controller)) {
        return Ok(());
    }
    std::fs::write(&file, format!("+{controller}")).map_err(refused(&file))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split_whitespace().any(|found| found == word)
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

/// The path of this process in a hierarchy, from lines such as `4:memory:/path`; that of version 2 has no controllers.
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

    /// A hierarchy of version 2 as far as plain files can be one: a directory with its own group `/own/group` and what
    /// the top offers.
    fn unified(offered: &str) -> (tempfile::TempDir, String) {
        let directory = tempfile::tempdir().unwrap();
        for path in ["", "own", "own/group"] {
            let path = directory.path().join(path);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("cgroup.controllers"), offered).unwrap();
            std::fs::write(path.join("cgroup.subtree_control"), "").unwrap();
        }
        let mounts =
            format!("tmpfs /x tmpfs rw 0 0\ncgroup2 {} cgroup2 rw 0 0\n", directory.path().display());
        (directory, mounts)
    }

    const GROUPS: &str = "1:name=systemd:/\n0::/own/group\n";

    fn text(path: PathBuf) -> String {
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    #[test]
    fn limits_of_version_2_are_written_where_the_kernel_reads_them() {
        let (directory, mounts) = unified("cpuset cpu io memory pids\n");
        let groups = Groups::found(&mounts, GROUPS, "all", 1 << 30).unwrap();
        assert_eq!((groups.version(), groups.hold_cpus()), ("control group v2", true));
        let all = directory.path().join("all");
        assert_eq!(groups.roots()[0], all);
        assert_eq!(text(all.join("memory.max")), "1073741824");
        // The last that was turned on: each is a write of its own.
        assert_eq!(text(directory.path().join("cgroup.subtree_control")), "+cpu");
        assert_eq!(text(all.join("cgroup.subtree_control")), "+cpu");

        let own = groups.for_box("box", 64 << 20, Some(0.5)).unwrap();
        assert_eq!(text(all.join("box/memory.max")), "67108864");
        assert_eq!(text(all.join("box/memory.swap.max")), "0");
        assert_eq!(text(all.join("box/cpu.max")), "50000 100000");
        assert_eq!(own.entrances(), [all.join("box/cgroup.procs")]);
        assert!(own.hold_memory());
        assert_eq!(own.memory_kills(), 0);
        std::fs::write(all.join("box/memory.events"), "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n").unwrap();
        assert_eq!(own.memory_kills(), 2);
        let unlimited = groups.for_box("other", 64 << 20, None).unwrap();
        assert!(!all.join("other/cpu.max").exists() && unlimited.hold_memory());
    }

    #[test]
    fn version_2_without_a_memory_controller_holds_nothing_and_says_so() {
        let (directory, mounts) = unified("cpu pids\n");
        let why = Groups::found(&mounts, GROUPS, "all", 1 << 30).unwrap_err();
        assert!(why.contains("version 1: no memory hierarchy is mounted"), "{why}");
        assert!(
            why.contains(&format!("version 2: {} offers no memory", directory.path().display())),
            "{why}"
        );
        assert!(!directory.path().join("all").exists() && !directory.path().join("own/all").exists());
        let none = Groups::found("proc /proc proc rw 0 0\n", GROUPS, "all", 1 << 30).unwrap_err();
        assert!(none.ends_with("version 2: it is not mounted"), "{none}");
    }

    #[test]
    fn version_2_without_a_cpu_controller_holds_memory_only() {
        let (_directory, mounts) = unified("memory pids\n");
        let groups = Groups::found(&mounts, GROUPS, "all", 1 << 30).unwrap();
        assert!(!groups.hold_cpus() && groups.roots().len() == 1);
        let own = groups.for_box("box", 64 << 20, Some(0.5)).unwrap();
        assert!(!groups.roots()[0].join("box/cpu.max").exists() && own.hold_memory());
    }

    #[test]
    fn where_the_top_cannot_be_had_groups_are_made_beside_the_own_one() {
        let (directory, mounts) = unified("cpu memory\n");
        // Nothing can be written to a directory: as if the kernel refused it.
        let refusing = |path: &str| {
            let file = directory.path().join(path).join("cgroup.subtree_control");
            std::fs::remove_file(&file).unwrap();
            std::fs::create_dir(file).unwrap();
        };
        refusing("");
        let groups = Groups::found(&mounts, GROUPS, "all", 1 << 30).unwrap();
        assert_eq!(groups.roots()[0], directory.path().join("own/all"));
        assert!(!directory.path().join("all").exists());
        refusing("own");
        let why = Groups::found(&mounts, GROUPS, "more", 1 << 30).unwrap_err();
        assert!(why.contains("cgroup.subtree_control: "), "{why}");
        assert!(!directory.path().join("own/more").exists());
    }

    #[test]
    fn a_box_does_not_take_over_a_group_of_its_name() {
        let (directory, mounts) = unified("memory\n");
        let groups = Groups::found(&mounts, GROUPS, "all", 1 << 30).unwrap();
        std::fs::create_dir(directory.path().join("all/taken")).unwrap();
        assert!(groups.for_box("taken", 64 << 20, None).is_err());
        assert!(directory.path().join("all/taken").exists());
    }
}
