//! Ranges around an estimate.

use serde::{Deserialize, Serialize};

/// A 95 % confidence interval of a share, after Wilson, or of a difference, after Newcombe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, at least 0; of a difference, at least -1.
    pub low: f64,
    /// Upper end, at most 1.
    pub high: f64,
}

/// A 95 % confidence interval of a mean: percentiles of a bootstrap that draws whole scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Scenarios that were drawn from. With fewer than ten or so, the interval tends to be too narrow.
    pub scenarios: u64,
    /// Draws.
    pub resamples: u64,
    /// Whether every draw gave the same mean, as it does when all scenarios score the same. The interval is a single point then
    /// and says nothing of what other scenarios would give; the interval of the pass rate does.
    pub degenerate: bool,
}
