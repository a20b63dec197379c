//! A run's events, folded and written down in every form.

use std::collections::BTreeMap;

use eval_record::{
    AgentEnd, Budget, Cause, Event, EventKind, Flag, FlagKind, Phase, PlannedTrial, Resumed, RunHeader,
    TrialKey, TrialResult, TrialState, Usage,
};
use eval_report::table::{Style, render};
use eval_report::{Measures, Summary, TrialStatus, csv, json};

fn key(scenario: &str, agent: &str, repetition: u32) -> TrialKey {
    TrialKey { scenario: scenario.to_owned(), agent: agent.to_owned(), repetition }
}

fn started(keys: &[TrialKey]) -> Event {
    let planned = |trial: &TrialKey| PlannedTrial {
        trial: trial.clone(),
        digest: "sha256:1".to_owned(),
        metadata: BTreeMap::from([("difficulty".to_owned(), "hard".to_owned())]),
    };
    let header = RunHeader {
        format: 1,
        run_id: "r1".to_owned(),
        benchmark: "swe".to_owned(),
        target: "local".to_owned(),
        planned: keys.iter().map(planned).collect(),
        guarantees: Some(serde_json::json!({"files": "enforced"})),
        seed: 7,
        ..RunHeader::default()
    };
    Event { at_ms: 1_000, kind: EventKind::RunStarted(Box::new(header)) }
}

fn result(key: &TrialKey) -> TrialResult {
    TrialResult {
        durations_ms: BTreeMap::from([(Phase::Agent, 1_500), (Phase::Scoring, 500)]),
        agent_end: Some(AgentEnd::Exited { exit_status: 0 }),
        ..TrialResult::bare(key.clone(), "sha256:1", TrialState::Scored)
    }
}

fn finished(at_ms: i64, result: TrialResult) -> Event {
    Event { at_ms, kind: EventKind::TrialFinished(Box::new(result)) }
}

fn scored(key: &TrialKey, score: f64) -> Event {
    finished(2_000, TrialResult { score: Some(score), passed: Some(score >= 1.0), ..result(key) })
}

fn invalid(key: &TrialKey, message: &str) -> Event {
    let invalid = TrialResult {
        state: TrialState::Invalid,
        cause: Some(Cause::DevboxLost),
        message: Some(message.to_owned()),
        attempts: 3,
        agent_end: None,
        ..result(key)
    };
    finished(3_000, invalid)
}

fn ended(at_ms: i64, interrupted: bool) -> Event {
    Event { at_ms, kind: EventKind::RunFinished { complete: !interrupted, interrupted } }
}

/// Two scenarios, two agents; one trial lost its devbox.
fn mixed() -> Summary {
    let keys = [
        key("login", "oracle", 1),
        key("login", "nop", 1),
        key("query", "oracle", 1),
        key("query", "nop", 1),
    ];
    let events = [
        started(&keys),
        scored(&keys[0], 1.0),
        scored(&keys[1], 0.0),
        scored(&keys[2], 0.5),
        invalid(&keys[3], "the devbox\nended by itself"),
        ended(66_000, false),
    ];
    Summary::from_events(&events)
}

#[test]
fn counts_add_up_and_invalid_trials_are_never_zeros() {
    let summary = mixed();
    let Measures { planned, scored, passed, failed, invalid, canceled, unfinished, .. } = summary.total;
    assert_eq!((planned, scored, passed, failed, invalid, canceled, unfinished), (4, 3, 1, 2, 1, 0, 0));
    assert_eq!(summary.total.mean_score, Some(0.5));
    let bounds = summary.total.mean_bounds.expect("trials are planned");
    assert_eq!((bounds.low, bounds.high), (0.375, 0.625));
    let bounds = summary.total.pass_rate_bounds.expect("trials are planned");
    assert_eq!((bounds.low, bounds.high), (0.25, 0.5));
    assert!(summary.run.complete);
    assert_eq!(summary.run.wall_ms, 65_000);
}

