//! Warns of files that show an agent what it must not see: the reference, hidden tests, history from after the base.
//!
//! They are files of the environment as they lie here, and setup commands that set a checkout back. What else commands make
//! of it is only known when it was made; a run flags what is readable then.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::files::FileKind;
use crate::git_objects;
use crate::loader::Loader;
use crate::model::{FileEntry, Scenario, SolutionKind};
use crate::source::Span;
use crate::yaml::{Map, Node};

/// Looks at the files and setup commands of a scenario's environment.
pub(crate) fn warn(loader: &mut Loader<'_>, map: &Map, scenario: &Scenario) {
    let Some(environment) = map.get("environment").and_then(Node::as_map) else { return };
    if let Some(commands) = environment.get("setup_commands") {
        setting_back(loader, commands, &scenario.environment.setup_commands);
    }
    let Some(files) = environment.get("files") else { return };
    let nodes = files.as_list();
    for (number, entry) in scenario.environment.files.iter().enumerate() {
        // Entries that are wrong have no place in the list, and an error of their own.
        let is_whole = nodes.len() == scenario.environment.files.len();
        let span = nodes.get(number).filter(|_| is_whole).map_or(&files.span, |node| &node.span).clone();
        for git in git_directories(entry) {
            history(loader, &span, &git, scenario);
        }
        reference(loader, &span, entry, scenario);
    }
    tests(loader, &files.span.clone(), scenario);
}

fn git_directories(entry: &FileEntry) -> Vec<PathBuf> {
    let own = entry.source.file_name().is_some_and(|name| name == ".git");
    let candidates = [own.then(|| entry.source.clone()), Some(entry.source.join(".git"))];
    candidates.into_iter().flatten().filter(|path| path.join("HEAD").is_file()).collect()
}

fn history(loader: &mut Loader<'_>, span: &Span, git: &Path, scenario: &Scenario) {
    const AFRESH: &str = "leave `.git` out of the files and make the history in a setup command, or remove what is unreachable: \
         `git reflog expire --expire=now --all && git gc --prune=now`";
    let blobs = blobs(scenario);
    let names: Vec<&str> = blobs.iter().map(|(_, blob)| *blob).collect();
    let held = git_objects::first_held(git, &names);
    if let Some((path, blob)) = blobs.iter().find(|(_, blob)| Some(*blob) == held) {
        let message = format!("{} holds `{path}` as the reference makes it (object {blob})", git.display());
        loader.push(Diagnostic::warning(span, message).label("an agent can read it there").help(AFRESH));
    }
    let Some(head) = git_objects::head(git) else { return };
    if let Some(before) = git_objects::set_back_from(git, &head) {
        let message = format!(
            "the reflog of {} names commit {}, from which its head was set back",
            git.display(),
            short(&before)
        );
        loader
            .push(Diagnostic::warning(span, message).label("an agent can read what came later").help(AFRESH));
    }
    if let Some((name, id)) = git_objects::elsewhere(git, &head) {
        let message = format!("{name} of {} is another commit ({}) than its head", git.display(), short(&id));
        let help = "remove remote branches and remotes if they hold what came after the base, or make the history in a setup command";
        loader.push(
            Diagnostic::warning(span, message)
                .label("an agent can look there for what came later")
                .help(help),
        );
    }
}

/// A command that sets a checkout back to an earlier commit, and none that removes what came later.
fn setting_back(loader: &mut Loader<'_>, node: &Node, commands: &[String]) {
    const CLEARED: [&str; 6] =
        ["--prune=now", "--expire=now", "rm -rf .git", "rm -fr .git", "rm -r .git", "--depth"];
    if commands.iter().any(|command| CLEARED.iter().any(|means| command.contains(means))) {
        return;
    }
    let is_cloned = commands
        .iter()
        .any(|command| simple_commands(command).any(|words| gits(&words, &["clone", "fetch", "pull"])));
    let Some(number) = commands
        .iter()
        .position(|command| simple_commands(command).any(|words| sets_back(&words, is_cloned)))
    else {
        return;
    };
    let whole = (node.as_list().len() == commands.len()).then(|| node.as_list().get(number)).flatten();
    let message = "the setup sets a checkout back to an earlier commit, and what came later stays in `.git`";
    let help = "fetch nothing but the commit (`git fetch --depth 1 origin COMMIT`), make `.git` afresh, or remove what came later: \
                `git remote remove origin`, its branches and tags, `git reflog expire --expire=now --all && git gc --prune=now`";
    let warning = Diagnostic::warning(whole.map_or(&node.span, |item| &item.span), message);
    loader.push(warning.label("an agent can read the solution there").help(help));
}

/// The words of each command of a script, as far as a look tells.
fn simple_commands(script: &str) -> impl Iterator<Item = Vec<&str>> {
    script.split(['\n', ';', '|', '&', '(', ')']).map(|command| command.split_whitespace().collect())
}

