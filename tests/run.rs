//! `run` and `validate` as a newcomer and a script meet them.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Bench, Finished, Running, signal, sleeping, wait_for};

/// Two scenarios, a reference each, and a control.
fn two_scenarios(bench: &Bench) -> std::path::PathBuf {
    for name in ["one", "two"] {
        bench.write(
            &format!("{name}/scenario.yaml"),
            &format!(
                "name: {name}\nproblem_statement: Write {name} into answer.\nenvironment: {{ network: none }}\n\
                 scorers: [{{ name: right, weight: 1, shell_command: 'grep -qx {name} answer' }}]\n\
                 reference_output: |\n  #!/bin/sh\n  echo {name} > answer\n"
            ),
        );
        bench.write(&format!("{name}/controls/wrong.sh"), "#!/bin/sh\necho wrong > answer\n");
    }
    bench.write("both.yaml", "name: both\nscenarios: ['*/scenario.yaml']\nagents: [oracle]\n")
}

#[test]
fn the_oracle_passes_and_doing_nothing_does_not() {
    let bench = Bench::new();
    let file = two_scenarios(&bench);
    let oracle = bench.results(&file, ["--output", "first"]);
    assert_eq!(oracle.finished.code(), 0, "{}", oracle.finished);
    assert_eq!(oracle.json["summary"]["passed"], 2, "{}", oracle.finished);
    assert_eq!(oracle.json["summary"]["mean_score"], 1.0);
    let nop = bench.results(&file, ["--agent", "nop"]);
    assert_eq!(nop.finished.code(), 0, "a verdict is a verdict: {}", nop.finished);
    assert_eq!(nop.json["summary"]["failed"], 2, "{}", nop.finished);

    for name in ["run.json", "events.jsonl", "results.csv", "results.json"] {
        assert!(bench.path("first").join(name).is_file(), "{name} is missing");
    }
    let csv = std::fs::read_to_string(bench.path("first/results.csv")).expect("a CSV file");
    assert_eq!(csv.lines().count(), 3, "a header and a row for each trial:\n{csv}");
}

#[test]
fn trials_agents_and_filters_multiply_out() {
    let bench = Bench::new();
    let file = two_scenarios(&bench);
    let results = bench.results(
        &file,
        ["--agent", "oracle", "--agent", "nop", "--trials", "2", "--filter", "tw*", "-j", "4"],
    );
    assert_eq!(results.json["summary"]["planned"], 4, "{}", results.finished);
    assert_eq!(results.json["summary"]["passed"], 2);
    assert_eq!(results.json["summary"]["failed"], 2);
    let none = bench.run(["run".as_ref(), file.as_os_str(), "--filter".as_ref(), "three".as_ref()]);
    assert_eq!(none.code(), 2, "{none}");
    assert!(
        none.stderr().contains("three") && none.stderr().contains("one"),
        "it says what there is: {none}"
    );
}

#[test]
fn validate_holds_and_names_what_breaks() {
    let bench = Bench::new();
    let file = two_scenarios(&bench);
    let good = bench.run(["validate".as_ref(), file.as_os_str()]);
    assert_eq!(good.code(), 0, "{good}");

    let broken = std::fs::read_to_string(bench.path("two/scenario.yaml")).expect("the scenario");
    bench.write("two/scenario.yaml", &broken.replace("echo two > answer", "echo tow > answer"));
    let bad = bench.run(["validate".as_ref(), file.as_os_str()]);
    assert_eq!(bad.code(), 1, "{bad}");
    let lines = bad.stdout();
    assert!(lines.lines().any(|line| line.contains("two") && line.contains("oracle")), "{bad}");

    bench.write("two/scenario.yaml", &broken);
    bench.write("one/controls/cheat.sh", "#!/bin/sh\necho one > answer\n");
    let cheated = bench.run(["validate".as_ref(), file.as_os_str()]);
    assert_eq!(cheated.code(), 1, "{cheated}");
    assert!(cheated.stdout().lines().any(|line| line.contains("one") && line.contains("cheat")), "{cheated}");
}

#[test]
fn ctrl_c_ends_the_run_writes_what_there_is_and_leaves_nothing() {
    let bench = Bench::new();
    let file = bench.write(
        "slow.yaml",
        "name: slow\nproblem_statement: Go.\nenvironment: { network: none }\n\
         scorers: [{ name: yes, weight: 1, shell_command: 'true' }]\n",
    );
    let mut child = bench
        .command()
        .arg("run")
        .arg(&file)
        .args([
            "--agent",
            "command:touch started; sleep 987654",
            "--trials",
            "4",
            "-j",
            "2",
            "--output",
            "run",
        ])
        .args(["--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    wait_for("the agents to work", || sleeping("987654").len() >= 2);
    signal(child.id(), "INT");
    let start = Instant::now();
    wait_for("the program to end", || child.try_wait().expect("it is ours").is_some());
    assert!(start.elapsed() < Duration::from_secs(20));
    let finished = Finished::of(child.wait_with_output().expect("it has ended"));
    assert_eq!(finished.code(), 130, "{finished}");
    assert_eq!(sleeping("987654").len(), 0, "the agents are gone");
    let json: serde_json::Value = serde_json::from_str(&finished.stdout()).expect("results all the same");
    assert_eq!(json["summary"]["planned"], 4);
    assert_eq!(json["summary"]["canceled"], 4, "{finished}");
    assert!(bench.path("run/results.json").is_file());
    bench.assert_nothing_left();
}

#[test]
fn a_log_on_a_full_disk_changes_nothing() {
    let bench = Bench::new();
    let file = two_scenarios(&bench);
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
    let mut command = bench.command();
    command.args(["-v", "run"]).arg(&file).args(["--agent", "command:sleep 987655", "-j", "2"]);
    let child = Running::start(command.stdout(Stdio::piped()).stderr(full()));
    wait_for("the agents to work", || sleeping("987655").len() >= 2);
    signal(child.id(), "INT");
    let finished = child.end();
    assert_eq!(finished.code(), 130, "{finished}");
    assert!(sleeping("987655").is_empty(), "the agents are still running");
    bench.assert_nothing_left();
    let mut command = bench.command();
    command.args(["run", "nowhere.yaml"]).stderr(full());
    assert_eq!(Running::start(&mut command).end().code(), 2);
}

#[test]
fn a_killed_harness_leaves_no_process() {
    let bench = Bench::new();
    let file = bench.write(
        "slow.yaml",
        "name: slow\nproblem_statement: Go.\nenvironment: { network: none }\n\
         scorers: [{ name: yes, weight: 1, shell_command: 'true' }]\n",
    );
    let daemon = "command:(trap '' TERM HUP INT; setsid nohup sleep 876543 >/dev/null 2>&1 &); sleep 876543";
    let mut child = bench
        .command()
        .arg("run")
        .arg(&file)
        .args(["--agent", daemon])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    wait_for("the agent to work", || sleeping("876543").len() >= 2);
    child.kill().expect("it is ours");
    child.wait().expect("it has ended");
    wait_for("every process to be gone", || sleeping("876543").is_empty());
    // The next run sweeps the directory.
    let quick = bench.results(&file, ["--agent", "nop"]);
    quick.assert_score("slow", 1.0);
    bench.assert_nothing_left();
}
