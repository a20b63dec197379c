//! A directory per mistake: its files, and in `expected.txt` what is said about them.
//!
//! `UPDATE_EXPECT=1 cargo test -p eval-builder --test bad` rewrites the expectations; read the difference.

use std::path::{Path, PathBuf};

use eval_builder::{LoadOptions, load_benchmark};

fn cases() -> Vec<PathBuf> {
    // Relative, as messages show paths as they were given; tests run in the directory of the crate.
    let mut cases: Vec<PathBuf> = std::fs::read_dir("tests/bad")
        .expect("the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

/// What is said about a case.
fn complaint(case: &Path) -> String {
    let scenario = case.join("scenario.yaml");
    let file = if scenario.exists() { scenario } else { case.join("benchmark.yaml") };
    let diagnostics = match load_benchmark(&file, &LoadOptions::default()) {
        Ok(loaded) => loaded.warnings,
        Err(diagnostics) => diagnostics,
    };
    assert!(!diagnostics.is_empty(), "{} has a mistake", case.display());
    let lines: Vec<String> =
        diagnostics.render(false).lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

#[test]
fn every_mistake_is_shown_where_it_stands() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let found = complaint(&case);
        let path = case.join("expected.txt");
        if update {
            std::fs::write(&path, &found).expect("the expectation is written");
            continue;
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}:\n--- expected\n{expected}\n--- found\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\n(UPDATE_EXPECT=1 accepts what was found)", wrong.join("\n\n"));
}

#[test]
fn there_are_many_kinds_of_mistakes() {
    assert!(cases().len() >= 25, "{}", cases().len());
}
