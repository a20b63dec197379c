//! Which faults, and how often.

use std::time::Duration;

use crate::span::Span;

/// Which faults a proxy makes, and how often: each number is a share of all requests, 0 to 1. A request meets one at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults {
    /// Seed of the chance.
    pub seed: u64,
    /// How long each request waits first.
    pub delay: Span,
    /// Refused with 429 and a short `retry-after-ms`.
    pub too_many: f64,
    /// Refused with 500; nothing was done.
    pub error: f64,
    /// Answered with 502 though it was done.
    pub error_after: f64,
    /// The connection breaks before anything was done.
    pub reset: f64,
    /// The connection breaks though it was done.
    pub reset_after: f64,
    /// The answer breaks off in its middle.
    pub cut: f64,
    /// Sent twice, at once.
    pub twice: f64,
    /// Done, and never answered: the connection stays open for this [silence](Faults::silence), then breaks.
    pub hang: f64,
    /// How long a request that hangs is silent, unless the client gives up before.
    pub silence: Duration,
}

impl Faults {
    /// A proxy that only passes on.
    pub const NONE: Self = Self {
        seed: 0,
        delay: Span::NONE,
        too_many: 0.0,
        error: 0.0,
        error_after: 0.0,
        reset: 0.0,
        reset_after: 0.0,
        cut: 0.0,
        twice: 0.0,
        hang: 0.0,
        silence: Duration::from_secs(1),
    };

    /// Every kind of fault as often as any other, in this share of all requests.
    pub fn all(share: f64, seed: u64) -> Self {
        let each = share / 8.0;
        Self {
            seed,
            too_many: each,
            error: each,
            error_after: each,
            reset: each,
            reset_after: each,
            cut: each,
            twice: each,
            hang: each,
            ..Self::NONE
        }
    }

    pub(super) fn draw(&self, random: &mut fastrand::Rng) -> Option<Fault> {
        let mut left = random.f64();
        for (fault, share) in self.shares() {
            if left < share {
                return Some(fault);
            }
            left -= share;
        }
        None
    }

    fn shares(&self) -> [(Fault, f64); 8] {
        [
            (Fault::TooMany, self.too_many),
            (Fault::Error, self.error),
            (Fault::ErrorAfter, self.error_after),
            (Fault::Reset, self.reset),
            (Fault::ResetAfter, self.reset_after),
            (Fault::Cut, self.cut),
            (Fault::Twice, self.twice),
            (Fault::Hang, self.hang),
        ]
    }
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    TooMany,
    Error,
    ErrorAfter,
    Reset,
    ResetAfter,
    Cut,
    Twice,
    Hang,
}

/// What a proxy did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Requests that came.
    pub requests: u64,
    /// Those that met a fault.
    pub faults: u64,
}

impl Made {
    pub(super) fn note(&mut self, fault: Option<Fault>) {
        self.requests += 1;
        self.faults += u64::from(fault.is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_comes_about_as_often_as_it_should() {
        let faults = Faults::all(0.8, 3);
        let mut random = fastrand::Rng::with_seed(faults.seed);
        let drawn: Vec<_> = (0..10_000).map(|_| faults.draw(&mut random)).collect();
        for (fault, _) in faults.shares() {
            let count = drawn.iter().filter(|drawn| **drawn == Some(fault)).count();
            assert!((900..1100).contains(&count), "{fault:?}: {count} of 10000");
        }
        assert!(Faults::NONE.draw(&mut random).is_none());
    }
}
