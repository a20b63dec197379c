//! The crates depend on each other in the directions of ARCHITECTURE.md and in no other.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// For tests, of whatever crate, and measurements: nothing that is shipped uses it.
const SIMULATOR: &str = "runloop-simulator";

/// What each crate may use of ours.
const DIRECTIONS: [(&str, &[&str]); 13] = [
    ("runloop-types", &[]),
    ("runloop-sandbox", &[]),
    ("runloop-client", &["runloop-types"]),
    ("eval-builder", &["runloop-types"]),
    ("eval-scoring", &["runloop-types"]),
    ("eval-record", &["runloop-types"]),
    ("runloop-server", &["runloop-types", "runloop-sandbox", "eval-scoring"]),
    ("eval-runner", &["runloop-types", "runloop-client", "eval-builder", "eval-scoring", "eval-record"]),
    ("eval-report", &["eval-record"]),
    ("eval-view", &["eval-record", "eval-report"]),
    (
        "runloop-eval",
        &[
            "runloop-types",
            "runloop-client",
            "runloop-sandbox",
            "runloop-server",
            "eval-builder",
            "eval-scoring",
            "eval-record",
            "eval-runner",
            "eval-report",
            "eval-view",
        ],
    ),
    (SIMULATOR, &["runloop-types"]),
    ("xtask", &["runloop-client", "eval-record", "eval-report", SIMULATOR]),
];

#[test]
fn crates_depend_only_in_the_designed_directions() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .output()
        .expect("cargo metadata starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");

    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        DIRECTIONS.iter().map(|(name, uses)| (*name, uses.iter().copied().collect())).collect();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().expect("a list of packages") {
        let name = package["name"].as_str().expect("a name");
        let Some(uses) = allowed.get(name) else {
            wrong.push(format!("{name} has no place in the table of directions"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("a list") {
            let other = dependency["name"].as_str().expect("a name");
            let is_test = other == SIMULATOR && dependency["kind"] == "dev";
            if other != name && allowed.contains_key(other) && !uses.contains(other) && !is_test {
                wrong.push(format!("{name} must not use {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
