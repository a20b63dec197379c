//! What a plan can see: the smallest drop of the mean score that is found 4 times of 5.
//!
//! H. S. Bloom, "Minimum detectable effects: a simple way to report the statistical power of experimental designs", Evaluation
//! Review 19 (1995), 547-556: (z₀.₉₅ + z₀.₈) × the standard error of the difference, for a one-sided test at 5 % with a
//! power of 80 %. Scenarios are the same on both sides, so only their trials vary: with variances s² and t² of a trial before
//! and after, and aᵢ and bᵢ trials of scenario i of n, the squared error is Σ(s²/aᵢ + t²/bᵢ)/n².
//!
//! Two things make less visible than that, and are counted in. Scores that drop from a mean m near 1 towards ½ vary more, as
//! passes do: t² is s² times the ratio of m(1 − m) after and before, but never less than s². And counts move in steps: J. L.
//! Fleiss, A. Tytun and H. K. Ury, "A simple approximation for calculating sample sizes for comparing independent proportions",
//! Biometrics 36 (1980), 343-346, add one trial's worth. `cargo xtask stats` shows what comes of it.

use super::normal::{bisect, normal_quantile};

/// Chance to call no change a drop.
const ALARM: f64 = 0.05;

/// Chance to see a drop of this size.
const POWER: f64 = 0.8;

/// Bloom's multiplier of the standard error.
fn multiplier() -> f64 {
    normal_quantile(1.0 - ALARM) + normal_quantile(POWER)
}

/// The smallest drop that is found 4 times of 5, 0 to 1, given the mean score before, the variance of a trial's score, and how
/// many trials each scenario has before and after. `None` without scenarios or with a scenario without trials.
pub fn detectable_drop(mean: f64, variance: f64, trials: &[(u64, u64)]) -> Option<f64> {
    if trials.is_empty() || trials.iter().any(|(before, after)| *before == 0 || *after == 0) {
        return None;
    }
    let count = trials.len() as f64;
    let inverse = |of: fn(&(u64, u64)) -> u64| -> f64 {
        trials.iter().map(|trials| 1.0 / of(trials) as f64).sum::<f64>() / (count * count)
    };
    let (before, after) = (inverse(|trials| trials.0), inverse(|trials| trials.1));
    let spread = |mean: f64| mean.clamp(0.0, 1.0) * (1.0 - mean.clamp(0.0, 1.0));
    let needed = |drop: f64| {
        let growth = if spread(mean) > 0.0 { (spread(mean - drop) / spread(mean)).max(1.0) } else { 1.0 };
        multiplier() * (variance * (before + growth * after)).sqrt() + after
    };
    // The smallest drop that is as large as it needs to be.
    Some(bisect(0.0, 1.0, |drop| drop < needed(drop)))
}

/// The variance of a trial's score about its scenario's mean. Where no scenario has two trials of a side, what scores from
/// 0 to 1 with this mean can have at most: R. Bhatia and C. Davis, "A better bound on the variance", American Mathematical
/// Monthly 107 (2000), 353-357. `None` without scores.
pub fn trial_variance<'a>(scenarios: impl IntoIterator<Item = &'a [f64]>) -> Option<f64> {
    let (mut squares, mut freedom) = (0.0, 0_usize);
    let mut means = Vec::new();
    for scores in scenarios {
        let Some(mean) = super::mean(scores) else { continue };
        squares += scores.iter().map(|score| (score - mean) * (score - mean)).sum::<f64>();
        freedom += scores.len() - 1;
        means.push(mean);
    }
    let mean = super::mean(&means)?;
    let free = freedom as f64;
    Some(if freedom > 0 { squares / free } else { mean * (1.0 - mean) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bloom's multiplier for one-sided tests at 5 % with 80 % power is 2.49.
    #[test]
    fn published_values_are_met() {
        assert!((multiplier() - 2.49).abs() < 0.005, "{}", multiplier());
    }

    /// The second implementation: with the drop given, the variances and the error are plain sums.
    #[test]
    fn the_drop_is_as_large_as_its_own_error_needs() {
        let (mean, trials) = (0.8, vec![(3, 3), (5, 1), (2, 4), (3, 3)]);
        let drop = detectable_drop(mean, 0.16, &trials).expect("trials");
        let later = (mean - drop) * (1.0 - mean + drop);
        let squared: f64 = trials.iter().map(|(a, b)| 0.16 / *a as f64 + later.max(0.16) / *b as f64).sum();
        let step: f64 = trials.iter().map(|(_, b)| 1.0 / *b as f64 / 16.0).sum();
        let needed = 2.486_474_860_5 * squared.sqrt() / 4.0 + step;
        assert!((drop - needed).abs() < 1e-9, "{drop} {needed}");
    }

    #[test]
    fn more_trials_and_more_scenarios_see_more() {
        let drop = |scenarios, trials| {
            detectable_drop(0.5, 0.25, &vec![(trials, trials); scenarios]).expect("trials")
        };
        assert!(drop(64, 3) < drop(16, 3) && drop(16, 12) < drop(16, 3));
        assert!(
            (drop(4000, 100) / drop(16_000, 100) - 2.0).abs() < 0.01,
            "four times as many see half the drop"
        );
        assert!((drop(1, 1) - 1.0).abs() < 1e-9, "never more than there is");
        assert_eq!(detectable_drop(0.5, 0.25, &[]), None);
        assert_eq!(detectable_drop(0.5, 0.25, &[(3, 0)]), None);
    }

    /// By `statistics.variance` of Python 3, pooled.
    #[test]
    fn the_variance_is_that_about_the_scenarios_means() {
        let scenarios: [&[f64]; 3] = [&[1.0, 1.0, 0.0], &[0.5, 0.7], &[0.2]];
        let found = trial_variance(scenarios).expect("scores");
        assert!((found - (2.0 * 0.333_333_333_333_333_3 + 0.02) / 3.0).abs() < 1e-12, "{found}");
        let single: [&[f64]; 4] = [&[1.0], &[1.0], &[1.0], &[0.0]];
        assert_eq!(trial_variance(single), Some(0.1875), "at most: one in four fails");
        assert_eq!(trial_variance([]), None);
    }
}
