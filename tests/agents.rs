//! Agents by name and by file, what they say they used, and the time of a run.

use serde_json::{Value, json};

use crate::support::{Bench, attack};

#[test]
fn every_agent_of_the_catalogue_is_listed_and_its_file_can_be_copied() {
    let bench = Bench::new();
    let listed = bench.run(["agents", "--format", "json"]);
    assert_eq!(listed.code(), 0, "{listed}");
    let agents: Vec<Value> = serde_json::from_str(&listed.stdout()).expect("JSON");
    let names: Vec<&str> = agents.iter().filter_map(|agent| agent["name"].as_str()).collect();
    for usual in ["aider", "claude-code", "codex", "gemini", "goose", "mini-swe-agent", "opencode"] {
        assert!(names.contains(&usual), "{usual} is missing: {names:?}");
    }
    let text = bench.run(["agents"]);
    for agent in &agents {
        let name = agent["name"].as_str().expect("a name");
        assert!(text.stdout().lines().any(|line| line.starts_with(name)), "{text}");
        assert!(agent["secrets"].as_array().is_some_and(|secrets| !secrets.is_empty()), "{name} needs a key");
        let printed = bench.run(["agents", name]);
        assert_eq!(printed.code(), 0, "{printed}");
        bench.write("copied.yaml", &printed.stdout());
        let checked = bench.run(["check", "--strict", "copied.yaml"]);
        assert_eq!(checked.code(), 0, "{checked}");
        assert_eq!(checked.stdout(), format!("copied.yaml: agent {name}, no mistakes\n"));
    }
    let unknown = bench.run(["agents", "claud"]);
    assert_eq!(unknown.code(), 2, "{unknown}");
    assert!(unknown.stderr().contains("claude-code"), "{unknown}");
}

#[test]
fn an_agent_of_the_catalogue_can_be_named_and_says_which_key_it_lacks() {
    let bench = Bench::new();
    let file = bench.benchmark(&[attack("task", "pristine", "nothing", |_| {})]);
    let args = ["run".as_ref(), file.as_os_str(), "--agent".as_ref(), "claude-code".as_ref()];
    let finished = bench.run(args);
    assert_eq!(finished.code(), 2, "{finished}");
    assert!(finished.stderr().contains("ANTHROPIC_API_KEY"), "{finished}");
}

#[test]
fn check_takes_every_kind_of_file_and_says_what_each_is() {
    let bench = Bench::new();
    bench.write(
        "one.yaml",
        "name: one\nproblem_statement: x\nscorers: [{ name: a, shell_command: 'true' }]\n",
    );
    bench.write("all.yaml", "name: all\nscenarios: [one.yaml]\n");
    bench.write("agent.yaml", "name: mine\ncommand: work\n");
    bench.write("scorer.yaml", "name: style\nbash_script: echo score=1\n");
    let good = bench.run(["check", "one.yaml", "all.yaml", "agent.yaml", "scorer.yaml"]);
    assert_eq!(good.code(), 0, "{good}");
    let said = "one.yaml: 1 scenario, no mistakes\nall.yaml: 1 scenario, no mistakes\n\
        agent.yaml: agent mine, no mistakes\nscorer.yaml: scorer style, no mistakes\n";
    assert_eq!(good.stdout(), said);

    bench.write("agent.yaml", "name: mine\ncommand: work {{ task }}\n");
    bench.write("scorer.yaml", "name: style\nbash_scripts: echo score=1\n");
    bench.write("timeouts.yaml", "name: one\nproblem_statement: x\nscorer_timeout: 1m\nscorers: [{ name: a, shell_command: 'true', timeout: 1m }]\n");
    for (file, expected) in [
        ("agent.yaml", "`task` is not defined"),
        ("scorer.yaml", "neither a benchmark nor a scenario, an agent or a scorer"),
        ("timeouts.yaml", "not below the scenario's `scorer_timeout`"),
        ("agnet.yaml", "did you mean `agent.yaml`?"),
        ("nothing-like-it.yml", "relative to the directory that you are in"),
    ] {
        let bad = bench.run(["check", file]);
        assert_eq!(bad.code(), 2, "{bad}");
        assert!(bad.stderr().contains(expected), "{file}: {bad}");
    }
}

#[test]
fn what_an_agent_says_it_used_is_in_the_results() {
    let bench = Bench::new();
    let file = bench.benchmark(&[attack("task", "snapshot", "nothing", |_| {})]);
    let tells = json!({
        "name": "tells",
        "command": "echo '{ \"tokens\": { \"in\": 120, \"out\": 7 }, \"cost\": 0.03 }' > ~/usage.json",
        "usage": { "file": "~/usage.json", "input_tokens": "/tokens/in", "output_tokens": "/tokens/out", "cost_usd": "/cost" },
    });
    bench.write("tells.yaml", &tells.to_string());
    let keeps = json!({
        "name": "keeps",
        "command": "mkfifo usage.json",
        "usage": { "file": "usage.json", "input_tokens": "/tokens/in" },
    });
    bench.write("keeps.yaml", &keeps.to_string());
    let results = bench.results(&file, ["--agent", "tells.yaml", "--agent", "keeps.yaml"]);
    let trials = results.json["trials"].as_array().expect("a list of trials");
    let of = |agent: &str| trials.iter().find(|trial| trial["agent"] == agent).expect("its trial");
    assert_eq!(of("tells")["usage"], json!({ "input_tokens": 120, "output_tokens": 7, "cost_usd": 0.03 }));
    assert_eq!((&of("keeps")["usage"], &of("keeps")["state"]), (&Value::Null, &json!("scored")));
}

#[test]
fn a_run_ends_with_its_time() {
    let bench = Bench::new();
    let slow = attack("slow", "pristine", "sleep 765451", |scenario| scenario["agent_timeout"] = json!("5m"));
    let file = bench.benchmark(&[slow]);
    let results = bench.results(&file, ["--agent", crate::support::ATTACKER, "--timeout", "3s"]);
    assert_eq!(results.finished.code(), 3, "{}", results.finished);
    let trial = results.trial("slow");
    assert_eq!((&trial["state"], &trial["cause"]), (&json!("canceled"), &json!("run_timeout")), "{trial:#}");
    assert!(results.finished.stderr().contains("raise --timeout"), "{}", results.finished);
    assert!(crate::support::sleeping("765451").is_empty(), "the agent is still running");
    bench.assert_nothing_left();
    let wrong = bench.run(["run".as_ref(), file.as_os_str(), "--timeout".as_ref(), "soon".as_ref()]);
    assert_eq!(wrong.code(), 2, "{wrong}");
}
