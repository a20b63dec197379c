//! One task that looks after the limits of all boxes of a sandbox that the kernel does not tell about.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::life::Inner;
use crate::linux_box::BoxFailure;
use crate::sandbox::Shared;
use crate::tree;

/// How often the free space of the file system is asked for, which costs next to nothing.
const GLANCE: Duration = Duration::from_millis(50);
/// At least so often every running box is measured, whatever the free space did.
const ROUND: u32 = 200;

/// How many glances apart the kernel is asked whether it killed something for lack of memory.
const MEMORY_ROUND: u32 = 20;

/// Watches until the sandbox is gone.
pub(crate) async fn watch(shared: Weak<Shared>) {
    let mut before = None;
    let mut glances = 0u32;
    loop {
        tokio::time::sleep(GLANCE).await;
        let Some(shared) = shared.upgrade() else { return };
        let running: Vec<Arc<Inner>> =
            shared.boxes().into_iter().filter(|inner| inner.is_running()).collect();
        if running.is_empty() {
            before = None;
            continue;
        }
        if glances.is_multiple_of(MEMORY_ROUND) {
            running.iter().for_each(|inner| inner.check_memory());
        }
        let Some(space) = shared.look_at_room() else { continue };
        glances += 1;
        // The smallest limit decides how much may be written before it is looked whose it was.
        let smallest = running.iter().map(|inner| inner.caps.disk).min().unwrap_or(u64::MAX);
        let grown = before.is_none_or(|used| space.used.saturating_sub(used) > smallest / 8);
        if !grown && !glances.is_multiple_of(ROUND) {
            continue;
        }
        before = Some(space.used);
        let measured = tokio::task::spawn_blocking(move || {
            running.into_iter().filter(|inner| is_over(inner)).collect::<Vec<_>>()
        });
        for inner in measured.await.unwrap_or_default() {
            tracing::warn!(name = inner.name, "the disk limit was passed: everything in the box is killed");
            inner.punish(BoxFailure::OutOfDisk).await;
        }
    }
}

fn is_over(inner: &Inner) -> bool {
    match tree::usage(inner.shared.layers.state(), &inner.written()) {
        Ok(usage) => usage.bytes > inner.caps.disk || usage.too_deep,
        // The box went away while it was measured.
        Err(_) => false,
    }
}
