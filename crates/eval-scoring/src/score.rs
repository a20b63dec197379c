//! Runs a scoring contract.

use std::time::Duration;

use runloop_types::{Scorer, ScoringContractResultView, ScoringFunctionResultView, ScoringFunctionState};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::finding::Finding;
use crate::python::PythonScript;
use crate::{
    FunctionOutcome, FunctionScore, FunctionSpec, Workspace, ast_grep, bash, command, custom, python, test,
};

/// Weights that sum to 1 up to this are taken to sum to 1.
const WEIGHT_ROUNDING: f64 = 1e-6;

/// What came of a scoring contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Each function, in the order of the contract.
    pub functions: Vec<FunctionScore>,
    /// The weighted sum, 0 to 1; `None` if there is no function, or one that has no score.
    pub total: Option<f64>,
}

impl Scored {
    fn new(functions: Vec<FunctionScore>) -> Self {
        let total = weighted_sum(&functions);
        Self { functions, total }
    }

    /// The first function without a score.
    pub fn unscored(&self) -> Option<&FunctionScore> {
        self.functions.iter().find(|function| function.score().is_none())
    }

    /// As the API answers it. The API has a score always: functions without one count as 0 there, and say so by their
    /// state.
    pub fn to_view(&self) -> ScoringContractResultView {
        let of_function = |function: &FunctionScore| ScoringFunctionResultView {
            scoring_function_name: function.name.clone(),
            score: function.score().unwrap_or(0.0),
            output: function.output.clone(),
            state: match function.outcome {
                FunctionOutcome::Complete { .. } => ScoringFunctionState::Complete,
                FunctionOutcome::Error | FunctionOutcome::Timeout => ScoringFunctionState::Error,
            },
        };
        ScoringContractResultView {
            score: self.total.unwrap_or_else(|| {
                let sum: f64 = self.functions.iter().map(|f| f.weight * f.score().unwrap_or(0.0)).sum();
                if sum.is_finite() { sum.clamp(0.0, 1.0) } else { 0.0 }
            }),
            scoring_function_results: self.functions.iter().map(of_function).collect(),
        }
    }
}

impl FunctionScore {
    /// The score, if there is one.
    pub fn score(&self) -> Option<f64> {
        match self.outcome {
            FunctionOutcome::Complete { score } => Some(score),
            FunctionOutcome::Error | FunctionOutcome::Timeout => None,
        }
    }
}

/// Runs the functions one after the other, in order, each under its own timeout. A function without a score does not
/// keep the others from running.
///
/// # Errors
///
/// The workspace's own, as soon as it breaks; there is no verdict then.
pub async fn score<W: Workspace>(functions: &[FunctionSpec], workspace: &W) -> Result<Scored, W::Error> {
    let mut scores = Vec::with_capacity(functions.len());
    for function in functions {
        let started = Instant::now();
        let Finding { outcome, message, output } = run(function, workspace).await?;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(name = function.name, ?outcome, duration_ms, "scoring function ended");
        scores.push(FunctionScore {
            name: function.name.clone(),
            weight: function.weight,
            outcome,
            message,
            output,
            duration_ms,
        });
    }
    Ok(Scored::new(scores))
}

/// Runs one function; where its own time is over first, that is its verdict.
async fn run<W: Workspace>(function: &FunctionSpec, workspace: &W) -> Result<Finding, W::Error> {
    let runs_command = !matches!(function.scorer, Scorer::AstGrepScorer { .. });
    let limit = function.fails_after.filter(|limit| runs_command && *limit < function.timeout);
    let finding = run_within(function, workspace, limit.unwrap_or(function.timeout)).await?;
    Ok(match (limit, finding.outcome) {
        (Some(limit), FunctionOutcome::Timeout) => finding.overdue(limit),
        _ => finding,
    })
}

