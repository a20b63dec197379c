//! How many tests ran and how many of them passed.

/// The count of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed, broke, or were planned and did not run.
    pub(crate) failed: u64,
    /// Tests that were skipped or are expected to fail; they count neither way.
    pub(crate) left_out: u64,
}

impl Tally {
    /// The share of passed tests, given how the command ended; `None` if no test counts.
    ///
    /// A command that fails although every test passed counts as one more failed test, as it does for the usual TAP
    /// harnesses: something went wrong that no test stands for.
    pub(crate) fn pass_rate(self, exit_status: i32) -> Option<f64> {
        let failed = if self.failed == 0 && exit_status != 0 { 1 } else { self.failed };
        let counted = self.passed.checked_add(self.failed).filter(|counted| *counted > 0)?;
        let total = counted.max(self.passed.saturating_add(failed));
        let rate = self.passed as f64 / total as f64;
        Some(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, left_out: u64) -> Tally {
        Tally { passed, failed, left_out }
    }

    #[test]
    fn the_rate_is_over_the_tests_that_count() {
        assert_eq!(tally(3, 1, 7).pass_rate(1), Some(0.75));
        assert_eq!(tally(3, 1, 0).pass_rate(0), Some(0.75));
        assert_eq!(tally(3, 0, 0).pass_rate(0), Some(1.0));
        assert_eq!(tally(0, 2, 0).pass_rate(1), Some(0.0));
    }

    #[test]
    fn a_failing_command_never_has_a_full_rate() {
        assert_eq!(tally(3, 0, 0).pass_rate(1), Some(0.75));
    }

    #[test]
    fn nothing_counted_is_no_rate() {
        assert_eq!(tally(0, 0, 5).pass_rate(0), None);
        assert_eq!(tally(0, 0, 0).pass_rate(1), None);
    }
}
