//! The permutation test within scenarios: has something changed, on exactly these scenarios?
//!
//! Without a change, which trials of a scenario came before and which after is a matter of labels: every way to hand them out
//! is as likely as any other. That is R. A. Fisher's randomisation test in blocks; see E. S. Edgington and P. Onghena,
//! "Randomization Tests" (4th edition, 2007), chapter 6. The statistic is the sum over scenarios of mean after − mean before.
//! With one trial a side it is the sign-flip test; with more trials it knows how far each scenario varies by itself, so one
//! scenario that always passed and now never does is enough. It holds its level with any number of trials on each side.
//! Up to 2^16 ways are all counted; otherwise 9999 are drawn, and the observed one is counted among them.

use fastrand::Rng;

use super::{Interval, NEAR, RESAMPLES, share};

/// Most ways that are all counted.
const EXACT: f64 = 65_536.0;

/// The scores of one scenario, before and after.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stratum {
    /// Scores of its trials before.
    pub before: Vec<f64>,
    /// Scores of its trials after.
    pub after: Vec<f64>,
}

/// What the test says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permutation {
    /// Share of the ways that drop at least as far: small where after is lower.
    pub drop: f64,
    /// Share of the ways that are at least as far from no change.
    pub two_sided: f64,
    /// The least `drop` that these scores could have given, in whatever order: where it is above 0.05, no drop could have been
    /// told from chance (R. E. Tarone, "A modified Bonferroni method for discrete data", Biometrics 46 (1990), 515-522).
    pub least: f64,
}

impl Stratum {
    /// Mean after − mean before; `None` if either is empty.
    pub fn difference(&self) -> Option<f64> {
        Some(super::mean(&self.after)? - super::mean(&self.before)?)
    }

    /// The 95 % interval of that; see [`super::newcombe()`].
    pub fn interval(&self) -> Option<Interval> {
        let of = |scores: &[f64]| Some((super::mean(scores)?, scores.len() as u64));
        super::newcombe(of(&self.before)?, of(&self.after)?)
    }

    fn pool(&self) -> Vec<f64> {
        self.before.iter().chain(&self.after).copied().collect()
    }

    /// The difference if trials with this sum came after.
    fn split(&self, total: f64, after: f64) -> f64 {
        let (before_count, after_count) = (self.before.len() as f64, self.after.len() as f64);
        after / after_count - (total - after) / before_count
    }

    fn ways(&self) -> f64 {
        binomial(self.before.len() + self.after.len(), self.after.len())
    }

    /// The difference of every way.
    fn every_difference(&self) -> Vec<f64> {
        let pool = self.pool();
        let total = pool.iter().sum();
        let mut sums = Vec::new();
        choose(&pool, self.after.len(), 0.0, &mut sums);
        sums.into_iter().map(|sum| self.split(total, sum)).collect()
    }

    /// Share of the ways with the lowest difference: those whose trials after are the lowest, which ties allow several of.
    fn share_of_lowest(&self) -> f64 {
        let mut pool = self.pool();
        pool.sort_unstable_by(f64::total_cmp);
        let Some(edge) = self.after.len().checked_sub(1).and_then(|last| pool.get(last).copied()) else {
            return 1.0;
        };
        let tied = pool.iter().filter(|score| (**score - edge).abs() <= NEAR).count();
        let below = pool.iter().filter(|score| **score < edge - NEAR).count();
        binomial(tied, self.after.len() - below) / self.ways()
    }
}

/// Tests scenarios; those without a score on either side are left out. The same for the same seed.
pub fn permutation(strata: &[Stratum], seed: u64) -> Permutation {
    let differs = |stratum: &&Stratum| {
        let pool = stratum.pool();
        !stratum.before.is_empty()
            && !stratum.after.is_empty()
            && pool.iter().any(|score| (score - pool[0]).abs() > NEAR)
    };
    let strata: Vec<&Stratum> = strata.iter().filter(differs).collect();
    let observed: f64 = strata.iter().filter_map(|stratum| stratum.difference()).sum();
    let least = strata.iter().map(|stratum| stratum.share_of_lowest()).product();
    let ways: f64 = strata.iter().map(|stratum| stratum.ways()).product();
    let (sums, extra) = if ways <= EXACT {
        let mut sums = vec![0.0];
        for stratum in &strata {
            let differences = stratum.every_difference();
            sums = sums.iter().flat_map(|sum| differences.iter().map(move |d| sum + d)).collect();
        }
        (sums, 0)
    } else {
        (drawn(&strata, seed), 1)
    };
    let count = |reaches: &dyn Fn(f64) -> bool| {
        share(sums.iter().filter(|sum| reaches(**sum)).count() + extra, sums.len() + extra)
    };
    Permutation {
        drop: count(&|sum| sum <= observed + NEAR),
        two_sided: count(&|sum: f64| sum.abs() >= observed.abs() - NEAR),
        least,
    }
}

