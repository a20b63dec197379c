//! Comparisons and gates over the events of runs.

use std::collections::BTreeMap;

use eval_record::{
    Cause, Event, EventKind, Flag, FlagKind, PlannedTrial, RunHeader, TrialKey, TrialResult, TrialState,
    Usage,
};
use eval_report::Summary;
use eval_report::baseline::Baseline;
use eval_report::compare::{Comparison, Side, Standing, agent_pairs, compare, render};
use eval_report::gate::{Decision, Limits, Reference, Verdict, judge};

/// A run of trials: scenario, agent, digest, scores (`None`: its devbox was lost), and what each says it cost.
struct Made {
    trials: Vec<(String, String, String, Vec<Option<f64>>)>,
    cost: Option<f64>,
}

impl Made {
    fn new() -> Self {
        Self { trials: Vec::new(), cost: None }
    }

    fn with(mut self, scenario: &str, scores: &[f64]) -> Self {
        let scores = scores.iter().copied().map(Some).collect();
        self.trials.push((scenario.to_owned(), "coder".to_owned(), format!("digest of {scenario}"), scores));
        self
    }

    fn lost(mut self, scenario: &str, trials: usize) -> Self {
        let digest = format!("digest of {scenario}");
        self.trials.push((scenario.to_owned(), "coder".to_owned(), digest, vec![None; trials]));
        self
    }

    fn edit(mut self, edit: impl FnOnce(&mut (String, String, String, Vec<Option<f64>>))) -> Self {
        edit(self.trials.last_mut().expect("a scenario"));
        self
    }

    /// `count` scenarios with these scores.
    fn many(mut self, count: usize, scores: &[f64]) -> Self {
        for _ in 0..count {
            let name = format!("s{:02}", self.trials.len());
            self = self.with(&name, scores);
        }
        self
    }

    fn summary(self) -> Summary {
        let mut planned = Vec::new();
        let mut finished = Vec::new();
        for (scenario, agent, digest, scores) in self.trials {
            for (score, repetition) in scores.into_iter().zip(1..) {
                let trial = TrialKey { scenario: scenario.clone(), agent: agent.clone(), repetition };
                let level = if scenario.ends_with(['0', '2', '4']) { "even" } else { "odd" };
                let metadata = BTreeMap::from([("level".to_owned(), level.to_owned())]);
                planned.push(PlannedTrial { trial: trial.clone(), digest: digest.clone(), metadata });
                finished.push(TrialResult {
                    logs: Some(eval_record::attempt_directory(&trial, 1)),
                    score,
                    passed: score.map(|score| score >= 1.0),
                    cause: score.is_none().then_some(Cause::ApiError),
                    message: score.is_none().then(|| "the API went away".to_owned()),
                    usage: self.cost.map(|cost| Usage { cost_usd: Some(cost), ..Usage::default() }),
                    ..TrialResult::bare(
                        trial,
                        digest.clone(),
                        if score.is_some() { TrialState::Scored } else { TrialState::Invalid },
                    )
                });
            }
        }
        let header = RunHeader {
            format: 1,
            run_id: "run".to_owned(),
            benchmark: "bench".to_owned(),
            version: "1.2.3".to_owned(),
            seed: 5,
            planned,
            ..RunHeader::default()
        };
        let results = finished.into_iter().map(|result| EventKind::TrialFinished(Box::new(result)));
        let events: Vec<Event> = [EventKind::RunStarted(Box::new(header))]
            .into_iter()
            .chain(results)
            .map(|kind| Event { at_ms: 1, kind })
            .collect();
        Summary::from_events(&events)
    }
}

fn compared(before: &Summary, after: &Summary) -> Comparison {
    compare(
        Side { summary: before, agent: "coder", directory: "runs/a" },
        Side { summary: after, agent: "coder", directory: "runs/b" },
    )
}

fn standing(comparison: &Comparison, scenario: &str) -> Standing {
    comparison.scenarios.iter().find(|change| change.scenario == scenario).expect("the scenario").standing
}

