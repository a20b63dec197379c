//! Workflow commands of GitHub Actions: an annotation for each trial that failed or is invalid.
//!
//! The runner reads them from the log, a line each: `::error file=F,line=N,title=T::message`. It ends a property at a `,` or
//! `:`, a command at a line break, and decodes percent signs, so these are percent-encoded. Anything else that is printed on
//! a line of its own could be a command too; messages of agents never begin a line.

use std::path::{Component, Path, PathBuf};

use crate::text::{counted, one_line};
use crate::why::why;
use crate::{Summary, Trial, TrialStatus};

/// Annotations of errors that GitHub shows for a step; it drops more.
pub const SHOWN: usize = 10;

/// Characters of a message.
const MESSAGE_LIMIT: usize = 600;

/// Characters of a title.
const TITLE_LIMIT: usize = 200;

/// Where paths of definitions start, and where the repository is that an annotation is shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// What relative paths of the record are relative to; absolute.
    pub directory: &'a Path,
    /// The checkout, absolute: `$GITHUB_WORKSPACE`.
    pub workspace: &'a Path,
}

/// The annotations, a line each. Invalid trials come first, because nothing is known of them; after [`SHOWN`] lines, one
/// notice counts the rest.
pub fn annotations(summary: &Summary, place: Place<'_>) -> String {
    let invalid = summary.trials.iter().filter(|trial| trial.status == TrialStatus::Invalid);
    let failed = summary
        .trials
        .iter()
        .filter(|trial| trial.status == TrialStatus::Scored && trial.passed != Some(true));
    let trials: Vec<&Trial> = invalid.chain(failed).collect();
    let mut text: String = trials.iter().take(SHOWN).map(|trial| annotation(summary, trial, place)).collect();
    if trials.len() > SHOWN {
        let more = counted(trials.len() - SHOWN, "more trial");
        text += &format!("::notice title=runloop-eval::{more} without a pass, see the step summary\n");
    }
    text
}

fn annotation(summary: &Summary, trial: &Trial, place: Place<'_>) -> String {
    let mut properties = Vec::new();
    if let Some(source) = summary.sources.get(&trial.key.scenario) {
        let file = in_repository(Path::new(&source.file), place);
        // No line of a log may hold what a terminal or an older runner obeys; such a path is not shown.
        if file == one_line(&file, usize::MAX) {
            properties.push(format!("file={},line={}", property(&file), source.line));
        }
    }
    let word = if trial.status == TrialStatus::Invalid { "invalid" } else { "failed" };
    let title = one_line(&format!("{word}: {}", trial.key), TITLE_LIMIT);
    properties.push(format!("title={}", property(&title)));
    let mut message = why(trial);
    if let Some(said) = &trial.message {
        message += &format!(": {said}");
    }
    if let Some(logs) = &trial.logs {
        message += &format!(" (logs: {logs})");
    }
    format!("::error {}::{}\n", properties.join(","), data(&one_line(&message, MESSAGE_LIMIT)))
}

/// The path as the repository has it; one outside of it stays absolute, and GitHub shows the annotation without a place.
fn in_repository(file: &Path, place: Place<'_>) -> String {
    let mut absolute = PathBuf::new();
    for component in place.directory.join(file).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(absolute.pop()),
            other => absolute.push(other),
        }
    }
    absolute.strip_prefix(place.workspace).unwrap_or(&absolute).display().to_string()
}

/// The message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