async fn run_within<W: Workspace>(
    function: &FunctionSpec,
    workspace: &W,
    timeout: Duration,
) -> Result<Finding, W::Error> {
    match &function.scorer {
        Scorer::CommandScorer { command } => command::score(workspace, command, timeout).await,
        Scorer::BashScriptScorer { bash_script } => {
            bash::score(workspace, bash_script, Vec::new(), timeout).await
        }
        Scorer::PythonScriptScorer { python_script, python_version_constraint, requirements_contents } => {
            let script = PythonScript {
                text: python_script,
                version_constraint: python_version_constraint.as_deref(),
                requirements: requirements_contents.as_deref(),
            };
            python::score(workspace, script, Vec::new(), timeout).await
        }
        Scorer::TestBasedScorer { test_command, test_files } => {
            let files = test_files.as_deref().unwrap_or_default();
            test::score(workspace, test_command, files, function.pass_rate.as_ref(), timeout).await
        }
        Scorer::AstGrepScorer { pattern, search_directory, lang } => {
            let (lang, expect) = (lang.as_deref(), function.expect);
            ast_grep::score(workspace, pattern, search_directory, lang, expect, timeout).await
        }
        Scorer::CustomScorer { custom_scorer_type, scorer_params } => {
            let script = function.custom_script.as_ref();
            custom::score(workspace, custom_scorer_type, script, scorer_params.as_ref(), timeout).await
        }
        Scorer::Other(scorer) => {
            let kind = scorer.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
            Ok(Finding::error(format!("this version knows no scorer of type {kind:?}")))
        }
    }
}

/// The weighted sum. Where the weights sum to 1 up to rounding, it is divided by their sum: ten tenths of full marks are
/// full marks, not 0.9999999999999999.
fn weighted_sum(functions: &[FunctionScore]) -> Option<f64> {
    let scores: Vec<f64> = functions.iter().map(FunctionScore::score).collect::<Option<_>>()?;
    let sum: f64 = functions.iter().zip(&scores).map(|(function, score)| function.weight * score).sum();
    let weights: f64 = functions.iter().map(|function| function.weight).sum();
    let total = if (weights - 1.0).abs() <= WEIGHT_ROUNDING { sum / weights } else { sum };
    (total.is_finite() && !functions.is_empty()).then(|| total.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(weight: f64, outcome: FunctionOutcome) -> FunctionScore {
        FunctionScore {
            name: "f".to_owned(),
            weight,
            outcome,
            message: None,
            output: String::new(),
            duration_ms: 0,
        }
    }

    fn scored(parts: &[(f64, f64)]) -> Scored {
        Scored::new(
            parts.iter().map(|(w, s)| function(*w, FunctionOutcome::Complete { score: *s })).collect(),
        )
    }

    #[test]
    fn the_total_is_the_weighted_sum() {
        assert_eq!(scored(&[(0.75, 1.0), (0.25, 0.5)]).total, Some(0.875));
    }

    #[test]
    fn full_marks_are_exactly_1_however_the_weights_round() {
        assert_eq!(scored(&[(0.1, 1.0); 10]).total, Some(1.0));
        assert_eq!(scored(&[(1.0 / 3.0, 1.0); 3]).total, Some(1.0));
    }

    #[test]
    fn weights_that_do_not_sum_to_1_are_taken_as_they_are() {
        assert_eq!(scored(&[(0.5, 1.0)]).total, Some(0.5));
        assert_eq!(scored(&[(2.0, 1.0)]).total, Some(1.0));
    }

    #[test]
    fn one_function_without_a_score_leaves_the_whole_without_one() {
        let scored = Scored::new(vec![
            function(0.5, FunctionOutcome::Complete { score: 1.0 }),
            function(0.5, FunctionOutcome::Timeout),
        ]);
        assert_eq!(scored.total, None);
        assert_eq!(scored.unscored().map(|function| function.outcome), Some(FunctionOutcome::Timeout));
        let view = scored.to_view();
        assert_eq!(view.score, 0.5);
        assert_eq!(view.scoring_function_results[1].state, ScoringFunctionState::Error);
    }

    #[test]
    fn no_function_is_no_score() {
        assert_eq!(scored(&[]).total, None);
        assert_eq!(scored(&[(f64::NAN, 1.0)]).total, None);
    }
}
