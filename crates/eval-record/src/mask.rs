//! Hides known secret values in everything that is kept or shown.
//!
//! A value is hidden in the spellings that programs give it: as it is, quoted (JSON, HTML, shells, git's paths), and from 8
//! bytes on also percent-encoded, in hexadecimal digits and in base64, whatever stands before and after it and wherever
//! whitespace breaks the digits. Values of fewer than 4 bytes are never hidden. Each line of a value that has several counts
//! as a value. This is against accidents: an agent that means to tell a secret can always spell it in a way of its own.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::broken::{self, Skip};
use crate::spellings::{encodings, spellings};

/// What stands where a secret stood.
const MASK: &[u8] = b"***";

/// Shorter values are not masked: they would blot out ordinary text and are no secrets.
const SHORTEST: usize = 4;

/// No row of a dump is longer.
const ROW: usize = 100;

/// No offset at the beginning of a row is longer.
const OFFSET: usize = 16;

/// Replaces known secret values.
#[derive(Clone, Default)]
pub struct Masker {
    known: Option<Arc<Known>>,
}

struct Known {
    values: usize,
    /// Length of the longest spelling in bytes.
    longest: usize,
    /// Length of the longest encoding in bytes.
    longest_encoding: usize,
    /// `None` where there are too many: then everything is hidden.
    finders: Option<Finders>,
}

/// Find the longest at each place, so that a secret which contains another goes as a whole.
struct Finders {
    spellings: AhoCorasick,
    /// What is looked for with all whitespace skipped.
    encodings: AhoCorasick,
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
        if all.is_empty() {
            return Self::default();
        }
        let spellings = of_each(&all, spellings);
        let encodings = of_each(&all, encodings);
        let longest = |all: &[String]| all.iter().map(String::len).max().unwrap_or_default();
        // Only gigabytes of values do not fit.
        let finder =
            |all: &[String]| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(all).ok();
        let finders = finder(&spellings).zip(finder(&encodings));
        Self {
            known: Some(Arc::new(Known {
                values: all.len(),
                longest: longest(&spellings),
                longest_encoding: longest(&encodings),
                finders: finders.map(|(spellings, encodings)| Finders { spellings, encodings }),
            })),
        }
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.known.is_none()
    }

    /// The bytes with every known value replaced by `***`.
    pub fn mask<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let hits = self.hits(bytes);
        if hits.is_empty() {
            Cow::Borrowed(bytes)
        } else {
            Cow::Owned(replaced(bytes, 0..bytes.len(), &hits))
        }
    }

    /// The text with every known value replaced by `***`.
    pub fn mask_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.mask(text.as_bytes())).into_owned()
    }

    /// A text whose end is cut off, with every known value replaced by `***`. So much of its end is dropped that no beginning
    /// of one can be left.
    pub fn mask_cut(&self, text: &str) -> String {
        let end = text.floor_char_boundary(self.end_before_cut(text.as_bytes()));
        String::from_utf8_lossy(&self.mask_part(text.as_bytes(), 0..end)).into_owned()
    }

    /// Where bytes that are cut off at their end must end, so that no beginning of a value is left.
    pub(crate) fn end_before_cut(&self, bytes: &[u8]) -> usize {
        let (longest, encoding) = self.margins();
        let end = bytes.len().saturating_sub(longest);
        if encoding == 0 { end } else { end.min(broken::last(bytes, encoding)) }
    }

    /// Where bytes that are cut off at their beginning must begin, so that no end of a value is left.
    pub(crate) fn start_behind_cut(&self, bytes: &[u8]) -> usize {
        let (longest, encoding) = self.margins();
        let start = longest.min(bytes.len());
        if encoding == 0 {
            return start;
        }
        // The rest of a row of a dump is not known to be one, and has more than digits.
        let row = bytes.iter().take(ROW).position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        start.max(row + broken::after(&bytes[row..], encoding))
    }

    /// How many bytes next to a cut can be of a spelling, and how many that are not skipped of an encoding.
    fn margins(&self) -> (usize, usize) {
        let Some(known) = &self.known else { return (0, 0) };
        // A row that is cut in its offset is not known to be one.
        let encoding = if known.longest_encoding == 0 { 0 } else { known.longest_encoding + OFFSET };
        (known.longest.saturating_sub(1), encoding)
    }

    /// Masks a part of `bytes`; a value that reaches over one of its ends is left out altogether.
    pub(crate) fn mask_part(&self, bytes: &[u8], part: Range<usize>) -> Vec<u8> {
        let hits = self.hits(bytes);
        let over = |at: usize| hits.iter().find(|hit| hit.0 < at && at < hit.1);
        let start = over(part.start).map_or(part.start, |hit| hit.1);
        let end = over(part.end).map_or(part.end, |hit| hit.0);
        if start < end { replaced(bytes, start..end, &hits) } else { Vec::new() }
    }

    /// Where known values stand, in order, without overlaps.
    fn hits(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let Some(known) = self.known.as_ref().filter(|_| !bytes.is_empty()) else { return Vec::new() };
        let Some(Finders { spellings, encodings }) = &known.finders else { return vec![(0, bytes.len())] };
        let mut hits: Vec<_> = spellings.find_iter(bytes).map(|hit| (hit.start(), hit.end())).collect();
        if known.longest_encoding > 0 {
            for skip in [Skip::Spaces, Skip::Margins] {
                hits.extend(broken::hits(encodings, bytes, skip));
            }
            hits.sort_unstable();
            hits.dedup_by(|next, hit| {
                let overlap = next.0 < hit.1;
                if overlap {
                    hit.1 = hit.1.max(next.1);
                }
                overlap
            });
        }
        hits
    }
}

