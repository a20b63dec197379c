//! One verdict as a line.

use eval_record::{Cause, PlannedTrial, TrialKey, TrialResult, TrialState};
use eval_report::{blame, one_line};

use super::Purpose;
use crate::header::counted;

const GREEN: &str = "\x1b[1;32m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// `    PASS [   0.8s] ( 3/16) scenario · agent · 1`, with the reason of what is not a pass. `anstream` takes the colours
/// away where they are not wanted.
pub(crate) fn verdict(result: &TrialResult, purpose: Purpose, finished: usize, planned: usize) -> String {
    let passed = result.passed == Some(true);
    let (colour, word) = match (result.state, purpose) {
        (TrialState::Scored, Purpose::Judge) if passed => (GREEN, "PASS"),
        (TrialState::Scored, Purpose::Judge) => (RED, "FAIL"),
        (TrialState::Scored, Purpose::Validate) if purpose.is_good(result) => (GREEN, "OK"),
        (TrialState::Scored, Purpose::Validate) => (RED, "BROKEN"),
        (TrialState::Invalid, _) => (YELLOW, "INVALID"),
        (TrialState::Canceled, _) => (DIM, "CANCELED"),
    };
    let seconds = result.durations_ms.values().sum::<u64>() as f64 / 1000.0;
    let width = planned.to_string().len();
    let mut text =
        format!("{colour}{word:>9}{PLAIN} [{seconds:>7.2}s] ({finished:>width$}/{planned}) {}", result.trial);
    match (result.state, result.score, result.cause) {
        (TrialState::Scored, Some(score), _) if !passed => {
            text += &format!("  score {score:.2}");
            if purpose == Purpose::Judge {
                text += &blame(result.agent_end, &result.scores);
            }
        }
        (TrialState::Invalid | TrialState::Canceled, _, Some(cause)) => {
            text += &format!("  {}", cause.as_str())
        }
        _ => {}
    }
    if !passed && let Some(message) = &result.message {
        text += &format!(": {}", printable(message));
    }
    text
}

/// An attempt that is invalid and made again: `   RETRY scenario · agent · 1  attempt 1: devbox_lost: the devbox ended`.
pub(crate) fn retry(trial: &TrialKey, attempt: u32, cause: Cause, message: &str) -> String {
    let (cause, message) = (cause.as_str(), printable(message));
    format!("{YELLOW}{:>9}{PLAIN} {trial}  attempt {attempt}: {cause}: {message}", "RETRY")
}

/// Trials that are added: `   ROUND 32 more trials, repetitions 4 to 5`.
pub(crate) fn round(planned: &[PlannedTrial]) -> String {
    let repetitions = || planned.iter().map(|planned| planned.trial.repetition);
    let (first, last) = (repetitions().min().unwrap_or(0), repetitions().max().unwrap_or(0));
    let trials = counted(planned.len(), "more trial");
    format!("{DIM}{:>9}{PLAIN} {trials}, repetitions {first} to {last}", "ROUND")
}

/// An agent that is not repeated any more: ` DECIDED mine after 5 repetitions: the gate passes`.
pub(crate) fn decided(agent: &str, repetitions: u32, why: &str) -> String {
    let (agent, why) = (printable(agent), printable(why));
    format!(
        "{DIM}{:>9}{PLAIN} {agent} after {}: {why}",
        "DECIDED",
        counted(repetitions as usize, "repetition")
    )
}

/// Text that came from outside, on one line and so that no agent writes to the terminal or commands a CI system.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 300;

    one_line(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use eval_record::{AgentEnd, Phase};

    use super::*;

    fn result(state: TrialState) -> TrialResult {
        TrialResult {
            durations_ms: BTreeMap::from([(Phase::Agent, 1200), (Phase::Scoring, 300)]),
            ..TrialResult::bare(
                TrialKey { scenario: "fix".into(), agent: "mine".into(), repetition: 2 },
                "",
                state,
            )
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_pass_is_short_and_a_failure_tells_its_score() {
        let pass = TrialResult { score: Some(1.0), passed: Some(true), ..result(TrialState::Scored) };
        assert_eq!(
            plain(&verdict(&pass, Purpose::Judge, 3, 16)),
            "     PASS [   1.50s] ( 3/16) fix · mine · 2"
        );
        let fail = TrialResult { score: Some(0.25), passed: Some(false), ..result(TrialState::Scored) };
        assert_eq!(
            plain(&verdict(&fail, Purpose::Judge, 4, 16)),
            "     FAIL [   1.50s] ( 4/16) fix · mine · 2  score 0.25"
        );
    }

    #[test]
    fn a_failure_says_how_the_agent_ended_and_which_scorers_refused() {
        let scorer = |name: &str, score| eval_record::ScorerScore {
            name: name.to_owned(),
            weight: 0.5,
            score: Some(score),
            duration_ms: 1,
            output: String::new(),
        };
        let fail = TrialResult {
            score: Some(0.5),
            passed: Some(false),
            agent_end: Some(AgentEnd::Exited { exit_status: 127 }),
            scores: vec![scorer("tests", 0.0), scorer("lint", 1.0)],
            ..result(TrialState::Scored)
        };
        let line = plain(&verdict(&fail, Purpose::Judge, 1, 1));
        assert!(line.ends_with("score 0.50, agent exited with 127, by tests"), "{line}");
    }

    #[test]
    fn in_a_validation_only_the_oracle_is_to_pass() {
        let low = TrialResult { score: Some(0.0), passed: Some(false), ..result(TrialState::Scored) };
        assert!(plain(&verdict(&low, Purpose::Validate, 1, 1)).starts_with("       OK"));
        let high = TrialResult { score: Some(1.0), passed: Some(true), ..result(TrialState::Scored) };
        assert!(plain(&verdict(&high, Purpose::Validate, 1, 1)).starts_with("   BROKEN"));
    }

    #[test]
    fn rounds_say_what_is_added_and_why_no_more_is() {
        let planned = |repetition| PlannedTrial {
            trial: TrialKey { scenario: "fix".into(), agent: "mine".into(), repetition },
            digest: String::new(),
            metadata: BTreeMap::new(),
        };
        let line = plain(&round(&[planned(4), planned(5)]));
        assert_eq!(line, "    ROUND 2 more trials, repetitions 4 to 5");
        assert_eq!(plain(&decided("mine", 5, "why\nnot")), "  DECIDED mine after 5 repetitions: why not");
    }

    #[test]
    fn hostile_text_stays_text() {
        let message = Some("\x1b[2Jgone\nforged line".to_owned());
        let lost = TrialResult { cause: Some(Cause::DevboxLost), message, ..result(TrialState::Invalid) };
        let line = verdict(&lost, Purpose::Judge, 1, 1);
        assert!(!line.contains('\n') && !line.contains("\x1b[2J"), "{line:?}");
        assert!(line.contains("devbox_lost"), "{line}");
        assert_eq!(printable("a ##[set-output name=x]y"), "a ## [set-output name=x]y");
    }

    #[test]
    fn an_attempt_that_is_made_again_says_why() {
        let line = plain(&retry(&result(TrialState::Invalid).trial, 1, Cause::ApiError, "no\nanswer"));
        assert_eq!(line, "    RETRY fix · mine · 2  attempt 1: api_error: no answer");
    }
}
