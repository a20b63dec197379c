//! Benchmarks: named sets of scenarios (SDK 1 only).

use serde::{Deserialize, Serialize};

use crate::{BenchmarkId, Metadata, RunProfile, ScenarioId};

open_enum! {
    /// Whether a benchmark is in use.
    BenchmarkStatus {
        /// It is.
        Active = "active",
        /// It was put away.
        Archived = "archived",
    }
}

untold_by_default!(BenchmarkStatus);

/// A new benchmark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkCreateParams {
    /// Its name; unique.
    pub name: String,
    /// Its scenarios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario_ids: Option<Vec<ScenarioId>>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whom to credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Environment variables a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_environment_variables: Option<Vec<String>>,
    /// Secrets a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_secret_names: Option<Vec<String>>,
}

/// Changes to a benchmark: what is absent stays, what is given replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkUpdateParams {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New scenarios in place of all old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario_ids: Option<Vec<ScenarioId>>,
    /// New text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whom to credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
    /// New labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Environment variables a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_environment_variables: Option<Vec<String>>,
    /// Secrets a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_secret_names: Option<Vec<String>>,
}

/// Scenarios that come and go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkUpdateScenariosParams {
    /// They come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenarios_to_add: Option<Vec<ScenarioId>>,
    /// They go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenarios_to_remove: Option<Vec<ScenarioId>>,
}

/// A benchmark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkView {
    /// Its id.
    pub id: BenchmarkId,
    /// Its name.
    pub name: String,
    /// Labels.
    pub metadata: Metadata,
    /// Its scenarios.
    #[serde(rename = "scenarioIds")]
    pub scenario_ids: Vec<ScenarioId>,
    /// Whether it is in use.
    pub status: BenchmarkStatus,
    /// Whom to credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether every account may run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
    /// Environment variables a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_environment_variables: Option<Vec<String>>,
    /// Secrets a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_secret_names: Option<Vec<String>>,
}

/// A new run of a benchmark.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkStartRunParams {
    /// The benchmark.
    pub benchmark_id: BenchmarkId,
    /// A name for the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// What the run adds to its devboxes.
    #[serde(rename = "runProfile", skip_serializing_if = "Option::is_none")]
    pub run_profile: Option<RunProfile>,
}
