//! What an agent says it used.

use serde::{Deserialize, Serialize};

/// What an agent says it used. Its own word: nothing of the verdict rests on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens that its model read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens that its model read from a cache, where they are not among the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_input_tokens: Option<u64>,
    /// Tokens that its model wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// US dollars: as it says, else as its tokens cost by the prices of its definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Attempts in which it worked and that are not in `cost_usd`, because it said nothing.
    #[serde(skip_serializing_if = "is_zero")]
    pub silent_attempts: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Usage {
    /// Both together. What only one of them says is what that one says.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let count = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (one, other) => one.or(other),
        };
        Self {
            input_tokens: count(self.input_tokens, other.input_tokens),
            cached_input_tokens: count(self.cached_input_tokens, other.cached_input_tokens),
            output_tokens: count(self.output_tokens, other.output_tokens),
            cost_usd: match (self.cost_usd, other.cost_usd) {
                (Some(a), Some(b)) => Some(a + b),
                (one, other) => one.or(other),
            },
            silent_attempts: self.silent_attempts.saturating_add(other.silent_attempts),
        }
    }
}
