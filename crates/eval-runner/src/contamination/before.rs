//! What the prepared environment holds, before any agent.

use std::collections::BTreeSet;

use eval_record::{Captured, Flag, FlagKind};

use super::history::{self, Future};
use super::{Watch, unharmed};
use crate::shell::quote;

/// Bytes that one of the command lines may tell.
pub(crate) const TOLD: usize = 256 << 10;

/// Bytes of paths in one command line.
const PATHS: usize = 24 << 10;

/// Programs and objects that are looked for. One that is not, is as if it were not there.
const PROGRAMS: usize = 500;
const OBJECTS: usize = 500;

/// What each line begins with that tells something.
const MARK: &str = "runloop-eval-before:";

/// What the prepared environment holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Before {
    /// Watched paths that are there.
    pub(crate) paths: BTreeSet<String>,
    /// Watched programs that are there.
    pub(crate) programs: BTreeSet<String>,
    /// What the checkout holds of the time after the commit that is checked out.
    pub(super) future: Future,
    /// Objects of the reference that the checkout holds beside its history.
    pub(crate) solution: BTreeSet<String>,
}

impl Before {
    /// Command lines that tell it, in the working directory, where nobody has worked yet. They change nothing.
    /// Scenarios without number may share an environment, so none is longer than a command line may be, and none tells more
    /// than [`TOLD`].
    pub(crate) fn commands(watch: &Watch) -> Vec<String> {
        unharmed(|| Self::lines(watch))
    }

    fn lines(watch: &Watch) -> Vec<String> {
        let mut groups = vec![String::new()];
        for path in watch.paths() {
            let word = quote(&path);
            if groups.last().is_none_or(|group| group.len() + word.len() > PATHS) {
                groups.push(String::new());
            }
            if let Some(group) = groups.last_mut() {
                group.extend([" ", &word]);
            }
        }
        let programs: Vec<&str> = watch.programs.iter().take(PROGRAMS).map(String::as_str).collect();
        let solution: Vec<&str> = watch.solution.keys().take(OBJECTS).map(String::as_str).collect();
        let (programs, solution) = (programs.join(" "), solution.join(" "));
        let rest = format!("programs {programs}\n{GIT}{}printf '%s\\n' {solution} | beside\n", history::TELL);
        let last = groups.len() - 1;
        let line = |(number, paths): (usize, String)| {
            let rest = if number == last { rest.as_str() } else { "" };
            format!("( {TELL}paths{paths}\n{rest}say end ) </dev/null 2>/dev/null || :\n")
        };
        groups.into_iter().enumerate().map(line).collect()
    }

    /// Reads what the commands told; `None` where some of it is missing: what is not known to have been there was not made by
    /// an agent for that.
    pub(crate) fn read<'a>(told: impl IntoIterator<Item = &'a Captured>) -> Option<Self> {
        let mut before = Self::default();
        for told in told {
            let mut has_ended = false;
            for line in told.exact_text().lines().filter_map(|line| line.strip_prefix(MARK)) {
                match line.split_once(' ').unwrap_or((line, "")) {
                    ("path", path) => drop(before.paths.insert(path.to_owned())),
                    ("program", name) => drop(before.programs.insert(name.to_owned())),
                    ("future", told) => before.future.read(told),
                    ("solution", object) => drop(before.solution.insert(object.to_owned())),
                    ("end", _) => has_ended = true,
                    _ => {}
                }
            }
            if told.is_cut() || !has_ended {
                return None;
            }
        }
        Some(before)
    }

    /// Whether the checkout holds an object of the reference beside its history; its name may be shortened.
    pub(super) fn holds(&self, object: &str) -> bool {
        self.solution.range(object.to_owned()..).next().is_some_and(|name| name.starts_with(object))
    }

    /// What the checkout tells of the solution to any agent that looks.
    pub(crate) fn flags(&self, watch: &Watch) -> Vec<Flag> {
        let mut flags = Vec::new();
        if let Some((commit, _)) = self.future.commits.first_key_value() {
            let more = self.future.commits.len() - 1;
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let evidence = format!("it holds commit {commit}{more} from after its base");
            flags.push(Flag::new(FlagKind::FutureHistoryReadable, ".git", evidence));
        }
        if let Some((blob, path)) = watch.solution.iter().find(|(blob, _)| self.holds(blob)) {
            let evidence = format!(
                "it holds `{path}` as the reference makes it (object {blob}), outside of its history"
            );
            flags.push(Flag::new(FlagKind::FutureHistoryReadable, ".git", evidence));
        }
        flags
    }
}

