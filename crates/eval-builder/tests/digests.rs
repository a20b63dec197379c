//! Digests: everything that decides an outcome changes them, and nothing else does.

use std::path::Path;

use eval_builder::{Digest, LoadOptions, load_benchmark};
use proptest::prelude::*;

/// A scenario with something for every key, a key per line so that lines can be changed and moved.
const SCENARIO: &[&str] = &[
    "name: one",
    "problem_statement: Do it.",
    "additional_context: { hint: look }",
    "environment: { working_directory: repo, files: [{ source: repo, target: . }, { source: run.sh, target: r.sh }], mounts: [{ type: file_mount, target: /a, content: b }], setup_commands: [make], environment_variables: { A: x, B: y }, secrets: { S: s }, launch_parameters: { resource_size_request: SMALL }, network: none, blueprint: base }",
    "scorers: [{ name: a, weight: 1, test_command: sh t.sh, test_files: [t.sh], pass_rate: tap }, { name: b, weight: 3, ast_grep: { pattern: x, search_directory: src, lang: c, expect: absent } }, { name: c, use: scorer.yaml, with: { depth: 2 } }]",
    "requires: [git]",
    "required_environment_variables: [HOST]",
    "required_secret_names: [s]",
    "agent_timeout: 10m",
    "scorer_timeout: 2m",
    "prepare_timeout: 3m",
    "verify: pristine",
    "artifacts: [src]",
    "pass_mark: 0.5",
    "reference_output: solution.patch",
    "metadata: { difficulty: easy }",
    "description: text",
];

fn write(directory: &Path, lines: &[String]) {
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(path, text).expect("a file");
    };
    file("scenario.yaml", &(lines.join("\n") + "\n"));
    file("repo/a/main.c", "int main(void) { return 0; }\n");
    file("run.sh", "true\n");
    file("t.sh", "true\n");
    file("solution.patch", "--- a\n+++ b\n");
    file("controls/cheat.sh", "true\n");
    file(
        "scorer.yaml",
        "name: shared\nparameters: { depth: { type: integer }, wide: { type: boolean, default: false } }\nbash_script: echo score=1\n",
    );
}

fn base() -> Vec<String> {
    SCENARIO.iter().map(|line| (*line).to_owned()).collect()
}

/// The digests of the scenario and of its environment.
#[expect(clippy::panic, reason = "a helper of tests; the diagnostics are to be read")]
fn digests(directory: &Path) -> (Digest, Digest) {
    let loaded = load_benchmark(&directory.join("scenario.yaml"), &LoadOptions::default());
    let benchmark = loaded.unwrap_or_else(|diagnostics| panic!("{diagnostics}")).benchmark;
    (benchmark.scenarios[0].digest.clone(), benchmark.scenarios[0].environment.digest.clone())
}

fn digests_of(lines: &[String]) -> (Digest, Digest) {
    let directory = tempfile::tempdir().expect("a directory");
    write(directory.path(), lines);
    digests(directory.path())
}

/// The scenario with one piece of text replaced by another.
fn edited(from: &str, to: &str) -> Vec<String> {
    let text = base().join("\n");
    assert_eq!(text.matches(from).count(), 1, "{from} stands there once");
    text.replace(from, to).lines().map(str::to_owned).collect()
}

#[test]
fn each_change_of_the_environment_changes_both_digests() {
    let before = digests_of(&base());
    for (from, to) in [
        ("working_directory: repo", "working_directory: code"),
        ("target: . }", "target: sub }"),
        ("{ source: run.sh, target: r.sh }", "{ source: t.sh, target: r2.sh }"),
        ("content: b", "content: c"),
        ("setup_commands: [make]", "setup_commands: [make, make]"),
        ("setup_commands: [make]", "setup_commands: []"),
        ("A: x", "A: z"),
        ("{ A: x, B: y }", "{ A: x }"),
        ("secrets: { S: s }", "secrets: { S: t }"),
        ("resource_size_request: SMALL", "resource_size_request: MEDIUM"),
        ("network: none", "network: all"),
        ("network: none", "network: { allowed_hostnames: [a.b] }"),
        ("blueprint: base", "blueprint: other"),
        ("blueprint: base", "blueprint: { id: base }"),
        ("blueprint: base", "snapshot: base"),
        (", blueprint: base", ""),
    ] {
        let after = digests_of(&edited(from, to));
        assert_ne!(after.1, before.1, "environment: {from} -> {to}");
        assert_ne!(after.0, before.0, "scenario: {from} -> {to}");
    }
}

