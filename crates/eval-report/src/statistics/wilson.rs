//! The score interval of a share.
//!
//! E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
//! Statistical Association 22 (1927), 209-212. With p = passed / total and the normal quantile z, its ends are
//!
//! ```text
//! (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)
//! ```
//!
//! Unlike p ± z √(p(1 − p)/n) it stays within 0 and 1 and has a width where all or none passed. It takes trials as
//! independent: repetitions of one scenario are less than that, so with them it is somewhat too narrow.

use super::Interval;

/// The normal distribution's quantile for 95 %, two-sided.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % interval of the share that passed; `None` of nothing.
pub fn wilson(passed: u64, total: u64) -> Option<Interval> {
    wilson_of(passed as f64 / total as f64, total)
}

/// The same of a mean of scores from 0 to 1, which is a share where each is 0 or 1.
pub(crate) fn wilson_of(mean: f64, total: u64) -> Option<Interval> {
    if total == 0 {
        return None;
    }
    let (p, n) = (mean.clamp(0.0, 1.0), total as f64);
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let reach = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // The ends are 0 and 1 exactly where none or all passed; rounding would miss them.
    let low = if p <= 0.0 { 0.0 } else { (centre - reach) / scale };
    let high = if p >= 1.0 { 1.0 } else { (centre + reach) / scale };
    Some(Interval { low: low.clamp(0.0, p), high: high.clamp(p, 1.0) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Table I of R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
    /// (1998), 857-872: method 3.
    #[test]
    fn published_values_are_met() {
        for (passed, total, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson(passed, total).expect("trials");
            assert!((interval.low - low).abs() < 5e-5, "{passed}/{total}: {interval:?}");
            assert!((interval.high - high).abs() < 5e-5, "{passed}/{total}: {interval:?}");
        }
    }

    #[test]
    fn nothing_has_no_interval() {
        assert_eq!(wilson(0, 0), None);
    }

    /// The second implementation: the ends are where the score test just holds, found by bisection.
    fn by_bisection(passed: u64, total: u64) -> (f64, f64) {
        let (n, share) = (total as f64, passed as f64 / total as f64);
        let holds = |p: f64| (share - p).abs() <= Z * (p * (1.0 - p) / n).sqrt();
        let edge = |mut inside: f64, mut outside: f64| {
            for _ in 0..200 {
                let middle = f64::midpoint(inside, outside);
                if holds(middle) { inside = middle } else { outside = middle }
            }
            inside
        };
        (edge(share, 0.0), edge(share, 1.0))
    }

    proptest! {
        #[test]
        fn it_is_the_inverse_of_the_score_test(total in 1u64..2000, share in 0.0..=1.0f64) {
            let passed = ((total as f64) * share) as u64;
            let interval = wilson(passed, total).expect("trials");
            let (low, high) = by_bisection(passed, total);
            prop_assert!((interval.low - low).abs() < 1e-9, "{interval:?} {low}");
            prop_assert!((interval.high - high).abs() < 1e-9, "{interval:?} {high}");
        }

        #[test]
        fn it_holds_the_estimate_and_mirrors(total in 1u64..500, share in 0.0..=1.0f64) {
            let passed = ((total as f64) * share) as u64;
            let interval = wilson(passed, total).expect("trials");
            let p = passed as f64 / total as f64;
            prop_assert!(interval.low <= p && p <= interval.high);
            let mirrored = wilson(total - passed, total).expect("trials");
            prop_assert!((mirrored.low - (1.0 - interval.high)).abs() < 1e-12);
        }
    }
}
