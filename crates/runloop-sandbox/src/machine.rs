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

#[cfg(test)]
mod tests {
    use super::*;

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
