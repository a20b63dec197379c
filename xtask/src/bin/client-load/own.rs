//! What this process has used so far.

/// Ticks of `/proc/self/stat` per second; fixed at 100 for user space on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time of all threads, user and system.
pub(crate) fn cpu_seconds() -> Result<f64, String> {
    let stat = read("stat")?;
    // The name in parentheses may hold anything; its end is the last one.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).into_iter().flatten();
    let ticks: Vec<f64> = fields.skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    match ticks.as_slice() {
        [user, system] => Ok((user + system) / TICKS_PER_SECOND),
        _ => Err("/proc/self/stat is not as expected".into()),
    }
}

/// KiB that are resident now: all, and those of them that are no pages of a program or library.
pub(crate) fn resident_kib() -> Result<(f64, f64), String> {
    Ok((field("smaps_rollup", "Rss:")?, field("smaps_rollup", "Anonymous:")?))
}

/// The most KiB that were ever resident.
pub(crate) fn peak_kib() -> Result<f64, String> {
    field("status", "VmHWM:")
}

/// A number of KiB in one of this process's files.
fn field(file: &str, name: &str) -> Result<f64, String> {
    read(file)?
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse().ok())
        .ok_or_else(|| format!("/proc/self/{file} has no {name}"))
}

fn read(file: &str) -> Result<String, String> {
    let path = format!("/proc/self/{file}");
    std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
}