#[test]
fn agents_and_scenarios_have_their_own_rows_in_the_order_of_the_plan() {
    let summary = mixed();
    let agents: Vec<_> =
        summary.per_agent.iter().map(|row| (row.agent.as_str(), row.measures.mean_score)).collect();
    assert_eq!(agents, [("oracle", Some(0.75)), ("nop", Some(0.0))]);
    let rows: Vec<_> =
        summary.per_scenario.iter().map(|row| (row.scenario.as_str(), row.agent.as_str())).collect();
    assert_eq!(rows, [("login", "oracle"), ("login", "nop"), ("query", "oracle"), ("query", "nop")]);
}

#[test]
fn phases_tell_how_long_they_took() {
    let agent = mixed().total.durations_ms[&Phase::Agent];
    assert_eq!((agent.trials, agent.median, agent.max, agent.total), (4, 1_500, 1_500, 6_000));
}

#[test]
fn what_has_no_verdict_is_unfinished_and_widens_the_bounds() {
    let keys = [key("a", "x", 1), key("b", "x", 1)];
    let attempt = Event {
        at_ms: 1_500,
        kind: EventKind::AttemptStarted { trial: keys[1].clone(), attempt: 2, held: None },
    };
    let summary = Summary::from_events(&[started(&keys), scored(&keys[0], 1.0), attempt]);
    assert_eq!((summary.total.scored, summary.total.unfinished), (1, 1));
    assert_eq!(summary.trials[1].status, TrialStatus::Unfinished);
    assert_eq!(summary.trials[1].attempts, 2);
    assert_eq!(summary.trials[1].digest, "sha256:1");
    assert!(!summary.run.complete);
    assert_eq!(summary.total.mean_bounds.map(|bounds| bounds.low), Some(0.5));
    assert!(render(&summary, Style::default()).contains("(incomplete)"));
}

#[test]
fn a_resumed_run_counts_each_trial_once_and_not_the_time_between() {
    let keys = [key("a", "x", 1), key("b", "x", 1)];
    let canceled = TrialResult { state: TrialState::Canceled, ..result(&keys[1]) };
    let events = [
        started(&keys),
        scored(&keys[0], 1.0),
        finished(3_000, canceled),
        ended(4_000, true),
        Event { at_ms: 1_000_000, kind: EventKind::RunResumed(Resumed::default()) },
        finished(1_002_000, TrialResult { score: Some(1.0), passed: Some(true), ..result(&keys[1]) }),
        ended(1_003_000, false),
    ];
    let interrupted = Summary::from_events(&events[..4]);
    assert!(interrupted.run.interrupted && !interrupted.run.complete);
    assert_eq!(interrupted.total.canceled, 1);
    let summary = Summary::from_events(&events);
    assert_eq!((summary.total.planned, summary.total.scored, summary.total.canceled), (2, 2, 0));
    assert_eq!(summary.run.wall_ms, 6_000);
    assert!(summary.run.complete && !summary.run.interrupted);
    assert_eq!(summary.trials[1].metadata["difficulty"], "hard");
}

#[test]
fn what_every_part_of_a_run_used_and_may_take_is_told() {
    let keys = [key("a", "x", 1)];
    let cost = |usd| Some(Usage { cost_usd: Some(usd), ..Usage::default() });
    let failed = |at_ms, usd| {
        let (trial, cause, message) = (keys[0].clone(), Cause::DevboxLost, String::new());
        let kind = EventKind::AttemptFailed { trial, attempt: 1, cause, message, usage: cost(usd) };
        Event { at_ms, kind }
    };
    let resumed = |at_ms, max_cost_usd| {
        let budget = Some(Budget { max_cost_usd, ..Budget::default() });
        let kind = EventKind::RunResumed(Resumed { budget, concurrency: Some(7), ..Resumed::default() });
        Event { at_ms, kind }
    };
    let verdict = |at_ms, state, usage| finished(at_ms, TrialResult { state, usage, ..result(&keys[0]) });
    let summary = Summary::from_events(&[
        started(&keys),
        failed(2_000, 1.0),
        resumed(3_000, Some(10.0)),
        verdict(4_000, TrialState::Canceled, cost(2.0)),
        resumed(5_000, Some(20.0)),
        failed(6_000, 4.0),
        resumed(7_000, Some(40.0)),
        verdict(8_000, TrialState::Scored, cost(8.0)),
    ]);
    assert_eq!(summary.trials[0].usage, cost(15.0));
    assert_eq!(summary.run.spending.usage, cost(15.0).unwrap());
    assert_eq!(summary.run.spending.budget.max_cost_usd, Some(40.0));
    assert_eq!(summary.run.concurrency, 7);
}

