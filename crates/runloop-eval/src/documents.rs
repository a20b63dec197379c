//! A run's results as documents: the files of its directory, and what `report` writes.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use eval_report::Summary;
use eval_report::gate::{self, Verdict};
use eval_report::html::DirectoryLogs;
use eval_report::table::Style;

use crate::commands::print_from;
use crate::error::CliError;
use crate::exit::Exit;
use crate::next;

/// A form of the results that is a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    /// `results.json`
    Json,
    /// `results.csv`
    Csv,
    /// `junit.xml`
    Junit,
    /// `summary.md`
    Markdown,
    /// `report.html`
    Html,
}

/// The documents of a run directory; a run writes all of them at its end.
const FILES: [(&str, Document); 5] = [
    ("results.json", Document::Json),
    ("results.csv", Document::Csv),
    ("junit.xml", Document::Junit),
    ("summary.md", Document::Markdown),
    ("report.html", Document::Html),
];

impl Document {
    /// Writes a document. `directory` is that of the run.
    pub(crate) fn write(
        self,
        summary: &Summary,
        directory: &Path,
        writer: &mut dyn io::Write,
    ) -> io::Result<()> {
        match self {
            Self::Json => eval_report::json::write(summary, writer),
            Self::Csv => eval_report::csv::write(summary, writer),
            Self::Junit => eval_report::junit::write(summary, writer),
            Self::Markdown => eval_report::markdown::write(summary, writer),
            Self::Html => eval_report::html::write(summary, &DirectoryLogs::open(directory)?, writer),
        }
    }

    /// Writes it to standard output.
    pub(crate) fn print(self, summary: &Summary, directory: &Path) -> Result<(), CliError> {
        print_from(|stdout| self.write(summary, directory, stdout))
    }
}

/// Writes all of a file or nothing: a disk that is full leaves what was there.
fn replace(path: &Path, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    let written = write_file(new, write).and_then(|()| fs::rename(new, path));
    if written.is_err() {
        // It takes room that may be needed.
        let _ = fs::remove_file(new);
    }
    written
}

/// Has a file written.
pub(crate) fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    write(&mut file)?;
    file.flush()
}

fn unwritten(path: &Path, error: &io::Error) -> CliError {
    CliError::wrap(Exit::Incomplete, format!("{} cannot be written", path.display()), error)
        .hint("make room on that disk; the verdicts so far are in events.jsonl")
}

/// Writes every document into the directory of a run, and its gate's verdict if there is one. One that cannot be written does
/// not keep the others from being tried.
pub(crate) fn write_all(summary: &Summary, directory: &Path) -> Result<(), CliError> {
    let mut first = match &summary.gate {
        Some(verdict) => write_verdict(verdict, directory),
        None => forget_verdict(directory),
    };
    for (name, document) in FILES {
        let path = directory.join(name);
        let written = replace(&path, |file| document.write(summary, directory, file));
        first = first.and(written.map_err(|error| unwritten(&path, &error)));
    }
    first
}

fn write_verdict(verdict: &Verdict, directory: &Path) -> Result<(), CliError> {
    let path = directory.join(gate::FILE);
    let text = serde_json::to_string_pretty(verdict).map_err(io::Error::from);
    text.and_then(|text| replace(&path, |file| file.write_all((text + "\n").as_bytes())))
        .map_err(|error| unwritten(&path, &error))
}

/// Takes away what a gate decided before: it does not hold for what is added to the run.
pub(crate) fn forget_verdict(directory: &Path) -> Result<(), CliError> {
    let path = directory.join(gate::FILE);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritten(&path, &error)),
        _ => Ok(()),
    }
}

/// What the gate of a recorded run decided, if one did.
pub(crate) fn verdict(directory: &Path) -> Option<Verdict> {
    Verdict::saved_in(directory).unwrap_or_else(|error| {
        let path = directory.join(gate::FILE);
        say!("{} cannot be understood and is left out: {error}", path.display());
        None
    })
}

/// The table for people.
pub(crate) fn table(summary: &Summary, directory: &Path, colour: bool) -> String {
    let results = directory.display().to_string();
    let next = next::command(summary, directory);
    let style = Style { colour, results: Some(&results), next: Some(&next), ..Style::default() };
    eval_report::table::render(summary, style)
}
