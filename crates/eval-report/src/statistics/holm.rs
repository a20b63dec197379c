//! Many tests at once.
//!
//! S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979), 65-70: the
//! i-th smallest of m p-values is multiplied by m − i + 1, never below the one before it. Whoever calls a change what stays
//! at or below 0.05 is wrong about any of them at most once in twenty runs, however the tests depend on each other.

/// The adjusted p-values, in the order of the given ones.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut highest: f64 = 0.0;
    for (rank, place) in order.into_iter().enumerate() {
        let factor = (p_values.len() - rank) as f64;
        highest = highest.max((p_values[place] * factor).min(1.0));
        adjusted[place] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")` of R.
    #[test]
    fn published_values_are_met() {
        let adjusted = holm(&[0.05, 0.01, 0.03, 0.04, 0.02]);
        for (found, expected) in adjusted.iter().zip([0.09, 0.05, 0.09, 0.09, 0.08]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert!(holm(&[]).is_empty());
    }

    /// The second implementation: the closed test, where each set of hypotheses is tested by Bonferroni's rule.
    fn closed(p_values: &[f64], place: usize) -> f64 {
        (1_usize..1 << p_values.len())
            .filter(|set| set >> place & 1 == 1)
            .map(|set| {
                let members = p_values.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
                let least = members.map(|(_, p)| *p).fold(1.0, f64::min);
                (least * f64::from(set.count_ones())).min(1.0)
            })
            .fold(0.0, f64::max)
    }

    proptest! {
        #[test]
        fn it_is_the_closed_test(p_values in proptest::collection::vec(0.0..=1.0f64, 1..8)) {
            for (place, found) in holm(&p_values).into_iter().enumerate() {
                prop_assert!((found - closed(&p_values, place)).abs() < 1e-12);
            }
        }
    }
}
