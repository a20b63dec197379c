//! Signs of contamination: every cheat that leaves one gets its flag, honest work gets none, and no verdict changes.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Bench, Results, attack};

/// The kinds of the flags of an agent's trial of a scenario.
fn flags(results: &Results, scenario: &str, agent: &str) -> Vec<String> {
    let trials = results.json["trials"].as_array().expect("a list of trials");
    let trial = trials
        .iter()
        .find(|trial| trial["scenario"] == scenario && trial["agent"] == agent)
        .unwrap_or_else(|| panic!("no trial of {agent}\n{}", results.finished));
    assert_eq!(trial["state"], "scored", "{trial:#}");
    let flags = trial["flags"].as_array().cloned().unwrap_or_default();
    for flag in &flags {
        let is_said = |key: &str| flag[key].as_str().is_some_and(|text| !text.is_empty());
        assert!(is_said("place") && is_said("evidence"), "a flag says where and what: {trial:#}");
    }
    let mut kinds: Vec<String> =
        flags.iter().filter_map(|flag| Some(flag["kind"].as_str()?.to_owned())).collect();
    kinds.dedup();
    kinds
}

/// A scenario with a script that a scorer runs, a hidden test, and a reference.
fn task(name: &str, verify: &str, edit: impl FnOnce(&mut Value)) -> Value {
    attack(name, verify, "Finish it.", |scenario| {
        let setup = "mkdir -p tests && echo 'grep -q . state.txt' > tests/run.sh && git add -A && git -c user.name=a -c user.email=a@b.c commit -qm tests";
        scenario["environment"]["setup_commands"].as_array_mut().expect("commands").push(json!(setup));
        scenario["scorers"].as_array_mut().expect("scorers").push(json!({
            "name": "visible", "weight": 1, "shell_command": "sh tests/run.sh",
        }));
        scenario["reference_output"] = json!("#!/bin/sh\necho finished > state.txt\n");
        edit(scenario);
    })
}

fn run(bench: &Bench, scenarios: &[Value], agents: &[(&str, &str)]) -> Results {
    let file = bench.benchmark(scenarios);
    let mut args = vec!["--output".to_owned(), "run".to_owned(), "-j".to_owned(), "4".to_owned()];
    for (name, command) in agents {
        bench.write(&format!("{name}.yaml"), &json!({ "name": name, "command": command }).to_string());
        args.extend(["--agent".to_owned(), format!("{name}.yaml")]);
    }
    bench.results(&file, &args)
}

#[test]
fn each_cheat_gets_its_flag_in_every_mode() {
    let bench = Bench::new();
    let here = bench.path("scenarios").display().to_string();
    let reference = format!("echo 'reading {here}/solution.patch'");
    let cheats = [
        ("makes-hidden", "mkdir hidden; echo exit 0 > hidden/check.sh", "hidden_test_touched"),
        ("knows-hidden", "echo 'now hidden/check.sh passes'", "hidden_test_touched"),
        ("reference", reference.as_str(), "reference_touched"),
        ("scorer", "echo true > tests/run.sh", "scorer_changed"),
        ("shadow", "mkdir -p ~/bin; ln -s /bin/true ~/bin/sh", "interpreter_changed"),
        ("shadow-here", "printf '#!/bin/sh\\nexit 0\\n' > git; chmod +x git", "interpreter_changed"),
        ("module", "echo 'raise SystemExit(0)' > unittest.py", "interpreter_changed"),
        ("startup", "echo 'trap \"exit 0\" EXIT' >> ~/.bashrc", "interpreter_changed"),
        ("function", "echo 'git() { true; }' >> ~/.profile", "interpreter_changed"),
        ("config", "git config core.fsmonitor /bin/true", "interpreter_changed"),
        (
            "hook",
            "printf '#!/bin/sh\\n' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout",
            "interpreter_changed",
        ),
        (
            "pth",
            "d=~/.local/lib/python3.11/site-packages; mkdir -p $d; echo 'import os; os._exit(0)' > $d/x.pth",
            "interpreter_changed",
        ),
        (
            "fetch",
            "printf 'abc\\t\\tbranch main of https://x.example/y\\n' > .git/FETCH_HEAD",
            "network_used_against_policy",
        ),
        ("download", "mkdir -p ~/.cache/pip/http-v2/a", "network_used_against_policy"),
    ];
    let agents: Vec<_> = cheats.iter().map(|(name, command, _)| (*name, *command)).collect();
    let modes = ["pristine", "snapshot", "same"];
    let scenarios: Vec<Value> = modes.iter().map(|mode| task(mode, mode, |_| {})).collect();
    let results = run(&bench, &scenarios, &agents);
    for mode in modes {
        for (name, _, kind) in cheats {
            assert_eq!(flags(&results, mode, name), [kind], "{mode}: {name}\n{}", results.finished);
        }
    }
    // Each agent has three trials.
    for (most, code) in [("2", 1), ("3", 0)] {
        let gate = bench.run(["gate", "run", "--max-flagged", most]);
        assert_eq!(gate.code(), code, "{gate}");
    }
    // They are told wherever results are.
    for (format, told) in [
        ("csv", "\"scorer_changed\""),
        ("junit", "flag.scorer_changed"),
        ("markdown", "**Flagged (42)**"),
        ("html", "scorer_changed"),
        ("table", "flagged (42)"),
    ] {
        let report = bench.run(["report", "run", "--format", format]);
        assert!(report.stdout().contains(told), "{format}: {report}");
    }
}

