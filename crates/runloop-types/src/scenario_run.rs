//! Runs of scenarios (SDK 1 only).

use serde::{Deserialize, Serialize};

use crate::{
    BenchmarkRunId, DevboxId, Metadata, RunProfile, ScenarioId, ScenarioRunId, ScoringContractResultView,
};

open_enum! {
    /// Where a scenario run is.
    ScenarioRunState {
        /// The devbox is there for the agent.
        Running = "running",
        /// Scorers are under way.
        Scoring = "scoring",
        /// The score is there; the devbox still is.
        Scored = "scored",
        /// Final: the devbox is shut down.
        Completed = "completed",
        /// Final: it was stopped.
        Canceled = "canceled",
        /// Final: it took too long.
        Timeout = "timeout",
        /// Final: it broke.
        Failed = "failed",
    }
}

untold_by_default!(ScenarioRunState);

/// A new run of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioStartRunParams {
    /// The scenario.
    pub scenario_id: ScenarioId,
    /// The benchmark run it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_run_id: Option<BenchmarkRunId>,
    /// A name for the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// What the run adds to its devbox.
    #[serde(rename = "runProfile", skip_serializing_if = "Option::is_none")]
    pub run_profile: Option<RunProfile>,
}

/// A run of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioRunView {
    /// Its id.
    pub id: ScenarioRunId,
    /// The scenario.
    pub scenario_id: ScenarioId,
    /// The devbox; there from the start, but perhaps not running yet.
    pub devbox_id: DevboxId,
    /// Labels.
    pub metadata: Metadata,
    /// Where it is.
    pub state: ScenarioRunState,
    /// The benchmark run it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_run_id: Option<BenchmarkRunId>,
    /// Milliseconds it took, once over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// Environment variables of its devbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_variables: Option<Metadata>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The score, once scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring_contract_result: Option<ScoringContractResultView>,
    /// Environment variable to secret name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets_provided: Option<Metadata>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time_ms: Option<i64>,
}
