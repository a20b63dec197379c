//! The interval of the difference between two means of scores from 0 to 1.
//!
//! R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven methods",
//! Statistics in Medicine 17 (1998), 873-890, method 10: with the Wilson intervals (l₁, u₁) and (l₂, u₂) of the means p₁ and p₂,
//!
//! ```text
//! p₂ − p₁ − √((p₂ − l₂)² + (u₁ − p₁)²)   to   p₂ − p₁ + √((u₂ − p₂)² + (p₁ − l₁)²)
//! ```
//!
//! Scores between 0 and 1 vary less than passes with the same mean do (see [`super::trial_variance`]), so for them it is
//! somewhat too wide. It takes trials as independent, which those of one scenario are.

use super::Interval;
use super::wilson::wilson_of;

/// The 95 % interval of after − before, each a mean and its number of trials; -1 to 1. `None` if there are none on a side.
pub fn newcombe(before: (f64, u64), after: (f64, u64)) -> Option<Interval> {
    let of = |(mean, trials): (f64, u64)| Some((mean, wilson_of(mean, trials)?));
    let ((p1, of1), (p2, of2)) = (of(before)?, of(after)?);
    let difference = p2 - p1;
    Some(Interval {
        low: (difference - (p2 - of2.low).hypot(of1.high - p1)).clamp(-1.0, 1.0),
        high: (difference + (of2.high - p2).hypot(p1 - of1.low)).clamp(-1.0, 1.0),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Table II of the paper.
    #[test]
    fn published_values_are_met() {
        for ((a, m), (b, n), low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((0, 10), (0, 10), -0.2775, 0.2775),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            let share = |part: u32, whole: u32| (f64::from(part) / f64::from(whole), u64::from(whole));
            let interval = newcombe(share(b, n), share(a, m)).expect("trials");
            assert!((interval.low - low).abs() < 5.1e-5, "{a}/{m} - {b}/{n}: {interval:?}");
            assert!((interval.high - high).abs() < 5.1e-5, "{a}/{m} - {b}/{n}: {interval:?}");
        }
    }

    #[test]
    fn a_side_without_trials_has_no_interval() {
        assert_eq!(newcombe((0.0, 0), (1.0, 5)), None);
    }

    proptest! {
        #[test]
        fn it_holds_the_difference_and_mirrors(
            p in 0.0..=1.0f64, m in 1u64..300, q in 0.0..=1.0f64, n in 1u64..300,
        ) {
            let interval = newcombe((p, m), (q, n)).expect("trials");
            prop_assert!(interval.low <= q - p && q - p <= interval.high);
            let mirrored = newcombe((q, n), (p, m)).expect("trials");
            prop_assert!((interval.low + mirrored.high).abs() < 1e-12, "{interval:?} {mirrored:?}");
        }
    }
}
