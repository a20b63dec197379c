//! How many requests may be in flight: additive increase, multiplicative decrease.
//!
//! This is TCP's congestion control (RFC 5681) with requests for segments:
//!
//! - There is no limit until the target complains. Then it is [half](HALF) of what was in flight (RFC 5681, section 3.1,
//!   equation 4), or [nine tenths](TENTH_LESS) where the complaint may be about one request rather than about their
//!   number, such as a 500: the ratio of Netflix's `concurrency-limits` for signals that are noisy.
//! - Complaints about requests that were sent before the last decrease are part of it: a burst that is refused as a whole
//!   is one complaint (RFC 6582, section 3.2, step 1).
//! - Each answer raises it by one below the threshold (slow start), above it by one for as many answers as it has room for
//!   (RFC 5681, section 3.1, equation 3); but only while it is what holds requests back (RFC 7661, section 4.3).
//! - After an outage it begins with [ten](AFTER_OUTAGE) (RFC 6928) and no threshold.
//! - When nobody had to wait for a [minute](LIFTED_AFTER), it is gone.

use std::time::Duration;

use tokio::time::Instant;

/// What a complaint about the number of requests leaves.
pub(super) const HALF: f64 = 0.5;

/// What a complaint leaves that may be about the request itself.
pub(super) const TENTH_LESS: f64 = 0.9;

const AFTER_OUTAGE: f64 = 10.0;

const LIFTED_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Limit {
    in_flight: usize,
    ceiling: Option<Ceiling>,
}

#[derive(Debug)]
struct Ceiling {
    limit: f64,
    threshold: f64,
    lowered: Instant,
    /// When it last held something back.
    felt: Instant,
    /// Lowest that was told; `None` if nothing was.
    told: Option<u32>,
}

impl Limit {
    /// Whether one more may go.
    pub(super) fn has_room(&self) -> bool {
        self.ceiling.as_ref().is_none_or(|ceiling| (self.in_flight as f64) + 1.0 <= ceiling.limit)
    }

    pub(super) fn enter(&mut self, now: Instant) {
        self.in_flight += 1;
        if !self.has_room() {
            self.held_back(now);
        }
    }

