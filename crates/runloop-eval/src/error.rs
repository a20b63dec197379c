//! The one error of the command line: what went wrong, what to do next, and the exit code.

use std::error::Error;
use std::fmt::Write as _;

use crate::exit::Exit;

/// What ends a command early.
#[derive(Debug)]
pub(crate) struct CliError {
    /// What happened and where, with all causes.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// How the program ends.
    pub(crate) exit: Exit,
}

impl CliError {
    /// An error with a message of its own.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit }
    }

    /// Wraps an error and its chain of sources.
    pub(crate) fn wrap(exit: Exit, what: impl Into<String>, error: &dyn Error) -> Self {
        let mut message = what.into();
        let mut next = Some(error);
        while let Some(error) = next {
            // Writing to a string cannot fail.
            let _ = write!(message, ": {error}");
            next = error.source();
        }
        Self::new(exit, message)
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
