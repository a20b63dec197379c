//! Files made to hurt are refused with a message, without much time or memory.

use std::fmt::Write as _;
use std::path::Path;

use eval_builder::{LoadOptions, load_benchmark};

/// What is said about a scenario file with this text.
fn complaint(text: &[u8]) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("scenario.yaml");
    std::fs::write(&path, text).expect("a file");
    refused(&path)
}

fn refused(path: &Path) -> String {
    let diagnostics = load_benchmark(path, &LoadOptions::default()).expect_err("it is refused");
    assert!(diagnostics.len() <= 201, "{} diagnostics", diagnostics.len());
    diagnostics.to_string()
}

/// A good scenario with something added.
fn scenario(more: &str) -> Vec<u8> {
    format!("name: one\nproblem_statement: x\nscorers: [{{ name: t, shell_command: 'true' }}]\n{more}")
        .into_bytes()
}

#[test]
fn a_huge_file_is_not_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("scenario.yaml");
    let file = std::fs::File::create(&path).expect("a file");
    // Sparse: 100 GB that take no space.
    file.set_len(100_000_000_000).expect("a length");
    assert!(refused(&path).contains("larger than 4 MiB"));
}

#[test]
fn directories_and_devices_are_not_files() {
    assert!(refused(Path::new("tests")).contains("not a regular file"));
    if Path::new("/dev/zero").exists() {
        assert!(refused(Path::new("/dev/zero")).contains("not a regular file"));
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text =
        "additional_context:\n  a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..30 {
        let alias = format!("*a{}, ", level - 1).repeat(9);
        writeln!(text, "  a{level}: &a{level} [{alias}]").expect("a line");
    }
    assert!(complaint(&scenario(&text)).contains("too much once its aliases are replaced"));
}

#[test]
fn long_texts_by_alias_are_refused() {
    let text =
        format!("additional_context:\n  a: &a {}\n  b: [{}]\n", "x".repeat(1_000_000), "*a, ".repeat(50_000));
    assert!(complaint(&scenario(&text)).contains("too much once its aliases are replaced"));
}

#[test]
fn deep_nesting_is_refused() {
    for nested in ["[".repeat(3_000_000), "{a: ".repeat(900_000), "- ".repeat(1_500_000)] {
        let message = complaint(&scenario(&format!("additional_context:\n  {nested}")));
        assert!(message.contains("nested more than") || message.contains("not valid YAML"), "{message}");
    }
}

#[test]
fn a_hundred_thousand_mistakes_are_cut() {
    let numbers = "1, ".repeat(150_000);
    assert!(complaint(&scenario(&format!("requires: [{numbers}]\n"))).contains("must be text"));
    let mut duplicates = "metadata:\n".to_owned();
    for _ in 0..90_000 {
        duplicates.push_str("  a: b\n");
    }
    assert!(complaint(&scenario(&duplicates)).contains("duplicate key `a`"));
    let mut unknown = String::new();
    for key in 0..90_000 {
        writeln!(unknown, "k{key}: v").expect("a line");
    }
    assert!(complaint(&scenario(&unknown)).contains("unknown key `k0`"));
}

#[test]
fn templates_that_never_end_are_stopped() {
    for template in [
        "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 9999999999 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ] {
        let message = complaint(&scenario(&format!("environment: {{ setup_commands: [\"{template}\"] }}\n")));
        assert!(message.contains("setup_commands"), "{message}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    assert!(complaint(b"name: \xff\xfe\n").contains("not UTF-8"));
    assert!(
        complaint(b"\x00\x01\x02").contains("not valid YAML") || complaint(b"\x00\x01\x02").contains("NUL")
    );
    assert!(complaint(b"").contains("is empty"));
    assert!(complaint("\u{feff}".as_bytes()).contains("is empty"));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let message = complaint(&scenario("\"\\e[31mred\\e[0m\": 1\n"));
    assert!(!message.contains('\u{1b}'), "{message:?}");
}
