//! Searches one file for a pattern.

use std::sync::atomic::AtomicBool;

use ast_grep_core::Pattern;
use ast_grep_language::SupportLang;
use serde::{Deserialize, Serialize};

use crate::bound::quoted;
use crate::syntax::{deeper_than, parse};

/// Matches of a file that are told.
pub(crate) const LISTED: usize = 20;

/// Longest file that is searched; what the deep stack is made for.
const MAX_CODE_BYTES: usize = 1024 * 1024;

/// Deepest syntax tree that is searched: comparing two of them is recursive.
const DEEPEST: usize = 2_000;

/// A match: where it starts, and its first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hit {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// What was found in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) total: usize,
    /// The first ones.
    pub(crate) hits: Vec<Hit>,
}

/// Searches a file, or says why it cannot be searched. Code that does not parse is searched as far as it does.
pub(crate) fn search(
    content: &[u8],
    grammar: SupportLang,
    pattern: &Pattern,
    stop: &AtomicBool,
) -> Result<Found, String> {
    let source = String::from_utf8_lossy(content);
    // Bytes that are no UTF-8 become longer.
    if source.len() > MAX_CODE_BYTES {
        return Err(format!("it is longer than {MAX_CODE_BYTES} bytes"));
    }
    let doc = parse(&source, grammar, stop)?;
    if deeper_than(&doc, DEEPEST) {
        return Err(format!("its code is nested deeper than {DEEPEST} levels"));
    }
    let root = ast_grep_core::AstGrep::doc(doc);
    let mut found = Found::default();
    for hit in root.root().find_all(pattern) {
        found.total += 1;
        if found.hits.len() < LISTED {
            let text = hit.text();
            let first_line = text.lines().next().unwrap_or_default();
            found.hits.push(Hit { line: hit.start_pos().line() + 1, text: quoted(first_line) });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deep_stack::on_deep_stack;
    use crate::language::Language;
    use crate::pattern::compile;

    fn run(pattern: &str, language: &str, content: &[u8]) -> Result<Found, String> {
        let grammar = Language::by_name(language).expect("known").grammar;
        search(content, grammar, &compile(pattern, grammar).expect("a pattern"), &AtomicBool::new(false))
    }

    fn total(pattern: &str, language: &str, content: &str) -> usize {
        run(pattern, language, content.as_bytes()).expect("searched").total
    }

    #[test]
    fn a_match_is_found_where_it_stands() {
        let found = run("eval($$$)", "python", b"x = 1\nprint(eval(x, y))\n").expect("searched");
        assert_eq!(found.hits, [Hit { line: 2, text: "`eval(x, y)`".to_owned() }]);
    }

    #[test]
    fn text_that_only_looks_like_it_is_no_match() {
        assert_eq!(total("eval($$$)", "python", "# eval(x)\ns = 'eval(x)'\nevaluate(x)\n"), 0);
    }

    #[test]
    fn dollars_escaped_for_a_shell_are_understood() {
        assert_eq!(total("eval(\\$\\$\\$)", "py", "eval(1)"), 1);
    }

    #[test]
    fn a_part_of_a_program_is_a_pattern() {
        assert_eq!(total("f($A)", "java", "class A { void b() { f(1); } }"), 1);
        assert_eq!(total("$A.unwrap()", "rust", "fn main() { let x = y.unwrap(); }"), 1);
        assert_eq!(total("console.log($$$)", "ts", "console.log(1, 2)"), 1);
    }

    #[test]
    fn code_that_does_not_parse_is_searched_as_far_as_it_does() {
        assert_eq!(total("eval($$$)", "python", "def broken(:\n\neval(1)\n"), 1);
        assert_eq!(total("eval($$$)", "python", "\u{0}\u{1}(((("), 0);
        assert_eq!(total("eval($$$)", "python", ""), 0);
    }

    #[test]
    fn bytes_that_are_not_utf_8_hide_nothing() {
        assert_eq!(run("eval($$$)", "python", b"s = '\xff\xfe'\neval(1)\n").map(|found| found.total), Ok(1));
    }

    #[test]
    fn code_that_is_too_deep_or_too_long_is_not_searched() {
        let deep = format!("x = {}1{}\n", "(".repeat(20_000), ")".repeat(20_000));
        let reason = run("$A == $A", "python", deep.as_bytes()).expect_err("deep");
        assert_eq!(reason, "its code is nested deeper than 2000 levels");
        let reason = run("$A", "python", "# long\n".repeat(200_000).as_bytes()).expect_err("long");
        assert_eq!(reason, "it is longer than 1048576 bytes");
    }

    /// The parser frees what it made of this by a recursion as deep as the file is long.
    #[tokio::test]
    async fn code_that_exhausts_a_usual_stack_does_no_harm() {
        let found = on_deep_stack(|| run("f($A)", "java", "{[(".repeat(50_000).as_bytes())).await;
        assert_eq!(found.expect("it ends"), Ok(Found::default()));
    }

    #[test]
    fn only_the_first_matches_are_told() {
        let found = run("f()", "python", "f()\n".repeat(50).as_bytes()).expect("searched");
        assert_eq!((found.total, found.hits.len()), (50, LISTED));
    }
}
