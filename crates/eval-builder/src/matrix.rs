//! A matrix: one scenario for each combination of its values.

use serde_json::{Map as JsonMap, Value as Json};

use crate::diagnostic::Diagnostic;
use crate::loader::Loader;
use crate::yaml::{Data, Map, Node};

/// Most scenarios of one matrix.
const MAX_COMBINATIONS: usize = 1000;

/// One combination.
#[derive(Debug, Clone, Default)]
pub(crate) struct Combination {
    /// Appended to the name: `[size=small,lang=c]`, or nothing without a matrix.
    pub(crate) suffix: String,
    /// The value of the variable `matrix`.
    pub(crate) values: JsonMap<String, Json>,
}

/// All combinations, the first key varying slowest; one empty combination without a matrix.
pub(crate) fn combinations(loader: &mut Loader<'_>, scenario: &Map) -> Vec<Combination> {
    let Some(matrix) = scenario.get("matrix") else { return vec![Combination::default()] };
    let mut all: Vec<(Vec<String>, JsonMap<String, Json>)> = vec![(Vec::new(), JsonMap::new())];
    for entry in matrix.as_map().map(|map| map.0.as_slice()).unwrap_or_default() {
        let values = labels(loader, &entry.value);
        if all.len() * values.len() > MAX_COMBINATIONS {
            loader
                .error(&entry.key_span, format!("this matrix has more than {MAX_COMBINATIONS} combinations"));
            return Vec::new();
        }
        all = all
            .iter()
            .flat_map(|(labels, chosen)| {
                values.iter().map(|(label, value)| {
                    let mut labels = labels.clone();
                    labels.push(format!("{}={label}", entry.key));
                    let mut chosen = chosen.clone();
                    chosen.insert(entry.key.clone(), value.clone());
                    (labels, chosen)
                })
            })
            .collect();
    }
    all.into_iter()
        .map(|(labels, values)| {
            let suffix = if labels.is_empty() { String::new() } else { format!("[{}]", labels.join(",")) };
            Combination { suffix, values }
        })
        .collect()
}

/// The values of a key with the label of each. Labels are parts of names, so they must differ.
fn labels(loader: &mut Loader<'_>, values: &Node) -> Vec<(String, Json)> {
    let mut found: Vec<(String, Json)> = Vec::new();
    for node in values.as_list() {
        let label = match &node.data {
            Data::Map(map) => map.get("name").and_then(Node::as_scalar),
            _ => node.as_scalar(),
        };
        let Some(label) = label.map(sanitize).filter(|label| !label.is_empty()) else {
            loader.push(
                Diagnostic::error(&node.span, "this value cannot be told apart in a name")
                    .help("a matrix value is a text, a number, a boolean, or a mapping with a `name`"),
            );
            continue;
        };
        if found.iter().any(|(known, _)| *known == label) {
            loader.push(
                Diagnostic::error(&node.span, format!("two values of this matrix are called `{label}`"))
                    .help("use a mapping with a `name` to tell them apart"),
            );
            continue;
        }
        found.push((label, node.to_json()));
    }
    found
}

/// A value as a part of a name: names are parts of paths.
fn sanitize(value: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
    value.trim().chars().take(40).map(|letter| if allowed(letter) { letter } else { '-' }).collect()
}
