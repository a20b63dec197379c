//! A queue that takes turns between lanes, so that an agent with a thousand requests does not keep another waiting.

use std::collections::VecDeque;

use super::lane::Lane;

#[derive(Debug)]
pub(super) struct Queue<T> {
    /// Those that have something, the next one first. There are as many as agents: few.
    lanes: VecDeque<(Lane, VecDeque<T>)>,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { lanes: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    pub(super) fn push(&mut self, lane: Lane, item: T) {
        match self.lanes.iter_mut().find(|(known, _)| *known == lane) {
            Some((_, items)) => items.push_back(item),
            None => self.lanes.push_back((lane, VecDeque::from([item]))),
        }
    }

    /// The oldest of the lane whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let (lane, mut items) = self.lanes.pop_front()?;
        let item = items.pop_front();
        if !items.is_empty() {
            self.lanes.push_back((lane, items));
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_take_turns_and_each_keeps_its_order() {
        let mut queue = Queue::new();
        for (lane, item) in [("a", 1), ("a", 2), ("a", 3), ("b", 10), ("b", 11)] {
            queue.push(Lane::Agent(lane.into()), item);
        }
        queue.push(Lane::Shared, 100);
        let order: Vec<i32> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [1, 10, 100, 2, 11, 3]);
        assert!(queue.is_empty());
    }
}
