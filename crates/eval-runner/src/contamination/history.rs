//! What a checkout holds of the time after its base, and what an agent did with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::output::mention;

/// What a look calls a move of the head, and a commit to which it moved.
pub(super) const MOVED: &str = "moved";
pub(super) const MADE: &str = "made";

/// Characters by which an author, a time and a subject are told from others.
const ORIGIN: usize = 150;

/// Commands of git that show or take what is in the commits that they name.
const READS: [&str; 24] = [
    "archive",
    "blame",
    "cat-file",
    "checkout",
    "cherry",
    "cherry-pick",
    "diff",
    "diff-tree",
    "difftool",
    "format-patch",
    "grep",
    "log",
    "ls-tree",
    "merge",
    "range-diff",
    "read-tree",
    "rebase",
    "reset",
    "restore",
    "rev-list",
    "show",
    "switch",
    "whatchanged",
    "worktree",
];

/// Options of git and of these commands whose value stands after them and is no commit.
const WITH_VALUE: [&str; 14] = [
    "--author",
    "--committer",
    "--format",
    "--git-dir",
    "--grep",
    "--work-tree",
    "-B",
    "-C",
    "-G",
    "-L",
    "-S",
    "-b",
    "-c",
    "-m",
];

/// What a checkout holds of the time after the commit that is checked out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Future {
    /// Commits that have it among their ancestors, with their origins: time and address of the author, and the subject.
    pub(super) commits: BTreeMap<String, String>,
    /// Full names of what leads to these commits.
    refs: BTreeSet<String>,
    /// Contents of files that only these commits have.
    blobs: BTreeSet<String>,
    /// How often the head had moved.
    moves: usize,
}

impl Future {
    /// Takes a line that [`TELL`] told.
    pub(super) fn read(&mut self, told: &str) {
        match told.split_once(' ').unwrap_or((told, "")) {
            ("commit", commit) => {
                let (commit, origin) = commit.split_once(' ').unwrap_or((commit, ""));
                self.commits.insert(commit.to_owned(), start(origin));
            }
            ("ref", name) => drop(self.refs.insert(name.to_owned())),
            ("blob", object) => drop(self.blobs.insert(object.to_owned())),
            ("moves", number) => self.moves = number.trim().parse().unwrap_or_default(),
            _ => {}
        }
    }

    /// Whether only later commits have an object; its name may be shortened.
    pub(super) fn holds(&self, object: &str) -> bool {
        self.blobs.range(object.to_owned()..).next().is_some_and(|name| name.starts_with(object))
    }

    /// Commands that tell to where the head moved since.
    pub(super) fn look(&self) -> String {
        if self.commits.is_empty() {
            return String::new();
        }
        let mut look = LOOK.to_owned();
        // Writing to a string cannot fail.
        let _ = writeln!(look, "moves .git/logs/HEAD {}", self.moves);
        look.push_str("for file in .git/worktrees/*/logs/HEAD; do moves \"$file\" 0; done\nmade\n");
        look
    }

    /// What a move of the head, or a commit that it came to, says of who moved it.
    pub(super) fn sign(&self, tag: &str, text: &str) -> Option<String> {
        if tag == MOVED {
            let commit = text.split_once(' ').map_or(text, |(commit, _)| commit);
            return self
                .commits
                .contains_key(commit)
                .then(|| format!("the head moved to commit {commit} from after its base"));
        }
        let mut parts = text.splitn(3, ',');
        let (commit, parents, origin) = (parts.next()?, parts.next()?, start(parts.next()?));
        if self.commits.contains_key(commit) {
            return None; // The move was told.
        }
        if let Some(parent) = parents.split(' ').find(|parent| self.commits.contains_key(*parent)) {
            return Some(format!("commit {commit} was made on commit {parent} from after its base"));
        }
        let (copied, _) = self.commits.iter().find(|(_, of)| !of.is_empty() && **of == origin)?;
        Some(format!("commit {commit} is a copy of commit {copied} from after its base"))
    }

