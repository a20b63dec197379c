//! From the gate of a definition to limits and exit codes.

use std::path::Path;

use eval_builder::Gate;
use eval_report::baseline::Baseline;
use eval_report::gate::{Decision, Limits, Reference};

use crate::error::CliError;
use crate::exit::Exit;

/// What a benchmark asks for.
pub(crate) fn limits(gate: &Gate) -> Limits {
    Limits {
        min_score: gate.min_score,
        min_pass_rate: gate.min_pass_rate,
        floors: gate.floors.clone(),
        max_invalid: gate.max_invalid,
        max_regression: gate.max_regression,
        max_cost: gate.max_cost,
        places: gate.places.clone(),
    }
}

/// Reads the baseline, if one is named. A file that is not there is none, which the gate calls undecided: the run that the first
/// baseline is saved from must be possible.
pub(crate) fn reference(file: Option<&Path>) -> Result<Option<Reference>, CliError> {
    let Some(file) = file else { return Ok(None) };
    let shown = file.display().to_string();
    let unusable = |error: &dyn std::error::Error| {
        CliError::wrap(Exit::Usage, format!("the baseline {shown} cannot be used"), error)
            .hint("`runloop-eval baseline save RUN -o FILE` writes one")
    };
    let text = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            anstream::eprintln!(
                "there is no baseline {shown} yet; `runloop-eval baseline save RUN -o {shown}` writes it"
            );
            return Ok(None);
        }
        read => read.map_err(|error| unusable(&error))?,
    };
    let baseline = Baseline::read(&text).map_err(|error| unusable(&error))?;
    let lines = baseline.places(&text);
    Ok(Some(Reference { baseline, file: shown, lines }))
}

/// How the program ends after a decision.
pub(crate) fn exit(decision: Decision) -> Exit {
    match decision {
        Decision::Pass => Exit::Done,
        Decision::Fail => Exit::Failed,
        Decision::Undecided => Exit::Incomplete,
    }
}
