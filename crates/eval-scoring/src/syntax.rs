//! Parses code that may be hostile.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use ast_grep_core::tree_sitter::{LanguageExt, StrDoc};
use ast_grep_language::SupportLang;
use tree_sitter::{ParseOptions, ParseState, Parser};

/// Parses a text, unless it is told to stop: nothing else bounds the time that pathological code takes. Errors in the text
/// are nodes of the tree.
pub(crate) fn parse(
    text: &str,
    grammar: SupportLang,
    stop: &AtomicBool,
) -> Result<StrDoc<SupportLang>, String> {
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

    #[test]
    fn parsing_stops_when_told() {
        let text = "x = 1\n".repeat(10_000);
        assert!(parse(&text, SupportLang::Python, &AtomicBool::new(true)).is_err());
        assert!(parse(&text, SupportLang::Python, &AtomicBool::new(false)).is_ok());
    }
}
