//! What is shipped holds: the benchmarks, the scorers with their fixtures, and every command and file of the README.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{BINARY, Bench, Finished};

/// The repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn shipped(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("a plain name")
}

// -- benchmarks and examples

#[test]
fn the_shipped_smoke_benchmark_holds() {
    let bench = Bench::new();
    let finished = bench.run(["validate".as_ref(), shipped("benchmarks/smoke.yaml").as_os_str()]);
    assert_eq!(finished.code(), 0, "{finished}");
}

#[test]
fn every_shipped_reference_passes_and_doing_nothing_never_does() {
    let bench = Bench::new();
    let results = bench.results(&shipped("benchmarks/swe.yaml"), ["--agent", "oracle", "--agent", "nop"]);
    let scenarios =
        entries(&shipped("benchmarks/swe")).iter().filter(|path| path.join("scenario.yaml").exists()).count();
    let trials = results.json["trials"].as_array().expect("a list of trials");
    assert_eq!(trials.len(), 2 * scenarios, "{}", results.finished);
    let mut skipped = 0;
    for trial in trials {
        if trial["cause"] == "requirement_missing" {
            // Not through the test's own output, which is shown only when it fails.
            let mut stderr = std::io::stderr();
            let _ = writeln!(stderr, "SKIPPED {}: {}", trial["scenario"], trial["message"]);
            skipped += 1;
            continue;
        }
        assert_eq!(trial["state"], "scored", "{trial:#}");
        assert_eq!(trial["passed"], trial["agent"] == "oracle", "{trial:#}");
    }
    assert!(skipped < trials.len(), "nothing ran: {}", results.finished);
    assert_eq!(results.finished.code(), if skipped == 0 { 0 } else { 3 }, "{}", results.finished);
}

/// Those whose controls are quick to refuse; `cargo xtask ci` validates all.
#[test]
fn controls_of_shipped_scenarios_are_refused() {
    let bench = Bench::new();
    let file = shipped("benchmarks/swe.yaml");
    let some = ["ledger-*", "share-*", "ignore-*"];
    let filters = some.iter().flat_map(|pattern| ["--filter".as_ref(), pattern.as_ref()]);
    let args = ["validate", "--output", "run"].map(AsRef::as_ref).into_iter().chain([file.as_os_str()]);
    let finished = bench.run(args.chain(filters));
    assert_eq!(finished.code(), 0, "{finished}");
    let scenarios = finished.stdout().lines().filter(|line| line.contains("control")).count();
    assert_eq!(scenarios, some.len(), "each has its line: {finished}");

    // Cheats that leave a sign are flagged; honest mistakes, the reference and doing nothing are not.
    let results: serde_json::Value =
        serde_json::from_str(&read(bench.path("run/results.json"))).expect("JSON");
    let flagged = results["trials"]
        .as_array()
        .expect("a list of trials")
        .iter()
        .filter(|trial| trial["flags"][0].is_object());
    let mut flagged: Vec<&str> = flagged.filter_map(|trial| trial["agent"].as_str()).collect();
    flagged.sort_unstable();
    assert_eq!(
        flagged,
        ["control:cheat-overwrites-the-checks", "control:cheat-shadows-the-standard-library"]
    );
}

#[test]
fn a_shipped_scenario_with_a_broken_reference_is_named() {
    let bench = Bench::new();
    let scenario = "ledger-sibling-accounts";
    for part in [scenario, "_lib"] {
        copy(&shipped("benchmarks/swe").join(part), &bench.path("swe").join(part));
    }
    let file = bench.write("swe.yaml", &read(shipped("benchmarks/swe.yaml")));
    let wrong = entries(&bench.path(format!("swe/{scenario}/controls")))
        .into_iter()
        .find(|path| name(path).starts_with("wrong-") && name(path).ends_with(".patch"))
        .expect("a wrong fix");
    std::fs::copy(wrong, bench.path(format!("swe/{scenario}/solution.patch"))).expect("it can be replaced");
    let finished = bench.run(["validate".as_ref(), file.as_os_str()]);
    assert_eq!(finished.code(), 1, "{finished}");
    assert!(
        finished.stdout().lines().any(|line| line.contains(scenario) && line.contains("oracle")),
        "{finished}"
    );
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory can be made");
    for path in entries(from) {
        let target = to.join(name(&path));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).expect("a file can be copied");
        }
    }
}

#[test]
fn the_example_agents_solve_the_example() {
    let bench = Bench::new();
    let output = bench
        .command()
        .current_dir(ROOT)
        .args(["run", "examples/greeting/scenario.yaml", "--format", "json", "--output"])
        .arg(bench.path("run"))
        .args(["--agent", "examples/agents/in-devbox.yaml", "--agent", "examples/agents/on-host.yaml"])
        .output()
        .expect("the program starts");
    let finished = Finished::of(output);
    assert_eq!(finished.code(), 0, "{finished}");
    let json: serde_json::Value = serde_json::from_str(&finished.stdout()).expect("results");
    assert_eq!(json["summary"]["passed"], 2, "{finished}");
}

