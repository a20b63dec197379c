//! Hides known secret values in captured output.

use std::borrow::Cow;

/// What stands where a secret stood.
const MASK: &[u8] = b"***";

/// Shorter values are not masked: they would blot out ordinary text and are no secrets.
const SHORTEST: usize = 4;

/// Replaces known secret values.
#[derive(Clone, Default)]
pub struct Masker {
    /// Longest first, so that a secret which contains another goes as a whole.
    values: Vec<Vec<u8>>,
}

impl Masker {
    /// Masks these values, and each line of those that have several (keys in PEM form are printed line by line).
    pub fn new(values: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut all = Vec::new();
        for value in values {
            let value = value.as_ref().trim();
            all.push(value.as_bytes().to_vec());
            all.extend(value.lines().map(|line| line.trim().as_bytes().to_vec()));
        }
        all.retain(|value| value.len() >= SHORTEST);
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        Self { values: all }
    }

    /// The bytes with every known value replaced by `***`.
    pub fn mask<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let hits = self.hits(bytes);
        if hits.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut masked = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for (start, end) in hits {
            masked.extend_from_slice(&bytes[at..start]);
            masked.extend_from_slice(MASK);
            at = end;
        }
        masked.extend_from_slice(&bytes[at..]);
        Cow::Owned(masked)
    }

    /// The text with every known value replaced by `***`.
    pub fn mask_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.mask(text.as_bytes())).into_owned()
    }

    /// Length of the longest value in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.values.first().map_or(0, Vec::len)
    }

    /// Masks `bytes` and drops what begins at or after `end`; a value that reaches over `end` goes too.
    pub(crate) fn mask_prefix(&self, bytes: &[u8], end: usize) -> Vec<u8> {
        let end =
            self.hits(bytes).into_iter().find(|hit| hit.0 < end && end < hit.1).map_or(end, |hit| hit.0);
        self.mask(&bytes[..end]).into_owned()
    }

    /// Masks `bytes` and drops what ends before `start`; a value that reaches over `start` goes too.
    pub(crate) fn mask_suffix(&self, bytes: &[u8], start: usize) -> Vec<u8> {
        let start = self
            .hits(bytes)
            .into_iter()
            .find(|hit| hit.0 < start && start < hit.1)
            .map_or(start, |hit| hit.1);
        self.mask(&bytes[start..]).into_owned()
    }

    /// Where known values stand, in order, without overlaps.
    fn hits(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut hits = Vec::new();
        let mut at = 0;
        while at < bytes.len() && !self.values.is_empty() {
            match self.values.iter().find(|value| bytes[at..].starts_with(value)) {
                Some(value) => {
                    hits.push((at, at + value.len()));
                    at += value.len();
                }
                None => at += 1,
            }
        }
        hits
    }
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masker({} values)", self.values.len())
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
        assert_eq!(Masker::new(["", "a", "1"]).mask_text("a banana 1"), "a banana 1");
    }

    #[test]
    fn each_line_of_a_key_is_hidden() {
        let masker = Masker::new(["-----BEGIN-----\nabcdefgh\n-----END-----\n"]);
        assert_eq!(masker.mask_text("got abcdefgh"), "got ***");
    }

    #[test]
    fn what_is_printed_of_a_masker_tells_no_value() {
        assert_eq!(format!("{:?}", Masker::new(["hunter22"])), "Masker(1 values)");
    }
}
