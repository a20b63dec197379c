//! `python_script_scorer`: the last line of standard output is a number from 0 to 1.

use std::time::Duration;

use crate::bound::{printed, quoted};
use crate::finding::Finding;
use crate::number::{last_line, parse_score};
use crate::python_version::{Release, fulfils};
use crate::script::{fresh_path, quiet_environment, run_script, shell_quoted};
use crate::{Command, Output, Workspace};

/// Isolated from the environment, the user's packages and the working directory; leaves no byte code behind.
const ISOLATED: &str = "-I -B";

/// A Python script with what it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PythonScript<'a> {
    pub(crate) text: &'a str,
    /// As in PEP 440; any Python 3 when absent.
    pub(crate) version_constraint: Option<&'a str>,
    /// Content of a requirements file.
    pub(crate) requirements: Option<&'a str>,
}

/// Runs the script in the working directory with the devbox's `python3`, or with `uv` where the script needs another
/// version or packages. Without `uv` such a script gives no score, and the message says what to do.
pub(crate) async fn score<W: Workspace>(
    workspace: &W,
    script: PythonScript<'_>,
    env: Vec<(String, String)>,
    timeout: Duration,
) -> Result<Finding, W::Error> {
    if script.text.trim().is_empty() {
        return Ok(Finding::error("the scorer has no script: set `python_script`"));
    }
    let constraint = script.version_constraint.map(str::trim).filter(|constraint| !constraint.is_empty());
    let requirements = script.requirements.filter(|requirements| lists_packages(requirements));
    let mut unmet = Vec::new();
    if let Some(constraint) = constraint {
        match version_need(workspace, constraint, timeout).await? {
            Ok(need) => unmet.extend(need),
            Err(finding) => return Ok(finding),
        }
    }
    if requirements.is_some() {
        unmet.push("it needs the packages of `requirements_contents`".to_owned());
    }
    if unmet.is_empty() {
        let output = run_script(workspace, &format!("python3 {ISOLATED}"), script.text, env, timeout).await?;
        return Ok(verdict(&output, timeout));
    }
    if !has_uv(workspace, timeout).await? {
        let message = format!(
            "the script cannot run here: {}, and the devbox has no `uv` to provide that: install uv, or install what is needed in the environment's setup and leave the field away",
            unmet.join("; ")
        );
        return Ok(Finding::error(message));
    }
    let mut interpreter = "uv run --quiet --isolated --no-project --no-config".to_owned();
    if let Some(constraint) = constraint {
        interpreter.push_str(&format!(" --python {}", shell_quoted(constraint)));
    }
    let requirements_path = match requirements {
        Some(requirements) => {
            let path = format!("{}.txt", fresh_path());
            workspace.write(&path, requirements.as_bytes()).await?;
            interpreter.push_str(&format!(" --with-requirements {path}"));
            Some(path)
        }
        None => None,
    };
    interpreter.push_str(&format!(" -- python {ISOLATED}"));
    let output = run_script(workspace, &interpreter, script.text, env, timeout).await?;
    if let Some(path) = requirements_path {
        let line = format!("rm -f -- {path}");
        workspace.exec(&Command { line, env: quiet_environment(), timeout }).await?;
    }
    Ok(verdict(&output, timeout))
}

