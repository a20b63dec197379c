//! Budgets, through the real binary with agents that say what they cost.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Bench, Results};

/// Two scenarios that are done by writing a word, and what the benchmark says besides.
fn two_scenarios(bench: &Bench, more: &str) -> PathBuf {
    let scenario = |name: &str| {
        format!(
            "  - {{ name: {name}, problem_statement: x, environment: {{ network: none }}, verify: same,\n      \
             scorers: [{{ name: done, shell_command: 'grep -qx yes answer' }}] }}\n"
        )
    };
    let text = format!("name: two\nscenarios:\n{}{}{more}", scenario("s0"), scenario("s1"));
    bench.write("two.yaml", &text)
}

/// An agent that takes 250,000 tokens, which are $0.25.
fn by_tokens(bench: &Bench) {
    let agent = json!({
        "name": "coder",
        "command": "echo yes > answer; echo '{ \"out\": 250000 }' > ~/usage.json",
        "usage": { "file": "~/usage.json", "output_tokens": "/out" },
        "prices": { "output_per_million": 1 },
    });
    bench.write("coder.yaml", &agent.to_string());
}

fn states(results: &Results) -> Vec<(&str, Option<&str>)> {
    let trials = results.json["trials"].as_array().expect("trials");
    trials.iter().map(|trial| (trial["state"].as_str().expect("a state"), trial["cause"].as_str())).collect()
}

#[test]
fn money_that_is_gone_cancels_what_is_left_and_says_so_everywhere() {
    let bench = Bench::new();
    by_tokens(&bench);
    let file = two_scenarios(&bench, "trials: 4\nbudget: { max_cost: 10 }\n");
    let results = bench.results(&file, ["--agent", "coder.yaml", "--max-cost", "1", "--output", "poor"]);
    let finished = &results.finished;
    assert_eq!(finished.code(), 3, "{finished}");
    let states = states(&results);
    let scored = states.iter().filter(|state| **state == ("scored", None)).count();
    let canceled = states.iter().filter(|state| **state == ("canceled", Some("budget_exhausted"))).count();
    assert!((2..=4).contains(&scored), "as many as are paid for, some of it kept back: {states:?}");
    assert_eq!(scored + canceled, 8, "{states:?}");
    let spending = &results.json["run"]["spending"];
    assert_eq!(spending["cost_usd"], json!(scored as f64 * 0.25), "{spending}");
    assert_eq!(spending["budget"]["max_cost_usd"], 1.0, "the option replaces what the benchmark says");
    assert!(spending["devbox_ms"].as_u64().is_some_and(|ms| ms > 0), "{spending}");
    assert_eq!(results.json["trials"][0]["usage"], json!({ "output_tokens": 250_000, "cost_usd": 0.25 }));
    assert!(finished.stderr().contains("budget: $1.00"), "{finished}");
    assert!(finished.stderr().contains("raise --max-devbox-minutes or --max-cost"), "{finished}");
    let markdown = std::fs::read_to_string(bench.path("poor/summary.md")).expect("a summary");
    let spent = eval_report::dollars(scored as f64 * 0.25);
    assert!(markdown.contains(&format!("{spent} of $1.00")), "{markdown}");
    let again = bench.run(["report", "poor", "--format", "json"]);
    let again: Value = serde_json::from_str(&again.stdout()).expect("JSON");
    assert_eq!(again["run"]["spending"], *spending, "the record says the same");
    bench.assert_nothing_left();

    // The cap holds when the run goes on, until another one is typed, which holds then.
    let resume = |args: &[&str]| {
        let resumed = bench.run(["run", "--resume", "poor", "--format", "json"].iter().chain(args));
        let json: Value = serde_json::from_str(&resumed.stdout()).expect("JSON");
        (resumed.code(), json["run"]["spending"]["budget"]["max_cost_usd"].clone())
    };
    assert_eq!(resume(&[]), (3, json!(1.0)));
    assert_eq!(resume(&["--max-cost", "1.2"]), (3, json!(1.2)));
    assert_eq!(resume(&[]), (3, json!(1.2)));
    assert_eq!(resume(&["--max-cost", "5"]), (0, json!(5.0)));

    let rich = bench.results(&file, ["--agent", "coder.yaml"]);
    assert_eq!(rich.finished.code(), 0, "{}", rich.finished);
    assert_eq!(rich.json["run"]["spending"]["cost_usd"], 2.0);
}

