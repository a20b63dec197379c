//! What several tries give: at least one success, or nothing but success.
//!
//! pass@k, the chance that at least one of k trials passes: M. Chen et al., "Evaluating Large Language Models Trained on Code"
//! (2021), arXiv:2107.03374, section 2.1, whose unbiased estimate from c passes of n trials is 1 − C(n−c, k)/C(n, k). pass^k,
//! the chance that all k pass: S. Yao et al., "τ-bench" (2024), arXiv:2406.12045, section 3, estimated by C(c, k)/C(n, k).
//! Both are means over scenarios. The plain 1 − (1 − c/n)^k would be too low, as Chen et al. show.

use serde::{Deserialize, Serialize};

/// The numbers of tries that are reported, as far as there are as many trials.
const TRIES: [u64; 4] = [2, 3, 5, 10];

/// What k trials give, averaged over scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PassK {
    /// Trials.
    pub k: u64,
    /// pass@k: chance that at least one of them passes.
    pub at_least_one: f64,
    /// pass^k: chance that all of them pass.
    pub all: f64,
}

/// pass@k of a scenario; `None` with fewer than k trials.
pub fn pass_at(k: u64, passed: u64, trials: u64) -> Option<f64> {
    (k >= 1 && k <= trials && passed <= trials).then(|| 1.0 - all_of(k, trials - passed, trials))
}

/// pass^k of a scenario; `None` with fewer than k trials.
pub fn pass_all(k: u64, passed: u64, trials: u64) -> Option<f64> {
    (k >= 1 && k <= trials && passed <= trials).then(|| all_of(k, passed, trials))
}

/// C(c, k) / C(n, k): the chance that k of n, drawn without replacement, are all among c. As a product, which cannot overflow.
fn all_of(k: u64, c: u64, n: u64) -> f64 {
    (0..k).fold(1.0, |chance, drawn| {
        let (left, of) = (c.saturating_sub(drawn) as f64, (n - drawn) as f64);
        chance * left / of
    })
}

/// Both for the usual k, over scenarios with (passed, scored) trials; those k that every scored scenario has trials for.
pub(crate) fn pass_ks(scenarios: &[(u64, u64)]) -> Vec<PassK> {
    let scored: Vec<_> = scenarios.iter().copied().filter(|(_, trials)| *trials > 0).collect();
    let mean = |estimate: &dyn Fn(u64, u64) -> Option<f64>| {
        let estimates: Option<Vec<f64>> =
            scored.iter().map(|(passed, trials)| estimate(*passed, *trials)).collect();
        super::mean(&estimates?)
    };
    TRIES
        .iter()
        .filter_map(|k| {
            let at_least_one = mean(&|passed, trials| pass_at(*k, passed, trials))?;
            let all = mean(&|passed, trials| pass_all(*k, passed, trials))?;
            Some(PassK { k: *k, at_least_one, all })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second implementation: every choice of k trials there is.
    fn brute(k: u64, passed: u64, trials: u64) -> (f64, f64) {
        let (mut all, mut some, mut choices) = (0.0, 0.0, 0.0);
        for choice in 0_u64..1 << trials {
            if u64::from(choice.count_ones()) != k {
                continue;
            }
            // The first trials are those that passed.
            let successes = u64::from((choice & ((1 << passed) - 1)).count_ones());
            choices += 1.0;
            some += f64::from(u8::from(successes > 0));
            all += f64::from(u8::from(successes == k));
        }
        (some / choices, all / choices)
    }

    #[test]
    fn they_count_every_choice_of_trials() {
        for trials in 1..=9 {
            for passed in 0..=trials {
                for k in 1..=trials {
                    let (some, all) = brute(k, passed, trials);
                    let found = pass_at(k, passed, trials).zip(pass_all(k, passed, trials)).expect("enough");
                    let near = (found.0 - some).abs() < 1e-12 && (found.1 - all).abs() < 1e-12;
                    assert!(near, "{k} of {passed}/{trials}: {found:?} {some} {all}");
                }
            }
        }
    }

    /// Exact fractions, by Python's `fractions` and `math.comb`.
    #[test]
    fn large_counts_do_not_overflow() {
        let at = pass_at(100, 13, 200).expect("enough");
        assert!((at - 0.999_919_497_198_805_5).abs() < 1e-12, "{at}");
        let all = pass_all(10, 150, 200).expect("enough");
        assert!((all - 0.052_093_629_404_042_99).abs() < 1e-12, "{all}");
    }

    #[test]
    fn too_few_trials_have_none() {
        assert_eq!((pass_at(3, 1, 2), pass_all(3, 2, 2), pass_at(0, 0, 0)), (None, None, None));
        let ks: Vec<u64> = pass_ks(&[(1, 3), (0, 4), (0, 0)]).iter().map(|pass| pass.k).collect();
        assert_eq!(ks, [2, 3], "those that every scored scenario allows");
        assert!(pass_ks(&[]).is_empty());
    }
}
