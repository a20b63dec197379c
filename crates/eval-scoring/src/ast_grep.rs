//! `ast_grep_scorer`: whether a pattern matches in the files of a directory. Runs here, not in the devbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ast_grep_core::tree_sitter::StrDoc;
use ast_grep_core::{Node, Pattern};
use ast_grep_language::SupportLang;

use crate::bound::quoted;
use crate::deep_stack::on_deep_stack;
use crate::finding::Finding;
use crate::language::Language;
use crate::syntax::{deeper_than, parse};
use crate::{Expect, Output, Workspace, WorkspaceFile};

/// Longest file that is asked for.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Longest file that is searched; what the deep stack is made for.
const MAX_CODE_BYTES: usize = 1024 * 1024;

/// Longest pattern; it is parsed on a usual stack.
const MAX_PATTERN_BYTES: usize = 8 * 1024;

/// Deepest syntax tree that is searched: comparing two of them is recursive.
const DEEPEST: usize = 2_000;

/// Deepest syntax tree of a pattern.
const DEEPEST_PATTERN: usize = 200;

/// Matches that are listed.
const LISTED: usize = 20;

/// A match: where it starts, and its first line.
#[derive(Debug, PartialEq, Eq)]
struct Hit {
    path: String,
    /// From 1.
    line: usize,
    text: String,
}

/// What a search found.
#[derive(Debug, Default)]
struct Search {
    /// The first ones.
    hits: Vec<Hit>,
    total: usize,
    searched: usize,
    /// Files that were not searched, and why.
    unsearchable: Vec<String>,
}

/// Searches the files of one language, or of all by file name, below a directory.
///
/// `present` scores 1 if there is a match. `absent` scores 1 if there is none *and* the search could tell: with no file to
/// search, or one that cannot be searched (over 1 MiB, nested absurdly), it scores 0, so that an agent gains nothing by
/// hiding its code. Files that do not parse are searched as far as they do; those over 8 MiB are left out.
pub(crate) async fn score<W: Workspace>(
    workspace: &W,
    pattern: &str,
    directory: &str,
    language: Option<&str>,
    expect: Expect,
    timeout: Duration,
) -> Result<Finding, W::Error> {
    let languages: Vec<&'static Language> = match language.map(str::trim).filter(|name| !name.is_empty()) {
        None => Language::all().iter().collect(),
        Some(name) => match Language::by_name(name) {
            Some(language) => vec![language],
            None => {
                let message =
                    format!("the language {} is not one of {}", quoted(name), Language::known_names());
                return Ok(Finding::error(message));
            }
        },
    };
    let patterns = match compile(pattern, &languages) {
        Ok(patterns) => patterns,
        Err(message) => return Ok(Finding::error(message)),
    };
    let extensions: Vec<String> = patterns
        .iter()
        .flat_map(|(language, _)| language.extensions)
        .map(|extension| (*extension).to_owned())
        .collect();
    let directory = if directory.trim().is_empty() { "." } else { directory };
    let listing = workspace.files(directory, &extensions, MAX_FILE_BYTES);
    let Ok(files) = tokio::time::timeout(timeout, listing).await else {
        return Ok(Finding::timeout(timeout, &Output::default()));
    };
    let files = files?;
    // A thread cannot be killed; it is told to stop.
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    let searching = on_deep_stack(move || search(&files, &patterns, &stop));
    Ok(match tokio::time::timeout(timeout, searching).await {
        Err(_) => {
            stopped.store(true, Ordering::Relaxed);
            Finding::timeout(timeout, &Output::default())
        }
        Ok(Err(error)) => Finding::error(format!("the search itself failed: {error}")),
        Ok(Ok(search)) => verdict(&search, directory, expect),
    })
}