#[test]
fn every_scenario_stands_where_its_trials_put_it() {
    let before = Made::new()
        .with("worse", &[1.0; 8])
        .with("better", &[0.0; 8])
        .with("same", &[0.5, 0.5])
        .with("shaky", &[1.0, 1.0])
        .with("edited", &[1.0])
        .with("gone", &[1.0])
        .with("old-name", &[1.0])
        .lost("lost", 2)
        .summary();
    let after = Made::new()
        .with("worse", &[0.0; 8])
        .with("better", &[1.0; 8])
        .with("same", &[0.5, 0.5])
        .with("shaky", &[1.0, 0.0])
        .with("edited", &[0.0])
        .edit(|scenario| scenario.2 = "another".to_owned())
        .with("new-name", &[1.0])
        .edit(|scenario| scenario.2 = "digest of old-name".to_owned())
        .with("lost", &[1.0, 1.0])
        .with("new", &[1.0])
        .summary();
    let found = compared(&before, &after);
    for (scenario, expected) in [
        ("worse", Standing::Regressed),
        ("better", Standing::Improved),
        ("same", Standing::Unchanged),
        ("shaky", Standing::Undecided),
        ("edited", Standing::ChangedDefinition),
        ("gone", Standing::Missing),
        ("new-name", Standing::Unchanged),
        ("lost", Standing::Missing),
        ("new", Standing::Missing),
    ] {
        assert_eq!(standing(&found, scenario), expected, "{scenario}");
    }
    assert_eq!(found.paired, 5, "worse, better, same, shaky and the renamed one");
    let difference = found.change.difference.expect("pairs");
    assert!((difference - (-1.0 + 1.0 + 0.0 - 0.5 + 0.0) / 5.0).abs() < 1e-12, "{difference}");
    let counted: u64 = found.counts.values().sum();
    assert_eq!(counted, 9, "each scenario of either side once");

    let flips: Vec<&str> = found.flips.iter().map(|flip| flip.scenario.as_str()).collect();
    assert_eq!(flips, ["worse", "better", "shaky"], "the largest first, none of an edited scenario");
    let shaky = &found.flips[2];
    assert_eq!((shaky.before, shaky.after, shaky.is_worse()), ((2, 2), (1, 2), true));
    assert_eq!(shaky.logs_before.as_deref(), Some("runs/a/trials/shaky/coder/1/attempt-1"));
    assert_eq!(
        shaky.logs_after.as_deref(),
        Some("runs/b/trials/shaky/coder/2/attempt-1"),
        "the one that failed"
    );

    let text = render(&found);
    for part in
        ["regressed 1", "changed definition", "(was old-name)", "runs/b/trials/shaky/coder/2/attempt-1"]
    {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[test]
fn many_scenarios_of_noise_have_no_regression_by_number_alone() {
    // 7 of 8 passed, now 1 of 8: alone, one in a hundred by chance; among 40 scenarios, that happens.
    let (high, low) = ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let single = compared(&Made::new().with("s", &high).summary(), &Made::new().with("s", &low).summary());
    assert_eq!(standing(&single, "s"), Standing::Regressed);
    let before = Made::new().with("s", &high).many(39, &[1.0; 8]).summary();
    let after = Made::new().with("s", &low).many(39, &[1.0; 8]).summary();
    assert_eq!(standing(&compared(&before, &after), "s"), Standing::Undecided);
}

#[test]
fn the_overall_difference_has_an_interval_a_p_and_groups() {
    let before = Made::new().many(10, &[1.0, 1.0]).summary();
    let after = Made::new().many(5, &[0.0, 1.0]).many(5, &[1.0, 1.0]).summary();
    let found = compared(&before, &after);
    let interval = found.change.interval.expect("ten pairs");
    assert!(interval.low < -0.25 && -0.25 < interval.high && interval.high <= 0.0, "{interval:?}");
    assert_eq!(found.p, Some(2.0 / 32.0), "five of five go down: 1 of 2^5 on each side");
    let groups: Vec<(&str, u64)> =
        found.groups.iter().map(|group| (group.value.as_str(), group.paired)).collect();
    assert_eq!(groups, [("even", 3), ("odd", 7)]);
    assert_eq!(found, compared(&before, &after), "the same runs give the same comparison");
    let nothing = compared(&before, &Made::new().with("other", &[1.0]).summary());
    assert_eq!((nothing.paired, nothing.p, nothing.change.difference), (0, None, None));
    assert!(render(&nothing).contains("nothing to compare"));
}

#[test]
fn agents_belong_together_by_name_by_position_or_as_named() {
    let run = |agents: &[&str]| {
        agents
            .iter()
            .fold(Made::new(), |made, agent| made.with("s", &[1.0]).edit(|s| s.1 = (*agent).to_owned()))
            .summary()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let (one, other, both) = (run(&["a"]), run(&["b"]), run(&["a", "b"]));
    assert_eq!(agent_pairs(&one, &other, None, None), Ok(vec![pair("a", "b")]));
    assert_eq!(agent_pairs(&both, &both, None, None), Ok(vec![pair("a", "a"), pair("b", "b")]));
    assert_eq!(agent_pairs(&both, &both, Some("a"), Some("b")), Ok(vec![pair("a", "b")]));
    assert_eq!(agent_pairs(&both, &other, Some("a"), None), Ok(vec![pair("a", "b")]));
    assert_eq!(agent_pairs(&both, &both, Some("a"), None), Ok(vec![pair("a", "a")]));
    assert!(agent_pairs(&one, &both, Some("c"), None).is_err());
    assert!(agent_pairs(&run(&["c", "d"]), &both, None, None).is_err());
}

fn reference(summary: &Summary) -> Reference {
    let baseline = Baseline::of(summary).expect("a baseline");
    let text = baseline.to_text().expect("a baseline");
    let read = Baseline::read(&text).expect("it reads back");
    assert_eq!(read, baseline);
    let lines = read.places(&text);
    Reference { baseline: read, file: "base.json".to_owned(), lines }
}

fn against(before: &Summary, after: &Summary, max_regression: f64) -> Verdict {
    let limits = Limits { max_regression: Some(max_regression), ..Limits::default() };
    judge(&limits, Some(&reference(before)), after)
}

#[test]
fn a_regression_fails_with_scenario_trial_line_and_logs() {
    let before = Made::new().many(8, &[1.0]).summary();
    let after = Made::new().many(6, &[0.0]).many(2, &[1.0]).summary();
    let verdict = against(&before, &after, 0.05);
    assert_eq!(verdict.decision, Decision::Fail, "{verdict}");
    let reason = &verdict.agents[0].reasons[0];
    assert_eq!(reason.examples.len(), 6);
    let example = &reason.examples[0];
    assert_eq!((example.scenario.as_str(), example.repetition), ("s00", Some(1)));
    assert_eq!(example.place.as_deref(), Some("base.json:8"));
    assert_eq!(example.logs.as_deref(), Some("trials/s00/coder/1/attempt-1"));
    let text = reference(&before).baseline.to_text().expect("a baseline");
    let eighth = text.lines().nth(7).expect("line 8");
    assert!(eighth.contains("\"s00\""), "the line is that of the scenario: {eighth}");
    assert_eq!(against(&before, &after, 0.75).decision, Decision::Pass, "as much as was allowed");
}

#[test]
fn one_scenario_that_surely_broke_is_enough() {
    let before = Made::new().many(10, &[1.0; 5]).summary();
    let after = Made::new().with("s00", &[0.0; 5]).many(9, &[1.0; 5]).summary();
    assert_eq!(against(&before, &after, 0.05).decision, Decision::Fail);
}

#[test]
fn noise_passes_and_too_few_trials_are_undecided() {
    // Another three of twelve scenarios fail, and a fourth: that is what chance does.
    let made = |failing: std::ops::Range<usize>| {
        (0..12)
            .fold(Made::new(), |made, i| made.many(1, &[f64::from(u8::from(!failing.contains(&i)))]))
            .summary()
    };
    let verdict = against(&made(0..3), &made(3..7), 0.05);
    assert_eq!(verdict.decision, Decision::Pass, "{verdict}");
    assert!(verdict.to_string().contains("no further than chance"), "{verdict}");
    // One trial a side of one scenario could be anything.
    let verdict = against(&made(0..0), &made(0..1), 0.05);
    assert_eq!(verdict.decision, Decision::Undecided, "{verdict}");
    assert!(verdict.to_string().contains("run more"), "{verdict}");
}

#[test]
fn a_regression_says_how_far_each_scenario_moved_and_where_it_is_defined() {
    let before = Made::new().many(8, &[1.0]).summary();
    let mut after = Made::new().with("s00", &[1.0]).many(7, &[0.0]).summary();
    let source = eval_record::ScenarioSource { file: "evals/s03.yaml".to_owned(), line: 2 };
    after.sources.insert("s03".to_owned(), source);
    let verdict = against(&before, &after, 0.05);
    assert_eq!(verdict.decision, Decision::Fail);
    let agent = &verdict.agents[0];
    let regression = agent.regression.as_ref().expect("a baseline");
    assert_eq!(regression.scenarios.len(), 8);
    let worst = &regression.scenarios[0];
    assert_eq!(
        (worst.before, worst.after, worst.difference),
        (1.0, 0.0, -1.0),
        "the largest drop comes first"
    );
    let interval = worst.interval.expect("trials on both sides");
    assert!(interval.low == -1.0 && interval.high > 0.0, "one trial a side says little: {interval:?}");
    assert_eq!(regression.scenarios[7].scenario, "s00", "what did not move comes last");
    let example =
        agent.reasons[0].examples.iter().find(|example| example.scenario == "s03").expect("it dropped");
    assert_eq!(example.source.as_deref(), Some("evals/s03.yaml:2"));
    assert!(
        verdict.to_string().contains("base.json:11  evals/s03.yaml:2  trials/s03/coder/1/attempt-1"),
        "{verdict}"
    );
    let json = serde_json::to_string(&verdict).expect("JSON");
    assert_eq!(
        serde_json::from_str::<Verdict>(&json).expect("a verdict"),
        verdict,
        "it is kept with the run"
    );
}

#[test]
fn what_is_missing_never_passes() {
    let before = Made::new().many(8, &[1.0]).summary();
    let lost = Made::new().many(7, &[1.0]).lost("s07", 1).summary();
    let verdict = against(&before, &lost, 0.5);
    assert_eq!(verdict.decision, Decision::Undecided);
    let text = verdict.to_string();
    assert!(text.contains("s07 · 1  invalid api_error: the API went away"), "{text}");
    assert!(text.contains("s07  has no score  base.json:15"), "{text}");

    let filtered = Made::new().many(7, &[1.0]).summary();
    assert_eq!(against(&before, &filtered, 0.5).decision, Decision::Undecided, "a scenario was left out");
    let edited = Made::new().many(8, &[1.0]).edit(|s| s.2 = "another".to_owned()).summary();
    assert_eq!(against(&before, &edited, 0.5).decision, Decision::Undecided, "a definition changed");
    let more = Made::new().many(9, &[1.0]).summary();
    assert_eq!(
        against(&before, &more, 0.5).decision,
        Decision::Pass,
        "a new scenario has nothing to drop from"
    );
    let limits = Limits { max_regression: Some(0.5), ..Limits::default() };
    assert_eq!(judge(&limits, None, &before).decision, Decision::Undecided, "there is no baseline");
    assert_eq!(judge(&limits, None, &Summary::default()).decision, Decision::Undecided, "there is no run");
    // A failure stays one, whatever is missing besides.
    let bad = Made::new().many(7, &[0.0]).lost("s07", 1).summary();
    assert_eq!(against(&before, &bad, 0.5).decision, Decision::Fail);
}

#[test]
fn trials_of_two_definitions_are_compared_with_none() {
    let before = Made::new().with("a", &[1.0; 3]).with("b", &[1.0; 3]).summary();
    let mut after = before.clone();
    // As after a run that went on and kept old verdicts.
    after.trials[2].digest = "another".to_owned();
    let comparison = compared(&before, &after);
    assert_eq!(standing(&comparison, "a"), Standing::ChangedDefinition);
    assert_eq!(standing(&comparison, "b"), Standing::Unchanged);
    assert_eq!(standing(&compared(&after, &after), "a"), Standing::ChangedDefinition);
    let verdict = against(&before, &after, 0.0);
    assert_eq!(verdict.decision, Decision::Undecided);
    assert!(verdict.to_string().contains("a  has another definition"), "{verdict}");
    let refused = Baseline::of(&after).expect_err("two definitions").to_string();
    assert!(refused.contains("coder, a: its scores are of several definitions"), "{refused}");
}

#[test]
fn floors_hold_for_single_scenarios() {
    let run = Made::new().with("easy", &[1.0, 0.5]).with("hard", &[0.2]).summary();
    let with = |scenario: &str, floor: f64| {
        let floors = BTreeMap::from([(scenario.to_owned(), floor)]);
        let places = BTreeMap::from([(format!("floors.{scenario}"), "bench.yaml:9".to_owned())]);
        judge(&Limits { floors, places, ..Limits::default() }, None, &run)
    };
    assert_eq!(with("easy", 0.75).decision, Decision::Pass);
    let missed = with("easy", 0.8);
    assert_eq!(missed.decision, Decision::Fail);
    assert!(missed.to_string().contains("easy scores 0.750, below 0.800 (bench.yaml:9)"), "{missed}");
    assert!(missed.to_string().contains("easy · 2  fail 0.500"), "{missed}");
    assert_eq!(with("absent", 0.1).decision, Decision::Undecided);
}

#[test]
fn cost_is_what_agents_say_and_silence_is_no_zero() {
    let limits = Limits { max_cost: Some(1.0), ..Limits::default() };
    let run = |cost| Made { cost, ..Made::new() }.with("s", &[1.0; 3]).summary();
    assert_eq!(judge(&limits, None, &run(Some(0.25))).decision, Decision::Pass);
    assert_eq!(judge(&limits, None, &run(Some(0.5))).decision, Decision::Fail);
    assert_eq!(judge(&limits, None, &run(None)).decision, Decision::Undecided);
    assert_eq!(judge(&limits, None, &run(Some(f64::NAN))).decision, Decision::Undecided);
    assert_eq!(judge(&limits, None, &run(Some(-5.0))).decision, Decision::Undecided);
}

#[test]
fn flags_change_nothing_unless_they_are_limited() {
    let mut run = Made::new().with("a", &[1.0; 2]).with("b", &[1.0]).summary();
    for trial in &mut run.trials[1..] {
        trial.flags.push(Flag::new(FlagKind::ScorerChanged, "tests/run.sh", "it was changed"));
    }
    let judged = |max_flagged| judge(&Limits { max_flagged, ..Limits::default() }, None, &run);
    assert_eq!(judged(None).decision, Decision::Pass);
    assert_eq!(judged(Some(2)).decision, Decision::Pass);
    let verdict = judged(Some(1));
    assert_eq!(verdict.decision, Decision::Fail);
    let text = verdict.to_string();
    assert!(text.contains("2 of 3 trials have flags, 1 may"), "{text}");
    assert!(text.contains("a · 2  scorer_changed at tests/run.sh: it was changed"), "{text}");
}

#[test]
fn each_agent_is_judged_for_itself() {
    let run = Made::new().with("s", &[1.0]).with("s", &[0.5]).edit(|s| s.1 = "other".to_owned()).summary();
    let verdict = judge(&Limits { min_score: Some(0.7), ..Limits::default() }, None, &run);
    let decisions: Vec<_> =
        verdict.agents.iter().map(|agent| (agent.agent.as_str(), agent.decision)).collect();
    assert_eq!(
        decisions,
        [("coder", Decision::Pass), ("other", Decision::Fail)],
        "their mean would have passed"
    );
    assert_eq!(verdict.decision, Decision::Fail);
}

#[test]
fn limits_are_met_to_the_last_bit_and_missed_ones_fail_also_when_trials_are_missing() {
    let run = Made::new().with("s", &[0.1, 0.2]).summary();
    let pass = judge(&Limits { min_score: Some(0.15), ..Limits::default() }, None, &run);
    assert_eq!(pass.decision, Decision::Pass);
    let run = Made::new().with("s", &[0.5, 0.5]).lost("t", 1).summary();
    let both = Limits { min_score: Some(0.9), min_pass_rate: Some(0.9), ..Limits::default() };
    let verdict = judge(&both, None, &run);
    assert_eq!((verdict.decision, verdict.agents[0].reasons.len()), (Decision::Fail, 3), "{verdict}");
    let reasons = &verdict.agents[0].reasons;
    assert_eq!(
        (reasons[0].decision, reasons[2].decision),
        (Decision::Fail, Decision::Undecided),
        "the worst first"
    );
    let strict = Limits { min_score: Some(0.5), ..Limits::default() };
    assert_eq!(judge(&strict, None, &run).decision, Decision::Undecided);
    let lenient = Limits { max_invalid: Some(1), ..strict };
    assert_eq!(judge(&lenient, None, &run).decision, Decision::Pass);
    let none = Made::new().lost("t", 1).summary();
    assert_eq!(judge(&lenient, None, &none).decision, Decision::Undecided, "no score at all");
}

#[test]
fn a_baseline_is_small_sorted_and_refuses_what_cannot_be() {
    let run = Made::new().with("b", &[1.0, 0.0]).with("a \"quoted\"", &[0.25]).summary();
    let text = Baseline::of(&run).expect("a baseline").to_text().expect("a baseline");
    let expected = r#"{
  "format": 1,
  "benchmark": "bench",
  "version": "1.2.3",
  "run": "run",
  "agents": {
    "coder": {
      "a \"quoted\"": {"score":0.25,"scores":[0.25],"passed":0,"digest":"digest of a \"quoted\""},
      "b": {"score":0.5,"scores":[0.0,1.0],"passed":1,"digest":"digest of b"}
    }
  }
}
"#;
    assert_eq!(text, expected);
    let baseline = Baseline::read(&text).expect("it reads back");
    assert_eq!(baseline.places(&text)[&("coder".to_owned(), "b".to_owned())], 9);
    assert!(baseline.places(&text.replace("  ", " ")).is_empty(), "another layout has no known lines");
    for (from, to) in [
        ("\"score\":0.5", "\"score\":0.9"),
        ("[0.25]", "[]"),
        ("[0.0,1.0]", "[-0.5,1.5]"),
        ("\"passed\":1", "\"passed\":3"),
        ("\"format\": 1", "\"format\": 2"),
        ("\"passed\"", "\"pased\""),
        ("{\n", "{{\n"),
    ] {
        assert!(Baseline::read(&text.replacen(from, to, 1)).is_err(), "{from} as {to}");
    }
}
