//! `report`: the results of a run directory, in any format.

use std::io::IsTerminal as _;
use std::path::Path;

use eval_record::{Event, RecordedEvents, RunDirectory};
use eval_report::Summary;

use crate::args::{DocumentFormat, ReportArgs, Verbosity};
use crate::commands::print;
use crate::documents::{self, Document, table};
use crate::error::CliError;
use crate::exit::Exit;
use crate::github;

pub(crate) fn run(args: &ReportArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let events = read(&args.run)?;
    let summary = Summary { gate: documents::verdict(&args.run), ..Summary::from_events(&events) };
    let total = &summary.total;
    if !summary.run.complete && !verbosity.quiet {
        let missing = total.canceled + total.unfinished;
        say!("the run is not complete: {missing} of {} trials have no verdict", total.planned);
    }
    let text = match args.format {
        DocumentFormat::Table => {
            let colour = args.output.is_none() && std::io::stdout().is_terminal();
            table(&summary, &args.run, colour)
        }
        DocumentFormat::Jsonl => lines(&events)?,
        DocumentFormat::Json => Document::Json.text(&summary, &args.run)?,
        DocumentFormat::Csv => Document::Csv.text(&summary, &args.run)?,
        DocumentFormat::Junit => Document::Junit.text(&summary, &args.run)?,
        DocumentFormat::Markdown => Document::Markdown.text(&summary, &args.run)?,
        DocumentFormat::Html => Document::Html.text(&summary, &args.run)?,
    };
    match &args.output {
        None => print(&text)?,
        Some(path) => {
            std::fs::write(path, text).map_err(|error| {
                CliError::wrap(Exit::Incomplete, format!("{} cannot be written", path.display()), &error)
            })?;
        }
    }
    if args.github.github {
        github::tell(&summary);
    }
    Ok(Exit::Done)
}

/// The events of a run. A last one that was cut short when the program was killed is left out.
fn read(path: &Path) -> Result<Vec<Event>, CliError> {
    let directory = RunDirectory::open(path)
        .map_err(|error| CliError::wrap(Exit::Usage, "there is nothing to report", &error))?;
    let RecordedEvents { events, torn } = directory
        .events()
        .map_err(|error| CliError::wrap(Exit::Incomplete, "the record cannot be used", &error))?;
    if torn {
        say!("the last event was cut short and is left out");
    }
    if events.is_empty() {
        let message = format!("{} has no events: the run ended before it began", path.display());
        return Err(CliError::new(Exit::Incomplete, message));
    }
    Ok(events)
}

fn lines(events: &[Event]) -> Result<String, CliError> {
    let mut text = String::new();
    for event in events {
        text += &serde_json::to_string(event)
            .map_err(|error| CliError::wrap(Exit::Incomplete, "an event cannot be written", &error))?;
        text.push('\n');
    }
    Ok(text)
}
