//! Workflow commands of GitHub Actions: an annotation for each reason of the gate, and for each trial that failed or is invalid.
//!
//! The runner reads them from the log, a line each: `::error file=F,line=N,title=T::message`. It ends a property at a `,` or
//! `:`, a command at a line break, and decodes percent signs, so these are percent-encoded. Anything else that is printed on
//! a line of its own could be a command too; messages of agents never begin a line.

use std::path::{Component, Path, PathBuf};

use crate::gate::{Decision, Example, Verdict};
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

/// The annotations, a line each. Reasons of the gate come first, then invalid trials, because nothing is known of them; after
/// [`SHOWN`] lines, one notice counts the rest.
pub fn annotations(summary: &Summary, place: Place<'_>) -> String {
    let invalid = summary.trials.iter().filter(|trial| trial.status == TrialStatus::Invalid);
    let failed = summary
        .trials
        .iter()
        .filter(|trial| trial.status == TrialStatus::Scored && trial.passed != Some(true));
    let trials: Vec<&Trial> = invalid.chain(failed).collect();
    let mut lines: Vec<String> = summary.gate.iter().flat_map(|verdict| of_gate(verdict, place)).collect();
    lines.truncate(SHOWN);
    let room = SHOWN - lines.len();
    lines.extend(trials.iter().take(room).map(|trial| of_trial(summary, trial, place)));
    let mut text = lines.concat();
    if trials.len() > room {
        let more = counted(trials.len() - room, "more trial");
        text += &format!("::notice title=runloop-eval::{more} without a pass, see the step summary\n");
    }
    text
}

/// Those of the gate's reasons alone.
pub fn gate_annotations(verdict: &Verdict, place: Place<'_>) -> String {
    of_gate(verdict, place).into_iter().take(SHOWN).collect()
}

/// A line for each reason, where the limit is written, or else where the first scenario is that it rests on.
fn of_gate(verdict: &Verdict, place: Place<'_>) -> Vec<String> {
    let several = verdict.agents.len() > 1;
    let mut lines = Vec::new();
    for agent in &verdict.agents {
        for reason in &agent.reasons {
            let word = if reason.decision == Decision::Fail { "failed" } else { "undecided" };
            let whose = if several { format!(", {}", agent.agent) } else { String::new() };
            let title = format!("gate {word}: {}{whose}", reason.limit);
            let written = reason
                .place
                .as_ref()
                .or_else(|| reason.examples.iter().find_map(|example| example.source.as_ref()));
            let written = written.and_then(|place| place.rsplit_once(':'));
            let written = written.and_then(|(file, line)| Some((file, line.parse().ok()?)));
            let examples: Vec<String> = reason.examples.iter().map(Example::to_string).collect();
            let mut message = reason.message.clone();
            if !examples.is_empty() {
                message += &format!(": {}", examples.join("; "));
            }
            lines.push(annotation(&title, written, &message, place));
        }
    }
    lines
}

fn of_trial(summary: &Summary, trial: &Trial, place: Place<'_>) -> String {
    let source = summary.sources.get(&trial.key.scenario);
    let word = if trial.status == TrialStatus::Invalid { "invalid" } else { "failed" };
    let mut message = why(trial);
    if let Some(said) = &trial.message {
        message += &format!(": {said}");
    }
    if let Some(logs) = &trial.logs {
        message += &format!(" (logs: {logs})");
    }
    let source = source.map(|source| (source.file.as_str(), source.line));
    annotation(&format!("{word}: {}", trial.key), source, &message, place)
}

fn annotation(title: &str, source: Option<(&str, u32)>, message: &str, place: Place<'_>) -> String {
    let mut properties = Vec::new();
    if let Some((file, line)) = source {
        let file = in_repository(Path::new(file), place);
        // No line of a log may hold what a terminal or an older runner obeys; such a path is not shown.
        if file == one_line(&file, usize::MAX) {
            properties.push(format!("file={},line={line}", property(&file)));
        }
    }
    properties.push(format!("title={}", property(&one_line(title, TITLE_LIMIT))));
    format!("::error {}::{}\n", properties.join(","), data(&one_line(message, MESSAGE_LIMIT)))
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
