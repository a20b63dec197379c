//! `bash_script_scorer`: the last line of standard output says `score=<0..1>`.

use std::time::Duration;

use crate::bound::{printed, quoted};
use crate::finding::Finding;
use crate::number::{last_line, parse_score};
use crate::script::run_script;
use crate::{Output, Workspace};

/// Reads no start-up file.
const BASH: &str = "bash --noprofile --norc";

/// Runs the script in the working directory.
pub(crate) async fn score<W: Workspace>(
    workspace: &W,
    script: &str,
    env: Vec<(String, String)>,
    timeout: Duration,
) -> Result<Finding, W::Error> {
    if script.trim().is_empty() {
        return Ok(Finding::error("the scorer has no script: set `bash_script`"));
    }
    let output = run_script(workspace, BASH, script, env, timeout).await?;
    Ok(verdict(&output, timeout))
}

/// Reads the verdict. As in the API, the line decides, whatever the exit status: only the last line that is not blank,
/// and on standard output, so that a score printed in the middle (by code under test, say) does not count.
fn verdict(output: &Output, timeout: Duration) -> Finding {
    let Some(status) = output.exit_status else { return Finding::timeout(timeout, output) };
    let ended = if status == 0 { String::new() } else { format!(" (exit status {status})") };
    let Some(line) = last_line(output.answer()) else {
        let message =
            format!("the script printed nothing on standard output{ended}: print `score=<0..1>` last");
        return Finding::error_after(message, output);
    };
    let shown = last_line(&output.stdout).unwrap_or_default();
    let Some(number) = line.strip_prefix("score=") else {
        let message = format!(
            "the script's last line is {}, not `score=<0..1>`{ended}: print the score last, other output before it or to standard error",
            quoted(shown)
        );
        return Finding::error_after(message, output);
    };
    match parse_score(number) {
        Ok(score) => Finding::complete(score, printed(output)),
        Err(error) => {
            let error = parse_score(shown.trim_start_matches("score=")).err().unwrap_or(error);
            Finding::error_after(format!("the script's score {error}{ended}"), output)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionOutcome;

    fn verdict_on(exit_status: Option<i32>, stdout: &str) -> Finding {
        let output = Output { exit_status, stdout: stdout.to_owned(), ..Output::default() };
        verdict(&output, Duration::from_secs(1))
    }

    #[test]
    fn the_last_line_decides() {
        let finding = verdict_on(Some(0), "score=1\nworking\nscore=0.25\n\n");
        assert_eq!(finding.outcome, FunctionOutcome::Complete { score: 0.25 });
    }

    #[test]
    fn the_exit_status_does_not() {
        assert_eq!(verdict_on(Some(1), "score=0.5").outcome, FunctionOutcome::Complete { score: 0.5 });
    }

    #[test]
    fn a_score_in_the_middle_is_none() {
        let finding = verdict_on(Some(1), "score=1\ndone\n");
        assert_eq!(finding.outcome, FunctionOutcome::Error);
        let message = finding.message.expect("an error says why");
        assert!(message.contains("`done`") && message.contains("exit status 1"), "{message}");
    }

    #[test]
    fn what_is_hidden_from_people_still_counts_and_is_not_shown() {
        let output = |answer: &str, shown: &str| Output {
            exit_status: Some(0),
            stdout: shown.to_owned(),
            hidden_stdout: Some(answer.to_owned()),
            ..Output::default()
        };
        let finding = verdict(&output("score=0.1234", "score=0.***"), Duration::from_secs(1));
        assert_eq!(finding.outcome, FunctionOutcome::Complete { score: 0.1234 });
        for answer in ["key 1234", "score=1234"] {
            let finding = verdict(&output(answer, &answer.replace("1234", "***")), Duration::from_secs(1));
            assert_eq!(finding.outcome, FunctionOutcome::Error);
            assert!(!format!("{finding:?}").contains("1234"), "{finding:?}");
        }
    }

    #[test]
    fn silence_is_an_error() {
        let finding = verdict_on(Some(127), "");
        assert!(finding.message.is_some_and(|message| message.contains("printed nothing")));
    }

    #[test]
    fn no_end_is_a_timeout_even_with_a_score() {
        assert_eq!(verdict_on(None, "score=1").outcome, FunctionOutcome::Timeout);
    }
}
