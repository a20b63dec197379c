//! Text from elsewhere on a terminal, and numbers for people.

/// One line without control characters (a terminal would obey them), cut to a number of characters. It holds no
/// `##[`, which CI systems obey anywhere in a log.
pub fn one_line(text: &str, longest: usize) -> String {
    let clean = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean: String = clean.chars().map(|c| if is_unprintable(c) { '\u{fffd}' } else { c }).collect();
    cut(&clean.replace("##[", "## [").replace("##vso[", "## vso["), longest)
}

/// Control characters, and those that turn the direction of text around.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The first characters, with `…` for the rest.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

/// `850 ms`, `12.3 s`, `4 m 05 s`, `1 h 02 m`.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{seconds}.{} s", ms % 1000 / 100),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `1 trial`, `2 trials`.
pub(crate) fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `66.7 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_not_told_what_to_do() {
        assert_eq!(
            one_line("a\n\tb \u{1b}]0;title\u{7} \u{202e}c", 80),
            "a b \u{fffd}]0;title\u{fffd} \u{fffd}c"
        );
        assert_eq!(one_line("abcdef", 4), "abc…");
    }

    #[test]
    fn ci_systems_are_not_told_what_to_do() {
        assert_eq!(
            one_line("a ##[set-output name=x]y ##vso[task]", 80),
            "a ## [set-output name=x]y ## vso[task]"
        );
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(
            [0, 999, 1_000, 59_999, 60_000, 245_900, 3_723_000].map(duration),
            ["0 ms", "999 ms", "1.0 s", "59.9 s", "1 m 00 s", "4 m 05 s", "1 h 02 m"]
        );
    }
}
