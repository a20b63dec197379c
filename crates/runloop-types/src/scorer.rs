//! Custom scorers: bash scripts that scenarios use by type (SDK 1 only).

use serde::{Deserialize, Serialize};

use serde_json::Value;

use crate::{ScenarioEnvironment, ScorerId, ScoringFunctionResultView};

/// A new custom scorer, or a changed one: both fields are needed either way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScorerParams {
    /// The type that scenarios name; unique.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its script; the last line of its output says `score=<0..1>`. It finds its parameters in `RL_SCORER_CONTEXT`.
    pub bash_script: String,
}

/// A custom scorer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScorerView {
    /// Its id.
    pub id: ScorerId,
    /// The type that scenarios name.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its script.
    pub bash_script: String,
}

/// A trial run of a custom scorer (legacy).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScorerValidateParams {
    /// What it finds in `RL_SCORER_CONTEXT`.
    pub scoring_context: Value,
    /// What it runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_parameters: Option<ScenarioEnvironment>,
}

/// What a trial run of a custom scorer gave (legacy).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScorerValidateResponse {
    /// The scorer.
    pub name: String,
    /// What it found in `RL_SCORER_CONTEXT`.
    pub scoring_context: Value,
    /// Its score.
    pub scoring_result: ScoringFunctionResultView,
    /// What it ran in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_parameters: Option<ScenarioEnvironment>,
}