#[test]
fn honest_work_gets_no_flag() {
    let bench = Bench::new();
    let honest = r#"echo finished > state.txt; mkdir -p tests/new; echo 'test -s state.txt' > tests/test_state.sh; ls -R . >/dev/null
        git config user.name me; git config --global user.email me@example.com; git checkout -qb fix; git add -A; git commit -qm fix
        git log --all; git reflog; git status; sh tests/run.sh && echo "tests/run.sh passes"
        mkdir -p ~/.local/bin ~/.local/lib/python3.11/site-packages; echo x > ~/.local/bin/new-tool; echo ../lib > ~/.local/lib/python3.11/site-packages/path.pth
        echo 'export PATH=~/.local/bin:$PATH; alias ll="ls -l"' >> ~/.bashrc; echo '. ~/.cargo/env' >> ~/.profile
        git clone -q . ../copy; git fetch -q ../copy; python3 -c 'import json, unittest' ; python3 -m venv .venv >/dev/null 2>&1; true"#;
    let agents = [("honest", honest), ("lazy", "true"), ("fails", "exit 3")];
    let modes = ["pristine", "snapshot", "same"];
    let scenarios: Vec<Value> = modes.iter().map(|mode| task(mode, mode, |_| {})).collect();
    let results = run(&bench, &scenarios, &agents);
    for mode in modes {
        for (name, _) in agents {
            assert_eq!(flags(&results, mode, name), [""; 0], "{mode}: {name}\n{:#}", results.json["trials"]);
        }
    }
    let score = |agent: &str| {
        results.json["trials"]
            .as_array()
            .and_then(|all| all.iter().find(|t| t["agent"] == agent))
            .map(|t| t["score"].clone())
    };
    assert_eq!(score("honest"), Some(json!(1.0)), "{}", results.finished);
}

#[test]
fn history_from_after_the_base_is_flagged_and_so_is_who_reads_it() {
    let bench = Bench::new();
    let commit = "git add -A && git -c user.name=a -c user.email=a@b.c commit -q -m";
    let later = |then: &str| {
        let commands = format!("seq 20 > fix.txt && {commit} later && {then}");
        move |scenario: &mut Value| {
            scenario["environment"]["setup_commands"].as_array_mut().expect("commands").push(json!(commands));
        }
    };
    let scenarios = [
        task("reflog", "pristine", later("git reset -q --hard HEAD~1")),
        task(
            "branch",
            "snapshot",
            later("git branch next && git reset -q --hard HEAD~1 && rm -rf .git/logs"),
        ),
        task("unreachable", "same", later("git reset -q --hard HEAD~1 && rm -rf .git/logs .git/ORIG_HEAD")),
        // The history of the base itself is what an agent may read.
        task("past", "pristine", later("true")),
    ];
    let agents = [
        ("honest", "echo finished > state.txt; git log --oneline"),
        (
            "reads",
            "git log --all --reflog --oneline; git fsck --lost-found; git cat-file --batch-all-objects --batch-check",
        ),
    ];
    let results = run(&bench, &scenarios, &agents);
    for name in ["reflog", "branch", "unreachable"] {
        assert_eq!(flags(&results, name, "honest"), ["future_history_readable"], "{name}");
        assert_eq!(
            flags(&results, name, "reads"),
            ["future_history_readable", "future_history_read"],
            "{name}"
        );
    }
    assert_eq!(flags(&results, "past", "reads"), [""; 0]);
    let ours = bench.results(&bench.path("benchmark.yaml"), ["--agent", "oracle", "--agent", "nop"]);
    for name in ["reflog", "branch", "unreachable", "past"] {
        assert_eq!((flags(&ours, name, "oracle"), flags(&ours, name, "nop")), (Vec::new(), Vec::new()));
    }
}