// -- scorers

/// A directory below `scorers/NAME/fixtures/{pass,fail}`.
struct Case {
    name: String,
    scorer: PathBuf,
    work: Option<PathBuf>,
    with: String,
    setup: Option<String>,
    expected: [f64; 2],
}

impl Case {
    fn read(scorer: &Path, directory: &Path) -> Self {
        let text = read(directory.join("with.yaml"));
        let kind = name(directory.parent().expect("pass or fail"));
        let expected = section(&text, "expected").expect("the expected scores");
        let work = directory.join("work");
        let case = Self {
            name: format!("{}-{kind}-{}", name(scorer).trim_end_matches(".yaml"), name(directory)),
            scorer: scorer.to_path_buf(),
            work: work.is_dir().then_some(work),
            with: section(&text, "with").expect("the parameters"),
            setup: section(&text, "setup"),
            expected: serde_json::from_str(expected.trim()).expect("[least, largest]"),
        };
        assert_eq!(case.expected == [1.0, 1.0], kind == "pass", "{}: only a full score passes", case.name);
        case
    }

    /// A scenario that scores what the case describes.
    fn scenario(&self) -> String {
        let mut text = format!(
            "  - name: {}\n    problem_statement: A fixture.\n    verify: same\n    environment:\n      \
             working_directory: work\n      network: none\n",
            self.name
        );
        if let Some(work) = &self.work {
            let _ = writeln!(text, "      files: [{{ source: '{}/', target: . }}]", work.display());
        }
        if let Some(setup) = &self.setup {
            let _ = writeln!(text, "      setup_commands:{}", indented(setup, 6));
        }
        let _ = writeln!(
            text,
            "    scorers:\n      - name: it\n        use: '{}'\n        with:{}",
            self.scorer.display(),
            indented(&self.with, 8)
        );
        text
    }
}

/// What a YAML file says below a key of its top level: the rest of the key's line and the lines up to the next key.
fn section(text: &str, key: &str) -> Option<String> {
    let is_key = |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&format!("{key}:")));
    let first = lines.next()?.strip_prefix(key)?.strip_prefix(':')?.to_owned();
    Some(lines.take_while(|line| !is_key(line)).fold(first, |text, line| text + "\n" + line))
}

/// The text with every line but the first moved to the right.
fn indented(text: &str, columns: usize) -> String {
    text.replace('\n', &format!("\n{:columns$}", ""))
}

#[test]
fn every_shipped_scorer_judges_its_fixtures_rightly() {
    let mut cases = Vec::new();
    for scorer in entries(&shipped("scorers")).into_iter().filter(|path| name(path).ends_with(".yaml")) {
        let fixtures = scorer.with_extension("").join("fixtures");
        for kind in ["pass", "fail"] {
            let directories = entries(&fixtures.join(kind));
            assert!(!directories.is_empty(), "{} has no fixture that has to {kind}", scorer.display());
            cases.extend(directories.iter().map(|directory| Case::read(&scorer, directory)));
        }
    }
    let mut text = "name: fixtures\nagents: [nop]\nscenarios:\n".to_owned();
    text.extend(cases.iter().map(Case::scenario));

    let bench = Bench::new();
    let file = bench.write("fixtures.yaml", &text);
    let results = bench.results(&file, ["--retries", "0"]);
    for case in &cases {
        let trial = results.trial(&case.name);
        assert_eq!(trial["state"], "scored", "{trial:#}\n{}", results.finished);
        let score = trial["score"].as_f64().expect("a score");
        let [least, largest] = case.expected;
        assert!(
            (least - 1e-9..=largest + 1e-9).contains(&score),
            "{}: {score} is not in {:?}: {trial:#}",
            case.name,
            case.expected
        );
    }
}

#[test]
fn the_table_of_scorers_names_each_and_no_other() {
    let readme = read(shipped("scorers/README.md"));
    let mut named: Vec<_> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| format!("{name}.yaml"))
        .collect();
    named.sort();
    let files = entries(&shipped("scorers"));
    let there: Vec<_> = files.iter().map(|path| name(path)).filter(|name| name.ends_with(".yaml")).collect();
    assert_eq!(named, there);
}

// -- the README

/// The code blocks of a language in the README.
fn blocks(language: &str) -> Vec<String> {
    let readme = read(shipped("README.md"));
    let mut found = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if let Some(tag) = line.strip_prefix("```") {
            let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            if tag == language {
                found.push(body.join("\n") + "\n");
            }
        }
    }
    found
}

/// The YAML block that begins with the comment `# NAME`.
fn file_of_readme(name: &str) -> String {
    let title = format!("# {name}\n");
    blocks("yaml").into_iter().find(|block| block.starts_with(&title)).unwrap_or_else(|| panic!("no {name}"))
}

