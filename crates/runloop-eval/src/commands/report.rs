//! `report`: the results of a run directory, in any format.

use std::io::{self, IsTerminal as _};

use eval_record::RunDirectory;
use eval_report::Summary;

use crate::args::{DocumentFormat, ReportArgs, Verbosity};
use crate::commands::print_from;
use crate::documents::{self, Document, table};
use crate::error::CliError;
use crate::exit::Exit;
use crate::github;
use crate::recorded;

pub(crate) fn run(args: &ReportArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let summary = recorded::summary(&args.run)?;
    let total = &summary.total;
    if !summary.run.complete && !verbosity.quiet {
        let missing = total.canceled + total.unfinished;
        say!("the run is not complete: {missing} of {} trials have no verdict", total.planned);
    }
    match &args.output {
        None => print_from(|stdout| write(args, &summary, stdout))?,
        Some(path) => documents::write_file(path, |file| write(args, &summary, file)).map_err(|error| {
            CliError::wrap(Exit::Incomplete, format!("{} cannot be written", path.display()), &error)
        })?,
    }
    if args.github.github {
        github::tell(&summary);
    }
    Ok(Exit::Done)
}

fn write(args: &ReportArgs, summary: &Summary, writer: &mut dyn io::Write) -> io::Result<()> {
    let document = match args.format {
        DocumentFormat::Table => {
            let colour = args.output.is_none() && io::stdout().is_terminal();
            return writer.write_all(table(summary, &args.run, colour).as_bytes());
        }
        DocumentFormat::Jsonl => return events(args, writer),
        DocumentFormat::Json => Document::Json,
        DocumentFormat::Csv => Document::Csv,
        DocumentFormat::Junit => Document::Junit,
        DocumentFormat::Markdown => Document::Markdown,
        DocumentFormat::Html => Document::Html,
    };
    document.write(summary, &args.run, writer)
}

/// The events of a run, a line each.
fn events(args: &ReportArgs, writer: &mut dyn io::Write) -> io::Result<()> {
    let directory = RunDirectory::open(&args.run).map_err(io::Error::other)?;
    for event in directory.events().map_err(io::Error::other)? {
        serde_json::to_writer(&mut *writer, &event.map_err(io::Error::other)?)?;
        writer.write_all(b"\n")?;
    }
    Ok(())
}
