//! Hostile or damaged input gets a clear error or is handled; nothing hangs, nothing is lost.

use std::time::{Duration, Instant};

use crate::support::Bench;

const TRIVIAL: &str = "problem_statement: Go.\nscorers: [{ name: yes, weight: 1, shell_command: 'true' }]\n";

/// Refused as a definition, quickly, with the file's name.
#[track_caller]
fn assert_refused(content: &str, expected: &[&str]) {
    let bench = Bench::new();
    let file = bench.write("hostile.yaml", content);
    let start = Instant::now();
    let finished = bench.run(["check".as_ref(), file.as_os_str()]);
    // Generous: the point is seconds against never.
    assert!(start.elapsed() < Duration::from_secs(30), "took {:?}", start.elapsed());
    let said = finished.stderr();
    assert_eq!(finished.code(), 2, "{}", &said[..said.len().min(2000)]);
    assert!(said.len() < 20_000, "an error of {} bytes helps nobody", said.len());
    for text in expected {
        assert!(said.contains(text), "{text:?} is not in\n{said}");
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut bomb = String::from("name: bomb\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = n - 1;
        let aliases = vec![format!("*a{before}"); 10].join(", ");
        bomb += &format!("a{n}: &a{n} [{aliases}]\n");
    }
    assert_refused(&(bomb + TRIVIAL), &["hostile.yaml"]);
}

#[test]
fn ten_megabytes_of_nesting_are_refused() {
    assert_refused(&format!("name: deep\nmetadata: {}", "[".repeat(10_000_000)), &["hostile.yaml"]);
    assert_refused(&format!("name: deep\nmetadata: {}", "{a: ".repeat(20_000)), &["hostile.yaml"]);
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused_by_its_size() {
    assert_refused(
        &format!("name: big\nproblem_statement: {}\n", "x".repeat(100 << 20)),
        &["hostile.yaml", "MiB"],
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let bench = Bench::new();
    let file = bench.path("binary.yaml");
    std::fs::write(&file, b"name: \xff\xfe\x00\x01").expect("the file can be written");
    let finished = bench.run(["check".as_ref(), file.as_os_str()]);
    assert_eq!(finished.code(), 2, "{finished}");
    assert!(finished.stderr().contains("UTF-8"), "{finished}");
}

#[test]
fn two_hundred_megabytes_of_output_are_bounded_in_the_record_and_change_no_verdict() {
    let bench = Bench::new();
    let file = bench.write("loud.yaml", &format!("name: loud\nenvironment: {{ network: none }}\n{TRIVIAL}"));
    let agent = "command:echo first-line; head -c 200000000 /dev/zero | tr '\\0' x; echo; echo last-line";
    let results = bench.results(&file, ["--agent", agent, "--output", "run"]);
    results.assert_score("loud", 1.0);
    let logs = results.trial("loud")["logs"].as_str().expect("a trial has logs");
    let mut kept = 0;
    let mut text = String::new();
    for entry in std::fs::read_dir(bench.path("run").join(logs)).expect("the logs are there").flatten() {
        kept += entry.metadata().map_or(0, |metadata| metadata.len());
        if entry.file_name().to_string_lossy().contains("stdout") {
            text = std::fs::read_to_string(entry.path()).expect("the log is text");
        }
    }
    assert!(kept < 20 << 20, "{kept} bytes were kept");
    assert!(
        text.starts_with("first-line") && text.trim_end().ends_with("last-line"),
        "head and tail are kept"
    );
}

#[test]
fn odd_file_names_travel_to_the_devbox_and_back() {
    let bench = Bench::new();
    bench.write("files/two\nlines.txt", "kept\n");
    bench.write("files/-rf * $(touch pwned) 'quoted'.txt", "kept\n");
    let text = "name: odd\nenvironment:\n  network: none\n  working_directory: repo\n  \
                files: [{ source: files/, target: . }]\n  \
                setup_commands: ['git init -q && git add -A && git -c user.name=a -c user.email=a@b.c commit -qm base']\n\
                verify: pristine\nproblem_statement: Go.\n\
                scorers: [{ name: all, weight: 1, shell_command: \
                'test \"$(cat ./*.txt | sort | uniq -c | tr -s \" \")\" = \" 3 kept\" && test ! -e pwned' }]\n";
    let file = bench.write("odd.yaml", text);
    let results = bench.results(&file, ["--agent", "command:printf 'kept\\n' > $'agent\\nmade.txt'"]);
    results.assert_score("odd", 1.0);
}

#[test]
fn template_syntax_in_data_is_data() {
    let bench = Bench::new();
    let text = "name: data\nenvironment: { network: none }\n\
                matrix: { word: ['{{ 7 * 7 }}', '{% raw %}'] }\n\
                problem_statement: 'Say {{ matrix.word }}'\n\
                scorers: [{ name: said, weight: 1, shell_command: 'test \"$(cat said)\" != 49 && test -s said' }]\n";
    let file = bench.write("data.yaml", text);
    let results =
        bench.results(&file, ["--agent", "command:printf %s \"$PROBLEM_STATEMENT\" > said; cat said"]);
    assert_eq!(results.json["summary"]["passed"], 2, "{}", results.finished);
}

#[test]
fn a_link_in_files_that_leads_out_is_refused() {
    let bench = Bench::new();
    bench.write("files/fine.txt", "fine\n");
    std::os::unix::fs::symlink("/etc/passwd", bench.path("files/leak")).expect("a link can be made");
    let file = bench.write(
        "leak.yaml",
        &format!("name: leak\nenvironment: {{ files: [{{ source: files/, target: . }}] }}\n{TRIVIAL}"),
    );
    let finished = bench.run(["check".as_ref(), file.as_os_str()]);
    assert_eq!(finished.code(), 2, "{finished}");
    assert!(finished.stderr().contains("leak"), "{finished}");
}
