//! The rules of `.dockerignore` files. No I/O but for reading the file.

use std::io;
use std::path::Path;

use crate::error::Error;

/// Which paths a build context leaves out.
///
/// One pattern a line: `#` begins a comment, `!` takes back, `*`, `?` and `[a-z]` match within a path segment, `**`
/// matches any number of segments. A pattern with a `/` in it counts from the root, one without matches at any depth; one
/// leading `/` is dropped. The last pattern that matches decides. A directory that is left out is not entered, so
/// nothing below it can be taken back.
///
/// ```
/// use runloop_client::IgnoreRules;
///
/// let rules = IgnoreRules::parse("# build results\n*.log\n!keep.log\ntarget\ndocs/**/draft-*\n");
/// assert!(rules.excludes("a/b.log") && !rules.excludes("keep.log"));
/// assert!(rules.excludes("docs/2025/may/draft-1.md") && !rules.excludes("draft-1.md"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// Takes back instead of leaving out.
    negated: bool,
    /// Counts from the root.
    anchored: bool,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of segments.
    Many,
    /// No pattern at all, as most are.
    Plain(String),
    Pattern(Vec<char>),
}

impl Segment {
    fn parse(text: &str) -> Self {
        match text {
            "**" => Self::Many,
            text if text.contains(['*', '?', '[', '\\']) => Self::Pattern(text.chars().collect()),
            text => Self::Plain(text.to_owned()),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Many => false,
            Self::Plain(text) => text == name,
            Self::Pattern(pattern) => segment_matches(pattern, name),
        }
    }
}

impl IgnoreRules {
    /// Reads rules as they stand in a file.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { rules: text.lines().filter(|line| !line.starts_with('#')).filter_map(Rule::parse).collect() }
    }

    /// Rules given one by one; `#` has no meaning here.
    pub fn from_patterns<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self { rules: patterns.into_iter().filter_map(Rule::parse).collect() }
    }

    /// Reads rules from a file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read or is not UTF-8.
    pub fn read(path: &Path) -> Result<Self, Error> {
        std::fs::read_to_string(path).map(|text| Self::parse(&text)).map_err(|source| Error::File {
            action: "read",
            path: path.to_owned(),
            source,
        })
    }

    /// As [`IgnoreRules::read`]; a file that is not there has no rules.
    pub(crate) fn read_optional(path: &Path) -> Result<Self, Error> {
        match Self::read(path) {
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            rules => rules,
        }
    }

    /// Adds rules that come after, and so win over, those here.
    pub fn append(&mut self, other: Self) {
        self.rules.extend(other.rules);
    }

    /// Whether a path (relative to the root, separated by `/`) is left out by itself; what holds for the directories
    /// above it is another question.
    pub fn excludes(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        self.rules.iter().rev().find(|rule| rule.matches(&path)).is_some_and(|rule| !rule.negated)
    }
}

impl Rule {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        let (negated, pattern) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        let segments = clean(pattern);
        // The root itself is never left out.
        (!segments.is_empty()).then(|| Self {
            negated,
            anchored: segments.len() > 1,
            segments: segments.into_iter().map(Segment::parse).collect(),
        })
    }

    fn matches(&self, path: &[&str]) -> bool {
        // A pattern of one segment is about the last one, however deep that is.
        let path = if self.anchored { path } else { &path[path.len().saturating_sub(1)..] };
        segments_match(&self.segments, path)
    }
}

/// The segments of a path without `.`, `..` and empty ones.
fn clean(pattern: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    for segment in pattern.split('/') {
        match segment {
            "" | "." => {}
            ".." if segments.last().is_some_and(|last| *last != "..") => {
                segments.pop();
            }
            // Above the root there is only the root again.
            ".." if pattern.starts_with('/') => {}
            segment => segments.push(segment),
        }
    }
    segments
}

