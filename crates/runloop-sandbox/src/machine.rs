//! Facts about the machine.

use std::path::Path;
use std::sync::OnceLock;

/// Bytes of memory that this process may use at most: the machine's, or less if a control group says so. Looked up once.
pub(crate) fn memory() -> u64 {
    static BYTES: OnceLock<u64> = OnceLock::new();
    *BYTES.get_or_init(look_up_memory)
}

fn look_up_memory() -> u64 {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_memory(&text));
    let group = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
    let total = total.unwrap_or(4 << 30);
    group.map_or(total, |limit| total.min(limit)).max(64 << 20)
}

/// `MemTotal` of `/proc/meminfo`, which is in KiB.
fn total_memory(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// Whether this process seems to run in a container, where the container is the boundary.
pub(crate) fn in_container() -> bool {
    let marked = ["/.dockerenv", "/run/.containerenv"].iter().any(|path| Path::new(path).exists());
    let groups = std::fs::read_to_string("/proc/1/cgroup").unwrap_or_default();
    marked || std::env::var_os("container").is_some() || names_a_container(&groups)
}

fn names_a_container(groups: &str) -> bool {
    ["docker", "kubepods", "libpod", "lxc", "containerd"].iter().any(|name| groups.contains(name))
}

/// Whether these users, and the groups of the same ids, are known in the user namespace of this process.
pub(crate) fn has_ids(first: u32, count: u32) -> bool {
    ["/proc/self/uid_map", "/proc/self/gid_map"]
        .iter()
        .all(|path| std::fs::read_to_string(path).is_ok_and(|map| maps(&map, first, count)))
}

/// Whether one line of a map (first id inside, first id outside, how many) has them all.
fn maps(map: &str, first: u32, count: u32) -> bool {
    map.lines().any(|line| {
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let &[start, _, length] = numbers.as_slice() else { return false };
        start <= first.into() && u64::from(first) + u64::from(count) <= start + length
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_there_if_one_line_of_the_map_has_them_all() {
        let container = "         0       1000          1\n         1     100000      65536\n";
        assert!(maps(container, 1, 65_536) && maps(container, 0, 1));
        assert!(!maps(container, 2, 65_536) && !maps(container, 1_900_065_536, 1));
        assert!(maps("         0          0 4294967295\n", 1_900_065_536, 60_000));
        assert!(!maps("", 0, 1));
    }

    #[test]
    fn total_memory_is_read_in_bytes() {
        assert_eq!(total_memory("MemFree: 1 kB\nMemTotal:       24684084 kB\n"), Some(24684084 << 10));
        assert_eq!(total_memory("nothing"), None);
    }

    #[test]
    fn containers_are_known_by_their_groups() {
        assert!(names_a_container("0::/system.slice/docker-0123.scope\n"));
        assert!(!names_a_container("0::/init.scope\n"));
    }
}
