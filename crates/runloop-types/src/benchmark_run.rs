//! Runs of benchmarks (SDK 1 only).

use serde::{Deserialize, Serialize};

use crate::{BenchmarkId, BenchmarkRunId, Metadata};

open_enum! {
    /// Where a benchmark run is.
    BenchmarkRunState {
        /// Scenario runs may be added.
        Running = "running",
        /// Final: it was stopped; its score is that of what was complete.
        Canceled = "canceled",
        /// Final: it has its score.
        Completed = "completed",
        /// Final: it broke (since SDK 1.32).
        Failed = "failed",
    }
}

untold_by_default!(BenchmarkRunState);

/// A run of a benchmark.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkRunView {
    /// Its id.
    pub id: BenchmarkRunId,
    /// Labels.
    pub metadata: Metadata,
    /// When it began.
    pub start_time_ms: i64,
    /// Where it is.
    pub state: BenchmarkRunState,
    /// The benchmark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_id: Option<BenchmarkId>,
    /// Milliseconds it took, once over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// Environment variables of its devboxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_variables: Option<Metadata>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Mean of its scenario runs, 0 to 1, once over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Environment variable to secret name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets_provided: Option<Metadata>,
}