#[test]
fn adaptive_trials_end_when_the_gate_is_decided() {
    let bench = Bench::new();
    by_tokens(&bench);
    bench.write("idle.yaml", "name: idle\ncommand: 'true'\n");
    let file = two_scenarios(&bench, "trials: { min: 2, max: 6 }\ngate: { min_pass_rate: 0.1 }\n");
    let good = bench.results(&file, ["--agent", "coder.yaml", "--seed", "7", "--output", "good"]);
    assert_eq!(good.finished.code(), 0, "{}", good.finished);
    let count = |results: &Results| results.json["trials"].as_array().map_or(0, Vec::len);
    let decided = &good.json["run"]["decided"][0];
    assert_eq!(decided["agent"], "coder", "{}", good.json["run"]);
    assert!(decided["why"].as_str().is_some_and(|why| why.starts_with("the gate passes")), "{decided}");
    assert_eq!(json!(count(&good)), json!(2 * decided["repetitions"].as_u64().expect("a number")));
    assert!(count(&good) < 12, "six of each were not needed: {}", good.finished);
    assert!(good.finished.stderr().contains("DECIDED coder after"), "{}", good.finished);

    // An agent that does nothing right fails, and the record says all of it.
    let bad = bench.results(&file, ["--agent", "idle.yaml", "--output", "bad"]);
    assert_eq!(bad.finished.code(), 1, "{}", bad.finished);
    let again = bench.run(["report", "bad", "--format", "json"]);
    let again: Value = serde_json::from_str(&again.stdout()).expect("JSON");
    assert_eq!(again["run"]["decided"], bad.json["run"]["decided"]);
    assert_eq!(again["summary"], bad.json["summary"]);
    assert_eq!(bench.run(["gate", "bad", "--benchmark", "two.yaml"]).code(), 1);
    let junit = std::fs::read_to_string(bench.path("bad/junit.xml")).expect("JUnit");
    assert!(junit.contains(&format!("tests=\"{}\"", count(&bad))), "{junit}");

    // As many as there may be, where the limit is exactly what the agent reaches.
    let near = two_scenarios(&bench, "gate: { min_pass_rate: 1.0 }\n");
    let near = bench.results(&near, ["--agent", "coder.yaml", "--trials", "1..2"]);
    assert_eq!((near.finished.code(), count(&near)), (0, 4), "{}", near.finished);
    assert!(near.finished.stderr().contains("ROUND 2 more trials, repetitions 2 to 2"), "{}", near.finished);

    // The money ends the rounds, undecided.
    let file = two_scenarios(&bench, "trials: { min: 2, max: 6 }\ngate: { min_pass_rate: 0.1 }\n");
    let poor = ["--agent", "coder.yaml", "--seed", "7", "--max-cost", "0.6", "--output", "poor"];
    let poor = bench.results(&file, poor);
    assert_eq!(poor.finished.code(), 3, "{}", poor.finished);
    assert!(poor.json["run"]["decided"].is_null(), "{}", poor.json["run"]);

    // With more of it they go on as they were begun, to the same end, whatever the file says by now.
    two_scenarios(&bench, "trials: 1\ngate: { min_pass_rate: 0.1 }\n");
    let resumed = bench.run(["run", "--resume", "poor", "--max-cost", "9", "--format", "json"]);
    assert_eq!(resumed.code(), 0, "{resumed}");
    let resumed: Value = serde_json::from_str(&resumed.stdout()).expect("JSON");
    for key in ["decided", "rounds"] {
        assert_eq!(resumed["run"][key], good.json["run"][key], "{key}");
    }
    assert_eq!(resumed["summary"]["mean_score"], good.json["summary"]["mean_score"]);
    assert_eq!(resumed["trials"].as_array().map(Vec::len), Some(count(&good)));
}

#[test]
fn devbox_minutes_that_are_gone_end_the_run() {
    let bench = Bench::new();
    bench.write("slow.yaml", "name: slow\ncommand: sleep 864213\n");
    let file = two_scenarios(&bench, "");
    let results = bench.results(&file, ["--agent", "slow.yaml", "--max-devbox-minutes", "0.05"]);
    assert_eq!(results.finished.code(), 3, "{}", results.finished);
    let states = states(&results);
    assert!(states.iter().all(|state| *state == ("canceled", Some("budget_exhausted"))), "{states:?}");
    let spent = results.json["run"]["spending"]["devbox_ms"].as_u64().expect("milliseconds");
    assert!(spent >= 3_000, "{spent}");
    assert!(crate::support::sleeping("864213").is_empty(), "the agent is still running");
    bench.assert_nothing_left();
}

#[test]
fn an_agent_whose_cost_nobody_knows_cannot_be_kept_to_a_budget_of_money() {
    let bench = Bench::new();
    let file = two_scenarios(&bench, "");
    let args = |agent: &'static str| {
        ["run", file.to_str().expect("UTF-8"), "--agent", agent, "--max-cost", "1"].map(str::to_owned)
    };
    let refused = bench.run(args("command:echo yes > answer"));
    assert_eq!(refused.code(), 2, "{refused}");
    assert!(refused.stderr().contains("no cost is known of command"), "{refused}");
    bench.write("bounded.yaml", "name: bounded\ncommand: echo yes > answer\nmax_cost: 0.5\n");
    let bounded = bench.run(args("bounded.yaml"));
    assert_eq!(bounded.code(), 0, "{bounded}");
    assert!(bounded.stderr().contains("at most $1.00 by `max_cost`"), "{bounded}");
    let free = bench.run(args("nop"));
    assert_eq!(free.code(), 0, "what is ours costs nothing: {free}");
    for wrong in ["-1", "much"] {
        let args = ["run", "two.yaml", "--max-devbox-minutes", wrong];
        assert_eq!(bench.run(args).code(), 2, "{wrong}");
    }
}
