//! Agents beside the harness: what they get, and that nothing of them stays.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Bench, Finished, attack, signal, sleeping, wait_for};

/// Leaves the process group and the session, empties the environment and forks twice.
const HIDDEN: &str = "env -i /bin/sh -c 'trap \"\" TERM HUP; setsid sh -c \"trap : HUP; (sleep 765441 &); sleep 765441\" \
    >/dev/null 2>&1 </dev/null &'";

#[test]
fn an_agent_beside_the_harness_gets_the_api_and_little_else() {
    let bench = Bench::new();
    let file = bench.benchmark(&[attack("task", "pristine", "Make it work.", |_| {})]);
    let command = "env >env; cat \"$PROBLEM_STATEMENT_FILE\" >statement; echo \"key $RUNLOOP_API_KEY\"; echo oh >&2; cat; exit 4";
    let agent =
        json!({ "name": "looks", "host_command": command, "environment_variables": { "MODEL": "large" } });
    bench.write("looks.yaml", &agent.to_string());
    let results = bench.results(&file, ["--output", "run", "--agent", "looks.yaml"]);

    results.assert_score("task", 0.0);
    assert_eq!(results.trial("task")["agent_end"], json!({ "how": "exited", "exit_status": 4 }));
    let read = |path: &str| std::fs::read_to_string(bench.path(path)).expect("it was written");
    assert_eq!(read("run/trials/task/looks/1/attempt-1/agent.stdout"), "key ***\n");
    assert_eq!(read("run/trials/task/looks/1/attempt-1/agent.stderr"), "oh\n");
    assert_eq!(read("statement"), "Make it work.");
    let environment = read("env");
    let mut names: Vec<&str> = environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    let expected = [
        "HOME",
        "MODEL",
        "PATH",
        "PROBLEM_STATEMENT",
        "PROBLEM_STATEMENT_FILE",
        "RUNLOOP_API_KEY",
        "RUNLOOP_BASE_URL",
        "RUNLOOP_DEVBOX_ID",
    ];
    assert_eq!(names, expected);
    assert!(environment.contains("RUNLOOP_DEVBOX_ID=dbx_"), "{environment}");
}

/// However the run is ended under an agent that hides.
#[test]
fn neither_ctrl_c_nor_the_harness_s_death_leaves_an_agent_behind() {
    for (name, argument) in [("INT", "765442"), ("KILL", "765443")] {
        let bench = Bench::new();
        let file = bench.benchmark(&[attack("task", "pristine", "nothing", |_| {})]);
        let command = format!("{HIDDEN}; trap '' TERM INT; sleep 765441").replace("765441", argument);
        bench.write("hides.yaml", &json!({ "name": "hides", "host_command": command }).to_string());
        let mut harness = bench.command();
        std::fs::create_dir(bench.path("tmp")).expect("a directory");
        harness.env("TMPDIR", bench.path("tmp"));
        harness.arg("run").arg(&file).args(["--agent", "hides.yaml", "--format", "json"]);
        let harness =
            harness.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        wait_for("the agent and what it hid", || sleeping(argument).len() == 3);
        signal(harness.id(), name);
        let finished = Finished::of(harness.wait_with_output().expect("it is ours"));
        if name == "INT" {
            assert_eq!(finished.code(), 130, "{finished}");
            let json: Value = serde_json::from_str(&finished.stdout()).expect("results");
            assert_eq!(json["trials"][0]["state"], "canceled", "{finished}");
            assert!(sleeping(argument).is_empty(), "a process of the agent is left");
            bench.assert_nothing_left();
        } else {
            wait_for("the agent and what it hid to end", || sleeping(argument).is_empty());
            let is_empty =
                || std::fs::read_dir(bench.path("tmp")).is_ok_and(|mut left| left.next().is_none());
            wait_for("its directory to be removed", is_empty);
        }
    }
}

#[test]
fn agents_beside_the_harness_are_ended_with_all_they_started() {
    let call = |path: &str| {
        format!(
            "python3 -c 'import os, urllib.request as u; u.urlopen(u.Request(os.environ[\"RUNLOOP_BASE_URL\"] + \
             \"/v1/devboxes/\" + os.environ[\"RUNLOOP_DEVBOX_ID\"] + \"{path}\", b\"{{}}\", \
             {{\"Authorization\": \"Bearer \" + os.environ[\"RUNLOOP_API_KEY\"], \"Content-Type\": \"application/json\"}}))'"
        )
    };
    let agents = [
        ("stays", "sleep 765441 & setsid sleep 765441 >/dev/null 2>&1 & exit 0".to_owned(), "exited"),
        ("forks", "(setsid sh -c 'trap \"\" TERM HUP; sleep 765441 & sleep 765441' >/dev/null 2>&1 &) ; exit 3".to_owned(), "exited"),
        ("slow", "trap '' TERM; echo \"key $RUNLOOP_API_KEY\"; (trap '' TERM HUP; setsid sleep 765441 &); while :; do sleep 765441; done".to_owned(), "timed_out"),
        ("hides", format!("{HIDDEN}; exit 0"), "exited"),
        ("hides-late", format!("trap '' TERM; {HIDDEN}; sleep 765441"), "timed_out"),
        ("breeds", "(env -i setsid sh -c 'while :; do setsid sleep 765441 & sleep 0.001; done' >/dev/null 2>&1 &) ; exit 0".to_owned(), "exited"),
        ("ends", call("/shutdown"), "exited"),
        ("suspends", call("/suspend"), "exited"),
    ];
    let bench = Bench::new();
    let file = bench.benchmark(&[attack("task", "pristine", "nothing", |_| {})]);
    let mut args = vec!["--output".to_owned(), "run".to_owned(), "-j".to_owned(), "4".to_owned()];
    for (name, command, _) in &agents {
        let agent = json!({ "name": name, "host_command": command, "timeout": "2s" });
        bench.write(&format!("{name}.yaml"), &agent.to_string());
        args.extend(["--agent".to_owned(), format!("{name}.yaml")]);
    }
    let results = bench.results(&file, &args);
    for (name, _, how) in &agents {
        let trials = results.json["trials"].as_array().expect("a list of trials");
        let trial = trials.iter().find(|trial| trial["agent"] == *name).expect("a trial of each agent");
        assert_eq!(
            (&trial["state"], &trial["score"]),
            (&json!("scored"), &json!(0.0)),
            "{trial:#}\n{}",
            results.finished
        );
        assert_eq!(trial["agent_end"]["how"], *how, "{trial:#}");
    }
    let forks =
        results.json["trials"].as_array().and_then(|all| all.iter().find(|one| one["agent"] == "forks"));
    assert_eq!(forks.map(|forks| &forks["agent_end"]["exit_status"]), Some(&json!(3)));
    assert!(sleeping("765441").is_empty(), "a process of an agent is left");
    bench.assert_nothing_left();
}
