//! Reads the Test Anything Protocol, versions 12 to 14.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::tally::Tally;

/// Why a text is no TAP report.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum NotTap {
    /// No plan: how many tests should have run is not known.
    #[error("there is no plan (`1..N`) in the output")]
    NoPlan,
    /// Two different plans.
    #[error("there are two plans, `1..{first}` and `1..{second}`")]
    TwoPlans { first: u64, second: u64 },
    /// The producer gave up.
    #[error("the tests bailed out")]
    BailedOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Result {
    Passed,
    Failed,
    LeftOut,
}

/// Counts the tests of a report.
///
/// - Planned tests without a result failed, and so did those beyond the plan, or with a failed result among several.
/// - Tests marked `# SKIP` or `# TODO` are left out, whatever their result.
/// - Only lines that start at the margin count: what is indented is a subtest, and its parent says how it went.
/// - Everything that is not TAP is passed over, as the protocol asks.
pub(crate) fn parse(text: &str) -> std::result::Result<Tally, NotTap> {
    let mut plan: Option<u64> = None;
    let mut results: BTreeMap<u64, Result> = BTreeMap::new();
    let mut last = 0_u64;
    for line in text.lines() {
        if line.starts_with("Bail out!") {
            return Err(NotTap::BailedOut);
        }
        if let Some(planned) = plan_of(line) {
            match plan {
                Some(first) if first != planned => return Err(NotTap::TwoPlans { first, second: planned }),
                _ => plan = Some(planned),
            }
        } else if let Some((number, result)) = result_of(line) {
            last = number.unwrap_or(last.saturating_add(1));
            results.entry(last).and_modify(|known| *known = worse(*known, result)).or_insert(result);
        }
    }
    let planned = plan.ok_or(NotTap::NoPlan)?;
    let mut tally = Tally::default();
    let mut within_plan = 0;
    for (number, result) in results {
        let expected = (1..=planned).contains(&number);
        within_plan += u64::from(expected);
        match result {
            Result::Passed if expected => tally.passed += 1,
            Result::LeftOut if expected => tally.left_out += 1,
            _ => tally.failed += 1,
        }
    }
    tally.failed = tally.failed.saturating_add(planned - within_plan);
    Ok(tally)
}

fn worse(one: Result, other: Result) -> Result {
    if one == Result::Failed || other == Result::Failed { Result::Failed } else { one }
}

/// `1..5`, with an optional comment.
fn plan_of(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("1..")?;
    let digits = rest.split_once('#').map_or(rest, |(digits, _)| digits).trim_end();
    is_number(digits).then(|| digits.parse().ok())?
}

/// `ok 3 - description # SKIP reason`: the number if there is one, and how it went.
fn result_of(line: &str) -> Option<(Option<u64>, Result)> {
    let (passed, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let rest = rest.trim();
    let word = rest.split_ascii_whitespace().next().unwrap_or("");
    let number = if is_number(word) { word.parse().ok() } else { None };
    let result = match (directive(rest), passed) {
        (true, _) => Result::LeftOut,
        (false, true) => Result::Passed,
        (false, false) => Result::Failed,
    };
    Some((number, result))
}

/// Whether a test line ends in `# SKIP ...` or `# TODO ...`; an escaped `\#` starts no directive.
fn directive(rest: &str) -> bool {
    let mut escaped = false;
    for (index, c) in rest.char_indices() {
        if c == '#' && !escaped {
            let word = rest[index + 1..].trim_start();
            let starts =
                |name: &str| word.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
            if starts("skip") || starts("todo") {
                return true;
            }
        }
        escaped = c == '\\' && !escaped;
    }
    false
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(text: &str) -> (u64, u64, u64) {
        let tally = parse(text).expect(text);
        (tally.passed, tally.failed, tally.left_out)
    }

    #[test]
    fn results_are_counted_with_the_plan_first_or_last() {
        assert_eq!(tally("TAP version 14\n1..3\nok 1 - a\nnot ok 2 - b\nok 3\n"), (2, 1, 0));
        assert_eq!(tally("ok\nok\nnot ok\n1..3\n"), (2, 1, 0));
    }

    #[test]
    fn planned_tests_that_never_ran_failed() {
        assert_eq!(tally("1..4\nok 1\nok 2\n"), (2, 2, 0));
        assert_eq!(tally("1..18446744073709551615\nok 1\n"), (1, u64::MAX - 1, 0));
    }

    #[test]
    fn tests_beyond_the_plan_failed() {
        assert_eq!(tally("1..1\nok 1\nok 2\n"), (1, 1, 0));
        assert_eq!(tally("1..1\nok 0\nok 1\n"), (1, 1, 0));
    }

    #[test]
    fn a_number_said_twice_counts_once_and_fails_if_it_ever_did() {
        assert_eq!(tally("1..2\nok 1\nok 1\nnot ok 2\nok 2\n"), (1, 1, 0));
    }

    #[test]
    fn skipped_and_todo_tests_are_left_out() {
        assert_eq!(
            tally("1..4\nok 1 # SKIP no network\nnot ok 2 # todo later\nok 3\nnot ok 4 # why\n"),
            (1, 1, 2)
        );
        assert_eq!(tally("1..1\nok 1 - about \\# SKIP\n"), (1, 0, 0));
        assert_eq!(tally("1..0 # SKIP nothing to do\n"), (0, 0, 0));
    }

    #[test]
    fn subtests_and_noise_are_passed_over() {
        let text =
            "# Subtest: x\n    1..2\n    ok 1\n    not ok 2\nok 1 - x\nokay then\nnot okay\n1..x\n1..1\n";
        assert_eq!(tally(text), (1, 0, 0));
    }

    #[test]
    fn reports_that_cannot_be_trusted_are_none() {
        assert_eq!(parse("ok 1\n"), Err(NotTap::NoPlan));
        assert_eq!(parse("1..1\nok 1\n1..2\n"), Err(NotTap::TwoPlans { first: 1, second: 2 }));
        assert_eq!(parse("1..2\nok 1\nBail out! no database\n"), Err(NotTap::BailedOut));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(lines in proptest::collection::vec("(1\\.\\.|ok |not ok |#|\\\\| |[0-9]{1,20}|.){0,8}", 0..8)) {
            let _ = parse(&lines.join("\n"));
        }
    }
}