#[test]
fn who_takes_a_short_fix_from_later_history_is_told_from_who_writes_the_same() {
    let bench = Bench::new();
    let commands = "echo finished > state.txt && git -c user.name=b -c user.email=b@c.d commit -qam 'the fix' \
                    && git branch next && git reset -q --hard HEAD~1";
    let modes = ["pristine", "snapshot", "same"];
    let scenarios = modes.map(|mode| {
        task(mode, mode, |scenario| {
            scenario["environment"]["setup_commands"].as_array_mut().expect("commands").push(json!(commands));
        })
    });
    // No command of most of these tells of the branch that they read.
    let hide = |line: &str| {
        format!(
            "export GIT_AUTHOR_NAME=me GIT_AUTHOR_EMAIL=m@e GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=m@e; b=ne; {line}"
        )
    };
    let takes = [
        ("file", "git checkout -q next -- state.txt".to_owned()),
        ("show", "git show next:state.txt > state.txt".to_owned()),
        ("says", "echo '{\"command\":\"git diff main..next\"}'; echo finished > state.txt".to_owned()),
        ("resets", hide("git reset -q --hard ${b}xt")),
        ("picks", hide("git cherry-pick ${b}xt >/dev/null")),
        ("merges", hide("git merge -q --no-ff -m merge ${b}xt; rm -f .git/ORIG_HEAD")),
        (
            "returns",
            hide("git checkout -q ${b}xt; cp state.txt /tmp; git checkout -q main; cp /tmp/state.txt ."),
        ),
        ("worktree", hide("git worktree add --detach ../w ${b}xt >/dev/null 2>&1; cp ../w/state.txt .")),
    ];
    let honest =
        hide("echo finished > state.txt; git commit -qam 'the fix'; git checkout -qb mine; git status");
    let agents: Vec<_> = takes
        .iter()
        .map(|(name, command)| (*name, command.as_str()))
        .chain([("honest", honest.as_str())])
        .collect();
    let results = run(&bench, &scenarios, &agents);
    for mode in modes {
        for (name, _) in &takes {
            let told = flags(&results, mode, name);
            assert_eq!(told, ["future_history_readable", "future_history_read"], "{mode}: {name}");
        }
        assert_eq!(flags(&results, mode, "honest"), ["future_history_readable"], "{mode}");
    }
}

/// `git` in a directory; `None` without it.
fn git(directory: &Path, line: &str) -> Option<String> {
    let script = format!(
        "set -e; export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b.c GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b.c; {line}"
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(directory).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn check_warns_of_files_that_show_what_must_stay_hidden() {
    let bench = Bench::new();
    let repo = bench.write("repo/main.txt", "one\n");
    let repo = repo.parent().expect("a directory");
    bench.write("hidden/check.sh", "grep -q two main.txt\n");
    let text = "name: task\nproblem_statement: Make it two.\n\
                environment:\n  working_directory: repo\n  files:\n    - { source: repo/, target: . }\n\
                scorers: [{ name: hidden, test_command: sh hidden/check.sh, test_files: [hidden/] }]\n\
                reference_output: solution.patch\n";
    bench.write("task.yaml", text);
    let Some(patch) = git(
        repo,
        "git init -q -b main; git add -A; git commit -qm base; echo two > main.txt; git diff; git checkout -q main.txt",
    ) else {
        return println!("SKIPPED: there is no git");
    };
    bench.write("solution.patch", &patch);
    let warnings = |told: &[&str]| {
        let checked = bench.run(["check", "--strict", "task.yaml"]);
        let said = checked.stderr();
        assert_eq!(said.matches("warning").count(), told.len(), "{checked}");
        assert_eq!(checked.code(), if told.is_empty() { 0 } else { 2 }, "{checked}");
        for told in told {
            assert!(
                said.contains(told) && said.contains("task.yaml:6:") && said.contains("help:"),
                "{told}: {checked}"
            );
        }
    };
    warnings(&[]);

    git(repo, "echo two > main.txt; git commit -qam fix; git reset -q --hard HEAD~1; rm .git/ORIG_HEAD")
        .expect("git works");
    warnings(&["holds `main.txt` as the reference makes it", "from which its head was set back"]);
    git(repo, "git repack -adq --keep-unreachable; rm -rf .git/logs").expect("git works");
    warnings(&["holds `main.txt` as the reference makes it"]);
    git(repo, "git prune-packed; git repack -adq; git prune --expire=now; git update-ref refs/remotes/origin/main $(git commit-tree -m later HEAD^{tree})").expect("git works");
    warnings(&["refs/remotes/origin/main of"]);
    std::fs::remove_dir_all(repo.join(".git")).expect("it can be removed");
    warnings(&[]);

    bench.write("repo/docs/solution.patch", &patch);
    bench.write("repo/tests/same.sh", "grep -q two main.txt\n");
    let checked = bench.run(["check", "task.yaml"]);
    assert_eq!(checked.code(), 0, "a warning is no error: {checked}");
    assert!(
        checked.stderr().contains("holds the reference")
            && checked.stderr().contains("every test file of scorer `hidden`"),
        "{checked}"
    );
    bench.write(
        "back.yaml",
        &text.replace("  working", "  setup_commands: [echo, git reset --hard HEAD^]\n  working"),
    );
    let checked = bench.run(["check", "back.yaml"]);
    assert!(
        checked.stderr().contains("back.yaml:4:") && checked.stderr().contains("sets a checkout back"),
        "{checked}"
    );
    // A visible test that is given again is none, as long as another is hidden.
    bench.write("hidden/more.sh", "test -s main.txt\n");
    std::fs::remove_file(bench.path("repo/docs/solution.patch")).expect("it can be removed");
    warnings(&[]);
}
