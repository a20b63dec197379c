//! Reads a score from what a scorer printed.

use thiserror::Error;

use crate::bound::quoted;

/// Sums of fractions miss 0 and 1 by less than this; a score that does is meant to be 0 or 1.
const ROUNDING: f64 = 1e-9;

/// Why a text is no score.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum NotAScore {
    /// Not a decimal number.
    #[error("{} is not a decimal number such as 0.75", quoted(.0))]
    NotANumber(String),
    /// A number, but none from 0 to 1.
    #[error("{} is not between 0 and 1", quoted(.0))]
    OutOfRange(String),
}

/// Reads a decimal number from 0 to 1: digits, an optional fraction, an optional exponent (`1`, `0.25`, `.5`, `1e-05`).
///
/// A minus sign is understood so that `-0.0` is 0 and `-0.5` is told to be out of range. Everything else that a float
/// parser may take (`inf`, `nan`, `+1`, `0x1`, `1_0`) is refused.
pub(crate) fn parse_score(text: &str) -> Result<f64, NotAScore> {
    let not_a_number = || NotAScore::NotANumber(text.to_owned());
    if !is_decimal(text) {
        return Err(not_a_number());
    }
    let value: f64 = text.parse().map_err(|_| not_a_number())?;
    if (-ROUNDING..=1.0 + ROUNDING).contains(&value) {
        // Adding 0.0 turns -0.0 into 0.0.
        Ok(value.clamp(0.0, 1.0) + 0.0)
    } else {
        Err(NotAScore::OutOfRange(text.to_owned()))
    }
}

fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_holds = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_holds
}

/// The last line that is not blank, without the white space around it.
pub(crate) fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_decimals_from_0_to_1_are_scores() {
        for (text, score) in [
            ("0", 0.0),
            ("1", 1.0),
            ("0.25", 0.25),
            (".5", 0.5),
            ("1.", 1.0),
            ("1e-05", 1e-5),
            ("10E-1", 1.0),
            ("00.50", 0.5),
            ("-0.0", 0.0),
            ("1.0000000000000002", 1.0),
        ] {
            assert_eq!(parse_score(text), Ok(score), "{text}");
        }
        assert!(parse_score("-0.0").is_ok_and(|score| score.is_sign_positive()));
    }

    #[test]
    fn numbers_outside_are_told_apart_from_text() {
        for text in ["1e309", "1.1", "-0.5", "2", "1e-400000000000000000000e", "99999999999999999999"] {
            let read = parse_score(text);
            match text {
                "1e-400000000000000000000e" => assert!(matches!(read, Err(NotAScore::NotANumber(_)))),
                _ => assert!(matches!(read, Err(NotAScore::OutOfRange(_))), "{text}: {read:?}"),
            }
        }
    }

    #[test]
    fn what_a_float_parser_may_take_is_not_a_score() {
        for text in [
            "", " ", ".", "-", "e5", "1e", "1e+", "nan", "NaN", "inf", "+1", "0x1", "0x1p0", "1_0", "1,0",
            "0.5f", "½", "١",
        ] {
            assert!(matches!(parse_score(text), Err(NotAScore::NotANumber(_))), "{text}");
        }
    }

    #[test]
    fn the_last_line_skips_blank_ones() {
        assert_eq!(last_line("a\nscore=1\r\n\n  \n"), Some("score=1"));
        assert_eq!(last_line("\n \n"), None);
    }

    proptest! {
        #[test]
        fn every_float_from_0_to_1_survives_printing(score in 0.0..=1.0f64) {
            prop_assert_eq!(parse_score(&format!("{score}")), Ok(score));
            prop_assert_eq!(parse_score(&format!("{score:e}")), Ok(score));
        }

        #[test]
        fn no_text_gives_anything_but_a_number_from_0_to_1(text in ".{0,20}") {
            if let Ok(score) = parse_score(&text) {
                prop_assert!((0.0..=1.0).contains(&score));
            }
        }
    }
}
