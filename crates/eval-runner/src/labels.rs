//! The labels (metadata) of everything that a run creates: by them it is found again.

use eval_record::ResourceRequest;
use runloop_types::Metadata;

/// Names the run.
pub(crate) const RUN: &str = "runloop-eval.run";

/// The key of the request that asked for it.
pub(crate) const KEY: &str = "runloop-eval.key";

/// What it is for.
pub(crate) const PURPOSE: &str = "runloop-eval.purpose";

/// The scenario of the trial.
pub(crate) const SCENARIO: &str = "runloop-eval.scenario";

/// The labels of what is asked for.
pub(crate) fn of(run_id: &str, request: &ResourceRequest) -> Metadata {
    let mut labels = Metadata::from([
        (RUN.to_owned(), run_id.to_owned()),
        (KEY.to_owned(), request.key.clone()),
        (PURPOSE.to_owned(), request.purpose.clone()),
    ]);
    if let Some(trial) = &request.trial {
        labels.insert(SCENARIO.to_owned(), trial.scenario.clone());
        labels.insert("runloop-eval.agent".to_owned(), trial.agent.clone());
        labels.insert("runloop-eval.trial".to_owned(), trial.repetition.to_string());
    }
    if let Some(attempt) = request.attempt {
        labels.insert("runloop-eval.attempt".to_owned(), attempt.to_string());
    }
    labels
}
