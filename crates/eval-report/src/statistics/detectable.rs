//! What a plan can see: the smallest drop of the mean score that is found 4 times of 5.
//!
//! H. S. Bloom, "Minimum detectable effects: a simple way to report the statistical power of experimental designs", Evaluation
//! Review 19 (1995), 547-556: (z₀.₉₅ + z₀.₈) × the standard error of the difference, for a one-sided test at 5 % with a
//! power of 80 %. Scenarios are the same on both sides, so only their trials vary: with variance s² of a trial, and aᵢ and bᵢ
//! trials of scenario i of n, the squared error is s² Σ(1/aᵢ + 1/bᵢ)/n². It is the normal approximation: with few trials, or
//! scores near 0 or 1, what is seen is less.

use super::normal::normal_quantile;

/// Chance to call no change a drop.
const ALARM: f64 = 0.05;

/// Chance to see a drop of this size.
const POWER: f64 = 0.8;

/// The smallest drop that is found 4 times of 5, 0 to 1, given the variance of a trial's score and how many trials each
/// scenario has before and after. `None` without scenarios or with a scenario without trials.
pub fn detectable_drop(variance: f64, trials: &[(u64, u64)]) -> Option<f64> {
    if trials.is_empty() || trials.iter().any(|(before, after)| *before == 0 || *after == 0) {
        return None;
    }
    let count = trials.len() as f64;
    let parts = trials.iter().map(|(before, after)| {
        let (before, after) = (*before as f64, *after as f64);
        1.0 / before + 1.0 / after
    });
    let error = (variance * parts.sum::<f64>()).sqrt() / count;
    Some(((normal_quantile(1.0 - ALARM) + normal_quantile(POWER)) * error).min(1.0))
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
        let drop = detectable_drop(0.25, &vec![(100, 100); 4]).expect("trials");
        let error = (0.25 * (2.0 / 100.0) / 4.0_f64).sqrt();
        assert!((drop / error - 2.49).abs() < 0.005, "{}", drop / error);
    }

    #[test]
    fn more_trials_and_more_scenarios_see_more() {
        let drop =
            |scenarios, trials| detectable_drop(0.2, &vec![(trials, trials); scenarios]).expect("trials");
        assert!(
            (drop(16, 3) / drop(64, 3) - 2.0).abs() < 1e-12,
            "four times the scenarios see half the drop"
        );
        assert!((drop(16, 3) / drop(16, 12) - 2.0).abs() < 1e-12, "and so do four times the trials");
        assert_eq!(detectable_drop(0.25, &[(1, 1)]), Some(1.0), "never more than there is");
        assert_eq!(detectable_drop(0.25, &[]), None);
        assert_eq!(detectable_drop(0.25, &[(3, 0)]), None);
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
