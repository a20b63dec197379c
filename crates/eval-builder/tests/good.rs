//! A benchmark that uses every key once.

use std::path::Path;
use std::time::Duration;

use eval_builder::{
    AdaptiveTrials, AgentKind, Benchmark, Budget, Checked, CustomScript, Expect, LoadOptions, Network,
    Origin, PassRate, Prices, ScriptLanguage, SolutionKind, Trials, Verify, build_json, check_file,
    load_agent, load_benchmark, render_agent_command,
};
use runloop_types::Scorer as Function;

fn options() -> LoadOptions {
    LoadOptions {
        environment: [("HOST_NAME".to_owned(), "here".to_owned()), ("OTHER".to_owned(), "x".to_owned())]
            .into(),
        catalogue: vec![(
            "listed".to_owned(),
            "name: listed\nhost_command: drive {{ name | sh }}\n".to_owned(),
        )],
        ..LoadOptions::default()
    }
}

#[expect(clippy::panic, reason = "a helper of tests; the diagnostics are to be read")]
fn full() -> Benchmark {
    let loaded = load_benchmark(Path::new("tests/good/full/benchmark.yaml"), &options());
    let loaded = loaded.unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded.benchmark
}

#[test]
fn trials_are_a_number_or_adaptive() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("benchmark.yaml");
    let read = |trials: &str| {
        let scenario = "{ name: a, problem_statement: x, scorers: [{ name: a, shell_command: 'true' }] }";
        std::fs::write(&path, format!("name: b\nscenarios: [{scenario}]\ntrials: {trials}\n"))
            .expect("a file");
        load_benchmark(&path, &options()).expect("no mistakes").benchmark.trials
    };
    let adaptive = |min, max, half_width| Trials::Adaptive(AdaptiveTrials { min, max, half_width });
    assert_eq!(read("4"), Trials::Fixed(4));
    assert_eq!(read("auto"), adaptive(3, 20, 0.05));
    assert_eq!(read("{ max: 2 }"), adaptive(2, 2, 0.05), "one end moves the other");
    assert_eq!(read("{ min: 30, half_width: 0.1 }"), adaptive(30, 30, 0.1));
}

#[test]
fn scenarios_come_in_the_order_of_the_file_with_their_matrices_expanded() {
    let names: Vec<String> = full().scenarios.iter().map(|scenario| scenario.name.clone()).collect();
    assert_eq!(
        names,
        [
            "whole",
            "inline[word=hi,count=1]",
            "inline[word=hi,count=2]",
            "inline[word=ho,count=1]",
            "inline[word=ho,count=2]"
        ]
    );
}

#[test]
fn every_scenario_knows_where_it_is_defined() {
    for scenario in full().scenarios {
        let text = std::fs::read_to_string(&scenario.source).expect("the file of the scenario");
        let line = text.lines().nth(scenario.line as usize - 1).expect("its line");
        let name = scenario.name.split('[').next().expect("a name");
        assert!(line.contains(&format!("name: {name}")), "{} is not in {line:?}", scenario.name);
    }
}

#[test]
fn templates_are_rendered_once_and_data_is_never_a_template() {
    let benchmark = full();
    let whole = &benchmark.scenarios[0];
    assert_eq!(whole.problem_statement, "Fix parser on here.\n");
    assert_eq!(
        whole.additional_context.as_ref().map(|context| &context["hint"]),
        Some(&"{{ this stays }}".into())
    );
    assert_eq!(whole.environment.setup_commands, ["git init -q && echo whole"]);
    let inline = &benchmark.scenarios[1];
    assert_eq!(inline.problem_statement, "Say {{ name }}, not {{ hi }}.");
    let Function::CommandScorer { command } = &inline.scorers[0].function else { panic!("another kind") };
    assert_eq!(command, "grep -q '{{ hi }}' said");
    assert_eq!(inline.metadata["count"], "1");
    assert_eq!(inline.metadata["version"], "1.10");
    assert_eq!(inline.metadata["suite"], "full");
}

#[test]
fn an_environment_is_its_own_keys_over_the_defaults() {
    let benchmark = full();
    let whole = &benchmark.scenarios[0].environment;
    assert_eq!(whole.working_directory, "repo");
    let targets: Vec<&str> = whole.files.iter().map(|entry| entry.target.as_str()).collect();
    assert_eq!(targets, [".", "../bin/run.sh", "run.sh"]);
    assert!(whole.files.iter().all(|entry| entry.source.is_absolute()));
    assert_eq!(whole.environment_variables["DEPTH"], "4");
    assert_eq!(whole.environment_variables["LANG"], "C");
    assert_eq!(whole.network, Network::None);
    assert_eq!(whole.mounts.len(), 3);
    let Origin::Blueprint(blueprint) = &whole.origin else { panic!("another origin") };
    assert_eq!(blueprint.dockerfile.as_deref(), Some("FROM debian\nCOPY data /data\n"));
    assert_eq!(blueprint.build_args.as_ref().map(|args| args["VERSION"].as_str()), Some("1.0"));
    assert!(whole.build_context.as_ref().is_some_and(|context| context.is_directory));

    let inline = &benchmark.scenarios[1].environment;
    assert_eq!(inline.origin, Origin::Snapshot("snp_1".into()));
    assert!(inline.build_context.is_none());
    assert_eq!(inline.working_directory, "code");
    assert_eq!(inline.network, Network::AllowedHostnames(vec!["example.com".into()]));
    assert_eq!(inline.digest, benchmark.scenarios[3].environment.digest, "one preparation for all of them");
}

