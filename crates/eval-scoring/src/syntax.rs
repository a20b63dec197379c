//! Parses code that may be hostile.
//!
//! Grammars are C code that was not written for an adversary. What is known to hurt is met here and by the caller: time (a
//! parse can be stopped), recursion (a deep stack), and scanners that save their indentation in 1024 bytes and write past
//! them by up to two (Python, YAML): code that is indented so far is not parsed.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use ast_grep_core::tree_sitter::{LanguageExt, StrDoc};
use ast_grep_language::SupportLang;
use tree_sitter::{ParseOptions, ParseState, Parser};

/// Columns of blanks in a row that Python may have. The scanner saves two bytes for each level of indentation, of which
/// there are no more than columns, and 257 for its strings: room for 383.
const PYTHON_BLANKS: usize = 300;

/// Columns of indentation, and indicators (`- `, `? `, `: `) on a line, that YAML may have. The scanner saves four bytes
/// for each of two levels for each of these: room for 253 in all.
const YAML_INDENTATION: usize = 55;

/// Parses a text, unless it is told to stop: nothing else bounds the time that pathological code takes. Errors in the text
/// are nodes of the tree.
pub(crate) fn parse(
    text: &str,
    grammar: SupportLang,
    stop: &AtomicBool,
) -> Result<StrDoc<SupportLang>, String> {
    match grammar {
        SupportLang::Python if longest_blanks(text) > PYTHON_BLANKS => {
            return Err(format!("it has more than {PYTHON_BLANKS} columns of blanks in a row"));
        }
        SupportLang::Yaml if !text.lines().all(is_plain_yaml_line) => {
            return Err(format!(
                "a line has more than {YAML_INDENTATION} columns of indentation or indicators"
            ));
        }
        _ => {}
    }
    let mut parser = Parser::new();
    parser.set_language(&grammar.get_ts_language()).map_err(|error| error.to_string())?;
    let mut progress = |_: &ParseState| {
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = text.as_bytes();
    let mut read = |offset: usize, _| bytes.get(offset..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut read, None, Some(options)).ok_or("parsing it was stopped")?;
    Ok(StrDoc { src: text.to_owned(), lang: grammar, tree })
}

/// The most columns of blanks in a row as Python's scanner counts them: a tab is eight, and a line that goes on after a
/// backslash goes on here too.
fn longest_blanks(text: &str) -> usize {
    let mut longest = 0;
    let mut current = 0_usize;
    let mut continued = false;
    for byte in text.bytes() {
        match byte {
            b' ' => current += 1,
            b'\t' => current += 8,
            b'\\' | b'\r' | b'\x0c' => {}
            b'\n' if continued => {}
            _ => current = 0,
        }
        continued = byte == b'\\' || (continued && byte == b'\r');
        longest = longest.max(current);
    }
    longest
}

fn is_plain_yaml_line(line: &str) -> bool {
    let bytes = line.as_bytes();
    let indentation = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let is_indicator = |index: &usize| {
        matches!(bytes[*index], b'-' | b'?' | b':')
            && bytes.get(index + 1).is_none_or(u8::is_ascii_whitespace)
    };
    indentation <= YAML_INDENTATION && (0..bytes.len()).filter(is_indicator).count() <= YAML_INDENTATION
}

/// Whether a syntax tree has more levels than this, told without recursion.
pub(crate) fn deeper_than(doc: &StrDoc<SupportLang>, levels: usize) -> bool {
    let mut cursor = doc.tree.walk();
    let mut depth = 0_usize;
    loop {
        if cursor.goto_first_child() {
            depth += 1;
            if depth > levels {
                return true;
            }
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return false;
            }
            depth -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_tree() {
        let doc = parse("((((1))))", SupportLang::Python, &AtomicBool::new(false)).expect("parsed");
        // module, expression_statement, four parenthesized_expressions, integer: six levels below the root.
        assert!(deeper_than(&doc, 5));
        assert!(!deeper_than(&doc, 6));
    }

    fn parses(text: &str, grammar: SupportLang) -> bool {
        parse(text, grammar, &AtomicBool::new(false)).is_ok()
    }

    #[test]
    fn indentation_that_a_scanner_cannot_save_is_refused() {
        let nested =
            |levels: usize| -> String { (0..levels).map(|n| format!("{}if x:\n", " ".repeat(n))).collect() };
        assert!(parses(&nested(250), SupportLang::Python));
        assert!(!parses(&nested(600), SupportLang::Python));
        assert!(!parses(&format!("{}x", "\t".repeat(40)), SupportLang::Python));
        assert!(!parses(&format!("x\n{}y", "    \\\n".repeat(100)), SupportLang::Python));
        assert!(parses(&"- ".repeat(50), SupportLang::Yaml));
        assert!(!parses(&"- ".repeat(300), SupportLang::Yaml));
        assert!(!parses(&format!("a:\n{}- b", " ".repeat(60)), SupportLang::Yaml));
        assert!(parses("a: [1, 2]\nb:\n  - c: d\n", SupportLang::Yaml));
    }

    #[test]
    fn the_most_that_is_allowed_does_not_exhaust_the_scanners() {
        let mut yaml = String::new();
        for column in 0..=YAML_INDENTATION {
            yaml.push_str(&format!("{}a:\n{}- \n", " ".repeat(column), " ".repeat(column)));
        }
        yaml.push_str(&format!("{}{}", " ".repeat(YAML_INDENTATION), "- ".repeat(YAML_INDENTATION)));
        assert!(parses(&yaml, SupportLang::Yaml));
        let strings = "f'{".repeat(255);
        let python: String = (0..PYTHON_BLANKS).map(|n| format!("{}if x:\n", " ".repeat(n))).collect();
        assert!(parses(&format!("{python}{}{strings}", " ".repeat(PYTHON_BLANKS)), SupportLang::Python));
    }

    #[test]
    fn parsing_stops_when_told() {
        let text = "x = 1\n".repeat(10_000);
        assert!(parse(&text, SupportLang::Python, &AtomicBool::new(true)).is_err());
        assert!(parse(&text, SupportLang::Python, &AtomicBool::new(false)).is_ok());
    }
}
