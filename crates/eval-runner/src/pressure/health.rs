//! Whether the target is there: what the answers say, before a probe decides.

use std::time::Duration;

use tokio::time::Instant;

/// Attempts in a row that fail before a probe asks whether the target is down. One call alone gets there within 7 s.
const FAILURES: u32 = 4;

/// For how long they must have failed: many that were cut at once are one event.
const FAILING: Duration = Duration::from_secs(1);

/// Time between two doubts that a probe did not share.
const BETWEEN_DOUBTS: Duration = Duration::from_secs(5);

/// What is known of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answers, as far as anyone knows.
    Up,
    /// There is reason to ask whether it is down, or takes the key no more.
    Doubtful,
    /// It is down: all wait.
    Down,
    /// The run ends: nobody waits for it any more.
    Released,
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) health: Health,
    /// The failures since the last answer: when the first one came, and how many.
    failing: Option<(Instant, u32)>,
    doubted: Option<Instant>,
    /// Outages so far, this one included.
    pub(super) outages: u32,
}

impl Record {
    pub(super) fn new() -> Self {
        Self { health: Health::Up, failing: None, doubted: None, outages: 0 }
    }

    /// An answer that only a target gives that is there.
    pub(super) fn answered(&mut self) {
        self.failing = None;
    }

    /// No answer, or that of a server which does not work. Answers whether that is one too many.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        let (since, count) = self.failing.map_or((now, 1), |(since, count)| (since, count + 1));
        self.failing = Some((since, count));
        count >= FAILURES && now.duration_since(since) >= FAILING && self.doubt(now)
    }

    /// The key was refused. Answers whether to ask if that holds for all requests.
    pub(super) fn refused(&mut self, now: Instant) -> bool {
        self.doubt(now)
    }

    fn doubt(&mut self, now: Instant) -> bool {
        let is_early = self.doubted.is_some_and(|at| now.duration_since(at) < BETWEEN_DOUBTS);
        if self.health != Health::Up || is_early {
            return false;
        }
        self.doubted = Some(now);
        self.health = Health::Doubtful;
        true
    }

    /// Since when nothing came through.
    pub(super) fn failing_since(&self) -> Option<Instant> {
        self.failing.map(|(since, _)| since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_over_a_while_raise_a_doubt_and_an_answer_ends_the_row() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut record = Record::new();
        // A hundred connections cut at once.
        assert!((0..100).all(|_| !record.failed(at(0))));
        record.answered();
        assert!((0..3).all(|n| !record.failed(at(2000 + n * 1000))));
        assert!(record.failed(at(6000)));
        assert_eq!(record.health, Health::Doubtful);
        assert!(!record.failed(at(7000)), "one doubt at a time");
    }

    #[test]
    fn a_doubt_that_was_wrong_is_not_raised_again_at_once() {
        let start = Instant::now();
        let mut record = Record::new();
        assert!(record.refused(start));
        record.health = Health::Up;
        assert!(!record.refused(start + Duration::from_secs(4)));
        assert!(record.refused(start + Duration::from_secs(6)));
    }
}
