//! Signs that a result may not be worth what it says.

use serde::{Deserialize, Serialize};

/// Longest place and evidence, in characters.
const LONGEST: usize = 300;

/// A sign that an agent saw or touched what decides its verdict. It never changes the verdict: people judge it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// What it is a sign of.
    pub kind: FlagKind,
    /// Where it was seen: a path in the devbox, or an output of the agent.
    pub place: String,
    /// What was seen there, shortened. May hold text from a devbox.
    pub evidence: String,
}

impl Flag {
    /// A sign, cut to what a report can show.
    pub fn new(kind: FlagKind, place: impl AsRef<str>, evidence: impl AsRef<str>) -> Self {
        Self { kind, place: short(place.as_ref()), evidence: short(evidence.as_ref()) }
    }
}

fn short(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What a flag is a sign of. Closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagKind {
    /// The checkout that the agent was given holds commits from after its base.
    FutureHistoryReadable,
    /// The agent looked at such commits, or took work from them.
    FutureHistoryRead,
    /// The agent knew of a hidden test, or put something in its place.
    HiddenTestTouched,
    /// The agent knew of the reference solution.
    ReferenceTouched,
    /// The agent changed a file that a scorer runs and that is no part of the task.
    ScorerChanged,
    /// The agent changed or shadowed programs, their modules or what starts with them.
    InterpreterChanged,
    /// Something was downloaded where the scenario allows no network.
    NetworkUsedAgainstPolicy,
}

impl FlagKind {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FutureHistoryReadable => "future_history_readable",
            Self::FutureHistoryRead => "future_history_read",
            Self::HiddenTestTouched => "hidden_test_touched",
            Self::ReferenceTouched => "reference_touched",
            Self::ScorerChanged => "scorer_changed",
            Self::InterpreterChanged => "interpreter_changed",
            Self::NetworkUsedAgainstPolicy => "network_used_against_policy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_short_and_ends_on_a_whole_character() {
        let flag = Flag::new(FlagKind::ScorerChanged, " tests/run.sh\n", "ä".repeat(1000));
        assert_eq!((flag.place.as_str(), flag.evidence.chars().count()), ("tests/run.sh", LONGEST + 1));
    }

    #[test]
    fn names_are_those_of_the_record() {
        let kind = FlagKind::NetworkUsedAgainstPolicy;
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}
