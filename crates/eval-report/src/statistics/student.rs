//! Student's distribution with whole degrees of freedom.
//!
//! M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions" (1964), 26.7.3 and 26.7.4: with θ = atan(t/√ν), the
//! share within ±t is a finite sum of powers of cos θ.

use super::normal::bisect;

/// Share within ±t, with ν degrees of freedom, at least 1.
fn within(t: f64, freedom: u32) -> f64 {
    let theta = (t / f64::from(freedom).sqrt()).atan();
    let (sine, cosine) = theta.sin_cos();
    let is_odd = freedom % 2 == 1;
    let mut term = if is_odd { cosine } else { 1.0 };
    let mut sum = if freedom == 1 { 0.0 } else { term };
    // The power of the next term, ν - 2 the last.
    let mut power = if is_odd { 3 } else { 2 };
    while power + 2 <= freedom && term > 1e-18 {
        term *= cosine * cosine * f64::from(power - 1) / f64::from(power);
        sum += term;
        power += 2;
    }
    if is_odd { (theta + sine * sum) * std::f64::consts::FRAC_2_PI } else { sine * sum }
}

/// The t that `share` of the distribution lies within, on both sides of 0 together; `share` is within 0 and 1.
pub(crate) fn student_quantile(share: f64, freedom: u32) -> f64 {
    bisect(0.0, 1e6, |t| within(t, freedom.max(1)) < share)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 26.10 of Abramowitz and Stegun.
    #[test]
    fn published_values_are_met() {
        for (freedom, at_95, at_99) in [
            (1, 12.706, 63.657),
            (2, 4.303, 9.925),
            (3, 3.182, 5.841),
            (4, 2.776, 4.604),
            (5, 2.571, 4.032),
            (9, 2.262, 3.250),
            (10, 2.228, 3.169),
            (29, 2.045, 2.756),
            (30, 2.042, 2.750),
            (120, 1.980, 2.617),
        ] {
            let found = (student_quantile(0.95, freedom), student_quantile(0.99, freedom));
            assert!((found.0 - at_95).abs() < 6e-4 && (found.1 - at_99).abs() < 6e-4, "{freedom}: {found:?}");
        }
    }

    /// The second implementation: the density, integrated by Simpson's rule.
    #[test]
    fn it_is_the_integral_of_the_density() {
        for freedom in [1_u32, 2, 3, 6, 7, 15, 16] {
            let nu = f64::from(freedom);
            let kernel = |x: f64| (1.0 + x * x / nu).powf(-f64::midpoint(nu, 1.0));
            let integral = |end: f64| {
                let steps = 200_000;
                let width = end / f64::from(steps);
                let inner: f64 = (1..steps)
                    .map(|i| f64::from(if i % 2 == 1 { 4 } else { 2 }) * kernel(f64::from(i) * width))
                    .sum();
                (kernel(0.0) + inner + kernel(end)) * width / 3.0
            };
            // Shares of one another: the constant of the density falls out.
            let ratio = integral(1.5) / integral(3.0);
            assert!((ratio - within(1.5, freedom) / within(3.0, freedom)).abs() < 1e-10, "{freedom}");
        }
    }

    #[test]
    fn many_degrees_of_freedom_are_the_normal_distribution() {
        assert!((student_quantile(0.95, 1_000_000) - 1.959_964).abs() < 1e-5);
    }
}
