//! Verdicts hold, whatever the agent does.

use crate::support::{Bench, Results};

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
