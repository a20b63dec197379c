//! Patterns that search code.

use std::sync::atomic::AtomicBool;

use ast_grep_core::tree_sitter::StrDoc;
use ast_grep_core::{Node, Pattern};
use ast_grep_language::SupportLang;

use crate::bound::quoted;
use crate::language::Language;
use crate::syntax::{deeper_than, parse};

/// Longest pattern; it is parsed on a usual stack.
const MAX_PATTERN_BYTES: usize = 8 * 1024;

/// Deepest syntax tree of a pattern.
const DEEPEST_PATTERN: usize = 200;

/// The languages of these that a pattern parses in.
///
/// If it is one, the pattern must parse in it. If there are several, in at least one: `foo($A)` is code in many, `fn $A()`
/// in few.
pub(crate) fn languages_of(
    pattern: &str,
    languages: &[&'static Language],
) -> Result<Vec<&'static Language>, String> {
    if pattern.trim().is_empty() {
        return Err("the scorer has no pattern: set `pattern`".to_owned());
    }
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(format!("the pattern has {} bytes, and {MAX_PATTERN_BYTES} is the most", pattern.len()));
    }
    let mut compiled = Vec::new();
    let mut reason = None;
    for language in languages {
        match compile(pattern, language.grammar) {
            Ok(_) => compiled.push(*language),
            Err(error) => reason = Some(error),
        }
    }
    match (compiled.is_empty(), languages, reason) {
        (false, ..) => Ok(compiled),
        (true, [language], Some(reason)) => {
            Err(format!("the pattern {} is not {}: {reason}", quoted(pattern), language.name()))
        }
        _ => Err(format!("the pattern {} parses in none of {}", quoted(pattern), Language::known_names())),
    }
}

/// A pattern in a language, or why it is none.
///
/// The API puts patterns between double quotes on a command line, so those written for it say `\$`; it means `$` here too.
pub(crate) fn compile(pattern: &str, grammar: SupportLang) -> Result<Pattern, String> {
    use ast_grep_language::Language as _;
    let pattern = &pattern.replace("\\$", "$");
    let processed = grammar.pre_process_pattern(pattern);
    let doc = parse(&processed, grammar, &AtomicBool::new(false))?;
    if deeper_than(&doc, DEEPEST_PATTERN) {
        return Err(format!("it is nested deeper than {DEEPEST_PATTERN} levels"));
    }
    let compiled = Pattern::try_new(pattern, grammar).map_err(|error| error.to_string())?;
    // A pattern with an error inside matches nothing, which would make `absent` hold always. One around it is harmless:
    // `f($A)` alone is no Java program, but what matches is the call in it.
    let root = ast_grep_core::AstGrep::doc(doc);
    let mut core = root.root();
    while let Some(only) = only_child(&core) {
        core = only;
    }
    let broken = core.dfs().find(|node| node.is_error());
    match broken {
        Some(node) => Err(format!("it does not parse at {}", quoted(&node.text()))),
        None => Ok(compiled),
    }
}

/// The one child of a node, apart from what the parser made up at its end: where a pattern's core is looked for.
fn only_child<'a>(node: &Node<'a, StrDoc<SupportLang>>) -> Option<Node<'a, StrDoc<SupportLang>>> {
    let rest = node.child(1);
    let alone =
        rest.is_none_or(|next| node.child(2).is_none() && (next.is_missing() || next.kind().is_empty()));
    if alone { node.child(0) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_do_not_parse_are_told() {
        let python = [Language::by_name("python").expect("known")];
        for pattern in ["", "def (", "foo(", "a b c", "$$$A", "x = = 1"] {
            let error = languages_of(pattern, &python).expect_err(pattern);
            assert!(error.contains("pattern"), "{error}");
        }
    }

    #[test]
    fn patterns_that_are_too_long_or_too_deep_are_told() {
        let python = [Language::by_name("python").expect("known")];
        let long = languages_of(&"x".repeat(10_000), &python).expect_err("long");
        assert!(long.contains("10000 bytes"), "{long}");
        let deep =
            languages_of(&format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000)), &python).expect_err("deep");
        assert!(deep.contains("nested deeper"), "{deep}");
    }

    #[test]
    fn a_pattern_for_all_languages_keeps_those_it_parses_in() {
        let all: Vec<_> = Language::all().iter().collect();
        let names: Vec<_> =
            languages_of("fn $A() {}", &all).expect("Rust").iter().map(|l| l.name()).collect();
        assert!(names.contains(&"rust") && !names.contains(&"python"), "{names:?}");
    }
}
