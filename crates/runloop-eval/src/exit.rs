//! Exit codes. One table, also in the README; a test compares them.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and the gate passed or none was asked for.
    Done,
    /// The gate failed, or `validate` found a scenario that does not hold.
    Failed,
    /// Usage or definitions are wrong; nothing was run.
    Usage,
    /// Some planned trial has no verdict: invalid or canceled ones are left. Or the gate cannot tell.
    Incomplete,
    /// The target could not be reached or refused the key, or no devbox can be had here.
    Target,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

impl Exit {
    /// Every code with what it means, in the README's words.
    #[cfg(test)]
    const TABLE: [(Self, &str); 6] = [
        (Self::Done, "done; the gate passed, or none was asked for"),
        (Self::Failed, "the gate failed, or `validate` found a scenario that does not hold"),
        (Self::Usage, "wrong usage or definitions; nothing was run"),
        (
            Self::Incomplete,
            "incomplete or undecided: some planned trial has no verdict, or the gate cannot tell",
        ),
        (Self::Target, "the target is unreachable, refuses the key, or cannot isolate"),
        (Self::Interrupted, "interrupted by Ctrl-C or SIGTERM"),
    ];

    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Target => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_same_table() {
        let readme = include_str!("../../../README.md");
        for (exit, meaning) in Exit::TABLE {
            let row = format!("| {} | {meaning} |", exit.code());
            assert!(readme.contains(&row), "README.md lacks the row {row:?}");
        }
    }
}