#[test]
fn each_change_of_the_task_changes_the_scenario_but_not_its_preparation() {
    let before = digests_of(&base());
    for (from, to) in [
        ("name: one", "name: two"),
        ("Do it.", "Do it!"),
        ("hint: look", "hint: listen"),
        ("weight: 1,", "weight: 2,"),
        ("name: a,", "name: z,"),
        ("sh t.sh", "sh ./t.sh"),
        ("sh t.sh", "sh t.sh, timeout: 30s"),
        ("test_files: [t.sh]", "test_files: [run.sh]"),
        ("pass_rate: tap", "pass_rate: { junit: x.xml }"),
        (", pass_rate: tap", ""),
        ("pattern: x", "pattern: y"),
        ("search_directory: src", "search_directory: lib"),
        ("lang: c", "lang: go"),
        ("expect: absent", "expect: present"),
        ("depth: 2", "depth: 3"),
        ("with: { depth: 2 }", "with: { depth: 2, wide: true }"),
        ("requires: [git]", "requires: [git, make]"),
        ("[HOST]", "[HOME]"),
        ("required_secret_names: [s]", "required_secret_names: [t]"),
        ("agent_timeout: 10m", "agent_timeout: 11m"),
        ("scorer_timeout: 2m", "scorer_timeout: 1m"),
        ("prepare_timeout: 3m", "prepare_timeout: 1m"),
        ("prepare_timeout: 3m", "prepare_timeout: 3m\ntrial_timeout: 1h"),
        ("verify: pristine", "verify: same"),
        ("artifacts: [src]", "artifacts: [lib]"),
        ("pass_mark: 0.5", "pass_mark: 0.6"),
    ] {
        let after = digests_of(&edited(from, to));
        assert_ne!(after.0, before.0, "{from} -> {to}");
        assert_eq!(after.1, before.1, "{from} -> {to}");
    }
}

#[test]
fn what_decides_nothing_changes_nothing() {
    let before = digests_of(&base());
    for (from, to) in [
        ("reference_output: solution.patch", "reference_output: \"#!/bin/sh\""),
        ("difficulty: easy", "difficulty: hard"),
        ("description: text", "description: more text"),
        ("agent_timeout: 10m", "agent_timeout: 600"),
        ("{ A: x, B: y }", "{ B: y, A: x }"),
        ("weight: 1,", "weight: 1.0,"),
        ("network: none", "network: 'none'"),
        ("working_directory: repo", "working_directory: ./repo/"),
    ] {
        assert_eq!(digests_of(&edited(from, to)), before, "{from} -> {to}");
    }
}

#[test]
fn files_count_by_content_and_not_by_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let (here, there) = (directory.path().join("here"), directory.path().join("over/there"));
    for place in [&here, &there] {
        std::fs::create_dir_all(place).expect("a directory");
        write(place, &base());
    }
    let before = digests(&here);
    assert_eq!(digests(&there), before, "moving the checkout changes nothing");
    let change = |name: &str, text: &str| std::fs::write(there.join(name), text).expect("a file");
    change("controls/cheat.sh", "false\n");
    change("solution.patch", "--- b\n+++ a\n");
    assert_eq!(digests(&there), before, "controls and the reference decide nothing");
    change("t.sh", "false\n");
    let tests = digests(&there);
    assert_ne!(tests.0, before.0);
    assert_eq!(tests.1, before.1, "test files are no part of the environment");
    change("repo/a/main.c", "int main(void) { return 1; }\n");
    assert_ne!(digests(&there).1, before.1);
    change(
        "scorer.yaml",
        "name: shared\nparameters: { depth: { type: integer }, wide: { type: boolean, default: false } }\nbash_script: echo score=0\n",
    );
    assert_ne!(digests(&there).0, tests.0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_keys_changes_nothing(lines in Just(base()).prop_shuffle()) {
        prop_assert_eq!(digests_of(&lines), digests_of(&base()));
    }

    #[test]
    fn different_variables_have_different_digests(
        one in proptest::collection::btree_map("[A-R]{1,3}", "[a-z ,:]{0,4}", 0..4),
        other in proptest::collection::btree_map("[A-R]{1,3}", "[a-z ,:]{0,4}", 0..4),
    ) {
        let with = |variables: &std::collections::BTreeMap<String, String>| {
            let json = serde_json::to_string(variables).expect("JSON");
            digests_of(&edited("{ A: x, B: y }", &json)).1
        };
        prop_assert_eq!(one == other, with(&one) == with(&other));
    }
}
