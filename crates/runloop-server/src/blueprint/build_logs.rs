//! Logs of builds that are under way, and how many may be.

use std::collections::HashMap;
use std::sync::Mutex;

use runloop_types::{BlueprintBuildLog, BlueprintId};
use tokio::sync::Semaphore;

use crate::clock::now_ms;
use crate::lock::lock;

/// Builds at work at once; further ones are queued.
const MOST_BUILDS: usize = 4;

/// Lines kept of one build: of a longer one the last.
const MOST_LINES: usize = 10_000;

/// Logs of builds that are under way.
#[derive(Debug)]
pub(crate) struct BuildLogs {
    logs: Mutex<HashMap<BlueprintId, Vec<BlueprintBuildLog>>>,
    pub(super) turns: Semaphore,
}

impl Default for BuildLogs {
    fn default() -> Self {
        Self { logs: Mutex::default(), turns: Semaphore::new(MOST_BUILDS) }
    }
}

impl BuildLogs {
    /// Adds lines.
    pub(super) fn add(&self, id: &BlueprintId, level: &str, text: &str) {
        let mut logs = lock(&self.logs);
        let lines = logs.entry(id.clone()).or_default();
        let timestamp_ms = now_ms();
        lines.extend(text.lines().map(|line| BlueprintBuildLog {
            level: level.to_owned(),
            message: line.to_owned(),
            timestamp_ms,
        }));
        let surplus = lines.len().saturating_sub(MOST_LINES);
        lines.drain(..surplus);
    }

    /// The lines so far of a build that is under way.
    pub(crate) fn get(&self, id: &BlueprintId) -> Option<Vec<BlueprintBuildLog>> {
        lock(&self.logs).get(id).cloned()
    }

    /// Forgets a build that has ended.
    pub(super) fn remove(&self, id: &BlueprintId) {
        lock(&self.logs).remove(id);
    }
}
