//! Hides known secret values in everything that is kept or shown.
//!
//! A value is hidden in the spellings that programs give it: as it is, quoted (JSON, HTML, shells, git's paths), and from 8
//! bytes on also percent-encoded, in hexadecimal digits and in base64, whatever stands before and after it. Values of fewer
//! than 4 bytes are never hidden. Each line of a value that has several counts as a value. This is against accidents: an
//! agent that means to tell a secret can always spell it in a way of its own.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::spellings::spellings;

/// What stands where a secret stood.
const MASK: &[u8] = b"***";

/// Shorter values are not masked: they would blot out ordinary text and are no secrets.
const SHORTEST: usize = 4;

/// Replaces known secret values.
#[derive(Clone, Default)]
pub struct Masker {
    known: Option<Arc<Known>>,
}

struct Known {
    values: usize,
    /// Length of the longest spelling in bytes.
    longest: usize,
    /// Finds the longest spelling at each place, so that a secret which contains another goes as a whole. `None` where there
    /// are too many: then everything is hidden.
    spellings: Option<AhoCorasick>,
}

impl Masker {
    /// Masks these values, and each line of those that have several (keys in PEM form are printed line by line).
    pub fn new(values: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut all = Vec::new();
        for value in values {
            let value = value.as_ref().trim();
            all.push(value.to_owned());
            all.extend(value.lines().map(|line| line.trim().to_owned()));
        }
        all.retain(|value| value.len() >= SHORTEST);
        all.sort();
        all.dedup();
        let mut known: Vec<String> = all.iter().flat_map(|value| spellings(value)).collect();
        known.retain(|spelling| spelling.len() >= SHORTEST);
        known.sort();
        known.dedup();
        if known.is_empty() {
            return Self::default();
        }
        let longest = known.iter().map(String::len).max().unwrap_or_default();
        // Only gigabytes of values do not fit.
        let spellings = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&known).ok();
        Self { known: Some(Arc::new(Known { values: all.len(), longest, spellings })) }
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.known.is_none()
    }

    /// The bytes with every known value replaced by `***`.
    pub fn mask<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut masked = Vec::new();
        let mut at = 0;
        for (start, end) in self.hits(bytes) {
            masked.extend_from_slice(&bytes[at..start]);
            masked.extend_from_slice(MASK);
            at = end;
        }
        if at == 0 {
            return Cow::Borrowed(bytes);
        }
        masked.extend_from_slice(&bytes[at..]);
        Cow::Owned(masked)
    }

    /// The text with every known value replaced by `***`.
    pub fn mask_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.mask(text.as_bytes())).into_owned()
    }

    /// A text whose end is cut off, with every known value replaced by `***`. So much of its end is dropped that no beginning
    /// of one can be left.
    pub fn mask_cut(&self, text: &str) -> String {
        let end = text.len().saturating_sub(self.longest().saturating_sub(1));
        let end = text.floor_char_boundary(end);
        String::from_utf8_lossy(&self.mask_part(text.as_bytes(), 0..end)).into_owned()
    }

    /// Length of the longest spelling of a value in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.known.as_ref().map_or(0, |known| known.longest)
    }

    /// Masks a part of `bytes`; a value that reaches over one of its ends is left out altogether.
    pub(crate) fn mask_part(&self, bytes: &[u8], part: Range<usize>) -> Vec<u8> {
        let over = |at: usize| self.hits(bytes).find(|hit| hit.0 < at && at < hit.1);
        let start = over(part.start).map_or(part.start, |hit| hit.1);
        let end = over(part.end).map_or(part.end, |hit| hit.0);
        bytes.get(start..end).map(|part| self.mask(part).into_owned()).unwrap_or_default()
    }

    /// Where known values stand, in order, without overlaps.
    fn hits<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
        let all = self.known.iter().filter(move |known| known.spellings.is_none() && !bytes.is_empty());
        let found = self.known.iter().filter_map(|known| known.spellings.as_ref());
        let found = found.flat_map(move |spellings| spellings.find_iter(bytes));
        all.map(move |_| (0, bytes.len())).chain(found.map(|hit| (hit.start(), hit.end())))
    }
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masker({} values)", self.known.as_ref().map_or(0, |known| known.values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_are_hidden_wherever_they_stand() {
        let masker = Masker::new(["hunter22", "hunter22-long"]);
        assert_eq!(masker.mask_text("hunter22 and xhunter22-longx"), "*** and x***x");
    }

    #[test]
    fn short_and_empty_values_hide_nothing() {
        let masker = Masker::new(["", "a", "1"]);
        assert_eq!(masker.mask_text("a banana 1"), "a banana 1");
        assert!(masker.is_empty());
    }

    #[test]
    fn values_that_nothing_can_look_for_hide_everything() {
        let masker = Masker { known: Some(Arc::new(Known { values: 1, longest: 8, spellings: None })) };
        assert_eq!((masker.mask_text("x hunter22 y").as_str(), masker.mask_text("").as_str()), ("***", ""));
        assert_eq!(masker.mask_cut("x hunter22 y"), "");
    }

    #[test]
    fn a_cut_text_does_not_end_with_the_beginning_of_a_value() {
        let masker = Masker::new(["hunter22-long"]);
        let longest = masker.longest();
        let whole = format!("hunter22-long {}", "x".repeat(2 * longest));
        for cut in 1..whole.len() {
            let masked = masker.mask_cut(&whole[..cut]);
            assert!(masked.is_empty() || masked.starts_with("***"), "{cut}: {masked}");
        }
    }

    #[test]
    fn each_line_of_a_key_is_hidden() {
        let masker = Masker::new(["-----BEGIN-----\nabcdefgh\n-----END-----\n"]);
        assert_eq!(masker.mask_text("got abcdefgh"), "got ***");
    }

    #[test]
    fn other_spellings_are_hidden_too() {
        let masker = Masker::new(["pass/word+1"]);
        let text = "cGFzcy93b3JkKzE= 706173732f776f72642b31 pass%2Fword%2B1 pass\\/word+1";
        assert_eq!(masker.mask_text(text), "***E= *** *** ***");
    }

    #[test]
    fn what_is_printed_of_a_masker_tells_no_value() {
        assert_eq!(format!("{:?}", Masker::new(["hunter22"])), "Masker(1 values)");
    }
}
