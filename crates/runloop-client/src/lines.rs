//! Text cut into lines, whatever pieces it comes in.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};

use crate::error::Error;
use crate::execution_stream::OutputKind;

/// Longest line in bytes that is kept whole, unless set.
const LONGEST_LINE: usize = 1024 * 1024;

/// Cuts text into lines, whatever pieces it comes in: also in the middle of a UTF-8 character. No I/O.
///
/// A line ends with LF, CR LF or CR, so that each state of a progress bar is a line; the last one may end with nothing.
/// Bytes that are not UTF-8 become U+FFFD. A line that is longer than the limit comes in pieces of whole characters, each
/// as long as the limit allows: memory stays bounded and nothing is lost.
///
/// ```
/// use runloop_client::LineSplitter;
///
/// let (mut splitter, mut lines) = (LineSplitter::default(), Vec::new());
/// for piece in [&b"one\ntw"[..], b"o\r", b"\nthr\xc3", b"\xa9\xc3\xa9"] {
///     splitter.push(piece, |line| lines.push(line.to_owned()));
/// }
/// splitter.finish(|line| lines.push(line.to_owned()));
/// assert_eq!(lines, ["one", "two", "thréé"]);
/// ```
#[derive(Debug, Clone)]
pub struct LineSplitter {
    /// The line that has begun.
    begun: Vec<u8>,
    /// The last byte was a CR: a LF now belongs to it.
    after_cr: bool,
    longest: usize,
}

impl Default for LineSplitter {
    /// Lines of up to 1 MiB.
    fn default() -> Self {
        Self::up_to(LONGEST_LINE)
    }
}

impl LineSplitter {
    /// Lines of up to `longest` bytes (at least 4: one character).
    pub fn up_to(longest: usize) -> Self {
        Self { begun: Vec::new(), after_cr: false, longest: longest.max(4) }
    }

    /// Takes the next piece; complete lines go to `on_line`, without their ends.
    pub fn push(&mut self, piece: impl AsRef<[u8]>, mut on_line: impl FnMut(&str)) {
        let mut piece = piece.as_ref();
        if self.after_cr && !piece.is_empty() {
            self.after_cr = false;
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        while let Some(end) = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, rest) = piece.split_at(end);
            piece = match rest {
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => &[],
            };
            self.after_cr = rest == b"\r";
            if self.begun.is_empty() && line.len() <= self.longest {
                on_line(&String::from_utf8_lossy(line));
            } else {
                self.extend(line, &mut on_line);
                on_line(&String::from_utf8_lossy(&self.begun));
                self.begun.clear();
            }
        }
        self.extend(piece, &mut on_line);
    }

    /// The text is over: a last line without an end goes to `on_line`. The splitter can be used for another text.
    pub fn finish(&mut self, on_line: impl FnOnce(&str)) {
        self.after_cr = false;
        if !self.begun.is_empty() {
            on_line(&String::from_utf8_lossy(&self.begun));
            self.begun = Vec::new();
        }
    }

    /// Adds to the line that has begun; what is too long goes out.
    fn extend(&mut self, mut bytes: &[u8], on_line: &mut impl FnMut(&str)) {
        while self.begun.len() + bytes.len() > self.longest {
            let (fits, rest) = bytes.split_at(self.longest - self.begun.len());
            self.begun.extend_from_slice(fits);
            bytes = rest;
            let whole = whole_characters(&self.begun);
            on_line(&String::from_utf8_lossy(&self.begun[..whole]));
            self.begun.drain(..whole);
        }
        self.begun.extend_from_slice(bytes);
    }
}

/// How many bytes can be cut off without cutting a character; never none.
fn whole_characters(bytes: &[u8]) -> usize {
    // The last character begins at most four bytes from the end.
    let tail = bytes.len().saturating_sub(4);
    let begin = bytes.iter().rposition(|byte| byte & 0b1100_0000 != 0b1000_0000).filter(|at| *at >= tail);
    match begin {
        Some(begin) if begin > 0 && is_unfinished(&bytes[begin..]) => begin,
        _ => bytes.len(),
    }
}

fn is_unfinished(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// A [`Stream`] of lines without their ends, from [`ExecutionStream::lines`](crate::ExecutionStream::lines) or
/// [`ByteStream::lines`](crate::ByteStream::lines). What a line is, [`LineSplitter`] tells. Before an error comes what
/// there was of the line.
#[must_use = "a stream does nothing until it is polled"]
pub struct LineStream {
    lines: BoxStream<'static, Result<String, Error>>,
}

impl std::fmt::Debug for LineStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineStream").finish_non_exhaustive()
    }
}

