//! `command_scorer`: 1 if the command exits with 0, else 0.

use std::time::Duration;

use crate::bound::printed;
use crate::finding::Finding;
use crate::script::quiet_environment;
use crate::{Command, Workspace};

/// Runs the command. A command that cannot be found, or that is killed, exits with something else than 0 and scores 0.
pub(crate) async fn score<W: Workspace>(
    workspace: &W,
    command: &str,
    timeout: Duration,
) -> Result<Finding, W::Error> {
    if command.trim().is_empty() {
        return Ok(Finding::error("the scorer has no command: set `command`"));
    }
    let command = Command { line: command.to_owned(), env: quiet_environment(), timeout };
    let output = workspace.exec(&command).await?;
    Ok(match output.exit_status {
        None => Finding::timeout(timeout, &output),
        Some(0) => Finding::complete(1.0, printed(&output)),
        Some(status) => Finding::complete(0.0, format!("exit status {status}\n{}", printed(&output))),
    })
}
