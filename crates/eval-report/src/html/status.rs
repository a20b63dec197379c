//! How a trial stands, in a sign and a word: never by colour alone.

use eval_record::Cause;

use crate::{Trial, TrialStatus};

use super::markup::Html;

/// How a trial came out, for readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Invalid,
    Failed,
    Unfinished,
    Canceled,
    Passed,
}

impl Outcome {
    pub(crate) const ALL: [Self; 5] =
        [Self::Passed, Self::Failed, Self::Invalid, Self::Canceled, Self::Unfinished];

    pub(crate) fn of(trial: &Trial) -> Self {
        match trial.status {
            TrialStatus::Scored if trial.passed == Some(true) => Self::Passed,
            TrialStatus::Scored => Self::Failed,
            TrialStatus::Invalid => Self::Invalid,
            TrialStatus::Canceled => Self::Canceled,
            TrialStatus::Unfinished => Self::Unfinished,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Canceled => "canceled",
            Self::Unfinished => "unfinished",
        }
    }

    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::Failed => "✗",
            Self::Invalid => "!",
            Self::Canceled => "–",
            Self::Unfinished => "…",
        }
    }

    /// The sign and the word.
    pub(crate) fn write(self, html: &mut Html) {
        html.raw("<span class=\"is ").raw(self.word()).raw("\"><span class=\"sign\" aria-hidden=\"true\">");
        html.raw(self.sign()).raw("</span>").raw(self.word()).raw("</span>");
    }
}

/// What a cause means.
pub(crate) fn meaning(cause: Cause) -> &'static str {
    match cause {
        Cause::ProvisionFailed => "No devbox could be had.",
        Cause::PrepareFailed => "A setup or install command failed, or took too long.",
        Cause::RequirementMissing => "The devbox lacks a program that the scenario requires.",
        Cause::DevboxLost => "The devbox ended by itself.",
        Cause::ApiError => "The API failed for longer than retries last.",
        Cause::ScorerError => "A scorer gave no score.",
        Cause::ScorerTimeout => "A scorer ran out of time.",
        Cause::TrialTimeout => "The trial took longer than its time for all of it.",
        Cause::RunTimeout => "The run’s time was over first.",
        Cause::BudgetExhausted => "Nothing was left of the budget of the run.",
        Cause::TargetDown => "The target was down for longer than the run waits for it.",
        Cause::Unauthorized => "The target did not take the key any more.",
        Cause::HarnessError => "The harness itself failed.",
    }
}
