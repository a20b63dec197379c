//! Flags as text: which, and how many of each.

use eval_record::{Flag, FlagKind};

use crate::text::one_line;
use crate::{Summary, Trial};

/// Longest place and evidence, in characters.
const LONGEST: usize = 200;

/// `hidden_test_touched, scorer_changed`; empty without any.
pub(crate) fn kinds(trial: &Trial) -> String {
    trial.flag_kinds().into_iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

/// `scorer_changed at tests/run.sh: it was changed`, on one line.
pub(crate) fn sentence(flag: &Flag) -> String {
    format!(
        "{} at {}: {}",
        flag.kind.as_str(),
        one_line(&flag.place, LONGEST),
        one_line(&flag.evidence, LONGEST)
    )
}

/// The first flag that tells what the agent did, rather than what it was given, if there is one.
pub(crate) fn gravest(trial: &Trial) -> Option<&Flag> {
    let did = trial.flags.iter().find(|flag| flag.kind != FlagKind::FutureHistoryReadable);
    did.or_else(|| trial.flags.first())
}

/// The trials that have flags, in the order of the plan.
pub(crate) fn flagged(summary: &Summary) -> Vec<&Trial> {
    summary.trials.iter().filter(|trial| !trial.flags.is_empty()).collect()
}
