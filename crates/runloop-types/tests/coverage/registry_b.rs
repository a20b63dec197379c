//! Agents, axons, benchmarks, gateways, MCP configs, network policies, objects, repositories, scenarios and secrets.

use crate::registry::RoundTrip;

pub(crate) fn types() -> Vec<(&'static str, RoundTrip)> {
    Vec::new()
}

/// Types whose fields are arguments of methods, with the reason.
pub(crate) fn arguments() -> Vec<(&'static str, &'static str)> {
    Vec::new()
}
