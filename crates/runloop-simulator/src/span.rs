//! How long something takes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// A time, or a distribution of times: `20ms`, `20ms..80ms` (any of these alike), `~20ms` (exponential with this mean: a
/// few take much longer).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    /// Always the same.
    Fixed(Duration),
    /// Each time between these is as likely as any other.
    Between(Duration, Duration),
    /// Exponential with this mean.
    About(Duration),
}

impl Span {
    /// No time at all.
    pub const NONE: Self = Self::Fixed(Duration::ZERO);

    pub(crate) fn draw(self, random: &mut fastrand::Rng) -> Duration {
        match self {
            Self::Fixed(time) => time,
            Self::Between(least, most) => least + most.saturating_sub(least).mul_f64(random.f64()),
            // The logarithm's argument is in (0, 1].
            Self::About(mean) => mean.mul_f64(-(1.0 - random.f64()).ln()),
        }
    }
}

/// Text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time: write `20ms`, `1.5s`, `20ms..80ms` or `~20ms`")]
pub struct SpanError(String);

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let wrong = || SpanError(text.to_owned());
        let time = |text: &str| duration(text.trim()).ok_or_else(wrong);
        if let Some(mean) = text.strip_prefix('~') {
            return Ok(Self::About(time(mean)?));
        }
        match text.split_once("..") {
            Some((least, most)) => Ok(Self::Between(time(least)?, time(most)?)),
            None => Ok(Self::Fixed(time(text)?)),
        }
    }
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let seconds = number.trim().parse::<f64>().ok()?
        * match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            _ => return None,
        };
    Duration::try_from_secs_f64(seconds).ok()
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(time) => write!(f, "{time:?}"),
            Self::Between(least, most) => write!(f, "{least:?}..{most:?}"),
            Self::About(mean) => write!(f, "~{mean:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_all_forms() {
        let ms = Duration::from_millis;
        assert_eq!("20ms".parse(), Ok(Span::Fixed(ms(20))));
        assert_eq!("1.5s".parse(), Ok(Span::Fixed(ms(1500))));
        assert_eq!("20ms..1s".parse(), Ok(Span::Between(ms(20), ms(1000))));
        assert_eq!("~2m".parse(), Ok(Span::About(ms(120_000))));
        for wrong in ["", "20", "ms", "-1s", "1s..", "1h", "~"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn draws_are_where_they_should_be() {
        let mut random = fastrand::Rng::with_seed(1);
        let between = Span::Between(Duration::from_millis(10), Duration::from_millis(20));
        let about = Span::About(Duration::from_millis(10));
        let mut sum = 0.0;
        for _ in 0..10_000 {
            let drawn = between.draw(&mut random);
            assert!((10..=20).contains(&drawn.as_millis()), "{drawn:?}");
            sum += about.draw(&mut random).as_secs_f64();
        }
        assert!((0.0095..0.0105).contains(&(sum / 10_000.0)), "mean of {}", sum / 10_000.0);
    }
}
