//! `baseline`: what a run scored, as a file to commit.

use eval_report::baseline::Baseline;

use crate::args::{BaselineArgs, BaselineCommand, BaselineSaveArgs, Verbosity};
use crate::error::CliError;
use crate::exit::Exit;
use crate::header::counted;
use crate::recorded;

pub(crate) fn run(args: &BaselineArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    match &args.command {
        BaselineCommand::Save(args) => save(args, verbosity),
    }
}

fn save(args: &BaselineSaveArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let summary = recorded::summary(&args.run)?;
    let missing = summary.total.without_score();
    if summary.total.scored == 0 || (missing > 0 && !args.allow_missing) {
        let message = format!("{missing} of {} trials have no score", summary.total.planned);
        return Err(CliError::new(Exit::Incomplete, message)
            .hint("save a complete run; --allow-missing saves the scores that there are"));
    }
    let baseline = Baseline::of(&summary).map_err(|error| {
        CliError::new(Exit::Incomplete, format!("{error}")).hint("save a run of one definition")
    })?;
    let unwritable = |error: &dyn std::error::Error| {
        CliError::wrap(Exit::Incomplete, format!("{} cannot be written", args.output.display()), error)
    };
    let text = baseline.to_text().map_err(|error| unwritable(&error))?;
    std::fs::write(&args.output, text).map_err(|error| unwritable(&error))?;
    if !verbosity.quiet {
        let scenarios = baseline.agents.values().map(std::collections::BTreeMap::len).sum();
        say!(
            "{}: {} of {}; gate on it with `runloop-eval gate RUN --baseline {}`",
            args.output.display(),
            counted(scenarios, "scenario"),
            counted(baseline.agents.len(), "agent"),
            args.output.display()
        );
    }
    Ok(Exit::Done)
}
