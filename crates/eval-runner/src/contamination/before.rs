//! What the prepared environment holds, before any agent.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use eval_record::{Flag, FlagKind};

use super::Watch;
use crate::shell::quote;

/// What each line begins with that tells something.
const MARK: &str = "runloop-eval-before:";

/// What the prepared environment holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Before {
    /// Watched paths that are there.
    pub(crate) paths: BTreeSet<String>,
    /// Watched programs that are there.
    pub(crate) programs: BTreeSet<String>,
    /// Commits of the checkout that come after the one that is checked out.
    pub(crate) future: BTreeSet<String>,
    /// Objects of the reference that the checkout holds beside its history.
    pub(crate) solution: BTreeSet<String>,
}

impl Before {
    /// Commands that tell it, in the working directory, where nobody has worked yet. They change nothing.
    pub(crate) fn commands(watch: &Watch) -> String {
        let mut line = format!("( say() {{ printf '\\n{MARK}%s %s\\n' \"$@\"; }}\n");
        for path in watch.paths() {
            let word = place(&path);
            // Writing to a string cannot fail.
            let _ = writeln!(line, "[ ! -e {word} ] || say path {}", quote(&path));
        }
        for program in &watch.programs {
            let _ = writeln!(line, "! hash {program} 2>/dev/null || say program {program}");
        }
        line.push_str(GIT);
        for blob in watch.solution.keys() {
            let _ = writeln!(line, "beside {blob}");
        }
        line.push_str(") </dev/null 2>/dev/null || :\n");
        line
    }

    /// Reads what the commands told.
    pub(crate) fn read(output: &str) -> Self {
        let mut before = Self::default();
        for line in output.lines().filter_map(|line| line.strip_prefix(MARK)) {
            match line.split_once(' ') {
                Some(("path", path)) => before.paths.insert(path.to_owned()),
                Some(("program", name)) => before.programs.insert(name.to_owned()),
                Some(("future", commit)) => before.future.insert(commit.to_owned()),
                Some(("solution", blob)) => before.solution.insert(blob.to_owned()),
                _ => false,
            };
        }
        before
    }

    /// What the checkout tells of the solution to any agent that looks.
    pub(crate) fn flags(&self, watch: &Watch) -> Vec<Flag> {
        let mut flags = Vec::new();
        if let Some(commit) = self.future.first() {
            let more = self.future.len() - 1;
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let evidence = format!("it holds commit {commit}{more} from after its base");
            flags.push(Flag::new(FlagKind::FutureHistoryReadable, ".git", evidence));
        }
        if let Some((blob, path)) = watch.solution.iter().find(|(blob, _)| self.solution.contains(*blob)) {
            let evidence = format!(
                "it holds `{path}` as the reference makes it (object {blob}), outside of its history"
            );
            flags.push(Flag::new(FlagKind::FutureHistoryReadable, ".git", evidence));
        }
        flags
    }
}

/// A watched path as a word of the shell.
pub(super) fn place(path: &str) -> String {
    match path.strip_prefix("~/") {
        Some(rest) => format!("\"$HOME\"/{}", quote(rest)),
        None => format!("./{}", quote(path)),
    }
}

/// Tells the commits that have the one that is checked out among their ancestors, wherever they are: on branches, in
/// reflogs, or nowhere. `beside` tells an object that is there but not in the history of what is checked out.
const GIT: &str = r#"here() { timeout 30 git -c safe.directory='*' "$@"; }
beside() {
  id=$(here rev-parse -q --verify "$1^{blob}") || return
  here rev-list --objects HEAD | grep -q "^$id" || say solution "$1"
}
if [ -e .git ] && hash git && here rev-parse -q --verify HEAD >/dev/null; then
  here cat-file --batch-all-objects --batch-check='%(objecttype) %(objectname)' | sed -n 's/^commit //p' \
  | here rev-list --stdin --ancestry-path --max-count=500 ^HEAD | while read -r commit; do say future "$commit"; done
else
  beside() { :; }
fi
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_and_nothing_else() {
        let output = format!(
            "noise\n{MARK}path tests/a b\n{MARK}program python3\nx {MARK}future 1\n{MARK}future abc\n{MARK}other x\n"
        );
        let before = Before::read(&output);
        assert_eq!(before.paths.into_iter().collect::<Vec<_>>(), ["tests/a b"]);
        assert_eq!(before.programs.into_iter().collect::<Vec<_>>(), ["python3"]);
        assert_eq!(before.future.into_iter().collect::<Vec<_>>(), ["abc"]);
    }
}