    pub(super) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Somebody has to wait.
    pub(super) fn held_back(&mut self, now: Instant) {
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.felt = now;
        }
    }

    /// The target complained about a request, which is still counted. Answers the limit if it is lower than any that was
    /// told.
    pub(super) fn lower(&mut self, ratio: f64, sent: Instant, now: Instant) -> Option<u32> {
        let before = match &self.ceiling {
            Some(ceiling) if sent <= ceiling.lowered => return None,
            Some(ceiling) => ceiling.limit.min(self.in_flight as f64),
            None => self.in_flight as f64,
        };
        let limit = (before * ratio).max(1.0);
        let told = self.ceiling.as_ref().and_then(|ceiling| ceiling.told);
        let whole = limit as u32;
        let is_news = told.is_none_or(|told| whole < told);
        let told = if is_news { Some(whole) } else { told };
        self.ceiling = Some(Ceiling { limit, threshold: limit, lowered: now, felt: now, told });
        is_news.then_some(whole)
    }

    /// A request was answered, and is still counted.
    pub(super) fn raise(&mut self, sent: Instant) {
        let in_flight = self.in_flight as f64;
        if let Some(ceiling) = &mut self.ceiling
            && sent > ceiling.lowered
            && in_flight + 1.0 > ceiling.limit
        {
            ceiling.limit += if ceiling.limit < ceiling.threshold { 1.0 } else { 1.0 / ceiling.limit };
        }
    }

    /// Begins anew, as after an outage.
    pub(super) fn restart(&mut self, now: Instant) {
        let told = self.ceiling.as_ref().and_then(|ceiling| ceiling.told);
        self.ceiling =
            Some(Ceiling { limit: AFTER_OUTAGE, threshold: f64::INFINITY, lowered: now, felt: now, told });
    }

    /// Takes the limit away if nobody feels it any more. Answers whether that is news.
    pub(super) fn lift(&mut self, now: Instant) -> bool {
        match &self.ceiling {
            Some(ceiling) if now.duration_since(ceiling.felt) >= LIFTED_AFTER => {
                let was_told = ceiling.told.is_some();
                self.ceiling = None;
                was_told
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills a limit as far as it goes; at most 1000.
    fn fill(limit: &mut Limit, now: Instant) -> usize {
        let mut entered = 0;
        while limit.has_room() && entered < 1000 {
            limit.enter(now);
            entered += 1;
        }
        entered
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn there_is_none_until_the_target_complains_and_then_it_is_half_of_what_was_in_flight() {
        let start = Instant::now();
        let mut limit = Limit::default();
        assert_eq!(fill(&mut limit, start), 1000);
        assert_eq!(limit.lower(HALF, start, start + seconds(1)), Some(500));
        assert!(!limit.has_room());
        (0..501).for_each(|_| limit.leave());
        assert!(limit.has_room());
    }

    #[test]
    fn a_burst_that_is_refused_is_one_complaint() {
        let start = Instant::now();
        let mut limit = Limit::default();
        fill(&mut limit, start);
        assert_eq!(limit.lower(HALF, start, start + seconds(1)), Some(500));
        for _ in 0..999 {
            assert_eq!(limit.lower(HALF, start, start + seconds(1)), None);
        }
        assert_eq!(limit.lower(HALF, start + seconds(2), start + seconds(3)), Some(250));
    }

    #[test]
    fn it_never_falls_below_one() {
        let start = Instant::now();
        let mut limit = Limit::default();
        limit.enter(start);
        assert_eq!(limit.lower(HALF, start, start + seconds(1)), Some(1));
        assert_eq!(limit.lower(HALF, start + seconds(2), start + seconds(3)), None, "that is no news");
        limit.leave();
        assert!(limit.has_room());
    }

    #[test]
    fn a_round_of_answers_raises_it_by_one() {
        let start = Instant::now();
        let mut limit = Limit::default();
        (0..20).for_each(|_| limit.enter(start));
        limit.lower(HALF, start, start);
        (0..20).for_each(|_| limit.leave());
        let mut widths = Vec::new();
        for round in 1..=3 {
            let sent = start + seconds(round);
            let width = fill(&mut limit, sent);
            widths.push(width);
            for _ in 0..width {
                limit.raise(sent);
                limit.leave();
                limit.enter(sent);
            }
            (0..width).for_each(|_| limit.leave());
        }
        assert_eq!(
            widths,
            [10, 10, 11],
            "nearly one a round: each answer adds a share of what it has become"
        );
    }

    #[test]
    fn after_an_outage_it_doubles_each_round() {
        let start = Instant::now();
        let mut limit = Limit::default();
        limit.restart(start);
        let mut widths = Vec::new();
        for round in 1..=3 {
            let sent = start + seconds(round);
            let width = fill(&mut limit, sent);
            widths.push(width);
            for _ in 0..width {
                limit.raise(sent);
                limit.leave();
                limit.enter(sent);
            }
            // Answered one by one while the next take their places.
            (0..width).for_each(|_| limit.leave());
        }
        assert_eq!(widths[0], 10);
        assert!(widths[1] > 10 && widths[2] > widths[1], "{widths:?}");
    }

    #[test]
    fn what_nobody_needs_does_not_raise_it() {
        let start = Instant::now();
        let mut limit = Limit::default();
        (0..20).for_each(|_| limit.enter(start));
        limit.lower(HALF, start, start);
        (0..20).for_each(|_| limit.leave());
        for answer in 1..1000 {
            let sent = start + seconds(answer);
            limit.enter(sent);
            limit.raise(sent);
            limit.leave();
        }
        assert_eq!(fill(&mut limit, start + seconds(1000)), 10);
    }

    #[test]
    fn it_is_gone_when_nobody_had_to_wait_for_a_minute() {
        let start = Instant::now();
        let mut limit = Limit::default();
        (0..4).for_each(|_| limit.enter(start));
        limit.lower(HALF, start, start);
        limit.held_back(start + seconds(30));
        assert!(!limit.lift(start + seconds(61)));
        assert!(limit.lift(start + seconds(90)));
        assert!(limit.has_room());
        assert!(!limit.lift(start + seconds(200)), "told once");
    }
}
