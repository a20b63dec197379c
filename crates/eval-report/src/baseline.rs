//! A baseline: what a run scored, small enough to commit and to read in a review.
//!
//! JSON, sorted, one scenario a line, so that a change of a score is a change of a line:
//!
//! ```json
//! {
//!   "format": 1,
//!   "benchmark": "swe",
//!   "version": "0.1.0",
//!   "run": "4f0c...",
//!   "agents": {
//!     "my-agent": {
//!       "fix-login": {"score": 0.5, "scores": [0.0, 1.0], "passed": 1, "digest": "9b1c..."}
//!     }
//!   }
//! }
//! ```
//!
//! `scores` are those of the trials, ascending; `score` is their mean, for people. `run` and `version` say where it is from.

use std::collections::BTreeMap;

use eval_record::TrialKey;
use serde::{Deserialize, Serialize};

use crate::Summary;
use crate::statistics::{NEAR, mean};

/// Version of the file.
pub const FORMAT: u32 = 1;

/// What a run scored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`FORMAT`].
    pub format: u32,
    /// The benchmark.
    pub benchmark: String,
    /// Version of the harness that ran it.
    pub version: String,
    /// Id of the run.
    pub run: String,
    /// Each agent's scenarios by name.
    pub agents: BTreeMap<String, BTreeMap<String, BaselineScenario>>,
}

/// What an agent scored in a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineScenario {
    /// Mean of the scores.
    pub score: f64,
    /// Of each scored trial, ascending; at least one.
    pub scores: Vec<f64>,
    /// Trials that passed.
    pub passed: u64,
    /// Digest of the scenario.
    pub digest: String,
}

/// There is no baseline in a file, or in a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// It is not JSON of this kind.
    #[error("it is not a baseline file")]
    Malformed(#[source] serde_json::Error),
    /// A newer program wrote it.
    #[error("its format {0} is newer than this program understands ({FORMAT}); use a newer runloop-eval")]
    NewerFormat(u64),
    /// Its scores cannot be.
    #[error("{agent}, {scenario}: its scores are not numbers from 0 to 1 with that mean and as many passes")]
    Scores {
        /// The agent.
        agent: String,
        /// The scenario.
        scenario: String,
    },
    /// A run that went on over a changed definition has scores of both.
    #[error("{agent}, {scenario}: its scores are of several definitions")]
    Definitions {
        /// The agent.
        agent: String,
        /// The scenario.
        scenario: String,
    },
}

impl Baseline {
    /// The scored trials of a run. What has no score at all is not in it.
    ///
    /// # Errors
    ///
    /// If a scenario has scores of several definitions.
    pub fn of(summary: &Summary) -> Result<Self, BaselineError> {
        let mut agents: BTreeMap<String, BTreeMap<String, BaselineScenario>> = BTreeMap::new();
        for trial in &summary.trials {
            let Some(score) = trial.score else { continue };
            let scenario = agents
                .entry(trial.key.agent.clone())
                .or_default()
                .entry(trial.key.scenario.clone())
                .or_insert_with(|| BaselineScenario {
                    score: 0.0,
                    scores: Vec::new(),
                    passed: 0,
                    digest: trial.digest.clone(),
                });
            if scenario.digest != trial.digest {
                let TrialKey { agent, scenario, .. } = trial.key.clone();
                return Err(BaselineError::Definitions { agent, scenario });
            }
            scenario.scores.push(score);
            scenario.passed += u64::from(trial.passed == Some(true));
        }
        for scenario in agents.values_mut().flat_map(BTreeMap::values_mut) {
            scenario.scores.sort_unstable_by(f64::total_cmp);
            scenario.score = mean(&scenario.scores).unwrap_or_default();
        }
        let run = &summary.run;
        Ok(Self {
            format: FORMAT,
            benchmark: run.benchmark.clone(),
            version: run.version.clone(),
            run: run.id.clone(),
            agents,
        })
    }

    /// The file.
    ///
    /// # Errors
    ///
    /// If a score is no number that JSON has.
    pub fn to_text(&self) -> serde_json::Result<String> {
        Ok(self.lines()?.into_iter().map(|(_, line)| line + "\n").collect())
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// See [`BaselineError`].
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(BaselineError::Malformed)?;
        let format = value.get("format").and_then(serde_json::Value::as_u64);
        if let Some(newer) = format.filter(|format| *format > u64::from(FORMAT)) {
            return Err(BaselineError::NewerFormat(newer));
        }
        // From the text again: the error has a line then.
        let baseline: Self = serde_json::from_str(text).map_err(BaselineError::Malformed)?;
        for (agent, scenarios) in &baseline.agents {
            for (name, scenario) in scenarios {
                if !scenario.is_sound() {
                    return Err(BaselineError::Scores { agent: agent.clone(), scenario: name.clone() });
                }
            }
        }
        Ok(baseline)
    }

    /// The lines of the scenarios in this text by (agent, scenario), from 1. Empty if the text is laid out in another way
    /// than [`Self::to_text`] does.
    pub fn places(&self, text: &str) -> BTreeMap<(String, String), usize> {
        let lines = self.lines().unwrap_or_default();
        if !text.lines().eq(lines.iter().map(|(_, line)| line.as_str())) {
            return BTreeMap::new();
        }
        lines.into_iter().enumerate().filter_map(|(i, (key, _))| Some((key?, i + 1))).collect()
    }

    /// Each line, with the agent and scenario that it is about.
    fn lines(&self) -> serde_json::Result<Vec<Line>> {
        let quoted = |text: &str| serde_json::to_string(text);
        let mut lines: Vec<Line> = vec![
            (None, "{".to_owned()),
            (None, format!("  \"format\": {},", self.format)),
            (None, format!("  \"benchmark\": {},", quoted(&self.benchmark)?)),
            (None, format!("  \"version\": {},", quoted(&self.version)?)),
            (None, format!("  \"run\": {},", quoted(&self.run)?)),
            (None, "  \"agents\": {".to_owned()),
        ];
        for (nth, (agent, scenarios)) in self.agents.iter().enumerate() {
            lines.push((None, format!("    {}: {{", quoted(agent)?)));
            for (nth, (name, scenario)) in scenarios.iter().enumerate() {
                let json = serde_json::to_string(scenario)?;
                let line = format!("      {}: {json}{}", quoted(name)?, comma(nth, scenarios.len()));
                lines.push((Some((agent.clone(), name.clone())), line));
            }
            lines.push((None, format!("    }}{}", comma(nth, self.agents.len()))));
        }
        lines.extend([(None, "  }".to_owned()), (None, "}".to_owned())]);
        Ok(lines)
    }
}

/// A line and the (agent, scenario) that it is about.
type Line = (Option<(String, String)>, String);

fn comma(nth: usize, of: usize) -> &'static str {
    if nth + 1 < of { "," } else { "" }
}

impl BaselineScenario {
    fn is_sound(&self) -> bool {
        let in_range = self.scores.iter().all(|score| (0.0..=1.0).contains(score));
        let mean_holds = mean(&self.scores).is_some_and(|mean| (mean - self.score).abs() <= NEAR);
        in_range && mean_holds && self.passed <= self.scores.len() as u64
    }
}
