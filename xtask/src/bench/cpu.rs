//! CPU time of the whole machine, from `/proc/stat`: it counts kernel workers that clean up after namespaces, which no
//! process's own accounting does. Other load on the machine is measured before and taken off.

use std::time::{Duration, Instant};

/// Ticks of `/proc/stat` per second; fixed at 100 for user space on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds that all cores were busy since boot: user, nice, system, irq, softirq and steal.
fn busy_seconds() -> Result<f64, String> {
    let stat = std::fs::read_to_string("/proc/stat").map_err(|error| format!("/proc/stat: {error}"))?;
    let fields: Vec<f64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    let busy = |index: usize| fields.get(index).copied().unwrap_or_default();
    Ok((busy(0) + busy(1) + busy(2) + busy(5) + busy(6) + busy(7)) / TICKS_PER_SECOND)
}

/// Cores of this machine.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Cores' worth of load by others, measured while we sleep.
pub(super) fn background(over: Duration) -> Result<f64, String> {
    let before = busy_seconds()?;
    std::thread::sleep(over);
    Ok((busy_seconds()? - before) / over.as_secs_f64())
}

/// What something cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Seconds of all cores, background taken off.
    pub(super) cpu: f64,
    /// Seconds on the clock.
    pub(super) wall: f64,
}

/// Measures the machine while `work` runs. What the kernel still cleans up half a second later is counted too.
pub(super) fn measure(work: impl FnOnce() -> Result<(), String>) -> Result<Cost, String> {
    const AFTERMATH: Duration = Duration::from_millis(500);

    let others = background(Duration::from_secs(1))?;
    let (start, before) = (Instant::now(), busy_seconds()?);
    work()?;
    let wall = start.elapsed().as_secs_f64();
    std::thread::sleep(AFTERMATH);
    let cpu = busy_seconds()? - before - others * start.elapsed().as_secs_f64();
    Ok(Cost { cpu: cpu.max(0.0), wall })
}
