//! `test_based_scorer`: files are written, then a command is run.

use std::time::Duration;

use runloop_types::TestFile;

use crate::bound::{printed, quoted};
use crate::finding::Finding;
use crate::script::{quiet_environment, shell_quoted};
use crate::tally::Tally;
use crate::{Command, Output, PassRate, Workspace, junit, tap};

/// Writes the files over whatever the agent put there, runs the command in the working directory, and scores by its exit
/// status: 1 for 0, else 0. With a pass rate, by the share of passed tests instead.
pub(crate) async fn score<W: Workspace>(
    workspace: &W,
    command: &str,
    files: &[TestFile],
    pass_rate: Option<&PassRate>,
    timeout: Duration,
) -> Result<Finding, W::Error> {
    if command.trim().is_empty() {
        return Ok(Finding::error("the scorer has no command: set `test_command`"));
    }
    if let Some(PassRate::Junit(path)) = pass_rate {
        if path.trim().is_empty() {
            return Ok(Finding::error("the scorer has no path of a JUnit report"));
        }
        // A report that is there beforehand is not the command's.
        let line = format!("rm -rf -- {}", shell_quoted(path));
        let removed = workspace.exec(&Command { line, env: quiet_environment(), timeout }).await?;
        if removed.exit_status != Some(0) {
            let message = format!("what stands at {} could not be removed before the tests", quoted(path));
            return Ok(Finding::error_after(message, &removed));
        }
    }
    for file in files {
        workspace.write(&file.file_path, file.file_contents.as_bytes()).await?;
    }
    let command = Command { line: command.to_owned(), env: quiet_environment(), timeout };
    let output = workspace.exec(&command).await?;
    let Some(status) = output.exit_status else { return Ok(Finding::timeout(timeout, &output)) };
    let report = match pass_rate {
        None => {
            let score = if status == 0 { 1.0 } else { 0.0 };
            return Ok(Finding::complete(score, said(&output, status)));
        }
        Some(PassRate::Tap) if output.stdout_cut => {
            Err("the output was too long to be kept whole: print less, or write a JUnit report".to_owned())
        }
        Some(PassRate::Tap) => tap::parse(output.answer()).map_err(|error| error.to_string()),
        Some(PassRate::Junit(path)) => match workspace.read(path).await? {
            None => Err(format!("there is no report at {}", quoted(path))),
            Some(content) => {
                junit::parse(&content).map_err(|error| format!("the report at {}: {error}", quoted(path)))
            }
        },
    };
    Ok(verdict(report, status, &output))
}

/// Scores by a report.
///
/// Without a report to go by, a command that failed scores 0 (code under test that takes its process down must not gain
/// from it), and one that succeeded gives no score: then something is wrong with the scorer.
fn verdict(report: Result<Tally, String>, status: i32, output: &Output) -> Finding {
    let reason = match report {
        Ok(tally) => match tally.pass_rate(status) {
            Some(score) => {
                let Tally { passed, failed, left_out } = tally;
                let summary = format!("{passed} passed, {failed} failed, {left_out} left out");
                return Finding::complete(score, format!("{summary}\n{}", said(output, status)));
            }
            None => "no test ran that counts".to_owned(),
        },
        Err(reason) => reason,
    };
    if status == 0 {
        return Finding::error_after(format!("the test command succeeded, but {reason}"), output);
    }
    Finding::complete(0.0, format!("{reason}\n{}", said(output, status)))
}

fn said(output: &Output, status: i32) -> String {
    if status == 0 { printed(output) } else { format!("exit status {status}\n{}", printed(output)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionOutcome;

    #[test]
    fn no_report_is_0_only_if_the_command_failed() {
        let output = Output { exit_status: Some(1), ..Output::default() };
        let failed = verdict(Err("there is none".to_owned()), 1, &output);
        assert_eq!(failed.outcome, FunctionOutcome::Complete { score: 0.0 });
        assert!(failed.output.starts_with("there is none\nexit status 1"), "{}", failed.output);
        let succeeded = verdict(Err("there is none".to_owned()), 0, &output);
        assert_eq!(succeeded.outcome, FunctionOutcome::Error);
        assert_eq!(succeeded.message.as_deref(), Some("the test command succeeded, but there is none"));
    }

    #[test]
    fn a_report_in_which_nothing_ran_is_none() {
        let finding = verdict(Ok(Tally { left_out: 3, ..Tally::default() }), 0, &Output::default());
        assert_eq!(finding.outcome, FunctionOutcome::Error);
    }
}
