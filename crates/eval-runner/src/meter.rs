//! One resource with a cap: what is spent of it, what is kept for attempts under way, what attempts take.

use std::collections::HashMap;

use eval_record::TrialKey;

/// Amounts this close to the cap have reached it: sums of dollars are not exact.
const ROUNDING: f64 = 1e-9;

/// What an attempt is expected to take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Need {
    pub(crate) amount: f64,
    /// Whether that is known. Where it is not, an attempt may start alone with whatever is left, to find out.
    pub(crate) is_known: bool,
}

/// What attempts of a kind took.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    count: u32,
    most: f64,
}

impl Seen {
    /// An upper end for the next one: the most so far and its n-th part, the estimate of the upper end of an interval from
    /// n values in it (L. A. Goodman, "Serial number analysis", Journal of the American Statistical Association 47 (1952),
    /// 622-634). The first one counts double, and the margin shrinks as more are seen.
    fn upper(self) -> Option<f64> {
        (self.count > 0).then(|| self.most * (1.0 + 1.0 / f64::from(self.count)))
    }

    fn add(&mut self, amount: f64) {
        self.count = self.count.saturating_add(1);
        self.most = self.most.max(amount);
    }
}

/// What is kept for an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hold {
    pub(crate) amount: f64,
    /// Whether that is what it is expected to take.
    pub(crate) is_known: bool,
    /// What the attempt has taken of it.
    pub(crate) used: f64,
}

/// Spent and held amounts never exceed the cap as long as no attempt takes more than is held for it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    cap: f64,
    spent: f64,
    holds: HashMap<TrialKey, Hold>,
    /// By agent, then by scenario.
    seen: HashMap<String, HashMap<String, Seen>>,
}

impl Meter {
    pub(crate) fn new(cap: f64, spent: f64) -> Self {
        Self { cap, spent, ..Self::default() }
    }

    pub(crate) fn cap(&self) -> f64 {
        self.cap
    }

    pub(crate) fn spent(&self) -> f64 {
        self.spent
    }