fn drawn(strata: &[&Stratum], seed: u64) -> Vec<f64> {
    let mut random = Rng::with_seed(seed);
    let mut pools: Vec<Vec<f64>> = strata.iter().map(|stratum| stratum.pool()).collect();
    let mut draw = || {
        let differences = strata.iter().zip(&mut pools).map(|(stratum, pool)| {
            let total = pool.iter().sum();
            let mut after = 0.0;
            for place in 0..stratum.after.len() {
                let other = random.usize(place..pool.len());
                pool.swap(place, other);
                after += pool[place];
            }
            stratum.split(total, after)
        });
        differences.sum()
    };
    (0..RESAMPLES).map(|_| draw()).collect()
}

/// The sums of every choice of `count` of these.
fn choose(pool: &[f64], count: usize, sum: f64, sums: &mut Vec<f64>) {
    match pool.split_first() {
        _ if count == 0 => sums.push(sum),
        Some((first, rest)) if count <= pool.len() => {
            choose(rest, count - 1, sum + first, sums);
            choose(rest, count, sum, sums);
        }
        _ => {}
    }
}

/// C(n, k), as a float: large ones need no last digit.
fn binomial(n: usize, k: usize) -> f64 {
    (0..k).fold(1.0, |product, i| {
        let (left, of) = (n.saturating_sub(i) as f64, (i + 1) as f64);
        product * left / of
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::statistics::sign_flip;

    fn stratum(before: &[f64], after: &[f64]) -> Stratum {
        Stratum { before: before.to_vec(), after: after.to_vec() }
    }

    /// The lady tasting tea, R. A. Fisher, "The Design of Experiments" (1935), chapter 2: all of 4 cups of 8 told right has
    /// the chance 1/70, three of four 17/70.
    #[test]
    fn published_values_are_met() {
        let all = permutation(&[stratum(&[1.0; 4], &[0.0; 4])], 0);
        assert!(
            (all.drop - 1.0 / 70.0).abs() < 1e-12 && (all.two_sided - 2.0 / 70.0).abs() < 1e-12,
            "{all:?}"
        );
        let three = permutation(&[stratum(&[1.0, 1.0, 1.0, 0.0], &[0.0, 0.0, 0.0, 1.0])], 0);
        assert!((three.drop - 17.0 / 70.0).abs() < 1e-12, "{three:?}");
        assert!((three.least - 1.0 / 70.0).abs() < 1e-12, "{three:?}");
    }

    #[test]
    fn one_trial_a_side_is_the_sign_flip_test() {
        let pairs = [(0.9, 0.1), (0.5, 0.6), (1.0, 0.0), (0.7, 0.2), (0.3, 0.3), (0.8, 0.75)];
        let strata: Vec<Stratum> = pairs.iter().map(|(a, b)| stratum(&[*a], &[*b])).collect();
        let differences: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
        assert!((permutation(&strata, 3).two_sided - sign_flip(&differences, 3)).abs() < 1e-12);
    }

    #[test]
    fn drawn_ways_come_near_to_all_of_them() {
        // Together 70^4 ways, too many to count; by hand, each stratum's differences and how often.
        let strata = vec![stratum(&[1.0, 1.0, 1.0, 0.0], &[1.0, 0.0, 0.0, 0.0]); 4];
        let exact = {
            // Half of a stratum's sums: 0..4 of the four ones come after, in C(4, j)² of 70 ways.
            let ways = [1.0, 16.0, 36.0, 16.0, 1.0];
            let mut shares = vec![1.0];
            for _ in 0..4 {
                let mut next = vec![0.0; shares.len() + 4];
                for (i, share) in shares.iter().enumerate() {
                    for (j, way) in ways.iter().enumerate() {
                        next[i + j] += share * way / 70.0;
                    }
                }
                shares = next;
            }
            shares[..=4].iter().sum::<f64>()
        };
        let found = permutation(&strata, 5);
        assert!((found.drop - exact).abs() < 4.0 * (exact / 9999.0).sqrt() + 1e-4, "{found:?} {exact}");
        assert_eq!(found, permutation(&strata, 5));
    }

    #[test]
    fn what_cannot_be_told_says_so() {
        let once = permutation(&[stratum(&[1.0], &[0.0]), stratum(&[1.0], &[1.0])], 0);
        assert_eq!((once.drop, once.least), (0.5, 0.5));
        let same = permutation(&[stratum(&[1.0; 3], &[1.0; 3])], 0);
        assert_eq!((same.drop, same.two_sided, same.least), (1.0, 1.0, 1.0));
        assert_eq!(permutation(&[stratum(&[], &[1.0])], 0).drop, 1.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_least_is_what_the_lowest_order_gives(
            scores in proptest::collection::vec(0..4u8, 2..8), cut in 1..7usize,
        ) {
            let cut = cut.min(scores.len() - 1);
            let mut sorted: Vec<f64> = scores.iter().map(|s| f64::from(*s) / 3.0).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let lowest = stratum(&sorted[cut..], &sorted[..cut]);
            let found = permutation(&[lowest], 0);
            prop_assert!((found.drop - found.least).abs() < 1e-9, "{found:?}");
        }
    }
}