/// What the values look like, each once.
fn of_each(values: &[String], looks: fn(&str) -> Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = values.iter().flat_map(|value| looks(value)).collect();
    all.retain(|look| look.len() >= SHORTEST);
    all.sort();
    all.dedup();
    all
}

/// A part of `bytes` with what is hit in it replaced.
fn replaced(bytes: &[u8], part: Range<usize>, hits: &[(usize, usize)]) -> Vec<u8> {
    let mut masked = Vec::new();
    let mut at = part.start;
    for (start, end) in hits.iter().filter(|hit| part.start <= hit.0 && hit.1 <= part.end) {
        masked.extend_from_slice(&bytes[at..*start]);
        masked.extend_from_slice(MASK);
        at = *end;
    }
    masked.extend_from_slice(&bytes[at..part.end]);
    masked
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
        let masker = Masker {
            known: Some(Arc::new(Known { values: 1, longest: 8, longest_encoding: 0, finders: None })),
        };
        assert_eq!((masker.mask_text("x hunter22 y").as_str(), masker.mask_text("").as_str()), ("***", ""));
        assert_eq!(masker.mask_cut("x hunter22 y"), "");
    }

    #[test]
    fn a_cut_text_does_not_end_with_the_beginning_of_a_value() {
        let masker = Masker::new(["hunter22-long"]);
        let whole = format!("hunter22-long {}", "x".repeat(200));
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

    /// Spread over lines of `width`, each ended by `end`.
    fn broken(text: &str, width: usize, end: &str) -> String {
        text.as_bytes().chunks(width).map(|line| format!("{}{end}", str::from_utf8(line).unwrap())).collect()
    }

    /// As `xxd` has it, or `hexdump -C`.
    fn dump(bytes: &[u8], is_xxd: bool) -> String {
        let row = |(at, row): (usize, &[u8])| {
            let text: String = row
                .iter()
                .map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' })
                .collect();
            if is_xxd {
                let digits: String = row.chunks(2).map(|pair| format!("{} ", hex(pair))).collect();
                format!("{:08x}: {digits:<40} {text}\n", at * 16)
            } else {
                let half = |from| {
                    row.iter().skip(from).take(8).map(|byte| format!("{byte:02x} ")).collect::<String>()
                };
                format!("{:08x}  {:<24} {:<24} |{text}|\n", at * 16, half(0), half(8))
            }
        };
        bytes.chunks(16).enumerate().map(row).collect()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn nothing_is_left_of_an_encoding_wherever_lines_and_groups_break_it() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let value = "sk-live/0Kj+9_QzTr5?wYbV~nM2:pL7xD4hG8sA1eFc3uRi6oZ";
        let masker = Masker::new([value]);
        for before in 0..=80 {
            let noise: String = (0..before).map(|at| char::from(b'!' + (at * 7 % 90) as u8)).collect();
            let told = format!("{noise}{value}\nPATH=/usr/bin\n");
            let digits = hex(told.as_bytes());
            let base64 = STANDARD.encode(&told);
            let od = broken(&broken(&digits, 2, " "), 48, "\n");
            let mut texts = vec![dump(told.as_bytes(), true), dump(told.as_bytes(), false), od];
            for end in ["\n", "\r\n", "\\n", "\n+", "\n  "] {
                texts.extend([broken(&base64, 76, end), broken(&base64, 64, end), broken(&digits, 60, end)]);
            }
            texts.push(broken(&digits, 4, " "));
            for text in texts {
                let masked = masker.mask_text(&text);
                assert!(masked.contains("***"), "{before}: {text}");
                let squeezed: String = masked.replace("\\n", "").replace("\n+", "");
                let squeezed: String = squeezed.split_whitespace().collect();
                for part in value.as_bytes().windows(8) {
                    let plain = str::from_utf8(part).unwrap();
                    assert!(
                        !squeezed.contains(plain) && !squeezed.contains(&hex(part)),
                        "{before}: {masked}"
                    );
                    for encoded in crate::spellings::encodings(plain) {
                        assert!(!squeezed.contains(&encoded), "{before}: {masked}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_cut_leaves_no_part_of_a_broken_encoding() {
        use base64::Engine as _;
        let value = "sk-live/0Kj+9_QzTr5?wYbV~nM2:pL7xD4hG8sA1eFc3uRi6oZ".repeat(3);
        let masker = Masker::new([&value]);
        let digits = hex(value.as_bytes());
        let base64 = base64::engine::general_purpose::STANDARD.encode(&value);
        let od = broken(&broken(&digits, 2, " "), 48, "\n");
        for text in [broken(&base64, 30, "\n"), od, dump(value.as_bytes(), true)] {
            for cut in 1..text.len() {
                // At most the offset of the first row.
                assert_eq!(masker.mask_cut(&text[..cut]).trim_matches(['0', ':', ' ']), "", "{cut}");
                let start = masker.start_behind_cut(&text.as_bytes()[cut..]);
                assert!(cut + start + 4 >= text.len(), "{cut}: {}", &text[cut + start..]);
            }
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        let masker = Masker::new(["sk-live/0Kj+9_QzTr5", "password", "deadbeef"]);
        let mut text =
            String::from("\\\\\\n C:\\new\\table \r\n\t+a\n-b\n> c\n\n00000000: dead beef  ....\n");
        text.push_str(include_str!("mask.rs").split("mod tests").next().unwrap());
        text.push_str(&"\\".repeat(10_000));
        assert!(matches!(masker.mask(text.as_bytes()), Cow::Borrowed(same) if same == text.as_bytes()));
    }
}
