//! Devboxes, executions, snapshots, logs, blueprints, browsers, computers, PTYs, accounts and keys.

use crate::registry::RoundTrip;

pub(crate) fn types() -> Vec<(&'static str, RoundTrip)> {
    Vec::new()
}

/// Types whose fields are arguments of methods, with the reason.
pub(crate) fn arguments() -> Vec<(&'static str, &'static str)> {
    Vec::new()
}
