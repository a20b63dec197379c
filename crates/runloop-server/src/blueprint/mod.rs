//! Blueprints: disks that are built once and started from many times.

mod build;
mod build_logs;

pub(crate) use build::create;
pub(crate) use build_logs::BuildLogs;
