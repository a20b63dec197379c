//! Benchmark jobs: the service runs agents over scenarios by itself (SDK 1 only, beta).

use serde::{Deserialize, Serialize};

use serde_json::{Map, Value};

use crate::{
    AgentId, BenchmarkId, BenchmarkJobId, BenchmarkRunId, BenchmarkRunState, Metadata, ScenarioId,
    ScenarioRunId,
};

open_enum! {
    /// Where a job is.
    BenchmarkJobState {
        /// It is being set up.
        Initializing = "initializing",
        /// It waits for its turn.
        Queued = "queued",
        /// Trials are under way.
        Running = "running",
        /// Final: all trials are over.
        Completed = "completed",
        /// Final: it broke; see `failure_reason`.
        Failed = "failed",
        /// Final: it was stopped.
        Cancelled = "cancelled",
        /// Final: it took too long.
        Timeout = "timeout",
    }
}

open_enum! {
    /// How a trial ended.
    ScenarioOutcomeState {
        /// It has a score.
        Completed = "COMPLETED",
        /// It broke.
        Failed = "FAILED",
        /// It took too long.
        Timeout = "TIMEOUT",
        /// It was stopped.
        Canceled = "CANCELED",
    }
}

untold_by_default!(BenchmarkJobState, ScenarioOutcomeState);

/// A new job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkJobCreateParams {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<BenchmarkJobSpec>,
}

/// What a new job runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum BenchmarkJobSpec {
    /// A job file of Harbor.
    Harbor(HarborJobSpec),
    /// Agents over all scenarios of a benchmark.
    Benchmark(BenchmarkDefinitionJobSpec),
    /// Agents over these scenarios.
    Scenarios(ScenarioDefinitionJobSpec),
    /// A kind that this version does not know or cannot read, as it came.
    #[serde(untagged)]
    Other(Map<String, Value>),
}

/// A job file of Harbor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HarborJobSpec {
    /// Its content.
    pub inline_yaml: String,
}

/// Agents over a benchmark.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkDefinitionJobSpec {
    /// The benchmark.
    pub benchmark_id: BenchmarkId,
    /// The agents.
    pub agent_configs: Vec<BenchmarkAgentConfig>,
    /// How trials are run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orchestrator_config: Option<OrchestratorConfig>,
}

/// Agents over scenarios.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioDefinitionJobSpec {
    /// The scenarios.
    pub scenario_ids: Vec<ScenarioId>,
    /// The agents.
    pub agent_configs: Vec<BenchmarkAgentConfig>,
    /// How trials are run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orchestrator_config: Option<OrchestratorConfig>,
}

/// What plays the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum BenchmarkAgentConfig {
    /// An agent that the service runs: the only kind a new job takes.
    JobAgent(JobAgentConfig),
    /// Something outside that uses the API.
    ExternalApi(ExternalApiAgentConfig),
    /// A kind that this version does not know or cannot read, as it came.
    #[serde(untagged)]
    Other(Map<String, Value>),
}

impl From<JobAgentConfig> for BenchmarkAgentConfig {
    fn from(config: JobAgentConfig) -> Self {
        Self::JobAgent(config)
    }
}

/// An agent of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobAgentConfig {
    /// Its name.
    pub name: String,
    /// A registered agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// The model it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// Its environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_environment: Option<AgentEnvironment>,
    /// Its own options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kwargs: Option<Metadata>,
    /// Longest time for a trial, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
}

/// The environment of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentEnvironment {
    /// Environment variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_variables: Option<Metadata>,
    /// Environment variable to secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Metadata>,
}

/// Something outside that plays the agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExternalApiAgentConfig {
    /// What it says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
}

/// How the trials of a job are run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrchestratorConfig {
    /// Retries of a trial that broke: default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_attempts: Option<i64>,
    /// Trials at the same time: default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_concurrent_trials: Option<i64>,
    /// Less output: default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<bool>,
    /// Factor on time limits for each retry: default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_multiplier: Option<f64>,
}

/// What a job was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum BenchmarkJobSource {
    /// A job file of Harbor.
    Harbor(HarborJobSpec),
    /// A benchmark.
    Benchmark(BenchmarkJobSourceBenchmark),
    /// Scenarios.
    Scenarios(BenchmarkJobSourceScenarios),
    /// A kind that this version does not know or cannot read, as it came.
    #[serde(untagged)]
    Other(Map<String, Value>),
}

/// The benchmark a job was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkJobSourceBenchmark {
    /// Its id.
    pub benchmark_id: BenchmarkId,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_name: Option<String>,
}

/// The scenarios a job was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkJobSourceScenarios {
    /// Their ids.
    pub scenario_ids: Vec<ScenarioId>,
}

/// A job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkJobView {
    /// Its id.
    pub id: BenchmarkJobId,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub create_time_ms: i64,
    /// Where it is.
    pub state: BenchmarkJobState,
    /// What came out, for each agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_outcomes: Option<Vec<BenchmarkOutcome>>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// Benchmark runs that are under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_progress_runs: Option<Vec<BenchmarkInProgressRun>>,
    /// What it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_source: Option<BenchmarkJobSource>,
    /// What it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_spec: Option<BenchmarkJobRunSpec>,
}

/// What a job runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkJobRunSpec {
    /// The scenarios.
    pub scenario_ids: Vec<ScenarioId>,
    /// The agents.
    pub agent_configs: Vec<BenchmarkAgentConfig>,
    /// How trials are run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orchestrator_config: Option<OrchestratorConfig>,
}

/// A benchmark run of a job that is under way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkInProgressRun {
    /// The run.
    pub benchmark_run_id: BenchmarkRunId,
    /// When it began.
    pub start_time_ms: i64,
    /// Where it is.
    pub state: BenchmarkRunState,
    /// What plays the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_config: Option<BenchmarkAgentConfig>,
    /// Milliseconds so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
}

/// What came out for one agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchmarkOutcome {
    /// The agent.
    pub agent_name: String,
    /// The run.
    pub benchmark_run_id: BenchmarkRunId,
    /// Trials with a score.
    pub n_completed: i64,
    /// Trials that broke.
    pub n_failed: i64,
    /// Trials that took too long.
    pub n_timeout: i64,
    /// The trials.
    pub scenario_outcomes: Vec<ScenarioOutcome>,
    /// Mean score, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_score: Option<f64>,
    /// Milliseconds it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
}

/// A trial of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioOutcome {
    /// The scenario.
    pub scenario_definition_id: ScenarioId,
    /// Its name.
    pub scenario_name: String,
    /// How it ended.
    pub state: ScenarioOutcomeState,
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario_run_id: Option<ScenarioRunId>,
    /// Milliseconds it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// Why it broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<ScenarioFailureReason>,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// Why a trial broke.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioFailureReason {
    /// Kind of the error.
    pub exception_type: String,
    /// Its words.
    pub exception_message: String,
}
