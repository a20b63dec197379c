//! Scenarios and their scoring contract (SDK major 1).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::lenient::null_as_default;
use crate::{BlueprintId, LaunchParameters, Metadata, ScenarioId, SnapshotId};

/// A new scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioCreateParams {
    /// Its name.
    pub name: String,
    /// What the agent is told.
    pub input_context: InputContext,
    /// How the outcome is scored.
    pub scoring_contract: ScoringContract,
    /// What the agent works in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_parameters: Option<ScenarioEnvironment>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// The reference solution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_output: Option<String>,
    /// Environment variables a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_environment_variables: Option<Vec<String>>,
    /// Secrets a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_secret_names: Option<Vec<String>>,
    /// Seconds that each scorer may take; default 1800.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scorer_timeout_sec: Option<u32>,
    /// How the scenario is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_type: Option<ScenarioValidationType>,
}

open_enum! {
    /// How a scenario is checked.
    ScenarioValidationType {
        /// Not told.
        Unspecified = "UNSPECIFIED",
        /// The reference solution must score.
        Forward = "FORWARD",
        /// The reference solution is taken back, and must score no more.
        Reverse = "REVERSE",
        /// It is only evaluated.
        Evaluation = "EVALUATION",
    }
}

open_enum! {
    /// Whether a scenario is in use.
    ScenarioStatus {
        /// It is.
        Active = "active",
        /// It was put away: no run can be started.
        Archived = "archived",
    }
}

untold_by_default!(ScenarioStatus);

/// Changes to a scenario: what is absent stays, what is given replaces, even when empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioUpdateParams {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the agent is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_context: Option<InputContextUpdateParam>,
    /// How the outcome is scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring_contract: Option<ScoringContractUpdateParam>,
    /// What the agent works in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_parameters: Option<ScenarioEnvironment>,
    /// New labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// The reference solution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_output: Option<String>,
    /// Environment variables a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_environment_variables: Option<Vec<String>>,
    /// Secrets a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_secret_names: Option<Vec<String>>,
    /// Seconds that each scorer may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scorer_timeout_sec: Option<u32>,
    /// How the scenario is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_type: Option<ScenarioValidationType>,
}

/// Changes to what the agent is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InputContextUpdateParam {
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem_statement: Option<String>,
    /// Anything else, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_context: Option<Value>,
}

/// Changes to how an outcome is scored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoringContractUpdateParam {
    /// New functions in place of all old ones; weights sum to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring_function_parameters: Option<Vec<ScoringFunction>>,
}

/// A scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioView {
    /// Its id.
    pub id: ScenarioId,
    /// Its name.
    pub name: String,
    /// What the agent is told.
    pub input_context: InputContext,
    /// How the outcome is scored.
    pub scoring_contract: ScoringContract,
    /// Labels.
    pub metadata: Metadata,
    /// Whether it is in use.
    pub status: ScenarioStatus,
    /// What the agent works in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<ScenarioEnvironment>,
    /// Whether every account may run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
    /// The reference solution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_output: Option<String>,
    /// Environment variables a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_environment_variables: Option<Vec<String>>,
    /// Secrets a run must provide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_secret_names: Option<Vec<String>>,
    /// Seconds that each scorer may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scorer_timeout_sec: Option<u32>,
    /// How the scenario is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_type: Option<ScenarioValidationType>,
}

/// What the agent is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InputContext {
    /// The task.
    pub problem_statement: String,
    /// Anything else, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_context: Option<Value>,
}

/// What the agent works in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioEnvironment {
    /// Blueprint of the devbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint_id: Option<BlueprintId>,
    /// Or a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<SnapshotId>,
    /// Where agent and scorers start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Launch parameters of the devbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_parameters: Option<LaunchParameters>,
}

/// How an outcome is scored: the weighted sum of its functions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoringContract {
    /// The functions; weights sum to 1.
    pub scoring_function_parameters: Vec<ScoringFunction>,
}

/// One scoring function.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoringFunction {
    /// Letters, digits, `-` and `_`.
    pub name: String,
    /// Its share of the score.
    pub weight: f64,
    /// What it does.
    pub scorer: Scorer,
}

/// What a scoring function does: the six kinds of scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Scorer {
    /// 1 if the command exits with 0, else 0.
    CommandScorer {
        /// Shell command.
        #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
        command: String,
    },
    /// A bash script whose last line says `score=<0..1>`.
    BashScriptScorer {
        /// The script.
        #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
        bash_script: String,
    },
    /// A Python script whose standard output ends in a number from 0 to 1.
    PythonScriptScorer {
        /// The script.
        python_script: String,
        /// Version it needs; the API's default is `==3.12.10`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        python_version_constraint: Option<String>,
        /// Content of a requirements file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requirements_contents: Option<String>,
    },
    /// Files are written, then a command is run: 1 if it exits with 0.
    TestBasedScorer {
        /// The command.
        #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
        test_command: String,
        /// The files, relative to the working directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        test_files: Option<Vec<TestFile>>,
    },
    /// 1 if the pattern matches in any file of the directory.
    AstGrepScorer {
        /// An ast-grep pattern.
        pattern: String,
        /// Directory that is searched.
        search_directory: String,
        /// Language; by file name when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lang: Option<String>,
    },
    /// A registered scorer.
    CustomScorer {
        /// Its type.
        custom_scorer_type: String,
        /// Its parameters, in `RL_SCORER_CONTEXT`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scorer_params: Option<Value>,
    },
    /// A kind that this version does not know or cannot read, as it came.
    #[serde(untagged)]
    Other(Map<String, Value>),
}

impl Default for Scorer {
    /// None that was told.
    fn default() -> Self {
        Self::Other(Map::new())
    }
}

/// A file written before a test command runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TestFile {
    /// Relative to the working directory.
    #[serde(deserialize_with = "null_as_default")]
    pub file_path: String,
    /// UTF-8 content.
    #[serde(deserialize_with = "null_as_default")]
    pub file_contents: String,
}

/// The outcome of a scoring contract.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoringContractResultView {
    /// Weighted sum, 0 to 1.
    pub score: f64,
    /// Each function's part.
    pub scoring_function_results: Vec<ScoringFunctionResultView>,
}

open_enum! {
    /// How a scoring function ended.
    #[derive(Default)]
    ScoringFunctionState {
        /// It gave a score.
        Complete = "complete",
        /// It gave none.
        Error = "error",
        /// Not told.
        #[default]
        Unknown = "unknown",
    }
}

/// The outcome of one scoring function.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoringFunctionResultView {
    /// Its name.
    pub scoring_function_name: String,
    /// 0 to 1.
    pub score: f64,
    /// What it printed.
    pub output: String,
    /// How it ended.
    pub state: ScoringFunctionState,
}
