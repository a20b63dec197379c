//! The sign-flip test of paired differences.
//!
//! R. A. Fisher, "The Design of Experiments" (1935), section 21: without a true change, each difference could as well have had
//! the other sign. The p-value is the share of all sign patterns whose mean is at least as far from 0. With up to 16
//! differences that are not 0 all patterns are counted; with more, 9999 are drawn and the observed one is counted among
//! them, so that p is never 0: B. Phipson and G. K. Smyth, "Permutation p-values should never be zero", Statistical
//! Applications in Genetics and Molecular Biology 9 (2010), article 39.

use fastrand::Rng;

use super::{NEAR, RESAMPLES, share};

/// Most differences whose sign patterns are all counted.
const EXACT: usize = 16;

/// The two-sided p-value; 1 without any difference that is not 0. The same for the same seed.
pub fn sign_flip(differences: &[f64], seed: u64) -> f64 {
    // A zero changes no sum, whichever its sign.
    let differences: Vec<f64> = differences.iter().copied().filter(|d| d.abs() > NEAR).collect();
    let observed = differences.iter().sum::<f64>().abs();
    let reaches = |sum: f64| sum.abs() >= observed - NEAR;
    if differences.len() <= EXACT {
        let patterns = 1_usize << differences.len();
        let reached = (0..patterns)
            .filter(|pattern| {
                let signed = differences.iter().enumerate();
                reaches(signed.map(|(i, d)| if pattern >> i & 1 == 1 { -d } else { *d }).sum())
            })
            .count();
        return share(reached, patterns);
    }
    let mut random = Rng::with_seed(seed);
    let reached = (0..RESAMPLES)
        .filter(|_| reaches(differences.iter().map(|d| if random.bool() { -d } else { *d }).sum()))
        .count();
    share(reached + 1, RESAMPLES + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Darwin's plants, crossed against self-fertilised, in eighths of an inch: Fisher's own example, where 863 of the 2^15
    /// sign patterns are at least as high on one side; two-sided twice as many.
    #[test]
    fn fishers_example_is_met() {
        let darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48].map(f64::from);
        let p = sign_flip(&darwin, 0);
        assert!((p - 2.0 * 863.0 / 32768.0).abs() < 1e-12, "{}", p * 32768.0);
    }

    #[test]
    fn drawn_patterns_come_near_to_all_of_them() {
        // 17 differences of size 1, 13 of them up: twice the chance of 13 or more heads, C(17, 13) + ... = 3214 of 2^17.
        let mut differences = [1.0; 17];
        differences[..4].fill(-1.0);
        let exact = 2.0 * 3214.0 / f64::from(1 << 17);
        for seed in 0..5 {
            let p = sign_flip(&differences, seed);
            // Four standard errors.
            assert!((p - exact).abs() < 4.0 * (exact / 9999.0).sqrt(), "{p} {exact}");
            assert_eq!(p.to_bits(), sign_flip(&differences, seed).to_bits());
        }
    }

    #[test]
    fn no_difference_is_no_evidence() {
        assert_eq!(sign_flip(&[], 1), 1.0);
        assert_eq!(sign_flip(&[0.0; 30], 1), 1.0);
        assert_eq!(sign_flip(&[0.4], 1), 1.0, "one difference has two signs");
        assert!(sign_flip(&[1.0; 400], 1) > 0.0, "a drawn p is never 0");
    }
}
