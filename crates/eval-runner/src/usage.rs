//! What an agent says it used: tokens and money, from a file that it leaves.

use std::time::Duration;

use eval_builder::{AgentKind, Prices, UsageFile};
use eval_record::{Phase, Usage};
use runloop_types::DevboxId;
use serde_json::Value;

use crate::plan::Trial;
use crate::platform::Platform;
use crate::progress::Trace;
use crate::session::Session;
use crate::shell::quote;

/// For reading the file.
const TIME: Duration = Duration::from_secs(10);

/// Bytes of the file's end that are looked at.
const LIMIT: usize = 1 << 20;

impl<P: Platform> Session<P> {
    /// Reads what an agent left, while its devbox still runs. Whatever goes wrong with that is an absent value and nobody's
    /// failure: it is the agent's own word and no part of the verdict.
    pub(crate) async fn usage(&self, devbox: &DevboxId, directory: &str, file: &UsageFile) -> Option<Usage> {
        let path = match file.path.strip_prefix("~/") {
            Some(rest) => format!("\"$HOME\"/{}", quote(rest)),
            None => quote(&file.path),
        };
        let line = format!("{}[ -f {path} ] && tail -c {LIMIT} <{path}", crate::shell::enter(directory));
        let ended = self.command(devbox, line, TIME, 2 * LIMIT).await;
        match ended {
            Ok(ended) => read(&ended.stdout.exact_text(), file),
            Err(error) => {
                tracing::warn!(%devbox, %error, "cannot read what the agent used");
                None
            }
        }
    }
}

/// The values in a JSON file, or in lines of JSON: of each, the last one there is. `None` without any.
fn read(text: &str, file: &UsageFile) -> Option<Usage> {
    let documents: Vec<Value> = match serde_json::from_str(text) {
        Ok(document) => vec![document],
        Err(_) => text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
    };
    let find = |pointer: &Option<String>| {
        let pointer = pointer.as_ref()?;
        documents.iter().rev().find_map(|document| document.pointer(pointer)).cloned()
    };
    let count = |pointer: &Option<String>| find(pointer)?.as_u64();
    let amount = |pointer: &Option<String>| find(pointer)?.as_f64().filter(|amount| *amount >= 0.0);
    let usage = Usage {
        input_tokens: count(&file.input_tokens),
        cached_input_tokens: count(&file.cached_input_tokens),
        output_tokens: count(&file.output_tokens),
        cost_usd: amount(&file.cost_usd),
        silent_attempts: 0,
    };
    (usage != Usage::default()).then_some(usage)
}

/// With the cost of its tokens, if it says none and every kind that has a price was counted: a part of the cost is none.
pub(crate) fn priced(usage: Usage, prices: &Prices) -> Usage {
    let Prices { input_per_million, cached_input_per_million, output_per_million } = *prices;
    let cost = [
        (input_per_million, usage.input_tokens),
        (cached_input_per_million, usage.cached_input_tokens),
        (output_per_million, usage.output_tokens),
    ]
    .into_iter()
    .filter_map(|(price, tokens)| Some((price?, tokens)))
    .try_fold(0.0, |sum, (price, tokens)| Some(sum + price * tokens? as f64 / 1e6));
    Usage { cost_usd: usage.cost_usd.or(cost), ..usage }
}

/// Whether an agent is one that costs nothing: it is ours.
pub(crate) fn is_free(kind: &AgentKind) -> bool {
    matches!(kind, AgentKind::Oracle | AgentKind::Nop | AgentKind::Control(_))
}

/// What the attempts at a trial used together.
#[derive(Debug, Default)]
pub(crate) struct Used {
    usage: Option<Usage>,
    silent: u32,
}

impl Used {
    /// Adds an attempt. One in which the agent worked and said no cost is counted as silent.
    pub(crate) fn add(&mut self, trial: &Trial, trace: &Trace) {
        let has_worked = trace.durations_ms.contains_key(&Phase::Agent) && !is_free(&trial.agent.kind);
        if has_worked && trace.usage.is_none_or(|usage| usage.cost_usd.is_none()) {
            self.silent += 1;
        }
        self.usage = match (self.usage, trace.usage) {
            (Some(before), Some(usage)) => Some(before.plus(usage)),
            (before, usage) => before.or(usage),
        };
    }

    /// All of them; `None` where no attempt said anything.
    pub(crate) fn total(&self) -> Option<Usage> {
        // Where there is no cost at all, nothing needs to be said of what it lacks.
        let silent_attempts = |usage: &Usage| if usage.cost_usd.is_some() { self.silent } else { 0 };
        self.usage.map(|usage| Usage { silent_attempts: silent_attempts(&usage), ..usage })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> UsageFile {
        UsageFile {
            path: "usage.json".to_owned(),
            input_tokens: Some("/usage/in".to_owned()),
            cached_input_tokens: Some("/usage/cached".to_owned()),
            output_tokens: Some("/usage/out".to_owned()),
            cost_usd: Some("/cost".to_owned()),
        }
    }

    #[test]
    fn values_are_where_the_pointers_point() {
        let usage = read(r#"{ "usage": { "in": 1200, "cached": 9, "out": 30 }, "cost": 0.25 }"#, &file());
        let expected = Usage {
            input_tokens: Some(1200),
            cached_input_tokens: Some(9),
            output_tokens: Some(30),
            cost_usd: Some(0.25),
            silent_attempts: 0,
        };
        assert_eq!(usage, Some(expected));
    }

    #[test]
    fn of_lines_the_last_one_counts_that_has_the_value() {
        let text =
            "d\": 1}\n{\"usage\":{\"in\":1}}\nnoise\n{\"usage\":{\"in\":5,\"out\":2}}\n{\"type\":\"end\"}\n";
        let expected = Usage { input_tokens: Some(5), output_tokens: Some(2), ..Usage::default() };
        assert_eq!(read(text, &file()), Some(expected));
    }

    #[test]
    fn tokens_have_a_price_where_all_that_have_one_are_counted() {
        let prices = Prices {
            input_per_million: Some(3.0),
            cached_input_per_million: None,
            output_per_million: Some(15.0),
        };
        let said = Usage { input_tokens: Some(200_000), output_tokens: Some(10_000), ..Usage::default() };
        let cost = priced(said, &prices).cost_usd.expect("a cost");
        assert!((cost - 0.75).abs() < 1e-12, "{cost}");
        let half = Usage { output_tokens: None, ..said };
        assert_eq!(priced(half, &prices).cost_usd, None, "half a cost is none");
        let own = Usage { cost_usd: Some(0.5), ..said };
        assert_eq!(priced(own, &prices).cost_usd, Some(0.5), "the agent knows better");
    }

    #[test]
    fn what_is_no_number_of_its_kind_is_absent() {
        assert_eq!(read(r#"{ "usage": { "in": -1, "out": "many" }, "cost": -2 }"#, &file()), None);
        assert_eq!(read(r#"{ "usage": { "in": 1.5 }, "cost": null }"#, &file()), None);
        assert_eq!(read("", &file()), None);
        assert_eq!(read("[]", &file()), None);
    }
}
