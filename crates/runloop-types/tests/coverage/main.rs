//! Every type of the API's table (`api/types.json`) is a type of this crate, field by field.
//!
//! For each type of the table, samples are made from the table alone. The Rust type that is registered for it decodes
//! them and encodes them again, and must give back the same JSON: a field that is missing, misspelt or of another type
//! shows. Types whose fields are arguments of a method are listed with the reason; the client's wire tests send those.

#![expect(clippy::panic, reason = "in a test, a panic is the failure report")]

mod not_yet;
mod registry;
mod registry_a;
mod registry_b;
mod samples;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::registry::{Outcome, RoundTrip};
use crate::registry_b::EMPTY_FOR_ABSENT;
use crate::samples::{HIDDEN, Samples, Style};
use crate::table::{Shape, Table};

fn registry() -> BTreeMap<&'static str, RoundTrip> {
    let mut registry = BTreeMap::new();
    for (name, round_trip) in registry_a::types().into_iter().chain(registry_b::types()) {
        assert!(registry.insert(name, round_trip).is_none(), "{name} is registered twice");
    }
    registry
}

/// Types whose fields are arguments of methods, with the reason.
fn arguments() -> BTreeMap<&'static str, &'static str> {
    let mut arguments = BTreeMap::new();
    for (name, reason) in registry_a::arguments().into_iter().chain(registry_b::arguments()) {
        assert!(arguments.insert(name, reason).is_none(), "{name} is listed twice");
    }
    arguments
}

/// The registered types with their round trips; a type of the same shape as a registered one is that Rust type too.
fn covered(table: &Table) -> Vec<(String, RoundTrip)> {
    let registry = registry();
    let find = |name: &str| registry.get(name).copied();
    let all = table.names().map(|name| {
        let round_trip = find(name).or_else(|| table.same_shape(name).and_then(find));
        (name.to_owned(), round_trip)
    });
    all.filter_map(|(name, round_trip)| round_trip.map(|round_trip| (name, round_trip))).collect()
}

/// Runs `check` on every covered type and reports all failures at once.
fn check(check: impl Fn(&Table, &str, RoundTrip) -> Result<(), String>) {
    let table = Table::read();
    let covered = covered(&table);
    assert!(!covered.is_empty());
    let failures: Vec<String> = covered
        .iter()
        .filter_map(|(name, round_trip)| {
            check(&table, name, *round_trip).err().map(|error| format!("{name}: {error}"))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), covered.len(), failures.join("\n"));
}

fn run(round_trip: RoundTrip, sample: &Value) -> Result<Outcome, String> {
    round_trip(&sample.to_string()).map_err(|error| format!("cannot decode {sample}: {error}"))
}

fn same(round_trip: RoundTrip, sample: &Value, expected: &Value) -> Result<Outcome, String> {
    let outcome = run(round_trip, sample)?;
    if outcome.encoded == *expected {
        return Ok(outcome);
    }
    Err(difference("", expected, &outcome.encoded))
}

/// Where two values differ: the first place, so that the report names a field.
fn difference(place: &str, expected: &Value, found: &Value) -> String {
    if let (Value::Object(expected), Value::Object(found)) = (expected, found) {
        for (key, value) in expected {
            let place = format!("{place}/{key}");
            match found.get(key) {
                None => return format!("{place} is lost: {value}"),
                Some(other) if other != value => return difference(&place, value, other),
                Some(_) => {}
            }
        }
        if let Some((key, value)) = found.iter().find(|(key, _)| !expected.contains_key(*key)) {
            return format!("{place}/{key} comes from nowhere: {value}");
        }
    }
    if let (Value::Array(expected), Value::Array(found)) = (expected, found)
        && expected.len() == found.len()
        && let Some(at) = (0..expected.len()).find(|at| expected[*at] != found[*at])
    {
        return difference(&format!("{place}/{at}"), &expected[at], &found[at]);
    }
    format!("{place} is {found}, not {expected}")
}

