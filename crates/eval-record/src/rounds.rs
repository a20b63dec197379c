//! Repetitions that are added in rounds, until enough is known.

use serde::{Deserialize, Serialize};

/// How a run with adaptive trials repeats. After each round every agent is looked at; one of which enough is known gets no
/// further repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rounds {
    /// Repetitions of the first round, at least 1.
    pub min: u32,
    /// Most repetitions, at least `min`.
    pub max: u32,
    /// Without a gate: half the width of the interval of the mean score from which enough is known, 0 to 1.
    pub half_width: f64,
}

impl Rounds {
    /// Repetitions after each round: first `min`, then each time half as many again, at last `max`. Few and growing, because
    /// each look at the scores costs certainty, and each round waits for its slowest trial.
    pub fn sizes(&self) -> Vec<u32> {
        let mut sizes = vec![self.min.max(1)];
        while let Some(last) = sizes.last().copied().filter(|last| *last < self.max) {
            let next = last.saturating_add(last.div_ceil(2));
            // No last round of a few repetitions.
            sizes.push(if next.saturating_add(next / 4) >= self.max { self.max } else { next });
        }
        sizes
    }

    /// Repetitions after the next round, for an agent that has so many; `None` if it has all.
    pub fn next_size(&self, repetitions: u32) -> Option<u32> {
        self.sizes().into_iter().find(|size| *size > repetitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_grow_and_end_with_the_most() {
        let sizes = |min, max| Rounds { min, max, half_width: 0.05 }.sizes();
        assert_eq!(sizes(3, 20), [3, 5, 8, 12, 20]);
        assert_eq!(sizes(1, 5), [1, 2, 3, 5]);
        assert_eq!(sizes(2, 2), [2]);
        assert_eq!(sizes(0, 1), [1]);
        assert_eq!(sizes(9, 10), [9, 10]);
        let many = sizes(1, u32::MAX);
        assert!(many.len() < 60 && many.windows(2).all(|pair| pair[0] < pair[1]), "{many:?}");
    }

    #[test]
    fn the_next_round_is_the_first_that_is_larger() {
        let rounds = Rounds { min: 3, max: 20, half_width: 0.05 };
        assert_eq!([0, 3, 4, 12].map(|n| rounds.next_size(n)), [Some(3), Some(5), Some(5), Some(20)]);
        assert_eq!(rounds.next_size(20), None);
    }
}
