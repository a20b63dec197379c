//! The ways in which programs write a text: what a secret looks like once it went through one of them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Values of fewer bytes are not looked for in encodings, whose few characters would stand in ordinary text too.
const SHORTEST_ENCODED: usize = 8;

/// Longer encodings are looked for piece by piece, as next to a cut so much is dropped as the longest one has.
const LONGEST_ENCODED: usize = 4096;

/// Lengths of the lines into which programs break base64 (MIME, PEM) and hexadecimal digits (`xxd`).
const LINES: [usize; 3] = [76, 64, 60];

/// Shortest line of those that is looked for.
const SHORTEST_LINE: usize = 12;

/// What RFC 3986 never escapes, then what `encodeURIComponent`, Python's `quote` and `encodeURI` leave alone besides.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const COMPONENT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');
const WHOLE: &AsciiSet = &COMPONENT
    .remove(b';')
    .remove(b',')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b'#');

/// The text itself, quoted as JSON, HTML, shells and git do, and, unless it is short, percent-encoded.
pub(crate) fn spellings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    all.extend(quoted(text));
    if text.len() >= SHORTEST_ENCODED {
        for encoding in percent_encoded(text) {
            all.extend(lines(&encoding));
            all.extend(pieces(&encoding));
        }
    }
    all
}

/// The text, unless it is short, in hexadecimal digits and in base64 at any place of a longer text. Programs put spaces and
/// line breaks anywhere into these.
pub(crate) fn encodings(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    if text.len() >= SHORTEST_ENCODED {
        for encoding in hexadecimal(text).into_iter().chain(base64(text)) {
            all.extend(lines(&encoding));
            all.extend(pieces(&encoding));
        }
    }
    all
}

fn quoted(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap_or_default();
    let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    vec![
        json.replace('/', "\\/"),
        ascii_json(&json),
        json,
        text.escape_debug().to_string(),
        html.replace('"', "&quot;").replace('\'', "&#39;"),
        html.replace('"', "&quot;").replace('\'', "&#x27;"),
        html,
        text.replace('\'', r"'\''"),
        text.replace('\'', r#"'"'"'"#),
        octal(text),
        backslashed(text),
    ]
}

/// As `printf %q` of bash writes it.
fn backslashed(text: &str) -> String {
    let mut quoted = String::new();
    for (at, character) in text.chars().enumerate() {
        if " \t\"'|&;()<>\\*?[]{}!^$`,".contains(character) || at == 0 && "~#".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// Where all that is not ASCII is escaped, as Python does.
fn ascii_json(json: &str) -> String {
    let mut ascii = String::new();
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

/// As git writes odd paths.
fn octal(text: &str) -> String {
    let mut path = String::new();
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => path.extend(['\\', char::from(byte)]),
            b' '..=b'~' => path.push(char::from(byte)),
            _ => {
                let _ = write!(path, "\\{byte:03o}");
            }
        }
    }
    path
}

fn percent_encoded(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for set in [UNRESERVED, COMPONENT, PATH, WHOLE] {
        let upper = utf8_percent_encode(text, set).to_string();
        if upper == text {
            continue;
        }
        let form = upper.replace("%20", "+");
        all.extend([lower_escapes(&upper), lower_escapes(&form), form, upper]);
    }
    all
}

/// `%2F` as `%2f`.
fn lower_escapes(text: &str) -> String {
    let mut lower = String::new();
    let mut escaped = 0;
    for character in text.chars() {
        lower.push(if escaped > 0 { character.to_ascii_lowercase() } else { character });
        escaped = if character == '%' { 2_u8 } else { escaped.saturating_sub(1) };
    }
    lower
}

fn hexadecimal(text: &str) -> [String; 2] {
    let lower = text.bytes().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    [lower.to_ascii_uppercase(), lower]
}

/// What of its base64 does not depend on what stands before and after, for each of the three places that a text can have in
/// a longer one.
fn base64(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for alphabet in [&STANDARD, &URL_SAFE] {
        let engine = GeneralPurpose::new(alphabet, NO_PAD);
        for before in 0..3 {
            let bytes = [&[0; 3][..before], text.as_bytes()].concat();
            let encoded = engine.encode(&bytes);
            // Six bits a character: the first ones mix with what is before, the last one with what follows.
            let (start, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
            all.extend(encoded.get(start..end).map(str::to_owned));
        }
    }
    all
}

/// A long encoding in pieces, of which none is so short that it would stand in ordinary text too.
fn pieces(encoding: &str) -> Vec<String> {
    let mut rest = encoding.as_bytes();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let length = if rest.len() < LONGEST_ENCODED + SHORTEST_LINE { rest.len() } else { LONGEST_ENCODED };
        let (piece, after) = rest.split_at(length);
        all.push(String::from_utf8_lossy(piece).into_owned());
        rest = after;
    }
    all
}

/// The lines of an encoding where a program breaks it, of which some may be shown without the others.
fn lines(encoding: &str) -> Vec<String> {
    let broken = LINES.iter().filter(|width| encoding.len() > **width);
    broken
        .flat_map(|width| encoding.as_bytes().chunks(*width))
        .filter(|line| line.len() >= SHORTEST_LINE)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(text: &str, spelling: &str) -> bool {
        spellings(text).into_iter().chain(encodings(text)).any(|known| known == spelling)
    }

    #[test]
    fn a_text_is_known_in_base64_wherever_it_stands() {
        let engine = GeneralPurpose::new(&STANDARD, NO_PAD);
        for before in ["", "a", "ab", "token: "] {
            for after in ["", "\n", "xyz"] {
                let encoded = engine.encode(format!("{before}hunter22-secret{after}"));
                let known = encodings("hunter22-secret");
                assert!(
                    known.iter().any(|known| known.len() > 15 && encoded.contains(known)),
                    "{before:?} {after:?}"
                );
            }
        }
    }

    #[test]
    fn each_line_of_a_broken_encoding_is_known() {
        let text = "0123456789".repeat(20);
        let engine = GeneralPurpose::new(&STANDARD, NO_PAD);
        let encoded = engine.encode(&text);
        for width in [64, 76] {
            let lines: Vec<&str> =
                encoded.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
            assert!(lines[..lines.len() - 1].iter().all(|line| has(&text, line)));
        }
    }

    #[test]
    fn quotes_and_escapes_are_known() {
        let text = "a/b \"c\" <é'>";
        for spelling in [
            r#"a/b \"c\" <é'>"#,
            r#"a\/b \"c\" <é'>"#,
            r#"a/b \"c\" <\u00e9'>"#,
            r#"a/b \"c\" <\303\251'>"#,
            "a/b &quot;c&quot; &lt;é&#39;&gt;",
            r#"a/b "c" <é'\''>"#,
            r#"a/b\ \"c\"\ \<é\'\>"#,
            "a%2Fb%20%22c%22%20%3C%C3%A9%27%3E",
            "a%2fb+%22c%22+%3c%c3%a9%27%3e",
            "a/b%20%22c%22%20%3C%C3%A9'%3E",
            "612f62202263223c".replace("3c", "203cc3a9273e").as_str(),
        ] {
            assert!(has(text, spelling), "{spelling}: {:#?}", spellings(text));
        }
    }

    #[test]
    fn a_short_text_has_no_encodings() {
        assert!(!has("main", "6d61696e") && has("main", "main"));
    }
}