    /// Whether the cap is reached by what is spent alone.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.spent >= self.cap - ROUNDING
    }

    /// What an attempt is expected to take: the upper end of what was seen of this agent in this scenario, else in others;
    /// never more than `bound`, which is what it takes when nothing was seen.
    pub(crate) fn need(&self, trial: &TrialKey, bound: Option<f64>) -> Option<f64> {
        let of_agent = self.seen.get(&trial.agent);
        let here =
            of_agent.and_then(|scenarios| scenarios.get(&trial.scenario)).and_then(|seen| seen.upper());
        let anywhere = || {
            let all = of_agent?.values().fold(Seen::default(), |sum, seen| Seen {
                count: sum.count.saturating_add(seen.count),
                most: sum.most.max(seen.most),
            });
            all.upper()
        };
        match (here.or_else(anywhere), bound) {
            (Some(seen), Some(bound)) => Some(seen.min(bound)),
            (seen, bound) => seen.or(bound),
        }
    }

    /// What could be held for an attempt now: all it needs or, if that is not known and nothing else is held, what is left.
    pub(crate) fn available(&self, need: Need) -> Option<f64> {
        let held: f64 = self.holds.values().map(|hold| (hold.amount - hold.used).max(0.0)).sum();
        let left = self.cap - self.spent - held;
        if need.amount <= left + ROUNDING {
            return Some(need.amount);
        }
        (!need.is_known && self.holds.is_empty() && left > ROUNDING).then_some(left)
    }

    /// Keeps an amount for an attempt.
    pub(crate) fn hold(&mut self, trial: TrialKey, amount: f64, is_known: bool) {
        self.holds.insert(trial, Hold { amount, is_known, used: 0.0 });
    }

    /// What is kept for an attempt.
    pub(crate) fn held(&self, trial: &TrialKey) -> Option<&Hold> {
        self.holds.get(trial)
    }

    /// Whether anything may come back.
    pub(crate) fn holds_any(&self) -> bool {
        !self.holds.is_empty()
    }

    /// Something was taken, by an attempt or by what is shared.
    pub(crate) fn spend(&mut self, trial: Option<&TrialKey>, amount: f64) {
        self.spent += amount;
        if let Some(hold) = trial.and_then(|trial| self.holds.get_mut(trial)) {
            hold.used += amount;
        }
    }

    /// An attempt is over: what it did not take is free again.
    pub(crate) fn release(&mut self, trial: &TrialKey) -> Option<Hold> {
        self.holds.remove(trial)
    }

    /// Learns from an attempt that went its whole way.
    pub(crate) fn learn(&mut self, trial: &TrialKey, amount: f64) {
        let scenarios = self.seen.entry(trial.agent.clone()).or_default();
        scenarios.entry(trial.scenario.clone()).or_default().add(amount);
    }

    /// Whether anything was learned of an agent.
    pub(crate) fn knows(&self, agent: &str) -> bool {
        self.seen.contains_key(agent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(agent: u8, scenario: u8, repetition: u32) -> TrialKey {
        TrialKey { scenario: format!("s{scenario}"), agent: format!("a{agent}"), repetition }
    }

    #[test]
    fn what_is_expected_comes_from_the_nearest_that_was_seen() {
        let mut meter = Meter::new(100.0, 0.0);
        assert_eq!(meter.need(&key(0, 0, 1), None), None);
        assert_eq!(meter.need(&key(0, 0, 1), Some(9.0)), Some(9.0));
        meter.learn(&key(0, 0, 1), 2.0);
        meter.learn(&key(0, 1, 1), 3.0);
        assert_eq!(meter.need(&key(0, 0, 2), Some(9.0)), Some(4.0), "once seen, twice that");
        assert_eq!(meter.need(&key(0, 2, 1), None), Some(4.5), "of two others, half as much again");
        assert_eq!(meter.need(&key(0, 0, 2), Some(2.5)), Some(2.5), "never above the bound");
        assert_eq!(meter.need(&key(1, 0, 1), None), None, "another agent");
    }

    #[test]
    fn what_is_not_known_starts_alone_with_what_is_left() {
        let mut meter = Meter::new(10.0, 4.0);
        let unknown = Need { amount: f64::INFINITY, is_known: false };
        assert_eq!(meter.available(unknown), Some(6.0));
        assert_eq!(meter.available(Need { amount: 6.5, is_known: true }), None);
        meter.hold(key(0, 0, 1), 1.0, true);
        assert_eq!(meter.available(unknown), None, "another is under way");
        assert_eq!(meter.available(Need { amount: 5.0, is_known: true }), Some(5.0));
        meter.spend(Some(&key(0, 0, 1)), 0.25);
        assert_eq!(
            meter.available(Need { amount: 5.0, is_known: true }),
            Some(5.0),
            "its own does not count twice"
        );
        assert_eq!(meter.release(&key(0, 0, 1)).map(|hold| hold.used), Some(0.25));
        assert_eq!(meter.available(unknown), Some(5.75));
    }

    proptest! {
        /// Attempts start whenever they can, take up to what is held for them, and end in any order.
        #[test]
        fn the_cap_is_never_exceeded_by_attempts_that_keep_to_what_is_held(
            cap in 0.1..50.0f64,
            steps in proptest::collection::vec((0..3u8, 0..4u8, 0.0..=1.0f64, any::<bool>()), 1..200),
            declared in 0.05..5.0f64,
        ) {
            let mut meter = Meter::new(cap, 0.0);
            let mut running: Vec<TrialKey> = Vec::new();
            let mut held: HashMap<TrialKey, f64> = HashMap::new();
            for (repetition, (agent, scenario, share, ends)) in (1..).zip(steps) {
                if ends && !running.is_empty() {
                    let trial = running.remove((share * (running.len() - 1) as f64) as usize);
                    let amount = held[&trial] * share;
                    held.remove(&trial);
                    meter.spend(Some(&trial), amount);
                    let used = meter.release(&trial).map(|hold| hold.used);
                    meter.learn(&trial, used.unwrap_or_default());
                } else {
                    let trial = key(agent, scenario, repetition);
                    // The first agent declares nothing.
                    let known = meter.need(&trial, (agent > 0).then_some(declared));
                    let need = Need { amount: known.unwrap_or(f64::INFINITY), is_known: known.is_some() };
                    if let Some(amount) = meter.available(need) {
                        meter.hold(trial.clone(), amount, need.is_known);
                        held.insert(trial.clone(), amount);
                        running.push(trial);
                    }
                }
                let all = meter.spent() + held.values().sum::<f64>();
                prop_assert!(all <= cap + 1e-6, "{all} > {cap}");
            }
        }
    }
}
