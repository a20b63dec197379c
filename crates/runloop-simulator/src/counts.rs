//! What was asked of a simulator, and what lives in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was asked of a simulator, and what lives in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests so far, without those for this.
    pub requests: u64,
    /// The same by method and route.
    pub by_route: BTreeMap<String, u64>,
    /// Devboxes that were ever made.
    pub devboxes_created: u64,
    /// Devboxes that live.
    pub devboxes: usize,
    /// The most that lived at once.
    pub most_devboxes: usize,
    /// Snapshots that were not deleted.
    pub snapshots: usize,
    /// Objects that were not deleted.
    pub objects: usize,
    /// Blueprints that were not deleted.
    pub blueprints: usize,
    /// Network policies that were not deleted.
    pub policies: usize,
}
