//! The gate: does a run reach what was asked?
//!
//! It fails closed. A limit that the scored trials miss is a failure; one that they reach while too many trials have no
//! score is undecided, never a pass.

use crate::Measures;

/// What a run must reach. `None` asks for nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// Lowest mean score of the scored trials, 0 to 1.
    pub min_score: Option<f64>,
    /// Lowest share of the scored trials that passed, 0 to 1.
    pub min_pass_rate: Option<f64>,
    /// Most trials without a score; none unless set.
    pub max_invalid: Option<u32>,
}

/// What the gate says. Each reason is a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Every limit is reached.
    Pass,
    /// A limit is missed.
    Fail(Vec<String>),
    /// Too much is missing to say.
    Undecided(Vec<String>),
}

impl Decision {
    /// Why it is not a pass; empty for one.
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Pass => &[],
            Self::Fail(reasons) | Self::Undecided(reasons) => reasons,
        }
    }
}

/// Compares a run with its limits.
pub fn decide(limits: &Limits, total: &Measures) -> Decision {
    /// Scores are sums of weights that binary fractions cannot hold.
    const TOLERANCE: f64 = 1e-9;

    let floors = [
        ("mean score", limits.min_score, total.mean_score),
        ("pass rate", limits.min_pass_rate, total.pass_rate),
    ];
    let mut missed = Vec::new();
    let mut unknown = Vec::new();
    for (name, floor, value) in floors {
        match (floor, value) {
            (Some(floor), Some(value)) if value < floor - TOLERANCE => {
                missed.push(format!("the {name} is {value:.3}, below {floor:.3}"));
            }
            (Some(floor), None) => unknown.push(format!("there is no {name} to compare with {floor:.3}")),
            _ => {}
        }
    }
    let without_score = total.planned - total.scored;
    let allowed = u64::from(limits.max_invalid.unwrap_or(0));
    if without_score > allowed {
        unknown.push(format!("{without_score} of {} trials have no score, {allowed} may", total.planned));
    }
    if !missed.is_empty() {
        Decision::Fail(missed)
    } else if !unknown.is_empty() {
        Decision::Undecided(unknown)
    } else {
        Decision::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measures(planned: u64, scored: u64, mean: Option<f64>) -> Measures {
        Measures { planned, scored, mean_score: mean, pass_rate: mean, ..Measures::default() }
    }

    #[test]
    fn a_limit_that_is_reached_passes_also_to_the_last_bit() {
        let limits = Limits { min_score: Some(0.3), ..Limits::default() };
        assert_eq!(decide(&limits, &measures(3, 3, Some(0.1 + 0.2))), Decision::Pass);
        assert_eq!(decide(&limits, &measures(3, 3, Some(0.3 - 1e-12))), Decision::Pass);
    }

    #[test]
    fn a_missed_limit_fails_also_when_trials_are_missing() {
        let limits = Limits { min_score: Some(0.9), min_pass_rate: Some(0.9), max_invalid: None };
        let decision = decide(&limits, &measures(10, 8, Some(0.5)));
        assert!(matches!(&decision, Decision::Fail(reasons) if reasons.len() == 2), "{decision:?}");
    }

    #[test]
    fn missing_scores_leave_it_undecided_unless_they_were_allowed() {
        let strict = Limits { min_score: Some(0.5), ..Limits::default() };
        assert!(matches!(decide(&strict, &measures(10, 9, Some(1.0))), Decision::Undecided(_)));
        let lenient = Limits { max_invalid: Some(1), ..strict };
        assert_eq!(decide(&lenient, &measures(10, 9, Some(1.0))), Decision::Pass);
        assert!(matches!(decide(&lenient, &measures(1, 0, None)), Decision::Undecided(_)), "no score at all");
    }
}
