//! Whether two runs measured the same.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use eval_report::Trial;

/// What an agent was measured by: the scenarios, and how each was defined. Kept as hashes, since there may be thousands of
/// scenarios in hundreds of runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Definition {
    names: u64,
    digests: u64,
}

/// How the definition of one run stands to that of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The same scenarios with the same digests.
    Same,
    /// The same scenarios, some of them defined otherwise.
    Changed,
    /// Other scenarios, or only some of them.
    Other,
}

impl Definition {
    pub(crate) fn of<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Self {
        let digests: BTreeMap<&str, &str> =
            trials.into_iter().map(|trial| (trial.key.scenario.as_str(), trial.digest.as_str())).collect();
        let (mut names, mut both) = (DefaultHasher::new(), DefaultHasher::new());
        for (name, digest) in &digests {
            name.hash(&mut names);
            (name, digest).hash(&mut both);
        }
        Self { names: names.finish(), digests: both.finish() }
    }

    pub(crate) fn relation(self, other: Self) -> Relation {
        match (self.names == other.names, self.digests == other.digests) {
            (_, true) => Relation::Same,
            (true, false) => Relation::Changed,
            (false, false) => Relation::Other,
        }
    }
}
