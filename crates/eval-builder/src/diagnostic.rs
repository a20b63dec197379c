//! Mistakes in definitions, shown where they stand.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::source::{ReadError, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The definitions cannot be used.
    Error,
    /// They can be used, but probably do not say what was meant.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file, if it could be read at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Line from 1, or 0 without a file.
    pub line: usize,
    /// Column from 1 in characters, or 0 without a file.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What stands at the place, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip)]
    span: Option<Span>,
}

impl Diagnostic {
    pub(crate) fn error(span: &Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Some(span), message.into())
    }

    pub(crate) fn warning(span: &Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Some(span), message.into())
    }

    /// An error that has no place in a readable file.
    pub(crate) fn unplaced(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, None, message.into())
    }

    pub(crate) fn unreadable(error: &ReadError) -> Self {
        let diagnostic = Self::unplaced(error.to_string());
        match error.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    fn new(severity: Severity, span: Option<&Span>, message: String) -> Self {
        let span = span.map(Span::first_line);
        let file = span.as_ref().map(|span| span.file.path.clone());
        Self { severity, file, line: 0, column: 0, message, label: None, help: None, span }
    }

    /// Fills in line and column: apart, because it reads the file, and a hostile file makes many diagnostics.
    fn locate(&mut self) {
        (self.line, self.column) = self.span.as_ref().map_or((0, 0), Span::position);
    }

    #[must_use]
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The message with the source line, a caret and the help; ANSI colours on request.
    pub fn render(&self, colors: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.message.as_str());
        let path = self.file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let mut group = match &self.span {
            Some(span) => {
                let (line, range) = span.in_line();
                let (text, range) = cut(line, range);
                let mut annotation = AnnotationKind::Primary.span(range);
                if let Some(label) = &self.label {
                    annotation = annotation.label(label.as_str());
                }
                let snippet = Snippet::source(text).line_start(self.line.max(1)).annotation(annotation);
                if text.len() == line.len() {
                    title.element(snippet.path(path))
                } else {
                    // The column in what is left is not the column in the file.
                    let origin = Origin::path(path).line(self.line).char_column(self.column);
                    title.element(origin).element(snippet)
                }
            }
            None => Group::with_title(title),
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colors { Renderer::styled() } else { Renderer::plain() };
        renderer.decor_style(DecorStyle::Ascii).render(&[group])
    }

    fn key(&self) -> (Severity, Option<&PathBuf>, Option<(usize, usize)>, &str) {
        let range = self.span.as_ref().map(|span| (span.range.start, span.range.end));
        (self.severity, self.file.as_ref(), range, &self.message)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:{}:{}: ", file.display(), self.line, self.column)?;
        }
        f.write_str(&self.message)
    }
}

/// All mistakes of all files, in the order of the files and of their lines.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Diagnostics(Vec<Diagnostic>);

/// Most mistakes that are kept: nobody reads more, and a hostile file may have a hundred thousand.
const MAX_DIAGNOSTICS: usize = 200;

impl Diagnostics {
    /// Adds a mistake, unless the same one is there: a shared default is checked once for each scenario.
    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        let is_full = self.is_full() && (self.has_errors() || diagnostic.severity != Severity::Error);
        if !is_full && !self.0.iter().any(|known| known.key() == diagnostic.key()) {
            diagnostic.locate();
            self.0.push(diagnostic);
        }
    }

    /// Whether further mistakes are not kept, so that nothing needs to be prepared for them.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= MAX_DIAGNOSTICS
    }

    /// Groups by file, in the order in which files were first met, and orders by line within each.
    pub(crate) fn sort(&mut self) {
        let mut files: Vec<Option<PathBuf>> = Vec::new();
        for diagnostic in &self.0 {
            if !files.contains(&diagnostic.file) {
                files.push(diagnostic.file.clone());
            }
        }
        self.0.sort_by_key(|diagnostic| {
            let file = files.iter().position(|file| *file == diagnostic.file);
            (file, diagnostic.line, diagnostic.column)
        });
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// All of them for a terminal, separated by empty lines; ANSI colours on request.
    pub fn render(&self, colors: bool) -> String {
        let rendered: Vec<String> = self.0.iter().map(|diagnostic| diagnostic.render(colors)).collect();
        rendered.join("\n\n")
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// Longest line that is rendered as it is, in bytes.
const MAX_LINE: usize = 400;

/// A part of a line that is too long to be rendered, with the place in it.
fn cut(line: &str, range: Range<usize>) -> (&str, Range<usize>) {
    if line.len() <= MAX_LINE {
        return (line, range);
    }
    let boundary = |mut offset: usize| {
        while !line.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let start = boundary(range.start.saturating_sub(MAX_LINE / 4));
    let end = boundary(line.len().min(range.start + MAX_LINE / 2)).max(start);
    (&line[start..end], range.start - start..range.end.min(end) - start)
}

/// The nearest of the known words, if it is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::SourceFile;

    #[test]
    fn a_mistake_shows_its_line_a_caret_and_the_help() {
        let file = Arc::new(SourceFile { path: "a/b.yaml".into(), text: "name: x\nwieght: 1\n".into() });
        let mut diagnostic = Diagnostic::error(&Span::new(&file, 8..14), "unknown key `wieght`")
            .label("not a key of a scorer")
            .help("did you mean `weight`?");
        diagnostic.locate();
        assert_eq!(diagnostic.to_string(), "a/b.yaml:2:1: unknown key `wieght`");
        insta::assert_snapshot!(diagnostic.render(false), @r"
        error: unknown key `wieght`
         --> a/b.yaml:2:1
          |
        2 | wieght: 1
          | ^^^^^^ not a key of a scorer
          |
          = help: did you mean `weight`?
        ");
        assert!(diagnostic.render(true).contains("\u{1b}["));
    }

    #[test]
    fn a_long_line_is_cut_around_the_mistake_and_keeps_its_column() {
        let text = format!("a: [{}wrong{}]", "ä, ".repeat(500), ", b".repeat(500));
        let start = text.find("wrong").expect("the mistake");
        let file = Arc::new(SourceFile { path: "a.yaml".into(), text });
        let mut diagnostic = Diagnostic::error(&Span::new(&file, start..start + 5), "this is wrong");
        diagnostic.locate();
        let rendered = diagnostic.render(false);
        assert!(rendered.contains("a.yaml:1:1505"), "{rendered}");
        assert!(rendered.contains("^^^^^"), "{rendered}");
        assert!(rendered.len() < 1500, "{rendered}");
    }

    #[test]
    fn only_near_words_are_suggested() {
        assert_eq!(nearest("wieght", ["weight", "name"]), Some("weight"));
        assert_eq!(nearest("weather", ["weight", "name"]), None);
    }
}
