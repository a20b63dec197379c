//! Output kept within bounds: its head and its tail, and how much was cut between them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use crate::Masker;

/// Collects output of any length in bounded memory.
#[derive(Debug, Clone)]
pub struct Capture {
    head: Vec<u8>,
    head_limit: usize,
    tail: VecDeque<u8>,
    tail_limit: usize,
    total: u64,
    begins_in_a_cut: bool,
}

impl Capture {
    /// Keeps the first quarter of `limit` bytes and the last three quarters: the end of an output says more.
    pub fn new(limit: usize) -> Self {
        let head_limit = limit / 4;
        Self {
            head: Vec::new(),
            head_limit,
            tail: VecDeque::new(),
            tail_limit: limit - head_limit,
            total: 0,
            begins_in_a_cut: false,
        }
    }

    /// Tells that output which nobody has anymore came before this, so that it may begin in the middle of anything.
    pub fn begins_in_a_cut(&mut self) {
        self.begins_in_a_cut = true;
    }

    /// Adds output.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.head_limit - self.head.len();
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        let rest = &rest[rest.len().saturating_sub(self.tail_limit)..];
        let over = (self.tail.len() + rest.len()).saturating_sub(self.tail_limit);
        self.tail.drain(..over);
        self.tail.extend(rest);
    }

    /// Ends the capture. Known secrets are masked; next to a cut, where half of one could have been kept, so many bytes
    /// are dropped that none can be left.
    pub fn finish(self, masker: &Masker) -> Captured {
        let Self { mut head, tail, total, begins_in_a_cut, .. } = self;
        let mut tail = Vec::from(tail);
        let missing = total - (head.len() + tail.len()) as u64;
        if missing == 0 {
            head.append(&mut tail);
        }
        let kept = Kept { head, tail, missing, begins_in_a_cut };
        let (bytes, cut) = kept.joined(masker);
        let hides = |bytes: &[u8]| matches!(masker.mask(bytes), Cow::Owned(_));
        let exact = (hides(&kept.head) || hides(&kept.tail)).then(|| kept.joined(&Masker::default()).0);
        Captured { bytes, cut, exact }
    }
}

/// The two ends of an output, or all of it in `head` where nothing is missing between them.
struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
    missing: u64,
    begins_in_a_cut: bool,
}

impl Kept {
    /// Both ends, masked, with a line for what is cut; and how much that is, in bytes that are known of.
    fn joined(&self, masker: &Masker) -> (Vec<u8>, u64) {
        let Self { head, tail, missing, begins_in_a_cut } = self;
        let mut bytes = Vec::new();
        let mut start = 0;
        if *begins_in_a_cut {
            bytes.extend_from_slice(b"[... the beginning is cut ...]\n");
            // The rest of a line may be the rest of a value.
            start = head
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or_else(|| masker.start_behind_cut(head), |at| at + 1);
        }
        if *missing == 0 {
            bytes.extend(masker.mask_part(head, start..head.len()));
            return (bytes, if *begins_in_a_cut { start.max(1) as u64 } else { 0 });
        }
        let end = masker.end_before_cut(head).max(start);
        let dropped = masker.start_behind_cut(tail);
        let cut = missing + (start + head.len() - end + dropped) as u64;
        // Masked before the margin is dropped: a whole secret that touches the margin must not leave a part behind.
        bytes.extend(masker.mask_part(head, start..end));
        bytes.extend_from_slice(format!("\n[... {cut} bytes cut ...]\n").as_bytes());
        let tail = masker.mask_part(tail, dropped..tail.len());
        // The rest of a line that began in the cut is dropped with it, if another line follows.
        let line = tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.extend_from_slice(if line < tail.len() { &tail[line..] } else { &tail });
        (bytes, cut)
    }
}

/// What was kept of an output.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Captured {
    bytes: Vec<u8>,
    cut: u64,
    /// What was masked, before it was.
    exact: Option<Vec<u8>>,
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured").field("text", &self.text()).field("cut", &self.cut).finish_non_exhaustive()
    }
}

