//! The commands, one file each.

pub(crate) mod agents;
pub(crate) mod baseline;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod cleanup;
pub(crate) mod compare;
pub(crate) mod doctor;
pub(crate) mod gate;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod validate;
pub(crate) mod view;

use std::io::{self, BufWriter, Write};

use crate::error::CliError;
use crate::exit::Exit;

/// Writes to standard output. A reader that went away (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    print_from(|stdout| stdout.write_all(text.as_bytes()))
}

/// Has something written to standard output, as [`print()`] does, that is too long to be made first.
pub(crate) fn print_from(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), CliError> {
    let mut stdout = BufWriter::new(anstream::stdout().lock());
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::wrap(Exit::Incomplete, "standard output cannot be written", &error))
        }
        _ => Ok(()),
    }
}

/// Pretty JSON with a newline.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::wrap(Exit::Incomplete, "this cannot be written as JSON", &error))?;
    print(&(text + "\n"))
}
