//! What to type after a run: the command that tells most about what did not go well.

use std::path::Path;

use eval_record::Cause;
use eval_report::{Summary, TrialStatus};

/// A command line for a POSIX shell. It tells about the infrastructure where that failed, else about the first failure with
/// logs, and where there is none it sums the run up.
pub(crate) fn command(summary: &Summary, directory: &Path) -> String {
    let invalid = || summary.trials.iter().filter(|trial| trial.status == TrialStatus::Invalid);
    let failed = summary
        .trials
        .iter()
        .filter(|trial| trial.status == TrialStatus::Scored && trial.passed != Some(true));
    if let Some(Cause::ProvisionFailed | Cause::RequirementMissing | Cause::DevboxLost) =
        invalid().next().and_then(|trial| trial.cause)
    {
        return "runloop-eval doctor".to_owned();
    }
    let logs = invalid().chain(failed).filter_map(|trial| trial.logs.as_deref());
    if let Some(logs) = logs.map(|logs| directory.join(logs)).find(|logs| has_files(logs)) {
        // What agent and scorers said is in files of one directory.
        return format!("tail -n +1 {}/*", quoted(&logs));
    }
    if summary.total.without_score() > 0 {
        return resume(directory);
    }
    format!("runloop-eval report {} --format markdown", quoted(directory))
}

/// Whether a pattern of the shell finds anything in a directory: logs may be gone, or elsewhere.
fn has_files(directory: &Path) -> bool {
    std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
}

/// The command that goes on with a run.
pub(crate) fn resume(directory: &Path) -> String {
    format!("runloop-eval run --resume {}", quoted(directory))
}

/// The command that ends what a run left.
pub(crate) fn cleanup(directory: &Path) -> String {
    format!("runloop-eval cleanup --run {}", quoted(directory))
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "-_./=,+~".contains(c);
    let is_plain = !text.is_empty() && text.chars().all(plain) && !text.starts_with(['-', '~']);
    if is_plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_whatever_they_hold() {
        assert_eq!(quoted(Path::new("runs/a~1/x=1")), "runs/a~1/x=1");
        assert_eq!(quoted(Path::new("my runs/it's")), r"'my runs/it'\''s'");
        assert_eq!(quoted(Path::new("~/x")), "'~/x'");
        assert_eq!(quoted(Path::new("a;b$(c)")), "'a;b$(c)'");
    }
}