/// The agent of the README, with an installation that needs no registry and an agent that does the task of the README.
fn agent_without_registry() -> String {
    let text = file_of_readme("my-agent.yaml");
    let install = "npm install --global --prefix ~/.local my-agent";
    assert!(text.contains(install), "the test knows what to replace:\n{text}");
    text.replace(
        &format!("[{install}]"),
        r#"
  - mkdir -p ~/.local/bin
  - |
    cat > ~/.local/bin/my-agent <<'END'
    #!/bin/sh
    test "$1" = --task && grep -q "Hello, world!" "$2" && echo 'echo "Hello, ${1:-world}!"' > greet.sh
    END
  - chmod +x ~/.local/bin/my-agent
"#,
    )
}

/// A command line of the README in a directory that has the files that it shows, with the program as `runloop-eval`.
fn typed(bench: &Bench, line: &str) -> Finished {
    let mut shell = bench.command();
    let program = Path::new(BINARY).parent().expect("a directory").display().to_string();
    let path = std::env::var("PATH").expect("a path");
    shell.env("PATH", format!("{program}:{path}"));
    let output = std::process::Command::new("sh")
        .args(["-c", line])
        .current_dir(shell.get_current_dir().expect("a directory"))
        .env_clear()
        .envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null())
        .output()
        .expect("a shell starts");
    Finished::of(output)
}

/// Every command of the README, without its comment.
fn commands() -> Vec<String> {
    let blocks = blocks("sh");
    let lines = blocks.iter().flat_map(|block| block.lines());
    lines
        .map(|line| line.split("  #").next().unwrap_or(line).trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn the_files_and_commands_of_the_readme_work() {
    let bench = Bench::new();
    bench.write("fix-greeting.yaml", &file_of_readme("fix-greeting.yaml"));
    bench.write("my-agent.yaml", &agent_without_registry());
    bench.write("packaged.yaml", &file_of_readme("packaged.yaml"));
    let finished = bench.run(["check", "--strict", "packaged.yaml"]);
    assert_eq!(finished.code(), 0, "{finished}");
    let benchmarks = shipped("benchmarks").display().to_string();
    let mut run = 0;
    for line in commands() {
        // Here the shipped benchmark need not be run as a whole, nor has the agent to solve it.
        let line = match line.strip_prefix("cargo run --release -- ") {
            Some(rest) => format!("runloop-eval {rest} --filter ledger-*")
                .replace("benchmarks/", &format!("{benchmarks}/")),
            None => line,
        };
        // The examples have a test of their own, and nothing here goes to the cloud.
        let is_elsewhere = [" serve ", " examples/", " cloud"].iter().any(|part| line.contains(part));
        if !line.starts_with("runloop-eval ") || is_elsewhere {
            continue;
        }
        let finished = typed(&bench, &line);
        assert_eq!(finished.code(), 0, "{line}\n{finished}");
        run += 1;
    }
    assert_eq!(run, 12, "the README has as many: {:#?}", commands());

    // What the agent of the README does for its scenario.
    let solved = bench.results(&bench.path("fix-greeting.yaml"), ["--agent", "my-agent.yaml"]);
    solved.assert_score("fix-greeting", 1.0);
    // The `command:` agent of the README handles one of the two cases.
    let half = bench.results(
        &bench.path("fix-greeting.yaml"),
        ["--agent", r#"command:echo "echo Hello, world!" > greet.sh"#],
    );
    half.assert_score("fix-greeting", 0.5);
}

#[test]
fn the_server_of_the_readme_serves() {
    let line =
        commands().into_iter().find(|line| line.starts_with("runloop-eval serve ")).expect("a command");
    let words = line.split_whitespace().skip(1).map(|word| if word == "8123" { "0" } else { word });
    let bench = Bench::new();
    let mut child =
        bench.command().args(words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
    child.kill().expect("it is ours");
    child.wait().expect("it has ended");
    assert!(first.starts_with("RUNLOOP_BASE_URL=http://127.0.0.1:"), "{first:?}");
    assert!(bench.path("data").is_dir(), "its data directory");
}

#[test]
fn the_readme_has_no_command_that_nothing_runs() {
    let known = [
        "cargo run --release -- ",
        "runloop-eval ",
        // This is what runs them.
        "cargo test --workspace",
        // A script of the reader; the official SDKs have a test of their own.
        "RUNLOOP_BASE_URL=http://127.0.0.1:8123 RUNLOOP_API_KEY=secret python3 my_script.py",
    ];
    for line in commands() {
        assert!(known.iter().any(|start| line.starts_with(start)), "a command that no test runs: {line}");
    }
}

#[test]
fn files_that_the_readme_names_are_there() {
    let readme = read(shipped("README.md"));
    let mut named = 0;
    for word in readme.split('`').skip(1).step_by(2) {
        let starts = ["benchmarks/", "examples/", "scorers/", "schemas/"];
        if starts.iter().any(|start| word.starts_with(start)) || word == "ARCHITECTURE.md" {
            assert!(shipped(word).exists(), "{word}");
            named += 1;
        }
    }
    assert!(named >= 5, "the README names some");
}
