//! Estimates and how far they can be trusted. Each in its own file, with where its formula is from.

mod cluster_bootstrap;
mod detectable;
mod holm;
mod interval;
mod looks;
mod mean;
mod newcombe;
pub(crate) mod normal;
mod pass_k;
mod permutation;
mod sign_flip;
mod student;
mod wilson;

pub use cluster_bootstrap::{Cluster, cluster_bootstrap, cluster_bootstrap_of, paired_bootstrap};
pub use detectable::{detectable_drop, trial_variance};
pub use holm::holm;
pub use interval::{Interval, MeanInterval};
pub use looks::look_level;
pub use mean::mean;
pub(crate) use mean::median;
pub use newcombe::newcombe;
pub(crate) use pass_k::pass_ks;
pub use pass_k::{PassK, pass_all, pass_at};
pub use permutation::{Permutation, Stratum, permutation};
pub use sign_flip::sign_flip;
pub use wilson::wilson;

/// Share of repetitions in which an interval should hold the true value.
pub(crate) const LEVEL: f64 = 0.95;

/// Largest p-value that is called a change.
pub const ALPHA: f64 = 0.05;

/// Draws of every bootstrap and of every test that cannot count all ways: (draws + 1) × 0.025 is whole.
const RESAMPLES: usize = 9_999;

/// Sums of scores that differ by less are the same: scores are sums of weights that binary fractions cannot hold.
pub(crate) const NEAR: f64 = 1e-9;

fn share(part: usize, whole: usize) -> f64 {
    let (part, whole) = (part as f64, whole as f64);
    part / whole
}
