//! Notices that a sequence repeats itself.

/// Brent's way: one earlier value is kept, and replaced after 1, 2, 4, 8 ... steps. Any cycle is found after a few times
/// its length, in constant memory.
#[derive(Debug)]
pub(crate) struct Cycle<T> {
    mark: Option<T>,
    steps: u64,
    patience: u64,
}

impl<T> Default for Cycle<T> {
    fn default() -> Self {
        Self { mark: None, steps: 0, patience: 1 }
    }
}

impl<T: PartialEq + Clone> Cycle<T> {
    /// Takes the next value; whether it closes a cycle.
    pub(crate) fn closes(&mut self, value: &T) -> bool {
        if self.mark.as_ref() == Some(value) {
            return true;
        }
        self.steps += 1;
        if self.steps == self.patience {
            self.mark = Some(value.clone());
            self.steps = 0;
            self.patience = self.patience.saturating_mul(2);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_cycle_is_found_soon_and_nothing_else_is(before in 0usize..50, length in 1usize..50) {
            let mut cycle = Cycle::default();
            let values = (0..).map(|n| if n < before { n } else { before + (n - before) % length });
            let found = values.take(1000).position(|value| cycle.closes(&value));
            prop_assert!(found.is_some_and(|at| at >= length && at <= 4 * (before + length)), "{found:?}");

            let mut cycle = Cycle::default();
            prop_assert!((0..1000).all(|value| !cycle.closes(&value)));
        }
    }
}
