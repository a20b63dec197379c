//! From what is asked of a run to a decision and an exit code.

use std::path::Path;

use eval_builder::Gate;
use eval_record::TypedLimits;
use eval_report::Summary;
use eval_report::baseline::Baseline;
use eval_report::gate::{Decision, Limits, Reference, Verdict, judge};

use crate::error::CliError;
use crate::exit::Exit;

/// What a run is held against.
pub(crate) struct Gating {
    pub(crate) limits: Limits,
    pub(crate) reference: Option<Reference>,
}

impl Gating {
    /// What a benchmark and the options ask for together; `None` if they ask for nothing.
    pub(crate) fn new(
        asked: Option<&Gate>,
        typed: &TypedLimits,
        max_cost: Option<f64>,
    ) -> Result<Option<Self>, CliError> {
        let file = typed.baseline.as_deref().or(asked.and_then(|gate| gate.baseline.as_deref()));
        if typed.max_regression.is_some() && file.is_none() {
            return Err(CliError::new(Exit::Usage, "--max-regression needs a --baseline")
                .hint("`runloop-eval baseline save RUN -o FILE` writes one"));
        }
        let limits = merged(asked.map(of_benchmark).unwrap_or_default(), typed, max_cost);
        if asked.is_none() && limits == Limits::default() {
            return Ok(None);
        }
        Ok(Some(Self { limits, reference: reference(file)? }))
    }

    pub(crate) fn judge(&self, summary: &Summary) -> Verdict {
        judge(&self.limits, self.reference.as_ref(), summary)
    }
}

fn of_benchmark(gate: &Gate) -> Limits {
    Limits {
        min_score: gate.min_score,
        min_pass_rate: gate.min_pass_rate,
        floors: gate.floors.clone(),
        max_invalid: gate.max_invalid,
        max_flagged: gate.max_flagged,
        max_regression: gate.max_regression,
        max_cost: gate.max_cost,
        places: gate.places.clone(),
    }
}

/// Options replace what the benchmark says, and so does their place. A baseline asks for no drop, unless one is allowed.
fn merged(mut limits: Limits, typed: &TypedLimits, max_cost: Option<f64>) -> Limits {
    let mut replace = |key: &str, value: Option<f64>, limit: &mut Option<f64>| {
        if value.is_some() {
            *limit = value;
            limits.places.remove(key);
        }
    };
    replace("min_score", typed.min_score, &mut limits.min_score);
    replace("min_pass_rate", typed.min_pass_rate, &mut limits.min_pass_rate);
    replace("max_regression", typed.max_regression, &mut limits.max_regression);
    replace("max_cost", max_cost, &mut limits.max_cost);
    for (key, value, limit) in [
        ("max_invalid", typed.max_invalid, &mut limits.max_invalid),
        ("max_flagged", typed.max_flagged, &mut limits.max_flagged),
    ] {
        if value.is_some() {
            *limit = value;
            limits.places.remove(key);
        }
    }
    for (scenario, floor) in &typed.floors {
        limits.floors.insert(scenario.clone(), *floor);
        limits.places.remove(&format!("floors.{scenario}"));
    }
    if typed.baseline.is_some() {
        limits.max_regression.get_or_insert(0.0);
    }
    limits
}

/// Reads the baseline, if one is named. A file that is not there is none, which the gate calls undecided: the run that the first
/// baseline is saved from must be possible.
fn reference(file: Option<&Path>) -> Result<Option<Reference>, CliError> {
    let Some(file) = file else { return Ok(None) };
    let shown = file.display().to_string();
    let unusable = |error: &dyn std::error::Error| {
        CliError::wrap(Exit::Usage, format!("the baseline {shown} cannot be used"), error)
            .hint("`runloop-eval baseline save RUN -o FILE` writes one")
    };
    let text = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            say!("there is no baseline {shown} yet; `runloop-eval baseline save RUN -o {shown}` writes it");
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
