//! What the records of runs say.

use std::path::Path;

use eval_record::{ReadError, RunDirectory};
use eval_report::{Summary, SummaryFold};

use crate::documents;
use crate::error::CliError;
use crate::exit::Exit;

/// What a record comes to.
pub(crate) struct Sum {
    /// Without what a gate decided.
    pub(crate) summary: Summary,
    /// Whether its last event is unfinished and was left out.
    pub(crate) is_torn: bool,
}

/// Sums up the events of a run.
pub(crate) fn sum(directory: &RunDirectory) -> Result<Sum, ReadError> {
    let (mut events, mut fold) = (directory.events()?, SummaryFold::default());
    for event in &mut events {
        fold.take(&event?);
    }
    Ok(Sum { summary: fold.finish(), is_torn: events.is_torn() })
}

/// A run that was recorded before.
fn open(directory: &Path) -> Result<RunDirectory, CliError> {
    RunDirectory::open(directory).map_err(|error| {
        CliError::wrap(Exit::Usage, "this run cannot be read", &error)
            .hint("name the directory that `run` printed, such as runs/20260101T120000Z-swe-1234abcd")
    })
}

/// The summary of a run that was recorded before, with what its gate decided.
pub(crate) fn summary(directory: &Path) -> Result<Summary, CliError> {
    let Sum { summary, is_torn } = sum(&open(directory)?).map_err(|error| damaged(&error))?;
    if summary.run.started_at_ms.is_none() {
        let message = format!("{} has no events: the run ended before it began", directory.display());
        return Err(CliError::new(Exit::Incomplete, message));
    }
    if is_torn {
        say!(
            "{}: the last event is unfinished and was left out: the run was killed, or goes on",
            directory.display()
        );
    }
    Ok(Summary { gate: documents::verdict(directory), ..summary })
}

/// A record that does not say what it should.
fn damaged(error: &ReadError) -> CliError {
    CliError::wrap(Exit::Incomplete, "the record cannot be used", error)
}
