//! `ast_grep_scorer`: whether a pattern matches in the files of a directory. Runs here, not in the devbox.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::bound::quoted;
use crate::deep_stack::on_deep_stack;
use crate::finding::Finding;
use crate::helper::Helpers;
use crate::language::Language;
use crate::pattern::{compile, languages_of};
use crate::search::{Found, Hit, LISTED, search};
use crate::{Expect, Output, Workspace, WorkspaceFile};

/// Longest file that is asked for. What is longer than can be searched is told apart from what is not there.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// What a search found.
#[derive(Debug, Default)]
struct Search {
    /// The first ones, each with its file.
    hits: Vec<(String, Hit)>,
    total: usize,
    searched: usize,
    /// Files that were not searched, and why.
    unsearchable: Vec<String>,
}

/// Searches the files of one language, or of all by file name, below a directory.
///
/// `present` scores 1 if there is a match. `absent` scores 1 if there is none *and* the search could tell: with no file to
/// search, or one that cannot be searched (over 1 MiB, nested absurdly, deadly to the parser), it scores 0, so that an agent gains nothing by
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
    let languages = match languages_of(pattern, &languages) {
        Ok(languages) => languages,
        Err(message) => return Ok(Finding::error(message)),
    };
    let extensions: Vec<String> = languages
        .iter()
        .flat_map(|language| language.extensions)
        .map(|extension| (*extension).to_owned())
        .collect();
    let directory = if directory.trim().is_empty() { "." } else { directory };
    let listing = workspace.files(directory, &extensions, MAX_FILE_BYTES);
    let Ok(files) = tokio::time::timeout(timeout, listing).await else {
        return Ok(Finding::timeout(timeout, &Output::default()));
    };
    let files = files?;
    Ok(match tokio::time::timeout(timeout, search_all(files, &languages, pattern)).await {
        Err(_) => Finding::timeout(timeout, &Output::default()),
        Ok(Err(error)) => Finding::error(format!("the search itself failed: {error}")),
        Ok(Ok(search)) => verdict(&search, directory, expect),
    })
}

/// Searches each file in its language, in helper processes if there can be.
async fn search_all(
    files: Vec<WorkspaceFile>,
    languages: &[&'static Language],
    pattern: &str,
) -> io::Result<Search> {
    let mut helpers = Helpers::new();
    let mut search = Search::default();
    for WorkspaceFile { path, content } in files {
        let Some(language) = languages.iter().copied().find(|language| language.has_file(&path)) else {
            continue;
        };
        let found = match &mut helpers {
            Some(helpers) => helpers.search(&content, language, pattern).await?,
            None => search_here(content, language, pattern.to_owned()).await?,
        };
        search.add(&path, found);
    }
    Ok(search)
}

/// Searches a file in this process, on a thread that stops when nobody waits for it any more.
async fn search_here(
    content: Vec<u8>,
    language: &'static Language,
    pattern: String,
) -> io::Result<Result<Found, String>> {
    let stop = StopOnDrop::default();
    let stopped = Arc::clone(&stop.0);
    on_deep_stack(move || {
        let pattern = compile(&pattern, language.grammar)?;
        search(&content, language.grammar, &pattern, &stopped)
    })
    .await
}

/// Tells a thread, which cannot be killed, to stop.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Search {
    fn add(&mut self, path: &str, found: Result<Found, String>) {
        match found {
            Ok(Found { total, hits }) => {
                self.searched += 1;
                self.total += total;
                let room = LISTED.saturating_sub(self.hits.len());
                self.hits.extend(hits.into_iter().take(room).map(|hit| (path.to_owned(), hit)));
            }
            Err(reason) => self.unsearchable.push(format!("{path}: {reason}")),
        }
    }
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
    for (path, Hit { line, text: hit }) in &search.hits {
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

    async fn run(pattern: &str, languages: &[&str], files: &[(&str, &str)]) -> Search {
        let languages: Vec<_> = languages.iter().filter_map(|name| Language::by_name(name)).collect();
        let file = |(path, content): &(&str, &str)| WorkspaceFile {
            path: (*path).to_owned(),
            content: content.as_bytes().to_vec(),
        };
        search_all(files.iter().map(file).collect(), &languages, pattern).await.expect("it ends")
    }

    fn score_of(search: &Search, expect: Expect) -> f64 {
        match verdict(search, "src", expect).outcome {
            FunctionOutcome::Complete { score } => score,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_match_is_present_and_not_absent() {
        let search =
            run("eval($$$)", &["python"], &[("src/a.py", "\neval(x)\n"), ("src/b.py", "f(x)\n")]).await;
        assert_eq!((score_of(&search, Expect::Present), score_of(&search, Expect::Absent)), (1.0, 0.0));
        assert_eq!(report(&search, "src"), "1 match in 2 files below `src`\nsrc/a.py:2: `eval(x)`\n");
    }

    #[tokio::test]
    async fn no_match_is_absent_and_not_present() {
        let search = run("eval($$$)", &["python"], &[("a.py", "f(x)")]).await;
        assert_eq!((score_of(&search, Expect::Present), score_of(&search, Expect::Absent)), (0.0, 1.0));
    }

    #[tokio::test]
    async fn each_file_is_read_in_its_own_language() {
        let files = [("a.py", "foo(1)"), ("b.js", "foo(2);"), ("c.ts", "foo(3);"), ("d.txt", "foo(4)")];
        assert_eq!(run("foo($A)", &["python", "js", "ts"], &files).await.total, 3);
    }

    #[tokio::test]
    async fn nothing_to_search_is_not_absence() {
        let search = run("eval($$$)", &["python"], &[("a.txt", "x")]).await;
        assert_eq!((score_of(&search, Expect::Present), score_of(&search, Expect::Absent)), (0.0, 0.0));
    }

    #[tokio::test]
    async fn what_cannot_be_searched_is_not_absence() {
        let long = "# long\n".repeat(200_000);
        let search = run("eval($$$)", &["python"], &[("a.py", &long), ("b.py", "x\n")]).await;
        assert_eq!((search.searched, search.unsearchable.len()), (1, 1));
        assert_eq!(score_of(&search, Expect::Absent), 0.0);
        assert!(report(&search, "src").contains("not searched: a.py: it is longer than"), "{search:?}");
    }

    #[tokio::test]
    async fn only_the_first_matches_are_listed() {
        let many = "f()\n".repeat(15);
        let search = run("f()", &["python"], &[("a.py", &many), ("b.py", &many)]).await;
        assert_eq!((search.total, search.hits.len()), (30, LISTED));
        assert!(report(&search, "src").ends_with("and 10 more\n"));
    }
}
