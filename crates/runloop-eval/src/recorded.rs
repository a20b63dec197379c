//! Runs that were recorded before.

use std::path::Path;

use eval_record::RunDirectory;
use eval_report::Summary;

use crate::documents;
use crate::error::CliError;
use crate::exit::Exit;

/// Folds the events of a run directory, and says what its gate decided.
pub(crate) fn summary(directory: &Path) -> Result<Summary, CliError> {
    let unusable = |error: &dyn std::error::Error| {
        CliError::wrap(Exit::Usage, "this run cannot be read", error)
            .hint("name the directory that `run` printed, such as runs/20260101T120000Z-swe-1234abcd")
    };
    let run = RunDirectory::open(directory).map_err(|error| unusable(&error))?;
    let recorded = run.events().map_err(|error| unusable(&error))?;
    if recorded.torn {
        say!(
            "{}: the last event is unfinished and was left out: the run was killed, or goes on",
            directory.display()
        );
    }
    Ok(Summary { gate: documents::verdict(directory), ..Summary::from_events(&recorded.events) })
}
