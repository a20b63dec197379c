//! Where an agent says what it used, and what that costs.

use crate::diagnostic::Diagnostic;
use crate::environment::non_empty;
use crate::loader::Loader;
use crate::model::{Prices, UsageFile};
use crate::template::Scope;
use crate::yaml::Node;

pub(crate) fn usage(loader: &mut Loader<'_>, node: &Node) -> Option<UsageFile> {
    let map = node.as_map()?;
    let path = non_empty(loader, map.get("file")?, "`file`", &Scope::default())?;
    let mut pointer = |key: &str| {
        let node = map.get(key)?;
        let text = node.as_text()?;
        if !text.starts_with('/') {
            loader
                .push(Diagnostic::error(&node.span, format!("`{text}` is not a JSON pointer")).help(
                    "a JSON pointer begins with `/` and names the way to a value: /usage/input_tokens",
                ));
        }
        Some(text.to_owned())
    };
    let usage = UsageFile {
        path,
        input_tokens: pointer("input_tokens"),
        cached_input_tokens: pointer("cached_input_tokens"),
        output_tokens: pointer("output_tokens"),
        cost_usd: pointer("cost_usd"),
    };
    let UsageFile { path: _, input_tokens, cached_input_tokens, output_tokens, cost_usd } = &usage;
    if [input_tokens, cached_input_tokens, output_tokens, cost_usd].iter().all(|pointer| pointer.is_none()) {
        loader.push(
            Diagnostic::error(&node.span, "this says nothing of what to read")
                .help("give it one of `input_tokens`, `output_tokens`, `cost_usd`"),
        );
    }
    Some(usage)
}

/// Every price needs a count to be multiplied with.
pub(crate) fn prices(loader: &mut Loader<'_>, node: &Node, usage: Option<&UsageFile>) -> Option<Prices> {
    let map = node.as_map()?;
    let mut price = |key: &str, counted: &str, pointer: Option<&String>| {
        let entry = map.entry(key)?;
        if pointer.is_none() {
            loader.push(
                Diagnostic::error(
                    &entry.key_span,
                    format!("a price without `{counted}` in `usage` costs nothing"),
                )
                .help(format!("say where the agent writes them: usage: {{ file: ..., {counted}: /... }}")),
            );
        }
        entry.value.as_number()
    };
    let prices = Prices {
        input_per_million: price(
            "input_per_million",
            "input_tokens",
            usage.and_then(|usage| usage.input_tokens.as_ref()),
        ),
        cached_input_per_million: price(
            "cached_input_per_million",
            "cached_input_tokens",
            usage.and_then(|usage| usage.cached_input_tokens.as_ref()),
        ),
        output_per_million: price(
            "output_per_million",
            "output_tokens",
            usage.and_then(|usage| usage.output_tokens.as_ref()),
        ),
    };
    if prices == Prices::default() {
        loader.push(
            Diagnostic::error(&node.span, "there is no price in this")
                .help("write `prices: { input_per_million: 3, output_per_million: 15 }`"),
        );
        return None;
    }
    Some(prices)
}
