//! What a run keeps of its verdicts while it goes on.

use std::collections::HashSet;
use std::sync::Arc;

use crate::{Cause, Flag, FlagKind, TrialKey, TrialResult, TrialState, Usage};

/// What a run itself looks at again of a verdict that is in its record: how it came out, without the words. A run may have
/// very many, so it is small: some eighty bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How the trial ended.
    pub state: TrialState,
    /// 0 to 1; only when scored.
    pub score: Option<f64>,
    /// Whether the score reached the scenario's pass mark; only when scored.
    pub passed: Option<bool>,
    /// Why it is invalid, or canceled other than by the user.
    pub cause: Option<Cause>,
    /// Attempts made.
    pub attempts: u32,
    digest: Arc<str>,
    // Most agents say nothing, and most trials have no flag.
    usage: Option<Box<Usage>>,
    flags: Box<[FlagKind]>,
}

/// The digests of scenarios that outcomes have in common.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Digests(HashSet<Arc<str>>);

impl Digests {
    fn shared(&mut self, digest: &str) -> Arc<str> {
        if let Some(known) = self.0.get(digest) {
            return Arc::clone(known);
        }
        let new: Arc<str> = digest.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}

impl Outcome {
    /// That of a verdict.
    pub fn of(result: &TrialResult, digests: &mut Digests) -> Self {
        Self {
            state: result.state,
            score: result.score,
            passed: result.passed,
            cause: result.cause,
            attempts: result.attempts,
            digest: digests.shared(&result.digest),
            usage: result.usage.map(Box::new),
            flags: result.flags.iter().map(|flag| flag.kind).collect(),
        }
    }

    /// What the agent says it used in all attempts; `None` where it says nothing.
    pub fn usage(&self) -> Option<Usage> {
        self.usage.as_deref().copied()
    }

    /// The verdict again, as far as it is kept: without times, scorers and words. Its flags have no place and no evidence.
    pub fn result(&self, trial: &TrialKey) -> TrialResult {
        TrialResult {
            score: self.score,
            passed: self.passed,
            cause: self.cause,
            attempts: self.attempts,
            usage: self.usage(),
            flags: self.flags.iter().map(|kind| Flag::new(*kind, "", "")).collect(),
            ..TrialResult::bare(trial.clone(), &*self.digest, self.state)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_verdict_is_what_it_said() {
        let trial = TrialKey { scenario: "s".into(), agent: "a".into(), repetition: 2 };
        let result = TrialResult {
            score: Some(0.5),
            passed: Some(false),
            attempts: 3,
            usage: Some(Usage { cost_usd: Some(0.25), ..Usage::default() }),
            flags: vec![Flag::new(FlagKind::ScorerChanged, "", "")],
            ..TrialResult::bare(trial.clone(), "d", TrialState::Scored)
        };
        let worded = TrialResult {
            message: Some("long".repeat(1000)),
            logs: Some("trials/s".to_owned()),
            flags: vec![Flag::new(FlagKind::ScorerChanged, "tests/run", "changed")],
            ..result.clone()
        };
        let mut digests = Digests::default();
        let (outcome, other) = (Outcome::of(&worded, &mut digests), Outcome::of(&result, &mut digests));
        assert_eq!(outcome.result(&trial), result);
        assert_eq!(outcome, other);
        assert!(Arc::ptr_eq(&outcome.digest, &other.digest), "a digest is kept once");
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<Outcome>() <= 80, "{} bytes", size_of::<Outcome>());
    }
}