#[test]
fn scorers_become_functions_of_the_api_with_weights_that_sum_to_one() {
    let benchmark = full();
    let scorers = &benchmark.scenarios[0].scorers;
    let sum: f64 = scorers.iter().map(|scorer| scorer.weight).sum();
    assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    assert!((scorers[0].weight - 2.0 / 9.0).abs() < 1e-12);
    let Function::TestBasedScorer { test_files, .. } = &scorers[0].function else { panic!("another kind") };
    let test_files = test_files.as_deref().unwrap();
    let paths: Vec<&str> = test_files.iter().map(|file| file.file_path.as_str()).collect();
    assert_eq!(paths, ["hidden/check.sh", "hidden/run.sh"]);
    assert!(test_files[0].file_contents.contains("{{ no template }}"));
    assert_eq!(scorers[0].pass_rate, Some(PassRate::Junit("out.xml".into())));
    assert_eq!(scorers[1].pass_rate, Some(PassRate::Tap));
    assert_eq!(scorers[2].timeout, Some(Duration::from_secs(60)));
    assert_eq!(scorers[5].expect, Expect::Absent);
    let Function::CustomScorer { scorer_params: Some(params), .. } = &scorers[6].function else {
        panic!("another kind")
    };
    assert_eq!(params, &serde_json::json!({ "depth": 2, "text": "a whole" }));
    assert_eq!(
        scorers[7].custom_script,
        Some(CustomScript { language: ScriptLanguage::Python, text: "print(0.5)\n".into() })
    );
    let Function::CustomScorer { scorer_params: Some(params), custom_scorer_type } = &scorers[7].function
    else {
        panic!("another kind")
    };
    assert_eq!(custom_scorer_type, "lines");
    assert_eq!(params, &serde_json::json!({ "limit": 7, "paths": ["src"] }));
}

#[test]
fn solutions_are_patches_or_scripts() {
    let benchmark = full();
    let whole = &benchmark.scenarios[0];
    let reference = whole.reference_output.as_ref().expect("a reference");
    assert_eq!((reference.name.as_str(), reference.kind), ("reference", SolutionKind::Patch));
    let controls: Vec<(&str, SolutionKind)> =
        whole.controls.iter().map(|control| (control.name.as_str(), control.kind)).collect();
    assert_eq!(controls, [("first", SolutionKind::Script), ("second", SolutionKind::Script)]);
    assert!(whole.controls[1].content.starts_with("#!/usr/bin/env python3\n"), "run by Python, not by sh");
    let inline = &benchmark.scenarios[1];
    let reference = inline.reference_output.as_ref().expect("a reference");
    assert_eq!(reference.content, "#!/bin/sh\necho '{{ hi }}' > said\n");
    assert_eq!(inline.controls.len(), 1, "controls beside the benchmark are those of scenario files only");
}

#[test]
fn limits_and_marks_have_their_defaults() {
    let benchmark = full();
    let (whole, inline) = (&benchmark.scenarios[0], &benchmark.scenarios[1]);
    assert_eq!(whole.agent_timeout, Duration::from_secs(90));
    assert_eq!(whole.scorer_timeout, Duration::from_secs(90));
    assert_eq!(whole.prepare_timeout, Duration::from_secs(300));
    assert_eq!(whole.trial_timeout, Some(Duration::from_secs(12 * 3600)));
    assert_eq!(whole.verify, Verify::Pristine);
    assert_eq!(inline.scorer_timeout, Duration::from_secs(1800));
    assert_eq!(inline.prepare_timeout, Duration::from_secs(600));
    assert_eq!(inline.verify, Verify::Snapshot);
    assert!((inline.pass_mark - 0.9).abs() < f64::EPSILON);
    assert_eq!(benchmark.trials, Trials::Fixed(3));
    let hour = Some(Duration::from_secs(3600));
    let budget = Budget { max_devbox_minutes: Some(90.5), max_cost: Some(12.0), timeout: hour };
    assert_eq!(benchmark.budget, budget);
    let gate = benchmark.gate.as_ref().expect("a gate");
    assert_eq!((gate.max_invalid, gate.max_flagged), (Some(0), Some(2)));
}