#[test]
fn a_scored_trial_without_a_number_is_invalid_not_zero() {
    let keys = [key("a", "x", 1)];
    let broken = TrialResult { score: Some(f64::NAN), passed: Some(true), ..result(&keys[0]) };
    let summary = Summary::from_events(&[started(&keys), finished(2_000, broken)]);
    assert_eq!((summary.total.scored, summary.total.passed, summary.total.invalid), (0, 0, 1));
    assert_eq!(summary.total.mean_score, None);
}

#[test]
fn no_events_are_an_empty_summary() {
    let summary = Summary::from_events(&[]);
    assert_eq!(summary.total, Measures::default());
    assert!(render(&summary, Style::default()).starts_with("no trials\n"));
}

#[test]
fn json_reads_back_as_it_was_and_has_the_documented_fields() {
    let summary = mixed();
    let mut written = Vec::new();
    json::write(&summary, &mut written).expect("a vector takes it");
    assert_eq!(json::read(&written).expect("what was written"), summary);
    let value: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!(value["format"], 1);
    assert_eq!(value["guarantees"]["files"], "enforced");
    assert_eq!(value["summary"]["planned"], 4);
    assert_eq!(value["summary"]["mean_score"], 0.5);
    assert_eq!(value["summary"]["durations_ms"]["scoring"]["median"], 500);
    assert_eq!(value["per_agent"][0]["agent"], "oracle");
    assert_eq!(value["per_agent"][0]["passed"], 1);
    assert_eq!(value["trials"][0]["scenario"], "login");
    assert_eq!(value["trials"][0]["state"], "scored");
    assert_eq!(value["trials"][0]["durations_ms"]["agent"], 1_500);
    assert_eq!(value["trials"][3]["cause"], "devbox_lost");
    assert_eq!(value["trials"][3]["score"], serde_json::Value::Null);
    assert_eq!(written.last(), Some(&b'\n'));
}

#[test]
fn the_same_events_give_the_same_bytes() {
    let bytes = || {
        let mut written = Vec::new();
        json::write(&mixed(), &mut written).expect("a vector takes it");
        written
    };
    assert_eq!(bytes(), bytes());
}

fn csv_of(summary: &Summary) -> String {
    let mut written = Vec::new();
    csv::write(summary, &mut written).expect("a vector takes it");
    String::from_utf8(written).expect("UTF-8")
}

