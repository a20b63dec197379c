//! The interval of a mean when trials come in clusters.
//!
//! Repetitions of one scenario resemble each other, so what is drawn with replacement is scenarios, each with all of its
//! trials, and the mean of a draw is over all trials in it: the cluster bootstrap of A. C. Davison and D. V. Hinkley,
//! "Bootstrap Methods and their Application" (1997), section 3.8, with the percentile interval of section 5.3. With
//! R = 9999 draws its ends are the 250th smallest and the 250th largest mean, with no interpolation.

use fastrand::Rng;

use super::{LEVEL, MeanInterval};

/// Draws: (R + 1) × 0.025 is whole.
const RESAMPLES: usize = 9_999;

/// The scored trials of one scenario.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cluster {
    /// Of the scores.
    pub(crate) sum: f64,
    /// Of trials.
    pub(crate) count: u64,
}

/// The 95 % interval of the mean score; the same for the same seed. `None` with fewer than two scenarios: one says nothing
/// about others.
pub(crate) fn cluster_bootstrap(clusters: &[Cluster], seed: u64) -> Option<MeanInterval> {
    let clusters: Vec<Cluster> = clusters.iter().copied().filter(|cluster| cluster.count > 0).collect();
    if clusters.len() < 2 {
        return None;
    }
    let mut random = Rng::with_seed(seed);
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| drawn_mean(&clusters, &mut random)).collect();
    means.sort_unstable_by(f64::total_cmp);
    let rank = ((RESAMPLES + 1) as f64 * (1.0 - LEVEL) / 2.0).round() as usize;
    let low = *means.get(rank.checked_sub(1)?)?;
    let high = *means.get(RESAMPLES.checked_sub(rank)?)?;
    let degenerate = means.first() == means.last();
    Some(MeanInterval {
        low,
        high,
        scenarios: clusters.len() as u64,
        resamples: RESAMPLES as u64,
        degenerate,
    })
}

fn drawn_mean(clusters: &[Cluster], random: &mut Rng) -> f64 {
    let mut total = Cluster::default();
    for _ in clusters {
        let drawn = clusters[random.usize(..clusters.len())];
        total.sum += drawn.sum;
        total.count += drawn.count;
    }
    let count = total.count as f64;
    total.sum / count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clusters(scores: &[&[f64]]) -> Vec<Cluster> {
        scores.iter().map(|scores| Cluster { sum: scores.iter().sum(), count: scores.len() as u64 }).collect()
    }

    /// The second implementation: every draw there is, each as likely as any other.
    fn every_mean(clusters: &[Cluster]) -> Vec<f64> {
        let n = clusters.len();
        let mut means: Vec<f64> = (0..n.pow(n as u32))
            .map(|draw| {
                let picked = (0..n).map(|place| clusters[draw / n.pow(place as u32) % n]);
                let (sum, count) = picked.fold((0.0, 0), |(sum, count), c| (sum + c.sum, count + c.count));
                sum / count as f64
            })
            .collect();
        means.sort_unstable_by(f64::total_cmp);
        means
    }

    /// Share of the exact distribution below a value, and up to it.
    fn shares(means: &[f64], value: f64) -> (f64, f64) {
        let near = 1e-9;
        let below = means.iter().filter(|mean| **mean < value - near).count() as f64;
        let upto = means.iter().filter(|mean| **mean <= value + near).count() as f64;
        (below / means.len() as f64, upto / means.len() as f64)
    }

    #[test]
    fn its_ends_are_the_percentiles_of_the_exact_distribution() {
        let cases: [&[&[f64]]; 4] = [
            &[&[0.0], &[1.0], &[0.5], &[0.25], &[0.8]],
            &[&[0.0, 0.0, 1.0], &[1.0], &[0.5, 0.6], &[0.3]],
            &[&[1.0], &[1.0], &[1.0], &[1.0], &[1.0], &[0.0]],
            &[&[0.1], &[0.9]],
        ];
        for case in cases {
            let clusters = clusters(case);
            let exact = every_mean(&clusters);
            for seed in 0..5 {
                let interval = cluster_bootstrap(&clusters, seed).expect("two scenarios");
                // Four standard errors of a share of 0.025 among 9999 draws.
                let slack = 0.0065;
                let (below, upto) = shares(&exact, interval.low);
                assert!(
                    below <= 0.025 + slack && upto >= 0.025 - slack,
                    "{case:?} {interval:?} {below} {upto}"
                );
                let (below, upto) = shares(&exact, interval.high);
                assert!(
                    below <= 0.975 + slack && upto >= 0.975 - slack,
                    "{case:?} {interval:?} {below} {upto}"
                );
            }
        }
    }

    #[test]
    fn repetitions_of_a_scenario_are_drawn_together() {
        let apart: Vec<&[f64]> = (0..20).map(|i| if i % 2 == 0 { &[0.0][..] } else { &[1.0][..] }).collect();
        let zeros = [0.0; 5];
        let ones = [1.0; 5];
        let together = clusters(&[&zeros, &ones, &zeros, &ones]);
        let width = |clusters: &[Cluster]| {
            let interval = cluster_bootstrap(clusters, 1).expect("two scenarios");
            interval.high - interval.low
        };
        assert!(
            width(&together) > 1.5 * width(&clusters(&apart)),
            "20 trials of 4 scenarios tell less than of 20"
        );
    }

    #[test]
    fn equal_scores_give_a_point_that_says_so() {
        let interval = cluster_bootstrap(&clusters(&[&[1.0], &[1.0], &[1.0]]), 7).expect("two scenarios");
        assert_eq!((interval.low, interval.high, interval.degenerate), (1.0, 1.0, true));
        let spread = cluster_bootstrap(&clusters(&[&[1.0], &[0.0]]), 7).expect("two scenarios");
        assert!(!spread.degenerate);
    }

    #[test]
    fn one_scenario_says_nothing_about_others() {
        assert_eq!(cluster_bootstrap(&clusters(&[&[1.0, 0.0]]), 1), None);
        assert_eq!(cluster_bootstrap(&clusters(&[&[1.0, 0.0], &[]]), 1), None);
        assert_eq!(cluster_bootstrap(&[], 1), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let clusters = clusters(&[&[0.1], &[0.7], &[0.4, 0.9]]);
        assert_eq!(cluster_bootstrap(&clusters, 42), cluster_bootstrap(&clusters, 42));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn it_stays_between_the_extreme_means(scores in proptest::collection::vec(0.0..=1.0f64, 2..12), seed: u64) {
            let clusters: Vec<_> = scores.iter().map(|score| Cluster { sum: *score, count: 1 }).collect();
            let interval = cluster_bootstrap(&clusters, seed).expect("two scenarios");
            let least = scores.iter().copied().fold(1.0, f64::min);
            let most = scores.iter().copied().fold(0.0, f64::max);
            prop_assert!(least - 1e-12 <= interval.low && interval.low <= interval.high && interval.high <= most + 1e-12);
        }
    }
}