/// The pattern in each language that it parses in.
///
/// With one language it must parse. With all of them it must in at least one: `foo($A)` is code in many, `fn $A()` in few.
fn compile(
    pattern: &str,
    languages: &[&'static Language],
) -> Result<Vec<(&'static Language, Pattern)>, String> {
    if pattern.trim().is_empty() {
        return Err("the scorer has no pattern: set `pattern`".to_owned());
    }
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(format!("the pattern has {} bytes, and {MAX_PATTERN_BYTES} is the most", pattern.len()));
    }
    // The API puts patterns between double quotes on a command line, so those written for it say `\$`.
    let pattern = pattern.replace("\\$", "$");
    let mut compiled = Vec::new();
    let mut reason = None;
    for language in languages {
        match compile_in(&pattern, language.grammar) {
            Ok(matcher) => compiled.push((*language, matcher)),
            Err(error) => reason = Some(error),
        }
    }
    match (compiled.is_empty(), languages, reason) {
        (false, ..) => Ok(compiled),
        (true, [language], Some(reason)) => {
            Err(format!("the pattern {} is not {}: {reason}", quoted(&pattern), language.name()))
        }
        _ => Err(format!("the pattern {} parses in none of {}", quoted(&pattern), Language::known_names())),
    }
}

fn compile_in(pattern: &str, grammar: SupportLang) -> Result<Pattern, String> {
    use ast_grep_language::Language as _;
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

fn search(files: &[WorkspaceFile], patterns: &[(&'static Language, Pattern)], stop: &AtomicBool) -> Search {
    let mut search = Search::default();
    for file in files {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let Some((language, pattern)) = patterns.iter().find(|(language, _)| language.has_file(&file.path))
        else {
            continue;
        };
        match search_file(file, language.grammar, pattern, stop, &mut search) {
            Ok(()) => search.searched += 1,
            Err(reason) => search.unsearchable.push(format!("{}: {reason}", file.path)),
        }
    }
    search
}

fn search_file(
    file: &WorkspaceFile,
    grammar: SupportLang,
    pattern: &Pattern,
    stop: &AtomicBool,
    search: &mut Search,
) -> Result<(), String> {
    let source = String::from_utf8_lossy(&file.content);
    // Bytes that are no UTF-8 become longer.
    if source.len() > MAX_CODE_BYTES {
        return Err(format!("it is longer than {MAX_CODE_BYTES} bytes"));
    }
    let doc = parse(&source, grammar, stop)?;
    if deeper_than(&doc, DEEPEST) {
        return Err(format!("its code is nested deeper than {DEEPEST} levels"));
    }
    let root = ast_grep_core::AstGrep::doc(doc);
    for hit in root.root().find_all(pattern) {
        search.total += 1;
        if search.hits.len() < LISTED {
            let text = hit.text();
            let first_line = text.lines().next().unwrap_or_default();
            search.hits.push(Hit {
                path: file.path.clone(),
                line: hit.start_pos().line() + 1,
                text: quoted(first_line),
            });
        }
    }
    Ok(())
}

fn verdict(search: &Search, directory: &str, expect: Expect) -> Finding {
    let found = search.total > 0;
    let conclusive = search.searched > 0 && search.unsearchable.is_empty();
    let score = match expect {
        Expect::Present => found,
        Expect::Absent => !found && conclusive,
    };
    Finding::complete(if score { 1.0 } else { 0.0 }, report(search, directory))
}

fn report(search: &Search, directory: &str) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let matches = if search.total == 1 { "1 match".to_owned() } else { format!("{} matches", search.total) };
    let mut text = format!("{matches} in {} below {}\n", count(search.searched, "file"), quoted(directory));
    for Hit { path, line, text: hit } in &search.hits {
        text.push_str(&format!("{path}:{line}: {hit}\n"));
    }
    if search.total > search.hits.len() {
        text.push_str(&format!("and {} more\n", search.total - search.hits.len()));
    }
    for reason in search.unsearchable.iter().take(LISTED) {
        text.push_str(&format!("not searched: {reason}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionOutcome;

    fn file(path: &str, content: &str) -> WorkspaceFile {
        WorkspaceFile { path: path.to_owned(), content: content.as_bytes().to_vec() }
    }

    fn run(pattern: &str, language: Option<&str>, files: &[WorkspaceFile]) -> Search {
        let languages: Vec<_> = match language {
            Some(name) => vec![Language::by_name(name).expect("known")],
            None => Language::all().iter().collect(),
        };
        let patterns = compile(pattern, &languages).expect("a pattern");
        search(files, &patterns, &AtomicBool::new(false))
    }

    fn score_of(search: &Search, expect: Expect) -> f64 {
        match verdict(search, "src", expect).outcome {
            FunctionOutcome::Complete { score } => score,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_match_is_found_where_it_stands() {
        let files = [file("src/a.py", "x = 1\nprint(eval(x, y))\n"), file("src/b.py", "evaluate(x)\n")];
        let search = run("eval($$$)", Some("python"), &files);
        assert_eq!(
            search.hits,
            [Hit { path: "src/a.py".to_owned(), line: 2, text: "`eval(x, y)`".to_owned() }]
        );
        assert_eq!((score_of(&search, Expect::Present), score_of(&search, Expect::Absent)), (1.0, 0.0));
        assert!(report(&search, "src").contains("src/a.py:2: `eval(x, y)`"));
    }

    #[test]
    fn text_that_only_looks_like_it_is_no_match() {
        let search = run("eval($$$)", Some("python"), &[file("a.py", "# eval(x)\ns = 'eval(x)'\n")]);
        assert_eq!((score_of(&search, Expect::Present), score_of(&search, Expect::Absent)), (0.0, 1.0));
    }

    #[test]
    fn dollars_escaped_for_a_shell_are_understood() {
        assert_eq!(run("eval(\\$\\$\\$)", Some("py"), &[file("a.py", "eval(1)")]).total, 1);
    }

    #[test]
    fn without_a_language_each_file_is_read_in_its_own() {
        let files = [
            file("a.py", "foo(1)"),
            file("b.js", "foo(2);"),
            file("c.ts", "foo(3);"),
            file("d.txt", "foo(4)"),
        ];
        assert_eq!(run("foo($A)", None, &files).total, 3);
    }

    #[test]
    fn patterns_that_do_not_parse_are_told() {
        let python = [Language::by_name("python").expect("known")];
        for pattern in ["", "def (", "foo(", "a b c", "$$$A", "x = = 1"] {
            let error = compile(pattern, &python).expect_err(pattern);
            assert!(error.contains("pattern"), "{error}");
        }
    }

    #[test]
    fn a_part_of_a_program_is_a_pattern() {
        let files = [file("A.java", "class A { void b() { f(1); } }")];
        assert_eq!(run("f($A)", Some("java"), &files).total, 1);
        let files = [file("a.rs", "fn main() { let x = y.unwrap(); }")];
        assert_eq!(run("$A.unwrap()", Some("rust"), &files).total, 1);
        assert_eq!(run("console.log($$$)", Some("ts"), &[file("a.ts", "console.log(1, 2)")]).total, 1);
    }

    #[test]
    fn files_that_do_not_parse_are_searched_as_far_as_they_do() {
        let files =
            [file("a.py", "def broken(:\n\neval(1)\n"), file("b.py", "\u{0}\u{1}(((("), file("c.py", "")];
        let search = run("eval($$$)", Some("python"), &files);
        assert_eq!((search.total, search.searched), (1, 3));
    }

    #[test]
    fn bytes_that_are_not_utf_8_hide_nothing() {
        let hostile =
            WorkspaceFile { path: "a.py".to_owned(), content: b"s = '\xff\xfe'\neval(1)\n".to_vec() };
        assert_eq!(run("eval($$$)", Some("python"), &[hostile]).total, 1);
    }

    #[test]
    fn nothing_to_search_is_not_absence() {
        let search = run("eval($$$)", Some("python"), &[]);
        assert_eq!((score_of(&search, Expect::Present), score_of(&search, Expect::Absent)), (0.0, 0.0));
    }

    #[test]
    fn code_nested_too_deeply_is_neither_searched_nor_taken_for_absence() {
        let deep = format!("x = {}1{}\n", "(".repeat(100_000), ")".repeat(100_000));
        let search = run("$A == $A", Some("python"), &[file("a.py", &deep)]);
        assert_eq!(search.unsearchable.len(), 1);
        assert_eq!(score_of(&search, Expect::Absent), 0.0);
        assert!(report(&search, "src").contains("not searched: a.py: its code is nested deeper"));
    }

    #[test]
    fn files_that_are_too_long_are_not_taken_for_absence() {
        let search = run(
            "eval($$$)",
            Some("python"),
            &[file("a.py", &"# long\n".repeat(200_000)), file("b.py", "x\n")],
        );
        assert_eq!((search.searched, search.unsearchable.len()), (1, 1));
        assert_eq!(score_of(&search, Expect::Absent), 0.0);
    }

    #[test]
    fn patterns_that_are_too_long_or_too_deep_are_told() {
        let python = [Language::by_name("python").expect("known")];
        let long = compile(&"x".repeat(10_000), &python).expect_err("long");
        assert!(long.contains("10000 bytes"), "{long}");
        let deep =
            compile(&format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000)), &python).expect_err("deep");
        assert!(deep.contains("nested deeper"), "{deep}");
    }

    /// The parser frees what it made of this by a recursion as deep as the file is long.
    #[tokio::test]
    async fn code_that_exhausts_a_usual_stack_does_no_harm() {
        let hostile = file("A.java", &"{[(".repeat(100_000));
        let patterns = compile("f($A)", &[Language::by_name("java").expect("known")]).expect("a pattern");
        let search = on_deep_stack(move || search(&[hostile], &patterns, &AtomicBool::new(false))).await;
        assert_eq!(search.expect("it ends").total, 0);
    }

    #[test]
    fn only_the_first_matches_are_listed() {
        let search = run("f()", Some("python"), &[file("a.py", &"f()\n".repeat(50))]);
        assert_eq!((search.total, search.hits.len()), (50, LISTED));
        assert!(report(&search, "src").ends_with("and 30 more\n"));
    }
}
#[cfg(test)]
mod probe {
    use super::*;
    #[tokio::test]
    async fn probe() {
        let size: usize = std::env::var("SIZE").unwrap().parse().unwrap();
        let unit = std::env::var("UNIT").unwrap();
        let text = unit.repeat(size / unit.len());
        let language = Language::by_name(&std::env::var("LANGUAGE").unwrap()).unwrap();
        let start = std::time::Instant::now();
        let r = on_deep_stack(move || {
            let mut parser = tree_sitter::Parser::new();
            use ast_grep_language::LanguageExt;
            parser.set_language(&language.grammar.get_ts_language()).unwrap();
            let mut calls = 0u64; let mut next = 64u64; let mut maxoff = 0;
            let mut progress = |s: &tree_sitter::ParseState| { calls += 1; maxoff = maxoff.max(s.current_byte_offset()); if calls >= next { next *= 2;
              let rss = std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse::<u64>().unwrap() / 256;
              println!("calls {calls} off {maxoff} rss {rss} MB t {:?}", start.elapsed()); if rss > 2000 { return std::ops::ControlFlow::Break(()) } } std::ops::ControlFlow::Continue(()) };
            let bytes = text.as_bytes();
            let mut read = |offset: usize, _| bytes.get(offset..).unwrap_or_default();
            let t = parser.parse_with_options(&mut read, None, Some(tree_sitter::ParseOptions::new().progress_callback(&mut progress)));
            println!("TOTAL calls {calls} for {} bytes", text.len());
            t.is_some()
        }).await.unwrap();
        let peak = std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with("VmHWM")).unwrap().to_owned();
        println!("RESULT {r:?} {:?} {peak}", start.elapsed());
    }
}
