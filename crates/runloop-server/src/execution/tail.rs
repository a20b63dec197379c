//! The last lines of an output.

/// Lines of each stream in a view unless the request says otherwise.
pub(crate) const DEFAULT_LINES: usize = 100;

/// The end of an output, and whether something before it was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) text: String,
    pub(crate) truncated: bool,
}

/// The last `lines` lines of an output whose last bytes are `kept`; `cut` says that there was more before them.
///
/// A newline ends a line, so one at the very end does not begin another.
pub(crate) fn last_lines(kept: &[u8], cut: bool, lines: usize) -> Tail {
    let body = kept.strip_suffix(b"\n").unwrap_or(kept);
    let start = if lines == 0 {
        kept.len()
    } else {
        body.iter()
            .enumerate()
            .rev()
            .filter(|(_, byte)| **byte == b'\n')
            .nth(lines - 1)
            .map_or(0, |(newline, _)| newline + 1)
    };
    let mut bytes = &kept[start..];
    if start == 0 && cut {
        // The cut may have gone through a character; its rest is not text.
        let continuation = bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
        bytes = &bytes[continuation..];
    }
    Tail { text: String::from_utf8_lossy(bytes).into_owned(), truncated: start > 0 || cut }
}

/// Reads `last_n`: a whole number as text. More lines than are kept are no error; the view says that it was cut.
pub(crate) fn parse_last_n(text: Option<&str>) -> Option<usize> {
    match text {
        None => Some(DEFAULT_LINES),
        Some(text) => text.trim().parse::<u64>().ok().map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(text: &str, lines: usize) -> (String, bool) {
        let tail = last_lines(text.as_bytes(), false, lines);
        (tail.text, tail.truncated)
    }

    #[test]
    fn short_output_is_whole() {
        assert_eq!(tail("", 100), (String::new(), false));
        assert_eq!(tail("a\nb\n", 2), ("a\nb\n".into(), false));
        assert_eq!(tail("a\nb", 2), ("a\nb".into(), false));
    }

    #[test]
    fn a_cut_line_is_told() {
        assert_eq!(tail("a\nb\nc\n", 2), ("b\nc\n".into(), true));
        assert_eq!(tail("a\nb\nc", 1), ("c".into(), true));
        assert_eq!(tail("a\n\n", 1), ("\n".into(), true), "an empty line is a line");
    }

    #[test]
    fn no_lines_means_nothing() {
        assert_eq!(tail("a\n", 0), (String::new(), true));
        assert_eq!(tail("", 0), (String::new(), false));
    }

    #[test]
    fn what_was_cut_before_is_told_and_no_half_character_is_left() {
        let kept = &"é\nb\n".as_bytes()[1..];
        assert_eq!(last_lines(kept, true, 5), Tail { text: "\nb\n".into(), truncated: true });
    }

    #[test]
    fn last_n_is_text_on_the_wire() {
        assert_eq!(parse_last_n(None), Some(100));
        assert_eq!(parse_last_n(Some("7")), Some(7));
        assert_eq!(parse_last_n(Some("99999999999999999999")), None);
        assert_eq!(parse_last_n(Some("-1")), None);
    }
}