#[test]
fn csv_has_a_row_for_each_trial() {
    let text = csv_of(&mixed());
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    assert!(header.starts_with(r#""scenario","agent","repetition","state","score""#), "{header}");
    let first = r#""login","oracle",1,"scored",1,"true","",1,"exited",0,2000,"","",1500,"",500,"sha256:1","","","","","""#;
    assert_eq!(lines.next(), Some(first));
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
    assert_eq!(rows.len(), 4);
    assert_eq!(&rows[3][6], "devbox_lost");
    assert_eq!(&rows[3][17], "the devbox\nended by itself");
}

#[test]
fn what_an_agent_used_is_told_and_what_it_did_not_say_is_absent() {
    let keys = [key("a", "x", 1), key("b", "x", 1)];
    let usage = Usage { input_tokens: Some(1200), cost_usd: Some(0.5), ..Usage::default() };
    let told = TrialResult { usage: Some(usage), score: Some(1.0), passed: Some(true), ..result(&keys[0]) };
    let summary = Summary::from_events(&[started(&keys), finished(2_000, told), scored(&keys[1], 1.0)]);
    let value = serde_json::to_value(&summary).expect("JSON");
    assert_eq!(value["trials"][0]["usage"], serde_json::json!({ "input_tokens": 1200, "cost_usd": 0.5 }));
    assert_eq!(value["trials"][1]["usage"], serde_json::Value::Null);
    let text = csv_of(&summary);
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows[0].ends_with(r#""message","input_tokens","output_tokens","cost_usd","flags""#), "{text}");
    assert!(rows[1].ends_with(r#","",1200,"",0.5,"""#) && rows[2].ends_with(r#","","","","""#), "{text}");
}

#[test]
fn flags_are_told_in_every_document_and_change_no_verdict() {
    let keys = [key("a", "x", 1), key("b", "x", 1)];
    let flag = |kind, evidence: &str| Flag::new(kind, "tests/<run>.sh", evidence);
    let flags = vec![
        flag(FlagKind::ScorerChanged, "scorer `visible` runs it\n::error::x"),
        flag(FlagKind::ScorerChanged, "again"),
        flag(FlagKind::HiddenTestTouched, "=1+1"),
    ];
    let flagged = TrialResult { flags, score: Some(1.0), passed: Some(true), ..result(&keys[0]) };
    let summary = Summary::from_events(&[started(&keys), finished(2_000, flagged), scored(&keys[1], 1.0)]);
    assert_eq!((summary.total.passed, summary.total.mean_score), (2, Some(1.0)));
    let value = serde_json::to_value(&summary).expect("JSON");
    assert_eq!(value["trials"][0]["flags"][2]["kind"], "hidden_test_touched");
    assert_eq!(value["trials"][1]["flags"], serde_json::json!([]));
    let rows = csv_of(&summary);
    assert!(
        rows.lines().nth(1).is_some_and(|row| row.ends_with(r#","hidden_test_touched, scorer_changed""#)),
        "{rows}"
    );
    let table = eval_report::table::render(&summary, eval_report::table::Style::default());
    assert!(table.contains("flagged (1)") && table.contains("scorer_changed at tests/<run>.sh"), "{table}");
    assert!(table.contains("and 2 more") && !table.contains("\n::error"), "{table}");
    let mut junit = Vec::new();
    eval_report::junit::write(&summary, &mut junit).expect("it can be written");
    let junit = String::from_utf8(junit).expect("text");
    assert_eq!(junit.matches("name=\"flag.").count(), 3, "{junit}");
    assert!(!junit.contains("<run>"), "{junit}");
    let markdown = eval_report::markdown::render(&summary);
    assert!(markdown.contains("**Flagged (1)**") && !markdown.contains("\n::error"), "{markdown}");
}

#[test]
fn trials_that_the_runs_time_canceled_say_so() {
    let keys = [key("a", "x", 1)];
    let late = TrialResult {
        state: TrialState::Canceled,
        cause: Some(Cause::RunTimeout),
        message: Some("over".to_owned()),
        ..result(&keys[0])
    };
    let summary = Summary::from_events(&[started(&keys), finished(2_000, late)]);
    assert_eq!(summary.trials[0].cause, Some(Cause::RunTimeout));
    assert!(csv_of(&summary).contains(r#""canceled","","","run_timeout""#), "{}", csv_of(&summary));
}

#[test]
fn no_message_is_a_formula_or_breaks_its_row() {
    for hostile in [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "＝1",
        "\u{0}=1",
        "\u{1b}[31m",
        "a;=1",
        "a\",\"=1\",\"",
    ] {
        let keys = [key("a", "x", 1), key("b", "x", 1)];
        let summary =
            Summary::from_events(&[started(&keys), invalid(&keys[0], hostile), scored(&keys[1], 1.0)]);
        let text = csv_of(&summary);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
        assert_eq!(rows.len(), 2, "{hostile:?}");
        let message = &rows[0][17];
        assert!(message.starts_with('\'') || message.starts_with('a'), "{hostile:?} became {message:?}");
        assert!(!message.contains(['\u{1b}', '\u{0}', '\r']), "{message:?}");
        assert!(text.contains(&format!("\"{}\"", message.replace('"', "\"\""))), "{text}");
    }
}

#[test]
fn the_table_says_it_all() {
    let style = Style { results: Some("runs/r1"), next: Some("runloop-eval doctor"), ..Style::default() };
    let expected = "\
scenario  oracle      nop
login     pass 1.000  fail 0.000
query     fail 0.500  invalid

failed
  login · nop · 1  score 0.000
  query · oracle · 1  score 0.500

invalid
  query · nop · 1  devbox_lost after 3 attempts: the devbox ended by itself

oracle
trials      planned 2 · scored 2 · passed 1 · failed 1 · invalid 0
mean score  0.750  95 % [0.500, 1.000] (bootstrap over 2 scenarios)
pass rate   50.0 %  95 % [9.5 %, 90.5 %] (Wilson)

nop
trials      planned 2 · scored 1 · passed 0 · failed 1 · invalid 1
mean score  0.000  no interval: it takes two scored scenarios
pass rate   0.0 %  95 % [0.0 %, 79.3 %] (Wilson)
bounds      mean 0.000 to 0.500, pass rate 0.0 % to 50.0 %: had the trial without a score failed or passed

wall time   1 m 05 s
results     runs/r1
next        runloop-eval doctor
";
    assert_eq!(render(&mixed(), style), expected);
}

#[test]
fn repetitions_show_their_mean_and_how_many_passed() {
    let keys: Vec<_> = (1..=4).map(|repetition| key("login", "oracle", repetition)).collect();
    let events = [
        started(&keys),
        scored(&keys[0], 1.0),
        scored(&keys[1], 1.0),
        scored(&keys[2], 0.25),
        invalid(&keys[3], "gone"),
    ];
    let table = render(&Summary::from_events(&events), Style::default());
    assert!(table.contains("login     0.750 2/3 + 1 invalid\n"), "{table}");
}

#[test]
fn equal_scores_are_not_sold_as_certainty() {
    let keys = [key("a", "x", 1), key("b", "x", 1)];
    let table = render(
        &Summary::from_events(&[started(&keys), scored(&keys[0], 1.0), scored(&keys[1], 1.0)]),
        Style::default(),
    );
    assert!(
        table.contains("mean score  1.000  no interval: the 2 scenarios score the same; see the pass rate"),
        "{table}"
    );
    assert!(table.contains("pass rate   100.0 %  95 % [34.2 %, 100.0 %] (Wilson)"), "{table}");
}

#[test]
fn a_table_that_is_too_wide_is_drawn_as_a_list() {
    let keys: Vec<_> = (0..12)
        .map(|agent| key("a-scenario-with-a-long-name", &format!("agent-number-{agent}"), 1))
        .collect();
    let events: Vec<_> =
        [started(&keys)].into_iter().chain(keys.iter().map(|key| scored(key, 1.0))).collect();
    let table = render(&Summary::from_events(&events), Style { width: 60, ..Style::default() });
    assert!(
        table.starts_with("a-scenario-with-a-long-name\n  agent-number-0            pass 1.000\n"),
        "{table}"
    );
}

#[test]
fn long_names_are_cut_to_the_width() {
    let keys = [key(&"long-".repeat(40), "x", 1)];
    let table = render(
        &Summary::from_events(&[started(&keys), scored(&keys[0], 1.0)]),
        Style { width: 60, ..Style::default() },
    );
    let first: Vec<_> = table.lines().take(2).collect();
    assert!(first.iter().all(|line| line.chars().count() <= 60), "{table}");
    assert!(first[1].contains('…') && first[1].ends_with("pass 1.000"), "{table}");
}

#[test]
fn colours_change_nothing_but_colours() {
    let plain = render(&mixed(), Style::default());
    let coloured = render(&mixed(), Style { colour: true, ..Style::default() });
    assert!(coloured.contains("\u{1b}[32mpass 1.000\u{1b}[0m"), "{coloured}");
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    stripped.push_str(rest);
    let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(&stripped), trimmed(&plain));
}

#[test]
fn a_terminal_obeys_no_message() {
    let keys = [key("a", "x", 1)];
    let events = [started(&keys), invalid(&keys[0], &format!("\u{1b}]0;owned\u{7}{}", "x".repeat(5_000)))];
    let table = render(&Summary::from_events(&events), Style::default());
    assert!(!table.contains(['\u{1b}', '\u{7}']), "{table}");
    assert!(table.lines().all(|line| line.chars().count() < 400), "{table}");
}

#[test]
fn a_trial_has_its_attempts_with_their_times_and_causes() {
    let trial = key("a", "x", 1);
    let at = |at_ms, kind| Event { at_ms, kind };
    let begun =
        |at_ms, attempt| at(at_ms, EventKind::AttemptStarted { trial: trial.clone(), attempt, held: None });
    let phase =
        |at_ms, attempt, phase| at(at_ms, EventKind::PhaseStarted { trial: trial.clone(), attempt, phase });
    let failed = EventKind::AttemptFailed {
        trial: trial.clone(),
        attempt: 1,
        cause: Cause::DevboxLost,
        message: "it went away".to_owned(),
        usage: None,
    };
    let result = TrialResult { attempts: 2, score: Some(1.0), passed: Some(true), ..result(&trial) };
    let mut events = vec![
        started(std::slice::from_ref(&trial)),
        begun(1_000, 1),
        phase(1_010, 1, Phase::Preparing),
        phase(1_200, 1, Phase::Agent),
        at(1_500, failed),
        begun(3_000, 2),
        phase(3_000, 2, Phase::Agent),
    ];
    let running = Summary::from_events(&events);
    assert_eq!(running.trials[0].history[1].spans()[0].to_ms, None, "it goes on");
    events.extend([phase(3_400, 2, Phase::Scoring), finished(4_000, result)]);
    let history = Summary::from_events(&events).trials[0].history.clone();
    assert_eq!(history.len(), 2);
    assert_eq!((history[0].started_at_ms, history[0].took_ms), (1_000, Some(500)));
    assert_eq!(
        (history[0].cause, history[0].message.as_deref()),
        (Some(Cause::DevboxLost), Some("it went away"))
    );
    let spans: Vec<_> =
        history[0].spans().iter().map(|span| (span.phase, span.from_ms, span.to_ms)).collect();
    assert_eq!(spans, [(Phase::Preparing, 10, Some(200)), (Phase::Agent, 200, Some(500))]);
    assert_eq!((history[1].cause, history[1].took_ms), (None, Some(1_000)));
    assert_eq!(history[1].spans()[1].to_ms, Some(1_000));

    // A run that was killed and goes on makes the attempt again.
    events.push(begun(9_000, 1));
    let again = &Summary::from_events(&events).trials[0];
    assert_eq!((again.history.len(), again.history[0].started_at_ms), (1, 9_000));
}

#[test]
fn labels_that_group_scenarios_have_rows_of_their_own() {
    let keys: Vec<TrialKey> = ["a", "b", "c"].iter().map(|name| key(name, "x", 1)).collect();
    let planned = |trial: &TrialKey| PlannedTrial {
        trial: trial.clone(),
        digest: "sha256:1".to_owned(),
        metadata: BTreeMap::from([
            ("level".to_owned(), if trial.scenario == "c" { "hard" } else { "easy" }.to_owned()),
            ("same".to_owned(), "everywhere".to_owned()),
            ("id".to_owned(), trial.scenario.clone()),
        ]),
    };
    let header = RunHeader { planned: keys.iter().map(planned).collect(), ..RunHeader::default() };
    let summary = Summary::from_events(&[
        Event { at_ms: 1_000, kind: EventKind::RunStarted(Box::new(header)) },
        scored(&keys[0], 1.0),
        scored(&keys[1], 0.5),
        invalid(&keys[2], "gone"),
    ]);
    let rows: Vec<_> = summary
        .per_group
        .iter()
        .map(|row| (row.key.as_str(), row.value.as_str(), row.measures.mean_score, row.measures.planned))
        .collect();
    assert_eq!(rows, [("level", "easy", Some(0.75), 2), ("level", "hard", None, 1)]);
}
