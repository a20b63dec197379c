//! Everything that ships must load without errors and without warnings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use eval_builder::{LoadOptions, load_agent, load_benchmark, load_scorer, render_agent_command};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// YAML files directly in a directory of the repository.
fn yaml_files(directory: &str) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(root().join(directory)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = listing
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_benchmark_loads_without_errors_and_warnings() {
    let files = yaml_files("benchmarks");
    assert!(!files.is_empty(), "there are benchmarks");
    for file in files {
        let loaded = load_benchmark(&file, &LoadOptions { placeholders: true, ..LoadOptions::default() })
            .unwrap_or_else(|diagnostics| panic!("{}:\n{diagnostics}", file.display()));
        assert!(loaded.warnings.is_empty(), "{}:\n{}", file.display(), loaded.warnings);
        let mut digests = BTreeMap::new();
        for scenario in &loaded.benchmark.scenarios {
            if let Some(other) = digests.insert(scenario.digest.clone(), scenario.name.clone()) {
                panic!("{} and {other} have the same digest", scenario.name);
            }
        }
    }
}

#[test]
fn every_scorer_loads_without_errors_and_warnings() {
    let files = yaml_files("scorers");
    assert!(!files.is_empty(), "there are scorers");
    for file in files {
        let scorer =
            load_scorer(&file).unwrap_or_else(|diagnostics| panic!("{}:\n{diagnostics}", file.display()));
        let name = file.file_stem().and_then(|name| name.to_str());
        assert_eq!(Some(scorer.name.as_str()), name, "a scorer is named as its file");
        assert!(scorer.description.is_some(), "{} says what it measures", file.display());
    }
}

#[test]
fn the_swe_benchmark_is_as_its_files_say() {
    let path = root().join("benchmarks/swe.yaml");
    let benchmark = load_benchmark(&path, &LoadOptions::default()).expect("it loads").benchmark;
    assert_eq!(benchmark.name, "swe");
    let scenario = benchmark
        .scenarios
        .iter()
        .find(|scenario| scenario.name == "ledger-sibling-accounts")
        .expect("the scenario");
    assert_eq!(scenario.environment.working_directory, "repo");
    assert_eq!(scenario.environment.files[1].target, "../history.sh");
    assert!(scenario.controls.iter().any(|control| control.name == "cheat-exit-zero-on-import"));
    let alone = load_benchmark(&scenario.source, &LoadOptions::default()).expect("it loads").benchmark;
    assert_eq!(alone.scenarios[0].digest, scenario.digest, "with the defaults of its benchmark");
    let agent =
        load_agent("command:solve {{ name | sh }}", &benchmark, &LoadOptions::default()).expect("an agent");
    assert_eq!(render_agent_command(&agent, scenario).expect("a command"), "solve ledger-sibling-accounts");
}
