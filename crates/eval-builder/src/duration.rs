//! Durations as people write them: `90s`, `10m`, `1h30m`, `1.5h`, `250ms`, or a number of seconds.

use std::time::Duration;

/// What a duration may look like, as a regular expression for the schema.
pub(crate) const PATTERN: &str = r"^(\d+(\.\d+)?(d|h|ms|m|s))+$";

/// Longest duration: a year, so that no sum of a few of them overflows.
const LONGEST: f64 = 366.0 * 86_400.0;

/// Units, largest first, in seconds.
const UNITS: [(&str, f64); 5] = [("d", 86_400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001)];

/// Reads a duration. Units must come in falling order, each at most once, so that `30m1h` is a mistake.
///
/// # Errors
/// What is wrong, in words that follow "`text` is not a duration: ".
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let mut seconds = 0.0;
    let mut rest = text.trim();
    let mut units = UNITS.iter();
    if rest.is_empty() {
        return Err("it is empty");
    }
    if let Ok(number) = rest.parse::<f64>() {
        return from_seconds(number);
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|byte: char| !byte.is_ascii_digit() && byte != '.')
            .ok_or("its last number has no unit")?;
        let (number, tail) = rest.split_at(digits);
        let number: f64 = number.parse().map_err(|_| "it must be numbers with units, such as 1h30m")?;
        let letters = tail.find(|byte: char| !byte.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        if !UNITS.iter().any(|(name, _)| *name == unit) {
            return Err("its units must be d, h, m, s or ms");
        }
        let (_, factor) = units
            .find(|(name, _)| *name == unit)
            .ok_or("its units must be in falling order, each at most once")?;
        seconds += number * factor;
        rest = tail;
    }
    from_seconds(seconds)
}

/// A duration from a number of seconds.
///
/// # Errors
/// As [`parse_duration`].
pub(crate) fn from_seconds(seconds: f64) -> Result<Duration, &'static str> {
    if !seconds.is_finite() {
        return Err("it must be a finite number");
    }
    if seconds <= 0.0 {
        return Err("it must be longer than nothing");
    }
    if seconds > LONGEST {
        return Err("it must be at most a year");
    }
    // Whole milliseconds: what is written as 0.1 is not stored as 100000001 ns.
    let millis = (seconds * 1000.0).round().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 1 ms and a year")]
    let millis = millis as u64;
    Ok(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let seconds = |text: &str| parse_duration(text).expect(text).as_secs_f64();
        for (text, expected) in [
            ("90s", 90.0),
            ("10m", 600.0),
            ("1h30m", 5400.0),
            ("1.5h", 5400.0),
            ("250ms", 0.25),
            ("1m500ms", 60.5),
            ("2d", 172_800.0),
            ("30", 30.0),
            ("0.5", 0.5),
        ] {
            assert!((seconds(text) - expected).abs() < 1e-9, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "empty"),
            ("10", ""),
            ("1h30", "no unit"),
            ("10 m", "units must be"),
            ("30m1h", "falling order"),
            ("1m1m", "falling order"),
            ("5w", "units must be"),
            ("-5s", "numbers with units"),
            ("0s", "longer than nothing"),
            ("nan", "finite"),
            ("inf", "finite"),
            ("999999999h", "at most a year"),
            ("1.2.3s", "numbers with units"),
            ("m", "numbers with units"),
            ("١m", "numbers with units"),
        ] {
            match parse_duration(text) {
                Ok(_) => assert_eq!(reason, "", "{text} was accepted"),
                Err(message) => assert!(!reason.is_empty() && message.contains(reason), "{text}: {message}"),
            }
        }
    }

    proptest! {
        #[test]
        fn any_sum_of_units_is_read_back(days in 0u64..300, hours in 0u64..24, minutes in 0u64..60, seconds in 0u64..60, millis in 1u64..1000) {
            let text = format!("{days}d{hours}h{minutes}m{seconds}s{millis}ms");
            let expected = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + millis;
            prop_assert_eq!(parse_duration(&text), Ok(Duration::from_millis(expected)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn what_is_accepted_matches_the_pattern_of_the_schema(text in "[0-9.dhms]{1,8}") {
            if parse_duration(&text).is_ok() && text.parse::<f64>().is_err() {
                prop_assert!(text.ends_with(|last: char| last.is_ascii_alphabetic()));
            }
        }
    }
}
