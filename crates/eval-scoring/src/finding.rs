//! What one scorer kind found, before it has a name and a duration.

use std::time::Duration;

use crate::bound::{OUTPUT_LIMIT, bounded, printed};
use crate::{FunctionOutcome, Output};

/// An outcome with what there is to say about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) outcome: FunctionOutcome,
    /// Why there is no score.
    pub(crate) message: Option<String>,
    pub(crate) output: String,
}

impl Finding {
    /// A score, and what was printed.
    pub(crate) fn complete(score: f64, output: impl AsRef<str>) -> Self {
        let output = bounded(output.as_ref(), OUTPUT_LIMIT);
        Self { outcome: FunctionOutcome::Complete { score }, message: None, output }
    }

    /// No score, and why.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self::without_score(FunctionOutcome::Error, message.into(), "")
    }

    /// No score, why, and what the command printed.
    pub(crate) fn error_after(message: impl Into<String>, output: &Output) -> Self {
        Self::without_score(FunctionOutcome::Error, message.into(), &printed(output))
    }

    /// No score within its time, and what the command printed until then.
    pub(crate) fn timeout(timeout: Duration, output: &Output) -> Self {
        let message = format!("the scorer was killed after its timeout of {timeout:?}");
        Self::without_score(FunctionOutcome::Timeout, message, &printed(output))
    }

    /// No end within a time that is itself the verdict: 0. What was printed until then is kept.
    pub(crate) fn overdue(self, limit: Duration) -> Self {
        let why = self.message.as_deref().unwrap_or_default();
        let printed = self.output.strip_prefix(why).unwrap_or(&self.output);
        Self::complete(0.0, format!("it did not end within {limit:?}\n{}", printed.trim_start_matches('\n')))
    }

    fn without_score(outcome: FunctionOutcome, message: String, output: &str) -> Self {
        let both = if output.is_empty() { message.clone() } else { format!("{message}\n{output}") };
        Self { outcome, message: Some(message), output: bounded(&both, OUTPUT_LIMIT) }
    }
}
