//! What a run took, of what it may take.

use eval_record::{Budget, Spent, Usage};
use serde::{Deserialize, Serialize};

/// What a run took in all its attempts, also those that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spending {
    /// Milliseconds of all its devboxes together: of agents, of scoring and of preparations.
    pub devbox_ms: u64,
    /// What its agents say they used.
    #[serde(flatten)]
    pub usage: Usage,
    /// What it may take.
    #[serde(skip_serializing_if = "Budget::is_unlimited")]
    pub budget: Budget,
}

impl Spending {
    pub(crate) fn of(spent: &Spent, budget: Budget) -> Self {
        Self { devbox_ms: spent.devbox_ms_so_far(), usage: spent.usage(), budget }
    }

    /// `12.3 devbox minutes of 60, $1.25 of $5.00`; `None` where nothing is known.
    pub fn text(&self) -> Option<String> {
        let Budget { max_devbox_minutes, max_cost_usd } = self.budget;
        let mut parts = Vec::new();
        if self.devbox_ms > 0 || max_devbox_minutes.is_some() {
            let minutes = self.devbox_ms as f64 / 60_000.0;
            let of = max_devbox_minutes.map(|most| format!(" of {most}")).unwrap_or_default();
            parts.push(format!("{minutes:.1} devbox minutes{of}"));
        }
        if self.usage.cost_usd.is_some() || max_cost_usd.is_some() {
            let of = max_cost_usd.map(|most| format!(" of {}", dollars(most))).unwrap_or_default();
            parts.push(format!("{}{of}", dollars(self.usage.cost_usd.unwrap_or_default())));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// `$1.25`, and small amounts with more digits: `$0.0312`.
pub fn dollars(amount: f64) -> String {
    if amount > 0.0 && amount < 1.0 { format!("${amount:.4}") } else { format!("${amount:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_stands_before_what_may_be() {
        let usage = Usage { cost_usd: Some(0.03125), ..Usage::default() };
        let spending = Spending { devbox_ms: 738_000, usage, budget: Budget::default() };
        assert_eq!(spending.text().as_deref(), Some("12.3 devbox minutes, $0.0312"));
        let budget = Budget { max_devbox_minutes: Some(60.0), max_cost_usd: Some(5.0) };
        let capped = Spending { budget, ..spending };
        assert_eq!(capped.text().as_deref(), Some("12.3 devbox minutes of 60, $0.0312 of $5.00"));
        let nothing = Spending { budget, ..Spending::default() };
        assert_eq!(nothing.text().as_deref(), Some("0.0 devbox minutes of 60, $0.00 of $5.00"));
        assert_eq!(Spending::default().text(), None);
    }
}
