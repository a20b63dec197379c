//! How a run was started.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What was typed to start a run, so that it can go on with nothing but its directory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Invocation {
    /// Where it was typed, absolute; other paths are relative to it.
    pub directory: String,
    /// The benchmark or scenario file.
    pub benchmark: String,
    /// Agents; empty for those of the benchmark.
    pub agents: Vec<String>,
    /// Patterns of scenario names; empty for all.
    pub filter: Vec<String>,
    /// Where scoring happens; `None` for what the scenarios say.
    pub verify: Option<String>,
    /// Whether agents' devboxes are left alive.
    pub keep_devboxes: bool,
    /// How sandboxes of a local target are isolated; `None` for the strongest that works.
    pub driver: Option<String>,
    /// Whether isolation is accepted that cannot hold everything.
    pub allow_weak: bool,
    /// What the run must reach, besides what the benchmark says.
    pub limits: TypedLimits,
}

/// What was typed of what a run must reach. It replaces what the benchmark says, key by key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypedLimits {
    /// Lowest mean score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_score: Option<f64>,
    /// Lowest share of passed trials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_pass_rate: Option<f64>,
    /// Lowest mean scores of single scenarios.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub floors: BTreeMap<String, f64>,
    /// Most trials without a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_invalid: Option<u32>,
    /// Most trials with a flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_flagged: Option<u32>,
    /// The baseline file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<PathBuf>,
    /// Largest drop of the mean score against the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_regression: Option<f64>,
}

impl TypedLimits {
    /// These, where `later` does not say otherwise.
    #[must_use]
    pub fn replaced_by(self, later: Self) -> Self {
        let Self { min_score, min_pass_rate, mut floors, max_invalid, max_flagged, baseline, max_regression } =
            self;
        floors.extend(later.floors);
        Self {
            min_score: later.min_score.or(min_score),
            min_pass_rate: later.min_pass_rate.or(min_pass_rate),
            floors,
            max_invalid: later.max_invalid.or(max_invalid),
            max_flagged: later.max_flagged.or(max_flagged),
            baseline: later.baseline.or(baseline),
            max_regression: later.max_regression.or(max_regression),
        }
    }
}
