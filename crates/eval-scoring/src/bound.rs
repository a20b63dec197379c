//! Output that people read later: head and tail are kept, what lies between is counted.

use crate::Output;

/// Bytes of a function's output that are kept.
pub(crate) const OUTPUT_LIMIT: usize = 64 * 1024;

/// The text, or its head and tail around a line that says how much was cut.
pub(crate) fn bounded(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(limit / 2);
    let tail = text.ceil_char_boundary(text.len() - limit / 2);
    format!("{}\n[... {} bytes cut ...]\n{}", &text[..head], tail - head, &text[tail..])
}

/// Both streams of a command as one text, each bounded.
pub(crate) fn printed(output: &Output) -> String {
    let stdout = bounded(&output.stdout, OUTPUT_LIMIT / 2);
    if output.stderr.trim().is_empty() {
        return stdout;
    }
    let stderr = bounded(&output.stderr, OUTPUT_LIMIT / 2);
    if stdout.trim().is_empty() {
        return format!("--- standard error ---\n{stderr}");
    }
    format!("{}\n--- standard error ---\n{stderr}", stdout.trim_end_matches('\n'))
}

/// A piece of someone else's text for a message: one line, short, control characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_is_kept_as_it_is() {
        assert_eq!(bounded("abc", 3), "abc");
    }

    #[test]
    fn long_text_keeps_its_head_and_tail_and_says_what_was_cut() {
        let text = format!("start{}end", "x".repeat(1000));
        let cut = bounded(&text, 20);
        assert!(cut.starts_with("start"), "{cut}");
        assert!(cut.ends_with("end"), "{cut}");
        assert!(cut.contains("[... 988 bytes cut ...]"), "{cut}");
    }

    #[test]
    fn characters_are_never_cut_in_two() {
        let cut = bounded(&"é".repeat(100), 51);
        assert!(cut.chars().all(|c| c == 'é' || c.is_ascii()), "{cut}");
    }

    #[test]
    fn a_quote_is_one_short_line() {
        let quote = quoted(&format!("a\nb\u{1b}[31m{}", "c".repeat(500)));
        assert!(quote.starts_with("`a\\nb\\u{1b}[31mccc"), "{quote}");
        assert!(quote.len() < 120, "{quote}");
    }
}