#[test]
fn every_type_of_the_table_is_covered_or_an_argument() {
    let table = Table::read();
    let covered: BTreeSet<String> = covered(&table).into_iter().map(|(name, _)| name).collect();
    let arguments = arguments();
    let missing: Vec<&str> =
        table.names().filter(|name| !covered.contains(*name) && !arguments.contains_key(name)).collect();
    assert_eq!(missing, not_yet::NOT_YET, "what has no Rust type, and what is known to have none");

    for name in registry().keys() {
        assert!(table.names().any(|known| known == *name), "{name} is registered but not in the table");
    }
    for (name, reason) in &arguments {
        assert!(table.is_params(name), "{name} is answered by servers (or unknown), so it must be a type");
        assert!(!covered.contains(*name), "{name} is a type, so it needs no excuse ({reason})");
    }
}

#[test]
fn every_field_and_every_enum_value_survives() {
    check(|table, name, round_trip| {
        for round in 0..table.rounds() {
            let sample = Samples::new(table, Style::Full, round).of(name);
            let outcome = same(round_trip, &sample, &sample)?;
            // What a type keeps as it came, it does not know.
            if let Some(at) = outcome.shown.find("Other(") {
                let place: String = outcome.shown[at..].chars().take(80).collect();
                return Err(format!("does not know {place}"));
            }
        }
        Ok(())
    });
}

#[test]
fn what_is_left_out_stays_out_and_null_means_the_same() {
    check(|table, name, round_trip| {
        for round in 0..table.rounds() {
            let least = Samples::new(table, Style::Least, round).of(name);
            let null = Samples::new(table, Style::Null, round).of(name);
            if EMPTY_FOR_ABSENT.contains(&name) {
                run(round_trip, &null)?;
                continue;
            }
            same(round_trip, &least, &least)?;
            same(round_trip, &null, &least).map_err(|error| format!("with null: {error}"))?;
        }
        Ok(())
    });
}

#[test]
fn fields_and_values_of_a_later_api_do_no_harm() {
    check(|table, name, round_trip| {
        let sample = Samples::new(table, Style::Full, 0).of(name);
        if let Shape::Fields(_) = table.shape(name) {
            let mut later = sample.clone();
            later["field_of_a_later_api"] = json!({"a": [1, null]});
            same(round_trip, &later, &sample)?;
        }
        let later = Samples::new(table, Style::Later, 0).of(name);
        same(round_trip, &later, &later)?;
        Ok(())
    });
}

#[test]
fn a_union_keeps_what_it_does_not_know() {
    check(|table, name, round_trip| {
        if !matches!(table.shape(name), Shape::Union(_)) {
            return Ok(());
        }
        let later = json!({"type": "kind_of_a_later_api", "field": {"a": [1, null]}, "weight": 0.5});
        same(round_trip, &later, &later)?;
        let untold = json!({"field": 1});
        same(round_trip, &untold, &untold).map(drop)
    });
}

#[test]
fn an_answer_that_lacks_everything_is_still_an_answer() {
    check(|table, name, round_trip| {
        if matches!(table.shape(name), Shape::Fields(_)) && !table.is_params(name) {
            run(round_trip, &json!({}))?;
        }
        Ok(())
    });
}

#[test]
fn debug_output_shows_no_secret() {
    let table = Table::read();
    let secret = |name: &str| Samples::new(&table, Style::Full, 0).of(name).to_string().contains(HIDDEN);
    assert!(table.names().any(secret));
    check(|table, name, round_trip| {
        for round in 0..table.rounds() {
            let shown = run(round_trip, &Samples::new(table, Style::Full, round).of(name))?.shown;
            if shown.contains(HIDDEN) {
                return Err(format!("its Debug shows a secret: {shown}"));
            }
        }
        Ok(())
    });
}

#[test]
fn a_field_that_is_lost_or_misspelt_shows() {
    #[derive(Debug, serde::Serialize, serde::Deserialize)]
    struct View {
        id: String,
        #[serde(rename = "createTimeMs", default)]
        create_time_ms: i64,
    }
    let sample = json!({"id": "a", "create_time_ms": 7});
    let error = same(registry::round_trip::<View>, &sample, &sample).err();
    assert_eq!(error.as_deref(), Some("/create_time_ms is lost: 7"));
    let error = difference("", &json!({"a": [{"b": 1}]}), &json!({"a": [{"b": 1.0}]}));
    assert_eq!(error, "/a/0/b is 1.0, not 1");
    assert_eq!(difference("", &json!({}), &json!({"c": 1})), "/c comes from nowhere: 1");
}
