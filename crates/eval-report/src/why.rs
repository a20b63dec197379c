//! Why a trial did not pass, in a sentence.

use eval_record::{AgentEnd, ScorerScore};

use crate::text::{counted, one_line};
use crate::{Trial, TrialStatus};

/// Scorers that are named; more are counted.
const NAMED: usize = 3;

/// Longest name of a scorer that is shown, in characters.
const NAME_LIMIT: usize = 60;

/// What there is to say of a trial that has no pass, on one line without control characters and without its message:
/// `score 0.250, agent exited with 1, by tests and lint` or `devbox_lost after 3 attempts`.
pub(crate) fn why(trial: &Trial) -> String {
    match (trial.status, trial.score) {
        (TrialStatus::Scored, Some(score)) => {
            format!("score {score:.3}{}", blame(trial.agent_end, &trial.scores))
        }
        (TrialStatus::Scored, None) => "no score".to_owned(),
        (TrialStatus::Unfinished, _) => "no verdict: the run ended first".to_owned(),
        (TrialStatus::Invalid | TrialStatus::Canceled, _) => {
            let mut text = trial.cause.map_or(trial.status.as_str(), |cause| cause.as_str()).to_owned();
            if trial.attempts > 1 {
                text += &format!(" after {} attempts", trial.attempts);
            }
            text
        }
    }
}

/// Why a score is low, as far as it is known, to be put behind it: an agent that did not end well, and the scorers that gave
/// less than everything, such as `, agent exited with 1, by tests, lint`. Empty where nothing is known.
pub fn blame(agent_end: Option<AgentEnd>, scores: &[ScorerScore]) -> String {
    let mut text = bad_end(agent_end).map(|end| format!(", {end}")).unwrap_or_default();
    let refused = refused(scores);
    if scores.len() > 1 && !refused.is_empty() {
        text += &format!(", by {refused}");
    }
    text
}

/// How an agent ended that did not end well.
pub(crate) fn bad_end(agent_end: Option<AgentEnd>) -> Option<String> {
    match agent_end? {
        AgentEnd::Exited { exit_status: 0 } => None,
        AgentEnd::Exited { exit_status } => Some(format!("agent exited with {exit_status}")),
        AgentEnd::TimedOut => Some("agent ran out of time".to_owned()),
        AgentEnd::ExhaustedDevbox => Some("agent exhausted its devbox".to_owned()),
    }
}

/// The scorers that gave less than everything.
fn refused(scores: &[ScorerScore]) -> String {
    let refused: Vec<String> = scores
        .iter()
        .filter(|scorer| scorer.score.is_some_and(|score| score < 1.0))
        .map(|scorer| one_line(&scorer.name, NAME_LIMIT))
        .collect();
    let named = refused.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match refused.len() {
        0..=NAMED => named,
        more => format!("{named} and {}", counted(more - NAMED, "other scorer")),
    }
}
