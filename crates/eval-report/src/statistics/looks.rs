//! The level of a test that is made after each round of a run, which ends when it says enough.
//!
//! A test at 5 % that is made again and again alarms more often than 5 %: P. Armitage, C. K. McPherson and B. C. Rowe,
//! "Repeated significance tests on accumulating data", Journal of the Royal Statistical Society A 132 (1969), 235-244. So each
//! look gets a part of the 5 %. Whatever the looks have in common, alarms are then at most as frequent as the parts together
//! (Bonferroni). The looks before the last get little, so that the last one, which most runs of an agent that did not change
//! come near to, is almost the usual test: J. L. Haybittle, "Repeated assessment of results in clinical trials of cancer
//! treatment", British Journal of Radiology 44 (1971), 793-797.

use eval_record::Rounds;

use super::ALPHA;

/// What all looks before the last have of [`ALPHA`] together.
const EARLY: f64 = 0.2;

/// The level of the test after the round in which an agent came to so many repetitions.
pub fn look_level(rounds: &Rounds, repetitions: u32) -> f64 {
    let sizes = rounds.sizes();
    let early = sizes.len().saturating_sub(1) as f64;
    match sizes.last() {
        _ if early == 0.0 => ALPHA,
        Some(last) if repetitions >= *last => ALPHA * (1.0 - EARLY),
        _ => ALPHA * EARLY / early,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_looks_together_have_five_percent() {
        for (min, max) in [(1, 1), (3, 20), (1, 2), (2, 1000)] {
            let rounds = Rounds { min, max, half_width: 0.05 };
            let sum: f64 = rounds.sizes().into_iter().map(|size| look_level(&rounds, size)).sum();
            assert!((sum - ALPHA).abs() < 1e-12, "{min}..{max}: {sum}");
            let last = look_level(&rounds, max);
            assert!(rounds.sizes().into_iter().all(|size| look_level(&rounds, size) <= last));
        }
    }
}