impl LineStream {
    /// Cuts the pieces of a stream into lines.
    pub(crate) fn new<T: AsRef<[u8]> + 'static>(
        pieces: impl Stream<Item = Result<T, Error>> + Send + 'static,
    ) -> Self {
        let pieces = pieces.boxed();
        let state = (Some(pieces), LineSplitter::default(), VecDeque::new());
        let lines = stream::unfold(state, |(mut pieces, mut splitter, mut ready)| async move {
            loop {
                if let Some(line) = ready.pop_front() {
                    return Some((line, (pieces, splitter, ready)));
                }
                match pieces.as_mut()?.next().await {
                    Some(Ok(piece)) => splitter.push(piece, |line| ready.push_back(Ok(line.to_owned()))),
                    end => {
                        pieces = None;
                        splitter.finish(|line| ready.push_back(Ok(line.to_owned())));
                        ready.extend(end.and_then(Result::err).map(Err));
                    }
                }
            }
        });
        Self { lines: lines.boxed() }
    }
}

impl Stream for LineStream {
    type Item = Result<String, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.lines.poll_next_unpin(cx)
    }
}

/// Turns a callback for lines into one for chunks of both outputs.
pub(crate) struct ByLine<F> {
    stdout: LineSplitter,
    stderr: LineSplitter,
    on_line: F,
}

impl<F: FnMut(OutputKind, &str)> ByLine<F> {
    pub(crate) fn new(on_line: F) -> Self {
        Self { stdout: LineSplitter::default(), stderr: LineSplitter::default(), on_line }
    }

    pub(crate) fn push(&mut self, kind: OutputKind, text: &str) {
        let splitter = match kind {
            OutputKind::Stdout => &mut self.stdout,
            OutputKind::Stderr => &mut self.stderr,
        };
        splitter.push(text, |line| (self.on_line)(kind, line));
    }

    /// The last lines, if they had no end.
    pub(crate) fn finish(mut self) {
        self.stdout.finish(|line| (self.on_line)(OutputKind::Stdout, line));
        self.stderr.finish(|line| (self.on_line)(OutputKind::Stderr, line));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split<'a>(longest: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let (mut splitter, mut lines) = (LineSplitter::up_to(longest), Vec::new());
        for piece in pieces {
            splitter.push(piece, |line| lines.push(line.to_owned()));
        }
        splitter.finish(|line| lines.push(line.to_owned()));
        lines
    }

    fn lines(text: &str) -> Vec<String> {
        split(LONGEST_LINE, [text.as_bytes()])
    }

    #[test]
    fn all_ends_of_a_line() {
        assert_eq!(lines("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(lines("\n\r\n\r\rx\n"), ["", "", "", "", "x"]);
        assert_eq!(lines("10%\r20%\r\ndone\n"), ["10%", "20%", "done"]);
        assert_eq!(lines(""), Vec::<String>::new());
        // A CR ends its line at once; the LF of the next piece is no line of its own.
        let (mut splitter, mut seen) = (LineSplitter::default(), Vec::new());
        splitter.push("50%\r", |line| seen.push(line.to_owned()));
        assert_eq!(seen, ["50%"]);
        splitter.push("", |_| ());
        splitter.push("\nx\n", |line| seen.push(line.to_owned()));
        assert_eq!(seen, ["50%", "x"]);
    }

    #[test]
    fn a_long_line_comes_in_pieces_of_whole_characters() {
        assert_eq!(split(4, ["abcdefghi\nj".as_bytes()]), ["abcd", "efgh", "i", "j"]);
        assert_eq!(split(4, ["abcd\nefgh".as_bytes()]), ["abcd", "efgh"]);
        assert_eq!(split(4, ["aäöü".as_bytes()]), ["aä", "öü"]);
        assert_eq!(split(5, ["a😀😀\n".as_bytes()]), ["a😀", "😀"]);
        assert_eq!(split(0, ["😀😀".as_bytes()]), ["😀", "😀"]);
    }

    #[test]
    fn other_bytes_are_replaced_and_do_not_stop_anything() {
        assert_eq!(split(9, [&b"a\xffb\xc3\nc\xf0\x9f"[..]]), ["a\u{fffd}b\u{fffd}", "c\u{fffd}"]);
        assert_eq!(split(4, [&[0x80u8; 9][..]]).concat().chars().count(), 9);
    }

    /// A text cut at some places.
    fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
    }

    proptest! {
        #[test]
        fn where_text_is_cut_does_not_matter(
            text in "[aä😀\r\n]{0,60}",
            cuts in prop::collection::vec(any::<usize>(), 0..8),
            longest in 4usize..12,
        ) {
            prop_assert_eq!(split(longest, pieces(text.as_bytes(), &cuts)), split(longest, [text.as_bytes()]));
            let plain = text.replace("\r\n", "\n").replace('\r', "\n");
            let mut expected: Vec<&str> = plain.split('\n').collect();
            if expected.last() == Some(&"") {
                expected.pop();
            }
            prop_assert_eq!(split(1000, pieces(text.as_bytes(), &cuts)), expected);
        }

        #[test]
        fn any_bytes_are_survived_and_lines_are_bounded(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            cuts in prop::collection::vec(any::<usize>(), 0..8),
        ) {
            for line in split(8, pieces(&bytes, &cuts)) {
                prop_assert!(line.chars().count() <= 8 && !line.contains(['\n', '\r']));
            }
        }
    }
}