/// Whether there is anything but blank lines and comments.
fn lists_packages(requirements: &str) -> bool {
    requirements.lines().map(str::trim).any(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What the devbox's `python3` lacks of a version constraint: nothing, a sentence, or a finding that ends the scorer.
async fn version_need<W: Workspace>(
    workspace: &W,
    constraint: &str,
    timeout: Duration,
) -> Result<Result<Option<String>, Finding>, W::Error> {
    let print = "import sys; print(\"%d.%d.%d\" % sys.version_info[:3])";
    let line = format!("python3 {ISOLATED} -c {} </dev/null", shell_quoted(print));
    let output = workspace.exec(&Command { line, env: quiet_environment(), timeout }).await?;
    if output.exit_status.is_none() {
        return Ok(Err(Finding::timeout(timeout, &output)));
    }
    let version: Option<Release> = last_line(output.answer()).and_then(|line| line.parse().ok());
    // A constraint that cannot be read is the author's mistake whether or not there is a Python to hold against it.
    let zero: Release = match "0".parse() {
        Ok(release) => release,
        Err(()) => return Ok(Ok(None)),
    };
    let fulfilled = match fulfils(version.as_ref().unwrap_or(&zero), constraint) {
        Ok(fulfilled) => fulfilled,
        Err(error) => return Ok(Err(Finding::error(format!("`python_version_constraint`: {error}")))),
    };
    Ok(Ok(match (version, fulfilled) {
        (Some(_), true) => None,
        (Some(_), false) => {
            let found = last_line(&output.stdout).unwrap_or_default();
            Some(format!("it needs Python {constraint}, python3 is {}", quoted(found)))
        }
        (None, _) => Some(format!("it needs Python {constraint}, and there is no python3")),
    }))
}

async fn has_uv<W: Workspace>(workspace: &W, timeout: Duration) -> Result<bool, W::Error> {
    let line = "command -v uv >/dev/null".to_owned();
    let output = workspace.exec(&Command { line, env: quiet_environment(), timeout }).await?;
    Ok(output.exit_status == Some(0))
}

/// Reads the verdict: the last line that is not blank is the number, alone or as `score=<number>`.
///
/// A script that exits with something else than 0 gives no score, whatever it printed: in Python that is an exception
/// nobody caught, and the last line may then be anyone's.
fn verdict(output: &Output, timeout: Duration) -> Finding {
    let status = match output.exit_status {
        None => return Finding::timeout(timeout, output),
        Some(status) => status,
    };
    if status == 127 && output.stdout.is_empty() {
        return Finding::error_after(
            "the devbox has no python3 (exit status 127): install it in the environment's setup",
            output,
        );
    }
    if status != 0 {
        let cause = last_line(&output.stderr).map(|line| format!(": {}", quoted(line))).unwrap_or_default();
        return Finding::error_after(format!("the script failed with exit status {status}{cause}"), output);
    }
    let Some(line) = last_line(output.answer()) else {
        return Finding::error_after(
            "the script printed nothing on standard output: print a number from 0 to 1 last",
            output,
        );
    };
    let score = |line: &str| parse_score(line.strip_prefix("score=").unwrap_or(line));
    match score(line) {
        Ok(score) => Finding::complete(score, printed(output)),
        Err(error) => {
            let error = last_line(&output.stdout).and_then(|shown| score(shown).err()).unwrap_or(error);
            let message = format!(
                "the script's last line {error}: print the score last and alone, other output before it or to standard error"
            );
            Finding::error_after(message, output)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionOutcome;

    fn verdict_on(exit_status: i32, stdout: &str, stderr: &str) -> Finding {
        let output = Output {
            exit_status: Some(exit_status),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            ..Output::default()
        };
        verdict(&output, Duration::from_secs(1))
    }

    #[test]
    fn the_last_line_is_the_number() {
        assert_eq!(verdict_on(0, "checking\n0.75\n", "").outcome, FunctionOutcome::Complete { score: 0.75 });
        assert_eq!(verdict_on(0, "score=1.0\n", "").outcome, FunctionOutcome::Complete { score: 1.0 });
    }

    #[test]
    fn a_number_within_a_line_is_none() {
        let finding = verdict_on(0, "3 tests in 0.5\n", "");
        assert!(
            finding
                .message
                .is_some_and(|message| message.contains("`3 tests in 0.5` is not a decimal number"))
        );
    }

    #[test]
    fn an_uncaught_exception_gives_no_score() {
        let finding = verdict_on(1, "1\n", "Traceback\nValueError: no\n");
        assert_eq!(finding.outcome, FunctionOutcome::Error);
        assert!(finding.message.is_some_and(|message| message.contains("`ValueError: no`")));
    }

    #[test]
    fn comments_are_not_packages() {
        assert!(!lists_packages("# none\n\n"));
        assert!(lists_packages("# one\npytest==8\n"));
    }
}
