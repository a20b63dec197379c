//! The standard normal distribution.
//!
//! Its distribution function is G. Marsaglia's series, "Evaluating the Normal Distribution", Journal of Statistical Software
//! 11 (2004), no. 4, Φ(x) = ½ + φ(x)(x + x³/3 + x⁵/(3·5) + …); in the tails, where that would lose digits, the continued
//! fraction of Laplace, M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions" (1964), 26.2.14.

/// Where the series gives way to the continued fraction.
const TAIL: f64 = 4.0;

/// Φ(x), the share below x.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if x.abs() >= TAIL {
        let fraction = (1..=60).rev().fold(x.abs(), |rest, k| x.abs() + f64::from(k) / rest);
        let tail = density / fraction;
        return if x < 0.0 { tail } else { 1.0 - tail };
    }
    let mut term = x;
    let mut sum = x;
    let mut k = 1.0;
    while term.abs() > 1e-18 {
        k += 2.0;
        term *= x * x / k;
        sum += term;
    }
    0.5 + density * sum
}

/// The x with Φ(x) = `share`, by bisection; `share` is within 0 and 1, both left out.
pub(crate) fn normal_quantile(share: f64) -> f64 {
    bisect(-40.0, 40.0, |x| normal_cdf(x) < share)
}

/// Where `is_below` turns false between two ends, to the last bit or so.
pub(super) fn bisect(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..120 {
        let middle = f64::midpoint(low, high);
        if is_below(middle) { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 26.1 of Abramowitz and Stegun, and `statistics.NormalDist` of Python 3.
    #[test]
    fn published_values_are_met() {
        for (x, share) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (-1.0, 0.158_655_253_931_457),
            (1.96, 0.975_002_104_851_780),
            (-3.0, 0.001_349_898_031_630),
            (3.9, 0.999_951_903_655_982),
        ] {
            assert!((normal_cdf(x) - share).abs() < 1e-14, "{x}: {}", normal_cdf(x));
        }
        for (x, share) in [(-5.0, 2.866_515_718_791_939e-7), (-10.0, 7.619_853_024_160_527e-24)] {
            assert!((normal_cdf(x) / share - 1.0).abs() < 1e-10, "{x}: {}", normal_cdf(x));
        }
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((normal_quantile(0.8) - 0.841_621_233_572_914).abs() < 1e-12);
    }

    #[test]
    fn series_and_fraction_meet() {
        let (inside, outside) = (normal_cdf(-TAIL + 1e-9), normal_cdf(-TAIL - 1e-9));
        assert!(outside < inside && inside / outside - 1.0 < 1e-6, "{inside} {outside}");
    }
}
