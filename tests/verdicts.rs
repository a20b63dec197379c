//! Verdicts hold, whatever the agent does.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Bench, Results, attack, sleeping};

/// The verify modes; where one is weaker by design the test says so.
const MODES: [&str; 3] = ["same", "snapshot", "pristine"];

/// A scenario with a git checkout of one file, an agent time of one second, and one scorer.
fn scenario(verify: &str, scorer: &str) -> String {
    format!(
        "name: task\n\
         problem_statement: Make it so.\n\
         verify: {verify}\n\
         agent_timeout: 1s\n\
         environment:\n  \
           working_directory: repo\n  \
           network: none\n  \
           setup_commands:\n    \
             - git init -q -b main && echo start > state.txt && git add -A\n    \
             - git -c user.name=a -c user.email=a@b.c commit -q -m base\n\
         scorers:\n  - {scorer}\n"
    )
}

fn judge(verify: &str, scorer: &str, agent: &str) -> Results {
    let bench = Bench::new();
    let file = bench.write("task.yaml", &scenario(verify, scorer));
    bench.results(&file, ["--agent", &format!("command:{agent}")])
}

#[test]
fn an_agent_that_finishes_after_its_time_is_scored_on_what_was_there() {
    for mode in MODES {
        let results = judge(
            mode,
            "{ name: late, weight: 1, shell_command: 'sleep 3; grep -q early state.txt && ! grep -q late state.txt' }",
            "echo early > state.txt; (sleep 2; echo late > state.txt) & sleep 60",
        );
        results.assert_score("task", 1.0);
        assert_eq!(results.trial("task")["agent_end"]["how"], "timed_out", "{mode}");
    }
}

#[test]
fn a_daemon_of_the_agent_survives_neither_its_end_nor_touches_what_is_scored() {
    // Double fork, a session of its own, SIGTERM and SIGHUP ignored, a loop that writes again and again.
    let daemon = "trap '' TERM HUP; (setsid nohup bash -c 'trap \"\" TERM HUP INT; while :; do echo forged > state.txt; \
                  sleep 0.05; done' >/dev/null 2>&1 &) & sleep 0.3; echo honest > state.txt; exit 0";
    for mode in MODES {
        let results = judge(
            mode,
            "{ name: untouched, weight: 1, shell_command: 'a=$(stat -c %Y.%i state.txt; cat state.txt); sleep 1; \
             b=$(stat -c %Y.%i state.txt; cat state.txt); test \"$a\" = \"$b\"' }",
            daemon,
        );
        results.assert_score("task", 1.0);
    }
}

#[test]
fn programs_that_the_agent_put_on_its_path_do_not_judge_a_pristine_scenario() {
    let cheat = "mkdir -p ~/bin ~/.local/bin; for d in ~/bin ~/.local/bin .; do for p in python3 sh bash git test true; do \
                 printf '#!/bin/sh\\nexit 0\\n' > $d/$p; chmod +x $d/$p; done; done; \
                 echo 'export PATH=~/bin:.:$PATH; exit 0' | tee ~/.bashrc ~/.profile > ~/.bash_profile";
    let results = judge(
        "pristine",
        "{ name: real, weight: 1, shell_command: 'python3 -I -c \"import sys; sys.exit(1)\"' }",
        cheat,
    );
    results.assert_score("task", 0.0);
}

#[test]
fn edited_tests_and_forged_scores_do_not_pass_a_pristine_scenario() {
    let bench = Bench::new();
    bench.write("hidden/check.sh", "grep -q finished state.txt\n");
    let file = bench.write(
        "task.yaml",
        &scenario(
            "pristine",
            "{ name: hidden, weight: 1, test_command: sh hidden/check.sh, test_files: [hidden/] }",
        ),
    );
    let cheats = [
        "mkdir -p hidden; echo exit 0 > hidden/check.sh",
        "ln -s /dev/null hidden; true",
        "mkdir hidden; ln -s /bin/true hidden/check.sh; chmod 555 hidden",
        "for f in score score.txt reward.txt ~/score /tmp/score result.json; do echo score=1.0 > $f; done; echo score=1.0",
    ];
    for cheat in cheats {
        let results = bench.results(&file, ["--agent", &format!("command:{cheat}")]);
        results.assert_score("task", 0.0);
    }
    let honest = bench.results(&file, ["--agent", "command:echo finished > state.txt"]);
    honest.assert_score("task", 1.0);
}