/// Matches whole segments; `**` stands for any number of them.
///
/// Only the latest `**` is ever tried again, as an earlier one cannot do better: no pattern takes more than
/// segments × segments steps.
fn segments_match(pattern: &[Segment], path: &[&str]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    loop {
        match pattern.get(at) {
            Some(Segment::Many) => {
                again = Some((at, seen));
                at += 1;
            }
            Some(segment) if path.get(seen).is_some_and(|name| segment.matches(name)) => {
                at += 1;
                seen += 1;
            }
            None if seen == path.len() => return true,
            _ => match &mut again {
                Some((star, taken)) if *taken < path.len() => {
                    *taken += 1;
                    at = *star + 1;
                    seen = *taken;
                }
                _ => return false,
            },
        }
    }
}

/// Matches one segment: `*`, `?`, `[a-z]`, `[!a-z]` and `[^a-z]`; a `[` without its end stands for itself.
fn segment_matches(pattern: &[char], name: &str) -> bool {
    let mut at = 0;
    let mut name = name.chars();
    // Where the latest `*` is, and what of the name follows what it takes.
    let mut again: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        if pattern.get(at) == Some(&'*') {
            again = Some((at, name.clone()));
            at += 1;
            continue;
        }
        let letter = name.next();
        let step = match (at == pattern.len(), letter) {
            (true, None) => return true,
            (false, Some(letter)) => one(&pattern[at..], letter),
            _ => None,
        };
        if let Some(length) = step {
            at += length;
            continue;
        }
        // It takes one more.
        let Some((star, rest)) = &mut again else { return false };
        if rest.next().is_none() {
            return false;
        }
        at = *star + 1;
        name = rest.clone();
    }
}

/// Matches one character; answers how much of the pattern that took.
fn one(pattern: &[char], letter: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', rest @ ..] => match rest.iter().position(|c| *c == ']') {
            Some(end) if end > 0 => class(&rest[..end], letter).then_some(end + 2),
            _ => (letter == '[').then_some(1),
        },
        ['\\', escaped, ..] => (*escaped == letter).then_some(2),
        [plain, ..] => (*plain == letter).then_some(1),
        [] => None,
    }
}