impl Captured {
    /// The output; where something was cut, a line says how much.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The output as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The text before it was masked, where something of it was. To be read, never to be kept or shown.
    pub fn hidden_text(&self) -> Option<String> {
        self.exact.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The text as it was. To be read, never to be kept or shown.
    pub fn exact_text(&self) -> String {
        self.hidden_text().unwrap_or_else(|| self.text())
    }

    /// The last `bytes` of the text, or a little less, for a message.
    pub fn tail(&self, bytes: usize) -> String {
        let text = self.text();
        let text = text.trim_end();
        let mut from = text.len().saturating_sub(bytes);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        text[from..].to_owned()
    }

    /// Whether something is missing in the middle.
    pub fn is_cut(&self) -> bool {
        self.cut > 0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(limit: usize, chunks: &[&str]) -> Captured {
        let mut capture = Capture::new(limit);
        for chunk in chunks {
            capture.push(chunk.as_bytes());
        }
        capture.finish(&Masker::default())
    }

    #[test]
    fn short_output_is_kept_whole_however_it_arrives() {
        assert_eq!(capture(16, &["abc", "defghij", "klmnop"]).text(), "abcdefghijklmnop");
        assert!(!capture(16, &["abcdefghijklmnop"]).is_cut());
    }

    #[test]
    fn long_output_keeps_head_and_tail_and_says_how_much_is_missing() {
        let kept = capture(8, &["ab", "cdefgh", "ijklmnopqrstuv", "wxyz"]);
        assert_eq!(kept.text(), "ab\n[... 18 bytes cut ...]\nuvwxyz");
        assert!(kept.is_cut());
    }

    #[test]
    fn after_a_cut_the_output_goes_on_with_a_whole_line() {
        let kept = capture(16, &["first line\nsecond line\nlast\n"]);
        assert!(kept.text().ends_with("]\nlast\n"), "{}", kept.text());
    }

    #[test]
    fn one_huge_chunk_is_bounded_too() {
        let kept = capture(100, &[&"x".repeat(1_000_000)]);
        assert!(kept.bytes().len() < 200);
    }

    #[test]
    fn a_secret_at_the_cut_does_not_leave_a_part_of_itself() {
        let masker = Masker::new(["secret-value"]);
        for before in 0..40 {
            let mut capture = Capture::new(64);
            capture.push("a".repeat(before).as_bytes());
            capture.push(b"secret-value");
            capture.push("b".repeat(200).as_bytes());
            capture.push(b"secret-value");
            capture.push("c".repeat(before).as_bytes());
            let text = capture.finish(&masker).text();
            for part in ["se", "cret", "val", "ue"] {
                assert!(!text.replace("[... ", "").contains(&format!("a{part}")), "{before}: {text}");
                assert!(!text.contains(&format!("{part}c")), "{before}: {text}");
            }
        }
    }

    #[test]
    fn output_that_begins_in_a_cut_does_not_begin_with_half_a_secret() {
        let masker = Masker::new(["secret-value"]);
        for (text, shown) in [("et-value\nrest\n", "rest\n"), ("et-value", "")] {
            let mut capture = Capture::new(1000);
            capture.push(text.as_bytes());
            capture.begins_in_a_cut();
            let captured = capture.finish(&masker);
            assert_eq!(captured.text(), format!("[... the beginning is cut ...]\n{shown}"));
            assert!(captured.is_cut());
        }
    }

    #[test]
    fn what_was_masked_can_still_be_read_but_is_not_printed() {
        let masker = Masker::new(["0.25"]);
        for before in ["", &"x".repeat(2000)] {
            let mut capture = Capture::new(1000);
            capture.push(before.as_bytes());
            capture.push(b"\nscore=0.25\n");
            let captured = capture.finish(&masker);
            assert!(captured.exact_text().ends_with("score=0.25\n"), "{}", captured.exact_text());
            assert!(captured.text().ends_with("score=***\n") && !format!("{captured:?}").contains("0.25"));
        }
        assert_eq!(capture(100, &["plain"]).hidden_text(), None);
    }

    #[test]
    fn a_tail_ends_on_whole_characters() {
        let mut capture = Capture::new(1000);
        capture.push("ääää\n".as_bytes());
        assert_eq!(capture.finish(&Masker::default()).tail(3), "ä");
    }
}