/// Whether a command is one of these of git's.
fn gits(words: &[&str], commands: &[&str]) -> bool {
    let after_git = words.iter().skip_while(|word| **word != "git").skip(1);
    after_git.take_while(|word| **word != "--").any(|word| commands.contains(word))
}

/// Whether a command goes to an ancestor of the head, or to a commit of a copy by its name.
fn sets_back(words: &[&str], is_cloned: bool) -> bool {
    let is_move =
        (gits(words, &["reset"]) && words.contains(&"--hard")) || gits(words, &["checkout", "switch"]);
    let targets = words.iter().take_while(|word| **word != "--").map(|word| word.trim_matches(['\'', '"']));
    let is_target = |word: &str| {
        let is_commit = (7..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        word.find('~').is_some_and(|at| at > 0) || word.ends_with('^') || (is_cloned && is_commit)
    };
    let has_paths = words.contains(&"--");
    is_move && !has_paths && targets.filter(|word| !word.starts_with('-')).any(is_target)
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// Paths and objects that the reference makes.
fn blobs(scenario: &Scenario) -> Vec<(&str, &str)> {
    let Some(solution) =
        scenario.reference_output.as_ref().filter(|solution| solution.kind == SolutionKind::Patch)
    else {
        return Vec::new();
    };
    let mut path = "";
    let mut found = Vec::new();
    for line in solution.content.lines() {
        if let Some(names) = line.strip_prefix("diff --git ") {
            path = names.rsplit_once(" b/").map_or(names, |(_, path)| path);
        } else if let Some((_, after)) = line.strip_prefix("index ").and_then(|ids| ids.split_once("..")) {
            let blob = after.split(' ').next().unwrap_or_default();
            let is_name = blob.len() >= 7 && blob.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_name && blob.bytes().any(|byte| byte != b'0') {
                found.push((path, blob));
            }
        }
    }
    found
}

/// A copy of the reference among the files.
fn reference(loader: &mut Loader<'_>, span: &Span, entry: &FileEntry, scenario: &Scenario) {
    let Some(solution) = &scenario.reference_output else { return };
    if let Some(path) = with_content(entry, solution.content.as_bytes()) {
        let message = format!("the environment holds the reference: {}", path.display());
        let diagnostic = Diagnostic::warning(span, message).label("an agent can read it there");
        loader.push(diagnostic.help("keep the reference beside the scenario, outside of its `files`"));
    }
}

/// Test files all of which are in the environment. Some may be: those that are visible, given again so that no change to
/// them counts.
fn tests(loader: &mut Loader<'_>, span: &Span, scenario: &Scenario) {
    for scorer in &scenario.scorers {
        let runloop_types::Scorer::TestBasedScorer { test_files: Some(files), .. } = &scorer.function else {
            continue;
        };
        let contents: BTreeSet<&str> = files
            .iter()
            .map(|file| file.file_contents.as_str())
            .filter(|text| !text.trim().is_empty())
            .collect();
        let is_given = |text: &&str| {
            scenario.environment.files.iter().any(|entry| with_content(entry, text.as_bytes()).is_some())
        };
        if !contents.is_empty() && contents.iter().all(is_given) {
            let message = format!("the environment holds every test file of scorer `{}`", scorer.name);
            let diagnostic = Diagnostic::warning(span, message).label("an agent can read them there");
            loader.push(diagnostic.help("keep hidden tests beside the scenario, outside of its `files`"));
        }
    }
}

/// A file of an entry that has this content.
fn with_content(entry: &FileEntry, content: &[u8]) -> Option<PathBuf> {
    let items = entry.walk().ok()?;
    let is_it = |kind: &FileKind| matches!(kind, FileKind::File { len, .. } if *len == content.len() as u64);
    let same = items.into_iter().filter(|item| is_it(&item.kind) && !content.is_empty());
    same.map(|item| item.location).find(|path| fs::read(path).is_ok_and(|found| found == content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes_back(script: &str) -> bool {
        let is_cloned = simple_commands(script).any(|words| gits(&words, &["clone", "fetch", "pull"]));
        simple_commands(script).any(|words| sets_back(&words, is_cloned))
    }

    #[test]
    fn going_back_is_told_from_other_uses_of_git() {
        for script in [
            "git clone https://x.example/y . && git checkout 0123456789abcdef",
            "git clone -q /src .\ngit -C . reset --hard '0123456'",
            "git reset -q --hard HEAD~1",
            "(cd repo; git checkout -q main^)",
        ] {
            assert!(goes_back(script), "{script}");
        }
        for script in [
            "git init && git add -A && git commit -qm base",
            "git -C ~/x checkout main",
            "git checkout HEAD~1 -- file.c",
            "git reset HEAD~1",
            "git clone x . && cd ~/x && git checkout v1.2",
            "git checkout 0123456789",
        ] {
            assert!(!goes_back(script), "{script}");
        }
    }
}