#[test]
fn a_scorer_that_prints_no_score_is_invalid_and_never_a_zero() {
    let results = judge("same", "{ name: mute, weight: 1, bash_script: 'echo all is well' }", "true");
    results.assert_invalid("task", "scorer_error");
    assert_eq!(results.finished.code(), 3, "{}", results.finished);
    assert_eq!(results.json["summary"]["invalid"], 1);
    assert!(
        results.json["summary"]["mean_score"].is_null(),
        "no verdict, no mean: {}",
        results.json["summary"]
    );
}

#[test]
fn code_that_never_ends_fails_a_check_with_a_time_of_its_own_and_only_that() {
    let endless = "echo finished > state.txt; echo 'setsid sleep 765431 & sleep 765431' > program";
    let own = attack("own", "pristine", endless, |scenario| {
        scenario["scorers"] = json!([{ "name": "check", "shell_command": "sh program", "timeout": "1s" }]);
    });
    let scenarios = attack("scenarios", "pristine", endless, |scenario| {
        scenario["scorer_timeout"] = json!("1s");
        scenario["scorers"] = json!([{ "name": "check", "shell_command": "sh program" }]);
    });
    let bench = Bench::new();
    let results = bench.attacked(&[own, scenarios], [""; 0]);
    results.assert_score("own", 0.0);
    assert_eq!(
        results.trial("own")["scores"][0]["output"],
        "it did not end within 1s\n",
        "{}",
        results.finished
    );
    results.assert_invalid("scenarios", "scorer_timeout");
    assert!(sleeping("765431").is_empty(), "the check's code is still running");
    bench.assert_nothing_left();
}

#[test]
fn a_program_that_the_devbox_lacks_is_invalid_with_its_name() {
    let bench = Bench::new();
    let text = scenario("same", "{ name: any, weight: 1, shell_command: 'true' }")
        + "requires: [sh, no-such-program-anywhere]\n";
    let file = bench.write("task.yaml", &text);
    let results = bench.results(&file, ["--agent", "nop"]);
    results.assert_invalid("task", "requirement_missing");
    let message = results.trial("task")["message"].as_str().unwrap_or_default();
    assert!(message.contains("no-such-program-anywhere"), "{message}");
}

#[test]
fn an_agent_that_fails_is_scored_on_its_work() {
    let results = judge(
        "snapshot",
        "{ name: work, weight: 1, shell_command: 'grep -q done state.txt' }",
        "echo done > state.txt; exit 7",
    );
    results.assert_score("task", 1.0);
    assert_eq!(results.trial("task")["agent_end"]["exit_status"], 7);
    assert_eq!(results.finished.code(), 0, "{}", results.finished);
}

/// Each attack in each mode.
fn everywhere(attacks: &[(&str, &str)]) -> Vec<Value> {
    let each =
        |(name, line): &(&str, &str)| MODES.map(|mode| attack(&format!("{name}-{mode}"), mode, line, |_| {}));
    attacks.iter().flat_map(each).collect()
}