    /// A later commit that a text tells of, or a command that reads one by a name that the statement does not give away;
    /// and where.
    pub(super) fn told_in(&self, text: &str, statement: &str) -> Option<(String, usize)> {
        if self.commits.is_empty() {
            return None;
        }
        let commit = self.commit_in(text).map(|(commit, at)| (format!("commit {commit}"), at));
        commit.or_else(|| {
            let (name, at) = self.command_in(text, statement)?;
            Some((format!("a command that reads {name}, which is from after its base"), at))
        })
    }

    fn commit_in(&self, text: &str) -> Option<(&str, usize)> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        words.filter(|word| word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit())).find_map(
            |word| {
                let (after, _) = self.commits.range(word.to_owned()..).next()?;
                let at = text.find(word)?;
                after.starts_with(word).then_some((after.as_str(), at))
            },
        )
    }

    fn command_in(&self, text: &str, statement: &str) -> Option<(&str, usize)> {
        // In a JSON text, lines end with an escape, and quotes begin with one.
        let ends = |c: char| "\n;|&><()`\"\\".contains(c);
        text.match_indices("git").map(|(at, _)| at).find_map(|at| {
            let rest = text[at + "git".len()..].strip_prefix(' ')?;
            let before = &text[..at];
            let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
            let line = &rest[..rest.find(ends).unwrap_or(rest.len())];
            let name = (is_word || before.ends_with("\\n")).then(|| self.read_by(line)).flatten()?;
            mention(statement, short(name)).is_none().then_some((name, at))
        })
    }

    /// The name of a later commit that a command of git reads.
    fn read_by(&self, line: &str) -> Option<&str> {
        let mut is_value = false;
        let mut words = line.split_whitespace().map(|word| word.trim_matches('\'')).filter(|word| {
            let is_word = !is_value && !word.starts_with('-');
            is_value = WITH_VALUE.contains(word);
            is_word || *word == "--"
        });
        READS.contains(&words.next()?).then_some(())?;
        let revisions = words.take_while(|word| *word != "--").flat_map(|word| word.split(".."));
        revisions
            .filter_map(|word| word.trim_start_matches(['.', '^']).split([':', '^', '~', '@']).next())
            .find_map(|word| {
                let is_name = |name: &&String| [name.as_str(), short(name), bare(name)].contains(&word);
                self.refs.iter().find(is_name).map(String::as_str)
            })
    }
}

/// As much of an origin as is compared.
fn start(origin: &str) -> String {
    origin.chars().take(ORIGIN).collect()
}

/// A name as people write it: `main`, `origin/main`, `v1`.
fn short(name: &str) -> &str {
    let kinds = ["refs/heads/", "refs/tags/", "refs/remotes/"];
    kinds.iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name)
}

/// A name without `refs/`.
fn bare(name: &str) -> &str {
    name.strip_prefix("refs/").unwrap_or(name)
}

/// Tells the commits that have the one that is checked out among their ancestors, wherever they are: on branches, in
/// reflogs, or nowhere; and what leads to them, what only they have, and how often the head moved so far.
pub(super) const TELL: &str = r#"future() {
  local commits line
  commits=$(here cat-file --batch-all-objects --batch-check='%(objecttype) %(objectname)' | sed -n 's/^commit //p' \
    | here rev-list --stdin --ancestry-path --max-count=500 ^HEAD)
  [ -n "$commits" ] || return
  here log --no-walk=unsorted --format='commit %H %at %ae %s' --stdin <<<"$commits" | while IFS= read -r line; do say future "$line"; done
  here for-each-ref --format='%(objectname) %(*objectname) %(refname)' | grep -F "$commits" | head -n 500 \
    | while read -r line; do say future "ref ${line##* }"; done
  { printf '%s\n' "$commits"; echo ^HEAD; } | here rev-list --objects --stdin | cut -d ' ' -f 1 \
    | here cat-file --batch-check='%(objecttype) %(objectname)' | sed -n 's/^blob //p' | head -n 500 | while read -r line; do say future "blob $line"; done
  [ -f .git/logs/HEAD ] && say future "moves $(wc -l <.git/logs/HEAD)"
}
future
"#;

