//! Runs to write down.

use std::collections::BTreeMap;

use eval_record::{
    AgentEnd, Cause, Event, EventKind, Phase, PlannedTrial, RunHeader, ScenarioSource, ScorerScore, TrialKey,
    TrialResult, TrialState,
};
use eval_report::Summary;
use eval_report::baseline::Baseline;
use eval_report::gate::{Limits, Reference, Verdict, judge};

/// What no output may turn into markup, a link, a mention, a command or an order to a terminal.
pub(crate) const HOSTILE: [&str; 16] = [
    "</failure><testcase name=\"forged\"/>",
    "]]> <![CDATA[ &lt; &#0; &bomb; <!DOCTYPE x>",
    "\u{0}\u{1b}[2J\u{7}\u{fffe}\u{ffff}\u{b}",
    "a | b | c |\n| --- | --- |\n| forged | row |",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[click](https://evil.example) ![x](https://evil.example/x.png) https://evil.example www.evil.example",
    "@everyone @org/team #123 GH-1 a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6a1b2",
    "` `` ``` ```` \\` \\| \\",
    "```\n# heading\n---\n- [ ] list\n> quote\n```",
    "ends with a backtick `",
    "\n::error file=x::forged\n::set-output name=a::b",
    "##[set-output name=x]y ##vso[task.setvariable variable=a]b",
    "100%0A::error::forged %25, a:b",
    "\u{202e}gnp.exe \u{2028}\u{2029}\u{200b}",
    "",
    "   \t ",
];

pub(crate) fn key(scenario: &str, agent: &str, repetition: u32) -> TrialKey {
    TrialKey { scenario: scenario.to_owned(), agent: agent.to_owned(), repetition }
}

pub(crate) fn started(keys: &[TrialKey]) -> Event {
    let planned = |trial: &TrialKey| PlannedTrial {
        trial: trial.clone(),
        digest: "sha256:1".to_owned(),
        metadata: BTreeMap::new(),
    };
    let source = |key: &TrialKey| {
        let file = format!("evals/{}/scenario.yaml", key.scenario);
        (key.scenario.clone(), ScenarioSource { file, line: 3 })
    };
    let header = RunHeader {
        format: 1,
        run_id: "r1".to_owned(),
        benchmark: "swe.small".to_owned(),
        target: "local".to_owned(),
        version: "0.1.0".to_owned(),
        planned: keys.iter().map(planned).collect(),
        sources: keys.iter().map(source).collect(),
        seed: 7,
        ..RunHeader::default()
    };
    Event { at_ms: 1_700_000_000_000, kind: EventKind::RunStarted(Box::new(header)) }
}

pub(crate) fn result(key: &TrialKey, state: TrialState) -> TrialResult {
    TrialResult {
        durations_ms: BTreeMap::from([(Phase::Agent, 1_500), (Phase::Scoring, 525)]),
        agent_end: Some(AgentEnd::Exited { exit_status: 0 }),
        logs: Some(eval_record::attempt_directory(key, 1)),
        ..TrialResult::bare(key.clone(), "sha256:1", state)
    }
}

pub(crate) fn finished(result: TrialResult) -> Event {
    Event { at_ms: 1_700_000_002_000, kind: EventKind::TrialFinished(Box::new(result)) }
}

pub(crate) fn scored(key: &TrialKey, score: f64) -> TrialResult {
    TrialResult { score: Some(score), passed: Some(score >= 1.0), ..result(key, TrialState::Scored) }
}

/// A trial below its pass mark whose scorer printed this.
pub(crate) fn failed(key: &TrialKey, output: &str) -> TrialResult {
    let scorer = |name: &str, score| ScorerScore {
        name: name.to_owned(),
        weight: 0.5,
        score: Some(score),
        duration_ms: 10,
        output: if score < 1.0 { output.to_owned() } else { String::new() },
    };
    TrialResult {
        agent_end: Some(AgentEnd::Exited { exit_status: 127 }),
        scores: vec![scorer("tests", 0.0), scorer("lint", 1.0)],
        ..scored(key, 0.5)
    }
}

pub(crate) fn invalid(key: &TrialKey, message: &str) -> TrialResult {
    TrialResult {
        cause: Some(Cause::DevboxLost),
        message: Some(message.to_owned()),
        attempts: 2,
        agent_end: None,
        ..result(key, TrialState::Invalid)
    }
}

/// One trial of each kind: passed, failed, invalid, canceled, and one without any verdict.
pub(crate) fn mixed() -> Summary {
    let keys = [
        key("login", "oracle", 1),
        key("login", "mine", 1),
        key("query", "oracle", 1),
        key("query", "mine", 1),
        key("queue", "mine", 1),
    ];
    Summary::from_events(&[
        started(&keys),
        finished(scored(&keys[0], 1.0)),
        finished(failed(&keys[1], "expected 2, got 3\n")),
        finished(invalid(&keys[2], "the devbox ended by itself")),
        finished(TrialResult { attempts: 0, ..result(&keys[3], TrialState::Canceled) }),
    ])
}

/// A failed and an invalid trial, with this text wherever somebody else can write.
pub(crate) fn hostile(text: &str) -> Summary {
    let keys = [key(text, "mine", 1), key("plain", text, 1), key("other", "mine", 1)];
    let mut events = vec![started(&keys)];
    for result in [failed(&keys[0], text), invalid(&keys[1], text), failed(&keys[2], text)] {
        let mut result =
            TrialResult { message: Some(text.to_owned()), logs: Some(text.to_owned()), ..result };
        for scorer in &mut result.scores {
            scorer.name = text.to_owned();
        }
        events.push(finished(result));
    }
    let mut summary = Summary::from_events(&events);
    summary.run.benchmark = text.to_owned();
    summary.run.target = text.to_owned();
    summary.run.id = text.to_owned();
    summary.gate = Some(gated(&summary, text));
    summary
}

/// What a gate says that asks for more than there is, against a baseline in which all passed, with this text for each name.
pub(crate) fn gated(summary: &Summary, text: &str) -> Verdict {
    let limits = Limits {
        min_score: Some(0.9),
        max_regression: Some(0.0),
        floors: BTreeMap::from([(text.to_owned(), 1.0)]),
        places: BTreeMap::from([("min_score".to_owned(), format!("{text}:4"))]),
        ..Limits::default()
    };
    let mut baseline = Baseline::of(summary).expect("a baseline");
    for scenario in baseline.agents.values_mut().flat_map(BTreeMap::values_mut) {
        scenario.scores.fill(1.0);
    }
    let reference = Reference { baseline, file: text.to_owned(), lines: BTreeMap::new() };
    judge(&limits, Some(&reference), summary)
}

/// So many failed and so many invalid trials, with long messages and much output.
pub(crate) fn large(failures: u32, invalids: u32) -> Summary {
    let keys: Vec<TrialKey> =
        (0..failures + invalids).map(|n| key(&format!("scenario-with-a-name-{n}"), "mine", 1)).collect();
    let long = "0123456789 ".repeat(2_000);
    let mut events = vec![started(&keys)];
    for (n, key) in keys.iter().enumerate() {
        let failed = TrialResult { message: Some(long.clone()), ..failed(key, &long) };
        events.push(finished(if n < failures as usize { failed } else { invalid(key, &long) }));
    }
    Summary::from_events(&events)
}