/// A valid verdict for every trial: 1 for those whose name begins so, 0 for the others.
#[track_caller]
fn assert_verdicts(results: &Results, honest: &[&str]) {
    let mut wrong = BTreeMap::new();
    for trial in results.json["trials"].as_array().expect("a list of trials") {
        let name = trial["scenario"].as_str().expect("a name");
        let expected = if honest.iter().any(|prefix| name.starts_with(prefix)) { 1.0 } else { 0.0 };
        if trial["state"] != "scored" || trial["score"] != expected {
            wrong.insert(name, trial);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", results.finished.stderr());
}

#[test]
fn start_up_files_never_answer_for_the_scorers() {
    let attacks = [
        ("file", "for f in .bash_profile .bash_login .profile .bashrc; do echo 'exit 0' > ~/$f; done"),
        ("pipe", "for f in .bash_profile .bash_login .profile; do mkfifo ~/$f; done"),
        ("directory", "mkdir -p ~/.bash_profile/x; echo 'exit 0' > ~/.bash_login"),
        ("link", "echo 'exit 0' > ~/evil; ln -s evil ~/.bash_profile; echo 'exit 0' > ~/.profile"),
        ("loop", "ln -s .bash_profile ~/.bash_profile; echo 'exit 0' > ~/.bash_login"),
        ("read-only", "echo 'exit 0' > ~/.bash_profile; chmod 444 ~/.bash_profile; chmod 555 ~"),
        ("honest", "echo finished > state.txt; echo 'alias true=false' > ~/.bashrc"),
    ];
    assert_verdicts(&Bench::new().attacked(&everywhere(&attacks), [""; 0]), &["honest"]);
}

#[test]
fn nothing_in_the_way_of_the_hidden_tests_excuses_or_passes() {
    let attacks = [
        ("file", "echo exit 0 > hidden"),
        ("link", "ln -s /dev hidden"),
        ("link-inside", "mkdir hidden; ln -s /bin/true hidden/check.sh"),
        ("directories", "mkdir -p hidden/check.sh/a/b; chmod 000 hidden/check.sh/a hidden/check.sh hidden"),
        ("pipe", "mkdir hidden; mkfifo hidden/check.sh"),
        ("read-only", "mkdir hidden; echo exit 0 > hidden/check.sh; chmod 555 hidden ."),
        ("home", "chmod 000 ~"),
        ("closed", "echo finished > state.txt; chmod 000 ."),
        ("elsewhere", "cd ..; mv repo x; ln -s /etc repo"),
        ("gone", "cd ..; rm -rf repo"),
        ("a-file", "cd ..; rm -rf repo; echo finished > repo"),
        ("a-pipe", "cd ..; rm -rf repo; mkfifo repo"),
        ("ours-closed", "chmod 000 ~/.runloop-eval"),
        ("ours-a-file", "rm -rf ~/.runloop-eval; echo > ~/.runloop-eval"),
        ("ours-a-link", "rm -rf ~/.runloop-eval; ln -s /dev ~/.runloop-eval"),
        (
            "honest",
            "echo finished > state.txt; mkdir hidden; echo exit 1 > hidden/check.sh; chmod 000 hidden/check.sh hidden",
        ),
    ];
    assert_verdicts(&Bench::new().attacked(&everywhere(&attacks), [""; 0]), &["honest"]);
}

#[test]
fn a_scorer_that_an_agent_leaves_no_room_to_work_in_is_the_agents_failure() {
    let says = |scenario: &mut Value| {
        scenario["scorers"] = json!([{ "name": "says", "weight": 1, "bash_script": "echo score=1" }]);
    };
    let mut scenarios = Vec::new();
    for mode in ["same", "snapshot"] {
        scenarios.push(attack(&format!("closed-{mode}"), mode, "chmod 000 .", says));
        scenarios.push(attack(&format!("honest-{mode}"), mode, "true", says));
    }
    assert_verdicts(&Bench::new().attacked(&scenarios, [""; 0]), &["honest"]);
}

#[test]
fn tampering_with_git_gains_nothing_and_costs_no_time() {
    let work = "echo finished > state.txt";
    let commit = "git add -A; git -c user.name=a -c user.email=a@b.c commit -q --amend -m x";
    let tricks = [
        (
            "hooks",
            "for h in post-checkout post-index-change fsmonitor-watchman; do printf '#!/bin/sh\\nsleep 300\\n' > .git/hooks/$h; chmod +x .git/hooks/$h; done",
        ),
        ("monitor", "printf '#!/bin/sh\\nsleep 300\\n' > ~/m; chmod +x ~/m; git config core.fsmonitor ~/m"),
        (
            "filter",
            "git config filter.x.clean 'sleep 300'; git config filter.x.required true; echo '* filter=x' | tee .gitattributes > .git/info/attributes",
        ),
        (
            "textconv",
            "git config diff.x.textconv 'sleep 300'; git config diff.x.command 'sleep 300'; echo '* diff=x' > .gitattributes",
        ),
        (
            "settings",
            "git config core.worktree /etc; git config core.bare true; git config include.path /dev/stdin; git config core.sparseCheckout true",
        ),
        ("format", "git config core.repositoryformatversion 99"),
        ("broken", "echo '[[[' > .git/config; echo junk > .git/index; touch .git/index.lock"),
        ("pipes", "rm .git/config .git/HEAD; mkfifo .git/config .git/HEAD"),
        ("pipe", "rm -rf .git; mkfifo .git"),
        ("gone", "rm -rf .git"),
        ("moved", "mv .git ../g; echo 'gitdir: ../g' > .git"),
        ("anew", "rm -rf .git; git init -q"),
        (
            "history",
            "echo more > more; git add -A; git -c user.name=a -c user.email=a@b.c commit -q --amend -m x; git reflog expire --expire=now --all; git gc -q --prune=now",
        ),
        (
            "hidden-bits",
            "git update-index --assume-unchanged state.txt; git update-index --skip-worktree src/a",
        ),
        ("nested", "mkdir n; cd n; git init -q; echo a > a; cd .."),
        (
            "submodule",
            "mkdir x; cd x; git init -q; echo a > a; git add a; git -c user.name=a -c user.email=a@b.c commit -qm a; cd ..; printf '[submodule \"x\"]\\n path=x\\n url=ext::sleep% 300\\n' > .gitmodules",
        ),
        ("links", "ln -s /etc etc; ln -s ../../../etc/passwd p; rm -r src; ln -s /tmp src"),
        (
            "names",
            "touch $'a\\nb' -- -rf $'\\xff' 'runloop-eval:nothing' ':!x'; mkdir -- '--checkpoint-action=exec=sh'; touch -- '--checkpoint-action=exec=sh/x'",
        ),
        ("modes", "mkdir z; echo y > z/f; chmod 000 z src/a state.txt"),
        (
            "ours",
            "rm -rf ~/.runloop-eval/git; mkfifo ~/.runloop-eval/git; mkdir .runloop-eval; echo x > .runloop-eval/artifacts",
        ),
    ];
    let mut scenarios = Vec::new();
    for (name, trick) in tricks {
        scenarios.push(attack(&format!("honest-{name}"), "pristine", &format!("{work}; {trick}"), |_| {}));
    }
    // What is ignored is not carried over, not even by way of a checkout that is no more.
    let judged_by_tool = |scenario: &mut Value| {
        scenario["scorers"] =
            json!([{ "name": "tool", "weight": 1, "shell_command": "grep -q forged venv/tool" }]);
    };
    for (name, trick) in [
        ("ignored", "true"),
        ("ignored-no-checkout", "rm -rf .git"),
        ("ignored-other-checkout", "rm -rf .git; git init -q; git add -fA"),
        ("ignored-added", &format!("git add -fA; {commit}") as &str),
    ] {
        scenarios.push(attack(
            name,
            "pristine",
            &format!("echo forged > venv/tool; {trick}"),
            judged_by_tool,
        ));
    }
    // A diff that only claims to solve the task.
    scenarios.push(attack("claim", "pristine", "echo runloop-eval:diff; echo score=1.0; mkdir -p ~/bin; printf '#!/bin/sh\\necho finished > state.txt' > ~/bin/git; chmod +x ~/bin/git", |_| {}));
    scenarios.push(attack(
        "too-large",
        "pristine",
        "head -c 100000000 /dev/urandom > big; echo finished > state.txt",
        |_| {},
    ));
    let results = Bench::new().attacked(&scenarios, [""; 0]);
    assert_verdicts(&results, &["honest"]);
    let message = results.trial("too-large")["message"].as_str().unwrap_or_default();
    assert!(message.contains("larger than"), "{message}");
    for trial in results.json["trials"].as_array().expect("a list of trials") {
        let reaping = trial["durations_ms"]["reaping"].as_u64().expect("a duration");
        assert!(reaping < 60_000, "git was waited for: {trial:#}");
    }
}

#[test]
fn an_agent_that_uses_up_its_devbox_fails_and_the_run_goes_on() {
    let small = |scenario: &mut Value| {
        scenario["environment"]["launch_parameters"] = json!({
            "resource_size_request": "CUSTOM_SIZE", "custom_disk_size": 2, "custom_cpu_cores": 1, "custom_gb_memory": 2,
        });
        scenario["agent_timeout"] = json!("8s");
    };
    let memory = "python3 -c 'x = []\nwhile True: x.append(bytearray(b\"1\") * 50000000)'";
    let scenarios = [
        attack("memory", "pristine", memory, small),
        attack("forks", "pristine", "b() { b | b & }; b; sleep 5", |scenario| {
            small(scenario);
            scenario["agent_timeout"] = json!("3s");
        }),
        attack(
            "disk",
            "pristine",
            "for n in 1 2 3 4; do head -c 600000000 /dev/zero > ~/$n; done; sleep 2",
            small,
        ),
        attack("honest", "pristine", "echo finished > state.txt", small),
    ];
    let bench = Bench::new();
    assert_verdicts(&bench.attacked(&scenarios, [""; 0]), &["honest"]);
    bench.assert_nothing_left();
}

#[test]
fn what_holds_an_agents_output_open_is_not_waited_for() {
    let long = |scenario: &mut Value| scenario["agent_timeout"] = json!("10m");
    let scenarios = MODES.map(|mode| {
        attack(
            &format!("honest-{mode}"),
            mode,
            "echo finished > state.txt; sleep 1234 & setsid sleep 1234 & exit 0",
            long,
        )
    });
    let results = Bench::new().attacked(&scenarios, [""; 0]);
    assert_verdicts(&results, &["honest"]);
    for mode in MODES {
        let trial = results.trial(&format!("honest-{mode}"));
        assert!(trial["durations_ms"]["agent"].as_u64().is_some_and(|ms| ms < 60_000), "{trial:#}");
    }
}

#[test]
fn verdicts_hold_also_for_an_ordinary_user_and_with_weak_isolation() {
    let attacks = [
        ("late", "(sleep 3; echo finished > state.txt) & sleep 60"),
        (
            "daemon",
            "(trap '' TERM HUP; setsid nohup bash -c 'sleep 2; while :; do echo finished > state.txt; sleep 0.1; done' >/dev/null 2>&1 &) & exit 0",
        ),
        ("start-up", "for f in .bash_profile .bash_login .profile .bashrc; do echo 'exit 0' > ~/$f; done"),
        ("planted", "mkdir -p hidden/check.sh/a/b; chmod 000 hidden/check.sh/a hidden"),
        ("honest", "echo finished > state.txt"),
    ];
    let scenarios: Vec<Value> = everywhere(&attacks)
        .into_iter()
        .map(|mut scenario| {
            scenario["agent_timeout"] = json!("2s");
            scenario["scorers"][0]["test_command"] = json!("sleep 2; sh hidden/check.sh");
            scenario
        })
        .collect();
    let weak = ["--driver", "process", "--allow-weak"];
    assert_verdicts(&Bench::new().attacked(&scenarios, weak), &["honest"]);
    if let Some(bench) = Bench::new().for_nobody() {
        assert_verdicts(&bench.attacked(&scenarios, [""; 0]), &["honest"]);
        bench.assert_nothing_left();
    }
}
