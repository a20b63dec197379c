//! The interval of a mean when trials come in clusters.
//!
//! Repetitions of one scenario resemble each other, so what is drawn with replacement is scenarios, each with all of its
//! trials, and the mean of a draw is over all trials in it: the cluster bootstrap of A. C. Davison and D. V. Hinkley,
//! "Bootstrap Methods and their Application" (1997), section 3.8, with the percentile interval of section 5.3.
//!
//! The percentiles are the expanded ones of T. C. Hesterberg, "What Teachers Should Know About the Bootstrap", The American
//! Statistician 69 (2015), 371-386: not 2.5 %, but Φ(−√(n/(n−1)) t₀.₉₇₅,ₙ₋₁) for n scenarios. A bootstrap of few scenarios is
//! otherwise too narrow, as its spread is that of n, not n − 1, and as it knows nothing of Student's t. With R = 9999 draws the
//! ends are the order statistics of that rank, with no interpolation, the extreme ones at most.

use fastrand::Rng;

use super::normal::normal_cdf;
use super::student::student_quantile;
use super::{LEVEL, MeanInterval, RESAMPLES};

/// The scored trials of one scenario.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cluster {
    /// Of the scores.
    pub sum: f64,
    /// Of trials.
    pub count: u64,
}

/// The 95 % interval of the mean score; the same for the same seed. `None` with fewer than two scenarios: one says nothing
/// about others.
pub fn cluster_bootstrap(clusters: &[Cluster], seed: u64) -> Option<MeanInterval> {
    cluster_bootstrap_of(clusters, RESAMPLES, seed)
}

/// The same with another number of draws: fewer are faster, and their ends vary more.
pub fn cluster_bootstrap_of(clusters: &[Cluster], resamples: usize, seed: u64) -> Option<MeanInterval> {
    let clusters: Vec<Cluster> = clusters.iter().copied().filter(|cluster| cluster.count > 0).collect();
    if clusters.len() < 2 {
        return None;
    }
    let mut random = Rng::with_seed(seed);
    let mut means: Vec<f64> = (0..resamples).map(|_| drawn_mean(&clusters, &mut random)).collect();
    means.sort_unstable_by(f64::total_cmp);
    let rank = (((resamples + 1) as f64 * tail(clusters.len())).round() as usize).max(1);
    let low = *means.get(rank.checked_sub(1)?)?;
    let high = *means.get(resamples.checked_sub(rank)?)?;
    let degenerate = means.first() == means.last();
    Some(MeanInterval {
        low,
        high,
        scenarios: clusters.len() as u64,
        resamples: resamples as u64,
        degenerate,
    })
}

/// The same for the differences of paired scenarios, one each: B. Efron and R. J. Tibshirani, "An Introduction to the
/// Bootstrap" (1993), section 8.6. `None` with fewer than two.
pub fn paired_bootstrap(differences: &[f64], seed: u64) -> Option<MeanInterval> {
    let clusters: Vec<Cluster> =
        differences.iter().map(|difference| Cluster { sum: *difference, count: 1 }).collect();
    cluster_bootstrap(&clusters, seed)
}

/// The share of draws beyond each end.
fn tail(scenarios: usize) -> f64 {
    let n = scenarios as f64;
    let freedom = u32::try_from(scenarios - 1).unwrap_or(u32::MAX);
    normal_cdf(-(n / (n - 1.0)).sqrt() * student_quantile(LEVEL, freedom))
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
                // Four standard errors of such a share among 9999 draws, and the rounding of the rank.
                let tail = tail(case.len());
                let slack = 4.0 * (tail / 9999.0).sqrt() + 1e-4;
                let (below, upto) = shares(&exact, interval.low);
                assert!(
                    below <= tail + slack && upto >= tail - slack,
                    "{case:?} {interval:?} {below} {upto}"
                );
                let (below, upto) = shares(&exact, interval.high);
                assert!(
                    below <= 1.0 - tail + slack && upto >= 1.0 - tail - slack,
                    "{case:?} {interval:?} {below} {upto}"
                );
            }
        }
    }

    /// By Python 3: `statistics.NormalDist` and a t quantile from numeric integration of the density.
    #[test]
    fn few_scenarios_move_the_ends_outwards() {
        for (scenarios, expected) in [(5, 0.0010), (10, 0.0086), (20, 0.0159), (100, 0.0231), (1000, 0.0248)]
        {
            assert!((tail(scenarios) - expected).abs() < 6e-5, "{scenarios}: {}", tail(scenarios));
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
