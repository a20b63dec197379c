//! Memory of a process and of everything below it.

use std::collections::HashMap;

/// In KiB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    /// Resident pages of the process itself.
    pub(super) resident: f64,
    /// Of its descendants, each shared page divided among its users.
    pub(super) below: f64,
    /// How many descendants there are.
    pub(super) processes: usize,
}

/// What a process and its descendants have now.
pub(super) fn of_tree(process: u32) -> Result<Memory, String> {
    let parents = parents()?;
    let is_below = |mut pid: u32| {
        while let Some(parent) = parents.get(&pid) {
            if *parent == process {
                return true;
            }
            pid = *parent;
        }
        false
    };
    let below: Vec<u32> = parents.keys().copied().filter(|pid| is_below(*pid)).collect();
    Ok(Memory {
        resident: resident_of(process)?,
        below: below.iter().map(|pid| field(*pid, "smaps_rollup", "Pss:")).sum::<Result<f64, _>>()?,
        processes: below.len(),
    })
}

/// The KiB that a process has resident.
pub(super) fn resident_of(process: u32) -> Result<f64, String> {
    field(process, "status", "VmRSS:")
}

/// The most KiB that a process ever had resident.
pub(super) fn peak_of(process: u32) -> Result<f64, String> {
    field(process, "status", "VmHWM:")
}

/// Each process's parent.
fn parents() -> Result<HashMap<u32, u32>, String> {
    let entries = std::fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    Ok(pids
        .filter_map(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name in parentheses may hold anything; its end is the last one.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect())
}

/// A number of KiB in one of a process's files.
fn field(pid: u32, file: &str, name: &str) -> Result<f64, String> {
    let path = format!("/proc/{pid}/{file}");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse().ok())
        .ok_or_else(|| format!("{path} has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_a_parent() {
        let memory = of_tree(std::process::id()).expect("own memory can be read");
        assert!(memory.resident > 100.0, "{memory:?}");
        assert!(parents().expect("/proc can be read").contains_key(&std::process::id()));
    }
}