#[test]
fn agents_come_from_everywhere_and_render_for_each_scenario() {
    let benchmark = full();
    let names: Vec<&str> = benchmark.agents.iter().map(|agent| agent.name.as_str()).collect();
    assert_eq!(names, ["oracle", "nop", "solver", "command"]);
    let solver = &benchmark.agents[2];
    assert_eq!(solver.version.as_deref(), Some("2"));
    assert_eq!(solver.timeout, Some(Duration::from_secs(300)));
    assert_eq!(
        solver.install,
        [
            "python3 -m venv ~/.agent && ~/.agent/bin/python -m pip install solver",
            "mkdir -p ~/.agent && cd ~/.agent\necho set up",
            "solver --version"
        ]
    );
    let usage = solver.usage.as_ref().expect("it says where");
    assert_eq!((usage.path.as_str(), usage.cost_usd.as_deref()), ("~/usage.json", Some("/cost")));
    let prices = Prices {
        input_per_million: Some(3.0),
        cached_input_per_million: Some(0.3),
        output_per_million: Some(15.0),
    };
    assert_eq!((solver.prices, solver.max_cost), (Some(prices), Some(2.5)));
    assert_eq!(
        render_agent_command(solver, &benchmark.scenarios[1]).expect("a command"),
        "solve --in code 'Say {{ name }}, not {{ hi }}.' < \"$PROBLEM_STATEMENT_FILE\""
    );
    let agent = |spec: &str| load_agent(spec, &benchmark, &options());
    assert_eq!(agent("solver").expect("one of the benchmark").digest, solver.digest);
    assert!(matches!(agent("listed").expect("one of the catalogue").kind, AgentKind::HostCommand(_)));
    assert!(matches!(agent("nop").expect("a built-in one").kind, AgentKind::Nop));
    let error = agent("lsited").expect_err("no such agent").to_string();
    assert!(error.contains("did you mean `listed`?"), "{error}");
    let error = agent("command:x {{ problem }}").expect_err("no such variable").to_string();
    assert!(error.contains("`problem` is not defined"), "{error}");
    let error = agent("tests/missing.yaml").expect_err("no such file").to_string();
    assert!(error.contains("there is no file `tests/missing.yaml`"), "{error}");
    assert!(
        error.contains("paths on the command line are relative to the directory that you are in"),
        "{error}"
    );
}

#[test]
fn every_kind_of_file_can_be_checked_on_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let check = |text: &str| {
        let path = directory.path().join("it.yaml");
        std::fs::write(&path, text).expect("a file");
        check_file(&path, &LoadOptions::default())
    };
    let path = Path::new("tests/good/full/benchmark.yaml");
    let benchmark = check_file(path, &options()).expect("a benchmark");
    assert!(matches!(benchmark, Checked::Benchmark(loaded) if loaded.benchmark.scenarios.len() == 5));
    let scorer = check_file(Path::new("tests/good/full/scorers/lines.yaml"), &options()).expect("a scorer");
    assert!(matches!(scorer, Checked::Scorer(scorer) if scorer.name == "lines"));
    let agent = check("name: a\ncommand: run {{ metadata.model | sh }} {{ problem_statement_file }}\n");
    assert!(matches!(agent.expect("an agent"), Checked::Agent(agent) if agent.name == "a"));

    let wrong = [
        ("name: a\ncommand: run {{ problem }}\n", "`problem` is not defined"),
        ("name: a\ncommand: run {{ name\n", "template syntax error"),
        ("name: a\ninstall: [make]\n", "exactly one of `command`, `host_command`"),
        ("name: a\nhost_command: x\nwait: 1\n", "unknown key `wait`"),
        ("name: a\nbash_script: ''\n", "this script is empty"),
        ("name: a\ndescription: b\n", "neither a benchmark nor a scenario, an agent or a scorer"),
    ];
    for (text, expected) in wrong {
        let error = check(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_variable_that_is_not_set_is_a_mistake_or_a_placeholder() {
    let path = Path::new("tests/good/full/benchmark.yaml");
    let error = load_benchmark(path, &LoadOptions::default()).expect_err("HOST_NAME is not set").to_string();
    assert!(error.contains("set the environment variable HOST_NAME"), "{error}");
    let options = LoadOptions { placeholders: true, ..LoadOptions::default() };
    let benchmark = load_benchmark(path, &options).expect("checked without running").benchmark;
    assert_eq!(benchmark.scenarios[0].problem_statement, "Fix parser on <HOST_NAME>.\n");
}

#[test]
fn a_scenario_file_is_a_benchmark_of_one() {
    let path = Path::new("tests/good/full/whole.scenario.yaml");
    let benchmark = load_benchmark(path, &options()).expect("a scenario").benchmark;
    assert_eq!(
        (benchmark.name.as_str(), benchmark.scenarios.len(), benchmark.trials),
        ("whole", 1, Trials::Fixed(1))
    );
    assert_eq!(benchmark.agents[0].name, "oracle");
}

#[test]
fn a_scenario_on_its_own_is_the_scenario_of_its_benchmark() {
    let path = Path::new("tests/good/full/whole.scenario.yaml");
    let alone = load_benchmark(path, &options()).expect("a scenario").benchmark;
    assert_eq!(alone.scenarios[0].digest, full().scenarios[0].digest);
    assert_eq!(alone.scenarios[0].controls.len(), 2);
}

#[test]
fn the_compiled_benchmark_is_what_the_sdk_would_send() {
    insta::assert_json_snapshot!(build_json(&full()));
}
