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
    segments: Vec<Vec<char>>,
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
        std::fs::read_to_string(path)
            .map(|text| Self::parse(&text))
            .map_err(|source| Error::File { action: "read", path: path.to_owned(), source })
    }

    /// As [`IgnoreRules::read`]; a file that is not there has no rules.
    pub(crate) fn read_optional(path: &Path) -> Result<Self, Error> {
        match Self::read(path) {
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
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
            segments: segments.into_iter().map(|segment| segment.chars().collect()).collect(),
        })
    }

    fn matches(&self, path: &[&str]) -> bool {
        if self.anchored { segments_match(&self.segments, path) } else {
            (0..path.len()).any(|start| segments_match(&self.segments, &path[start..]))
        }
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
fn segments_match(pattern: &[Vec<char>], path: &[&str]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    loop {
        match pattern.get(at) {
            Some(segment) if segment.as_slice() == ['*', '*'] => {
                again = Some((at, seen));
                at += 1;
            }
            Some(segment) if path.get(seen).is_some_and(|name| segment_matches(segment, name)) => {
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
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut seen) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    loop {
        let step = match (pattern.get(at), name.get(seen)) {
            (Some('*'), _) => {
                again = Some((at, seen));
                at += 1;
                continue;
            }
            (None, None) => return true,
            (Some(_), Some(letter)) => one(&pattern[at..], *letter),
            _ => None,
        };
        match (step, &mut again) {
            (Some(length), _) => {
                at += length;
                seen += 1;
            }
            (None, Some((star, taken))) if *taken < name.len() => {
                *taken += 1;
                at = *star + 1;
                seen = *taken;
            }
            (None, _) => return false,
        }
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
