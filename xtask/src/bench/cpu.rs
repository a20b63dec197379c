//! CPU time of processes, and of the whole machine, from `/proc/stat`: that counts kernel workers that clean up after
//! namespaces, which no process's own accounting does. Other load is measured before and after, and taken off.

use std::time::{Duration, Instant};

/// Ticks of `/proc/stat` per second; fixed at 100 for user space on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds that all cores were busy in the last `over` seconds, of which they had `idle_before` at the beginning.
///
/// What is left of the time when idling, waiting for disks and what the host took are taken off. The kernel measures those
/// when a core falls asleep and wakes up; its figures of work are samples of a clock, which short work slips through.
fn busy_since(idle_before: f64, over: f64) -> Result<f64, String> {
    Ok(over * cores() as f64 - (idle_seconds()? - idle_before))
}

/// Seconds that all cores had nothing to do since boot: idle, iowait and steal.
fn idle_seconds() -> Result<f64, String> {
    let stat = std::fs::read_to_string("/proc/stat").map_err(|error| format!("/proc/stat: {error}"))?;
    let fields: Vec<f64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    let field = |index: usize| fields.get(index).copied().unwrap_or_default();
    Ok((field(3) + field(4) + field(7)) / TICKS_PER_SECOND)
}

/// Cores of this machine.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Cores' worth of load by others, measured while we sleep.
pub(super) fn background(over: Duration) -> Result<f64, String> {
    let (start, idle) = (Instant::now(), idle_seconds()?);
    std::thread::sleep(over);
    let elapsed = start.elapsed().as_secs_f64();
    Ok(busy_since(idle, elapsed)? / elapsed)
}

/// Seconds of all processes that this one waited for, and those waited for in turn.
pub(super) fn children_seconds() -> Result<f64, String> {
    let stat =
        std::fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    // The name in parentheses may hold anything; its end is the last one.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
    match (ticks(13), ticks(14)) {
        (Some(user), Some(system)) => Ok((user + system) / TICKS_PER_SECOND),
        _ => Err("/proc/self/stat is not as expected".into()),
    }
}

/// What something cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Seconds of the processes that did it.
    pub(super) cpu: f64,
    /// Seconds of the whole machine, background taken off; `None` where others did too much to tell.
    pub(super) machine: Option<f64>,
    /// Seconds on the clock.
    pub(super) wall: f64,
}

/// Measures while `work` runs. Of the machine, what the kernel still cleans up half a second later is counted too.
pub(super) fn measure(work: impl FnOnce() -> Result<(), String>) -> Result<Cost, String> {
    const AFTERMATH: Duration = Duration::from_millis(500);
    const ROUND: Duration = Duration::from_secs(1);
    /// Cores' worth of background, and of its change, beyond which the machine's figure says nothing.
    const QUIET: f64 = 0.2;

    let before = background(ROUND)?;
    let (start, idle, children) = (Instant::now(), idle_seconds()?, children_seconds()?);
    work()?;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), children_seconds()? - children);
    std::thread::sleep(AFTERMATH);
    let elapsed = start.elapsed().as_secs_f64();
    let all = busy_since(idle, elapsed)?;
    let after = background(ROUND)?;
    let machine = (before.max(after) < QUIET).then_some(all - (before + after) / 2.0 * elapsed);
    Ok(Cost { cpu, machine, wall })
}
