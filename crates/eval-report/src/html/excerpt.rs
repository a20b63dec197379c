//! Text of logs within bounds that hold for what is written to the page, not for what is read: escaping makes text longer.

use std::io;

use crate::text::one_line;

use super::markup::{Html, escaped, size};
use super::{Log, Logs};

/// What is shown of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// Its beginning; all of it unless something is cut.
    pub(crate) head: String,
    /// Its end, behind the cut.
    pub(crate) tail: String,
    /// Bytes left out, about.
    pub(crate) cut: u64,
}

impl Excerpt {
    /// Both ends of a file in at most `limit` bytes of the page, where every line costs `line` bytes of its own. `None` if
    /// there is no such file, or nothing in it.
    pub(crate) fn read(logs: &dyn Logs, path: &str, limit: usize, line: usize) -> Option<io::Result<Self>> {
        let head = limit / 4;
        match logs.read(path, head, limit - head) {
            Ok(log) if log.size == 0 => None,
            Ok(log) => Some(Ok(Self::of(&log, limit, line))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// Both ends of text that is here already.
    pub(crate) fn of_text(text: &str, limit: usize) -> Self {
        let head = limit / 4;
        Self::of(&Log::of(text.as_bytes(), head, limit - head), limit, 0)
    }

    fn of(log: &Log, limit: usize, line: usize) -> Self {
        let head_limit = limit / 4;
        let head = plain(&String::from_utf8_lossy(&log.head));
        let tail = plain(&String::from_utf8_lossy(&log.tail));
        if log.tail.is_empty() && cost(&head, line) <= limit {
            return Self { head, ..Self::default() };
        }
        let (head, rest) = head.split_at(prefix(&head, head_limit, line));
        // Without a tail, the head is the whole file and has both ends.
        let tail = if log.tail.is_empty() { rest } else { &*tail };
        let tail = suffix(tail, limit - head_limit, line);
        let kept = (head.len() + tail.len()) as u64;
        Self { head: head.to_owned(), tail: tail.to_owned(), cut: log.size.saturating_sub(kept).max(1) }
    }

    /// As preformatted text.
    pub(crate) fn write(&self, path: Option<&str>, label: &str, html: &mut Html) {
        html.raw("<pre tabindex=\"0\" role=\"group\"").attribute("aria-label", label).raw(">");
        html.text(&self.head);
        self.cut_line(path, html);
        html.text(&self.tail).raw("</pre>");
    }

    /// Says what is missing, where something is.
    pub(crate) fn cut_line(&self, path: Option<&str>, html: &mut Html) {
        if self.cut == 0 {
            return;
        }
        html.raw("\n<span class=\"cut\">… ").text(size(self.cut)).raw(" left out here");
        if let Some(path) = path {
            html.raw("; the whole is in ").text(one_line(path, 400));
        }
        html.raw(" …</span>\n");
    }
}

/// Bytes of a character on the page. That of a line end is the line's.
fn cost_of(c: char, line: usize) -> usize {
    escaped(c).map_or(c.len_utf8(), str::len) + if c == '\n' { line } else { 0 }
}

fn cost(text: &str, line: usize) -> usize {
    text.chars().map(|c| cost_of(c, line)).sum()
}

/// Bytes of the longest beginning within a cost; whole lines if there is one, for something is cut behind it.
fn prefix(text: &str, limit: usize, line: usize) -> usize {
    let mut left = limit;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match left.checked_sub(cost_of(c, line)) {
            Some(rest) => left = rest,
            None => {
                end = at;
                break;
            }
        }
    }
    match text[..end].rfind('\n') {
        Some(last) => last + 1,
        None => end,
    }
}

/// The longest end within a cost; whole lines if there is one, for something is cut before it.
fn suffix(text: &str, limit: usize, line: usize) -> &str {
    let mut left = limit;
    let mut start = 0;
    for (at, c) in text.char_indices().rev() {
        match left.checked_sub(cost_of(c, line)) {
            Some(rest) => left = rest,
            None => {
                start = at + c.len_utf8();
                break;
            }
        }
    }
    let end = &text[start..];
    match end.find('\n') {
        Some(first) if first + 1 < end.len() => &end[first + 1..],
        _ => end,
    }
}

/// Without what only a terminal understands: escape sequences go, a carriage return ends a line.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\r', Some('\n')) => {}
            ('\r', _) => plain.push('\n'),
            ('\u{1b}', Some('[')) => {
                rest.next();
                // Parameters, then one letter or sign that ends it; anything else is no such sequence.
                while rest.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                rest.next_if(|c| matches!(c, '@'..='~'));
            }
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_text_is_whole() {
        let excerpt = Excerpt::of_text("one\ntwo\n", 100);
        assert_eq!((excerpt.head.as_str(), excerpt.tail.as_str(), excerpt.cut), ("one\ntwo\n", "", 0));
    }

    #[test]
    fn long_text_keeps_whole_lines_of_both_ends() {
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let excerpt = Excerpt::of_text(&text, 80);
        assert_eq!(excerpt.head, "line 0\nline 1\n");
        assert!(excerpt.tail.starts_with("line 9") && excerpt.tail.ends_with("line 99\n"), "{excerpt:?}");
        assert_eq!(excerpt.cut as usize, text.len() - excerpt.head.len() - excerpt.tail.len());
    }

    #[test]
    fn terminal_sequences_are_left_out() {
        assert_eq!(plain("\u{1b}[1;31mred\u{1b}[0m\r\n50%\r100%"), "red\n50%\n100%");
        assert_eq!(plain("\u{1b}[\u{1b}["), "");
    }

    proptest! {
        #[test]
        fn what_is_written_stays_within_its_limit(text in "(?s)[<&\"a\u{e4}\n\u{1b}\\[]{0,400}", limit in 8usize..300, line in 0usize..30) {
            let head = limit / 4;
            let excerpt = Excerpt::of(&Log::of(text.as_bytes(), head, limit - head), limit, line);
            prop_assert!(cost(&excerpt.head, line) + cost(&excerpt.tail, line) <= limit.max(8));
        }
    }
}
