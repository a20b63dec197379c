//! Encodings that programs broke: over lines at any place, in groups of digits, in rows of a dump.
//!
//! They are looked for in what is left of a text without its spaces, and told as ranges of the text itself.

use std::ops::Range;

use aho_corasick::AhoCorasick;

/// What of a text is skipped.
#[derive(Clone, Copy)]
pub(crate) enum Skip {
    /// Whitespace.
    Spaces,
    /// Also what stands around the digits in rows of `xxd`, `hexdump -C` and `od`, and the mark before a line of a diff or a
    /// quotation.
    Margins,
}

/// Where encodings stand, in order. A hit in a row of a dump goes on to the end of the row, which has the same as text.
pub(crate) fn hits(encodings: &AhoCorasick, text: &[u8], skip: Skip) -> Vec<(usize, usize)> {
    let mut squeezed = Vec::with_capacity(text.len());
    for part in Parts::of(text, skip) {
        squeezed.extend_from_slice(text.get(part.range).unwrap_or_default());
    }
    let mut found = Vec::new();
    // Hits are in order, so going over the parts once more finds their places: no map as large as the text is needed.
    let mut parts = Parts::of(text, skip);
    let mut part = parts.next();
    let mut passed = 0;
    let mut place = |at: usize| {
        while let Some(Part { range, row_end }) = &part {
            if at < passed + range.len() {
                return Some((range.start + at - passed, *row_end));
            }
            passed += range.len();
            part = parts.next();
        }
        None
    };
    for hit in encodings.find_iter(&squeezed) {
        if let (Some((start, _)), Some((last, row_end))) = (place(hit.start()), place(hit.end() - 1)) {
            found.push((start, row_end.unwrap_or(last + 1)));
        }
    }
    found
}

/// Where the last `count` bytes that are not skipped begin.
pub(crate) fn last(text: &[u8], count: usize) -> usize {
    let all: usize = Parts::of(text, Skip::Margins).map(|part| part.range.len()).sum();
    after(text, all.saturating_sub(count))
}

/// Where the first `count` bytes that are not skipped end.
pub(crate) fn after(text: &[u8], count: usize) -> usize {
    let mut left = count;
    for Part { range, row_end } in Parts::of(text, Skip::Margins) {
        if left == 0 {
            return range.start;
        }
        if left < range.len() {
            return row_end.unwrap_or(range.start + left).min(text.len());
        }
        left -= range.len();
    }
    text.len()
}

struct Part {
    range: Range<usize>,
    /// The end of the line, if it is a row of a dump.
    row_end: Option<usize>,
}

/// What of a text is not skipped, in order.
struct Parts<'a> {
    text: &'a [u8],
    skip: Skip,
    at: usize,
    /// Where what is read of this line ends, and where the next one begins.
    end: usize,
    next: usize,
    row_end: Option<usize>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a [u8], skip: Skip) -> Self {
        let end = match skip {
            Skip::Spaces => text.len(),
            Skip::Margins => 0,
        };
        Self { text, skip, at: 0, end, next: end, row_end: None }
    }

    fn begin_line(&mut self) {
        let start = self.next;
        let line = self.text.get(start..).unwrap_or_default();
        let (length, line_break) = first_line(line);
        let line = &line[..length];
        self.next = start + length + line_break;
        let mark = usize::from(line.first().is_some_and(|byte| b"+-<>|#*".contains(byte)));
        (self.at, self.end, self.row_end) = match digits(&line[mark..]) {
            Some(digits) => (start + mark + digits.start, start + mark + digits.end, Some(start + length)),
            None => (start + mark, start + length, None),
        };
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        loop {
            while self.at < self.end {
                let gap = gap(&self.text[self.at..self.end]);
                if gap == 0 {
                    break;
                }
                self.at += gap;
            }
            if self.at < self.end {
                break;
            }
            if matches!(self.skip, Skip::Spaces) || self.next >= self.text.len() {
                return None;
            }
            self.begin_line();
        }
        let start = self.at;
        while self.at < self.end {
            let rest = &self.text[self.at..self.end];
            if gap(rest) > 0 {
                break;
            }
            // Backslashes at once: counting them at each one would take long.
            self.at += backslashes(rest).max(1);
        }
        Some(Part { range: start..self.at, row_end: self.row_end })
    }
}

fn backslashes(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b'\\').count()
}

/// Length of the whitespace that a text begins with, which is escaped where an output is told as JSON.
fn gap(text: &[u8]) -> usize {
    match text.first() {
        Some(byte) if byte.is_ascii_whitespace() => 1,
        Some(b'\\') => {
            let escapes = backslashes(text);
            if matches!(text.get(escapes), Some(b'n' | b'r' | b't')) { escapes + 1 } else { 0 }
        }
        _ => 0,
    }
}

/// Lengths of the first line and of the line break behind it.
fn first_line(text: &[u8]) -> (usize, usize) {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\n' => return (at, 1),
            b'\\' => {
                let escapes = backslashes(&text[at..]);
                if text.get(at + escapes) == Some(&b'n') {
                    return (at, escapes + 1);
                }
                at += escapes;
            }
            _ => at += 1,
        }
    }
    (at, 0)
}

/// The digits in a row of a dump: behind an offset, before the same as text.
fn digits(line: &[u8]) -> Option<Range<usize>> {
    let count = |from: usize, is: fn(&u8) -> bool| line[from..].iter().take_while(|byte| is(byte)).count();
    let offset = count(0, u8::is_ascii_hexdigit);
    let is_xxd = line.get(offset) == Some(&b':');
    let start = offset + usize::from(is_xxd);
    let mut end = start;
    loop {
        let spaces = count(end, |byte| *byte == b' ');
        // Two spaces end the digits of `xxd`, while `hexdump -C` has two in their middle.
        if spaces == 0 || is_xxd && spaces > 1 && end > start {
            break;
        }
        let group = count(end + spaces, u8::is_ascii_hexdigit);
        let is_whole = line.get(end + spaces + group).is_none_or(u8::is_ascii_whitespace);
        if group == 0 || group % 2 == 1 || !is_whole {
            break;
        }
        end += spaces + group;
    }
    ((6..=16).contains(&offset) && end > start).then_some(start..end)
}
