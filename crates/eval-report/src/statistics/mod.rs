//! Estimates and how far they can be trusted. Each in its own file, with where its formula is from.

mod cluster_bootstrap;
mod interval;
mod mean;
mod wilson;

pub(crate) use cluster_bootstrap::{Cluster, cluster_bootstrap};
pub use interval::{Interval, MeanInterval};
pub(crate) use mean::{mean, median};
pub(crate) use wilson::wilson;

/// Share of repetitions in which an interval should hold the true value.
pub(crate) const LEVEL: f64 = 0.95;