/// Tells which of these paths and programs are there.
const TELL: &str = r#"say() { printf '\nrunloop-eval-before:%s %s\n' "$@"; }
paths() {
  local path
  for path; do
    case $path in "~/"*) [ -e "$HOME/${path:2}" ] ;; *) [ -e "./$path" ] ;; esac && say path "$path"
  done
}
programs() { local name; for name; do hash "$name" && say program "$name"; done; }
"#;

/// `beside` tells the objects that are there but not in the history of what is checked out, if it sees all of that. All
/// commands of git together have half a minute, and do nothing where there is no checkout.
const GIT: &str = r#"SECONDS=0
here() { [ $SECONDS -lt 30 ] && timeout $((30 - SECONDS)) git -c safe.directory='*' "$@"; }
beside() {
  local names past name
  names=$(here cat-file --batch-check='%(objecttype) %(objectname)' | sed -n 's/^blob //p')
  [ -n "$names" ] && past=$(set -o pipefail; here rev-list --objects HEAD | { grep -F "$names" || [ $? = 1 ]; }) || return
  for name in $names; do
    case $past in *"$name"*) ;; *) say solution "$name" ;; esac
  done
}
[ -e .git ] && hash git && here rev-parse -q --verify HEAD >/dev/null || here() { false; }
"#;

#[cfg(test)]
mod tests {
    use eval_record::{Capture, Masker};

    use super::*;

    fn captured(text: &str, limit: usize) -> Captured {
        let mut capture = Capture::new(limit);
        capture.push(text.as_bytes());
        capture.finish(&Masker::default())
    }

    #[test]
    fn what_is_told_is_read_and_nothing_else() {
        let output = format!(
            "noise\n{MARK}path tests/a b\n{MARK}program python3\nx {MARK}future commit 1\n{MARK}future commit abc 7 a@b.c fix\n{MARK}other x\n{MARK}end\n"
        );
        let before = Before::read([&captured(&output, 1000)]).unwrap();
        assert_eq!(before.paths.into_iter().collect::<Vec<_>>(), ["tests/a b"]);
        assert_eq!(before.programs.into_iter().collect::<Vec<_>>(), ["python3"]);
        assert_eq!(before.future.commits.into_keys().collect::<Vec<_>>(), ["abc"]);
    }

    #[test]
    fn half_of_what_was_there_is_not_taken_for_all() {
        let (path, end) = (format!("{MARK}path a\n"), format!("{MARK}end\n"));
        let all = captured(&format!("{path}{end}"), 1000);
        assert!(Before::read([&all, &all]).is_some());
        assert_eq!(Before::read([&all, &captured(&path, 1000)]), None, "it did not come to its end");
        assert_eq!(Before::read([&captured(&format!("{}{end}", path.repeat(100)), 200)]), None, "it was cut");
    }

    #[test]
    fn however_much_is_watched_no_line_is_longer_than_one_may_be() {
        let hidden = (0..5000).map(|number| format!("tests/it's/{number}")).collect();
        let solution = (0..5000).map(|number| (format!("{number:040x}"), "x".to_owned())).collect();
        let watch = Watch { hidden, solution, ..Watch::default() };
        let lines = Before::commands(&watch);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() < 100 << 10));
        let all = lines.concat();
        assert!(watch.paths().iter().all(|path| all.contains(&format!(" {}", quote(path)))));
    }
}
