//! Defaults of a benchmark below a scenario.

use std::collections::HashSet;

use crate::yaml::{Data, Entry, Map, Node};

/// Mappings that are one value: a default is replaced as a whole.
const WHOLE: &[&str] = &["additional_context", "matrix", "blueprint", "network"];

/// Places of defaults that some scenario took over.
pub(crate) type Used = HashSet<usize>;

/// A scenario with the defaults below it. What was taken over is noted in `used` by the place of its key.
pub(crate) fn merge(defaults: &Map, own: &Map, used: &mut Used) -> Map {
    let mut merged = own.clone();
    for default in &defaults.0 {
        let slot = merged.0.iter_mut().find(|entry| entry.key == default.key);
        match slot {
            None if is_replaced(own, &default.key) => {}
            None => {
                note(default, used);
                merged.0.push(default.clone());
            }
            Some(_) if WHOLE.contains(&default.key.as_str()) => {}
            Some(slot) => {
                if let (Data::Map(below), Data::Map(above)) = (&default.value.data, &mut slot.value.data) {
                    let both = merge(below, above, used);
                    *above = both;
                }
            }
        }
    }
    merged
}

/// The defaults that no scenario took over, innermost keys only.
pub(crate) fn unused<'a>(defaults: &'a Map, used: &Used) -> Vec<&'a Entry> {
    let mut found = Vec::new();
    for entry in &defaults.0 {
        match inner(entry) {
            Some(map) => found.extend(unused(map, used)),
            None if !used.contains(&entry.key_span.range.start) => found.push(entry),
            None => {}
        }
    }
    found
}

/// A blueprint and a snapshot exclude each other: giving one takes the default of the other away.
fn is_replaced(own: &Map, key: &str) -> bool {
    match key {
        "blueprint" => own.get("snapshot").is_some(),
        "snapshot" => own.get("blueprint").is_some(),
        _ => false,
    }
}

fn note(entry: &Entry, used: &mut Used) {
    match inner(entry) {
        Some(map) => map.0.iter().for_each(|entry| note(entry, used)),
        None => {
            used.insert(entry.key_span.range.start);
        }
    }
}

/// The keys below a default that can be taken over one by one.
fn inner(entry: &Entry) -> Option<&Map> {
    let map = entry.value.as_map().filter(|map| !map.0.is_empty());
    map.filter(|_| !WHOLE.contains(&entry.key.as_str()))
}

/// A node that holds a merged mapping, at the place of the scenario.
pub(crate) fn merged_node(node: &Node, map: Map) -> Node {
    Node { span: node.span.clone(), data: Data::Map(map) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::source::SourceFile;
    use crate::yaml::parse;

    fn map(text: &str) -> Map {
        let file = Arc::new(SourceFile { path: "a.yaml".into(), text: text.into() });
        let node = parse(&file, &mut Diagnostics::default()).expect("YAML");
        node.as_map().expect("a mapping").clone()
    }

    fn merged(defaults: &str, own: &str) -> (serde_json::Value, Vec<String>) {
        let (defaults, own) = (map(defaults), map(own));
        let mut used = Used::default();
        let both = merge(&defaults, &own, &mut used);
        let value: serde_json::Map<_, _> =
            both.0.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect();
        (value.into(), unused(&defaults, &used).iter().map(|entry| entry.key.clone()).collect())
    }

    #[test]
    fn mappings_are_merged_and_everything_else_is_replaced() {
        let (value, unused) = merged(
            "environment: {working_directory: a, environment_variables: {A: 1, B: 2}, setup_commands: [x]}\nverify: same",
            "environment: {environment_variables: {B: 3}, setup_commands: [y]}\nname: n",
        );
        assert_eq!(
            value,
            json!({
                "environment": {
                    "environment_variables": {"B": 3, "A": 1},
                    "setup_commands": ["y"],
                    "working_directory": "a",
                },
                "name": "n",
                "verify": "same",
            })
        );
        assert_eq!(unused, ["B", "setup_commands"]);
    }

    #[test]
    fn a_snapshot_takes_the_default_blueprint_away_and_null_takes_anything() {
        let (value, unused) = merged("environment: {blueprint: b}", "environment: {snapshot: s}");
        assert_eq!(value, json!({"environment": {"snapshot": "s"}}));
        assert_eq!(unused, ["blueprint"]);
        let (value, _) = merged("environment: {blueprint: b}", "environment: {blueprint: null}");
        assert_eq!(value, json!({"environment": {"blueprint": null}}));
    }

    #[test]
    fn whole_values_are_not_mixed() {
        let (value, _) = merged("additional_context: {a: 1}\nmatrix: {x: [1]}", "additional_context: {b: 2}");
        assert_eq!(value, json!({"additional_context": {"b": 2}, "matrix": {"x": [1]}}));
    }
}