/// Tells to where a head moved since its log had so many lines, and what the commits are that it came to.
const LOOK: &str = r#"commits=
moves() {
  [ -f "$1" ] && [ "$1" -nt "$task" ] || return
  local line
  while IFS= read -r line; do
    line=${line#* }
    tell moved "$1" "${line%% *} ${line#*$'\t'}"
    commits="$commits ${line%% *}"
  done < <(tail -n +$(($2 + 1)) "$1" | head -n 100)
}
made() {
  local line
  [ -n "$commits" ] && hash git && timeout 10 git -c safe.directory='*' log --no-walk=unsorted --format='%H,%P,%at %ae %s' $commits -- \
    | while IFS= read -r line; do tell made .git "$line"; done
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    const FIX: &str = "0123456789abcdef0123456789abcdef01234567";

    fn future() -> Future {
        let mut future = Future::default();
        let commit = format!("commit {FIX} 1700000000 a@b.c the fix, at last");
        for told in [&commit, "ref refs/heads/next", "ref refs/remotes/origin/main", "moves 3"] {
            future.read(told);
        }
        future
    }

    #[test]
    fn commits_are_known_by_any_length_of_their_names() {
        let told = |text: &str| future().told_in(text, "").map(|(what, _)| what);
        assert_eq!(told("* 0123456 the fix"), Some(format!("commit {FIX}")));
        assert_eq!(told("0123457 012345 0123456x deadbeef"), None);
        assert_eq!(Future::default().told_in("0123456", ""), None);
    }

    #[test]
    fn a_command_that_reads_a_later_commit_by_its_name_is_told_from_others() {
        for text in [
            "$ git checkout next -- src/a.c",
            "{\"command\":\"cd /repo && git show next:src/a.c > src/a.c\"}",
            "{\"command\":\"git status\\ngit --no-pager -C repo diff HEAD...origin/main\"}",
            "+ git cherry-pick -n next~1",
            "git log --grep main refs/heads/next",
            "git reset --hard 'origin/main'",
            "git checkout -b mine heads/next",
            "legit git diff next@{0}^",
        ] {
            assert!(future().told_in(text, "").is_some(), "{text}");
        }
        for text in [
            "git commit -m next",
            "git log --grep next",
            "git log -S next",
            "git log -- next",
            "git checkout -b next",
            "git show next.c mynext next/x",
            "git status; echo next",
            "git log | grep next",
            "legit show next",
            "git push origin next",
            "next: git show",
            "git",
            "git ",
        ] {
            assert_eq!(future().told_in(text, ""), None, "{text}");
        }
        assert_eq!(future().told_in("git diff next", "Compare with branch next."), None, "it was told to");
    }

    #[test]
    fn moves_to_later_commits_and_copies_of_them_are_told_from_own_commits() {
        let sign = |tag: &str, text: &str| future().sign(tag, text);
        assert!(sign(MOVED, &format!("{FIX} reset: moving to next")).is_some());
        assert_eq!(sign(MOVED, "abc commit: mine"), None);
        assert!(sign(MADE, &format!("abc,def {FIX},1800000000 me@x Merge")).is_some());
        assert!(sign(MADE, "abc,def,1700000000 a@b.c the fix, at last").is_some());
        for honest in ["abc,def,1700000001 a@b.c the fix, at last", "abc,def,", "abc", "", ",,,"] {
            assert_eq!(sign(MADE, honest), None, "{honest}");
        }
    }

    #[test]
    fn without_a_future_nothing_is_looked_at() {
        assert_eq!(Future::default().look(), "");
        assert!(future().look().contains("moves .git/logs/HEAD 3\n"));
    }
}