fn class(members: &[char], letter: char) -> bool {
    let (negated, mut members) = match members {
        ['!' | '^', rest @ ..] if !rest.is_empty() => (true, rest),
        members => (false, members),
    };
    let mut found = false;
    loop {
        members = match members {
            [low, '-', high, rest @ ..] => {
                found |= (*low..=*high).contains(&letter);
                rest
            }
            [member, rest @ ..] => {
                found |= *member == letter;
                rest
            }
            [] => return found != negated,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn excludes(rules: &str, path: &str) -> bool {
        IgnoreRules::parse(rules).excludes(path)
    }

    #[test]
    fn names_match_at_any_depth_and_paths_from_the_root() {
        assert!(excludes("*.log", "a.log") && excludes("*.log", "x/y/a.log"));
        assert!(excludes("target", "target") && excludes("target", "x/target"));
        assert!(excludes("a/b", "a/b") && !excludes("a/b", "x/a/b"));
        assert!(!excludes("*.log", "a.logs") && !excludes("a*c", "a/c"));
    }

    #[test]
    fn two_stars_are_any_number_of_segments() {
        for path in ["a/z", "a/b/z", "a/b/c/z"] {
            assert!(excludes("a/**/z", path), "{path}");
        }
        assert!(!excludes("a/**/z", "a/zz") && !excludes("a/**/z", "b/a/z"));
        assert!(excludes("**/z", "z") && excludes("**/z", "x/y/z"));
        assert!(excludes("a/**", "a/x/y") && excludes("a/**/b/**/c", "a/b/x/b/c"));
        assert!(excludes("**", "anything/at/all"));
    }

    #[test]
    fn the_last_match_decides() {
        let rules = "*.log\n!keep.log\nold/keep.log\n";
        assert!(excludes(rules, "a.log"));
        assert!(!excludes(rules, "keep.log") && !excludes(rules, "x/keep.log"));
        assert!(excludes(rules, "old/keep.log"));
        let mut first = IgnoreRules::parse("*.log");
        first.append(IgnoreRules::from_patterns(["!a.log"]));
        assert!(!first.excludes("a.log") && first.excludes("b.log"));
    }

    #[test]
    fn comments_blank_lines_marks_and_odd_paths() {
        assert!(!excludes("# *.log\n\n!\n/\n.\n", "a.log"));
        assert!(excludes("\u{feff}*.log\r\n", "a.log"));
        assert!(excludes(" # is a name ", "# is a name"));
        assert!(excludes("! \n  a.log  ", "a.log"));
        for pattern in ["/x", "./x", "x/", "y/../x", "//x"] {
            assert!(excludes(pattern, "x"), "{pattern}");
        }
        // The one leading slash is dropped: no other makes it a path.
        assert!(excludes("/x", "a/x"));
        assert!(excludes("/a/x", "a/x") && !excludes("/a/x", "b/a/x"));
        assert!(!excludes("../x", "x"));
    }

    #[test]
    fn classes_and_escapes() {
        assert!(excludes("[a-c]?.txt", "bz.txt") && !excludes("[a-c]?.txt", "dz.txt"));
        assert!(excludes("[!a]x", "bx") && excludes("[^a]x", "bx") && !excludes("[^a]x", "ax"));
        assert!(excludes("[", "[") && excludes("a[b", "a[b") && excludes("[]", "[]"));
        assert!(excludes(r"\*", "*") && !excludes(r"\*", "a"));
        assert!(excludes("ä?", "äö"));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let name = "a".repeat(2000);
        let pattern = "*a".repeat(500) + "b";
        assert!(!excludes(&pattern, &name));
        let path = vec!["a"; 500].join("/");
        let pattern = "**/a/".repeat(200) + "b";
        assert!(!excludes(&pattern, &path));
    }

    /// The same rules, written for clarity and not for speed.
    fn slowly(pattern: &[&str], path: &[&str]) -> bool {
        fn letters(pattern: &[char], name: &[char]) -> bool {
            match (pattern, name) {
                ([], []) => true,
                (['*', rest @ ..], _) => (0..=name.len()).any(|taken| letters(rest, &name[taken..])),
                (['?', rest @ ..], [_, name @ ..]) => letters(rest, name),
                ([letter, rest @ ..], [first, name @ ..]) => letter == first && letters(rest, name),
                _ => false,
            }
        }
        match (pattern, path) {
            ([], []) => true,
            (["**", rest @ ..], _) => (0..=path.len()).any(|taken| slowly(rest, &path[taken..])),
            ([segment, rest @ ..], [name, path @ ..]) => {
                let chars = |text: &str| text.chars().collect::<Vec<_>>();
                letters(&chars(segment), &chars(name)) && slowly(rest, path)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_is_what_the_rules_say(
            rules in prop::collection::vec((any::<bool>(), prop::collection::vec("[ab*?]{1,3}|\\*\\*", 1..4)), 1..5),
            path in prop::collection::vec("[ab]{1,3}", 1..5),
        ) {
            let text: String = rules.iter().map(|(negated, segments)| {
                format!("{}{}\n", if *negated { "!" } else { "" }, segments.join("/"))
            }).collect();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let mut excluded = false;
            for (negated, segments) in &rules {
                let pattern: Vec<&str> = segments.iter().map(String::as_str).collect();
                let starts = if pattern.len() > 1 { 1 } else { path.len() };
                if (0..starts).any(|start| slowly(&pattern, &path[start..])) {
                    excluded = !negated;
                }
            }
            prop_assert_eq!(excludes(&text, &path.join("/")), excluded, "{}", text);
        }

        #[test]
        fn any_text_is_survived(text in ".{0,200}", path in "[^\0]{1,50}") {
            excludes(&text, &path);
        }
    }
}
