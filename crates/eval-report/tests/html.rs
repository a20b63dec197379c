//! `report.html`: what it says, that nothing breaks out of it, and how large it may become.

use std::collections::BTreeMap;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eval_record::{
    AgentEnd, Cause, Event, EventKind, Phase, PlannedTrial, RunHeader, ScorerScore, TrialKey, TrialResult,
    TrialState, Usage, problem_file,
};
use eval_report::compare::Change;
use eval_report::gate::{AgentVerdict, Decision, Example, Reason, Regression, ScenarioDifference, Verdict};
use eval_report::html::{self, DirectoryLogs, Log, Logs};
use eval_report::{Attempt, GroupRow, Interval, Measures, Summary};
use sha2::{Digest, Sha256};

/// Logs by their paths.
#[derive(Default)]
struct Map(BTreeMap<String, Vec<u8>>);

impl Logs for Map {
    fn read(&self, path: &str, head: usize, tail: usize) -> io::Result<Log> {
        let content = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Log::of(content, head, tail))
    }
}

fn page(summary: &Summary, gate: Option<&Verdict>, logs: &dyn Logs) -> String {
    let mut page = Vec::new();
    let summary = Summary { gate: gate.cloned(), ..summary.clone() };
    html::write(&summary, logs, &mut page).expect("a vector takes it");
    String::from_utf8(page).expect("UTF-8")
}

/// A gate's verdict in which all text is this.
fn verdict(decision: Decision, text: &str) -> Verdict {
    let example = Example {
        scenario: text.to_owned(),
        repetition: Some(1),
        message: text.to_owned(),
        place: Some(text.to_owned()),
        source: Some(text.to_owned()),
        logs: None,
    };
    let reason = Reason {
        decision,
        limit: text.to_owned(),
        message: text.to_owned(),
        place: Some(text.to_owned()),
        examples: vec![example; 12],
    };
    let agent = AgentVerdict {
        agent: text.to_owned(),
        decision,
        reasons: vec![reason],
        regression: Some(regression(&[text.to_owned()], -0.5)),
        notes: vec![text.to_owned()],
    };
    Verdict { decision, agents: vec![agent.clone(), agent], ..Verdict::default() }
}

/// Scenarios that all moved by so much from 0.75.
fn regression(scenarios: &[String], difference: f64) -> Regression {
    let scenario = |scenario: &String| ScenarioDifference {
        scenario: scenario.clone(),
        before: 0.75,
        before_trials: 4,
        after: 0.75 + difference,
        after_trials: 4,
        difference,
        interval: Some(Interval { low: difference - 0.25, high: difference + 0.25 }),
        place: Some(scenario.clone()),
    };
    let change = Change {
        mean_before: Some(0.75),
        mean_after: Some(0.75 + difference),
        difference: Some(difference),
        interval: None,
    };
    let scenarios: Vec<ScenarioDifference> = scenarios.iter().map(scenario).collect();
    Regression { paired: scenarios.len() as u64, change, p: 0.01, detectable_drop: None, scenarios }
}

/// What is between two texts, without them.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).expect(start);
    rest.split_once(end).expect(end).0
}

fn key(scenario: &str, agent: &str, repetition: u32) -> TrialKey {
    TrialKey { scenario: scenario.to_owned(), agent: agent.to_owned(), repetition }
}

fn started(keys: &[TrialKey], metadata: &BTreeMap<String, String>) -> Event {
    let planned = |trial: &TrialKey| PlannedTrial {
        trial: trial.clone(),
        digest: "0123456789abcdef0123456789abcdef".to_owned(),
        metadata: metadata.clone(),
    };
    let header = RunHeader {
        format: 1,
        run_id: "r1".to_owned(),
        benchmark: "swe".to_owned(),
        source: "benchmarks/swe.yaml".to_owned(),
        target: "local".to_owned(),
        version: "0.1.0".to_owned(),
        planned: keys.iter().map(planned).collect(),
        guarantees: Some(serde_json::json!({"files": {"level": "enforced", "by": "a namespace"}})),
        seed: 7,
        concurrency: 2,
        ..RunHeader::default()
    };
    Event { at_ms: 1_700_000_000_000, kind: EventKind::RunStarted(Box::new(header)) }
}

fn scored(key: &TrialKey, score: f64) -> TrialResult {
    TrialResult {
        score: Some(score),
        passed: Some(score >= 1.0),
        durations_ms: BTreeMap::from([(Phase::Agent, 61_500), (Phase::Scoring, 500)]),
        agent_end: Some(AgentEnd::Exited { exit_status: 0 }),
        scores: vec![ScorerScore {
            name: "tests".to_owned(),
            weight: 1.0,
            score: Some(score),
            duration_ms: 450,
            output: "Ran 5 tests\n".to_owned(),
        }],
        logs: Some(eval_record::attempt_directory(key, 1)),
        ..TrialResult::bare(key.clone(), "0123456789abcdef0123456789abcdef", TrialState::Scored)
    }
}

fn invalid(key: &TrialKey, cause: Cause, message: &str) -> TrialResult {
    TrialResult {
        state: TrialState::Invalid,
        score: None,
        passed: None,
        cause: Some(cause),
        message: Some(message.to_owned()),
        attempts: 3,
        agent_end: None,
        scores: Vec::new(),
        ..scored(key, 0.0)
    }
}

fn summary(keys: &[TrialKey], metadata: &BTreeMap<String, String>, results: Vec<TrialResult>) -> Summary {
    let finished =
        |result| Event { at_ms: 1_700_000_065_000, kind: EventKind::TrialFinished(Box::new(result)) };
    let events: Vec<Event> =
        [started(keys, metadata)].into_iter().chain(results.into_iter().map(finished)).collect();
    Summary::from_events(&events)
}

/// Two scenarios, two agents; one trial lost its devbox.
fn small() -> (Summary, Map) {
    let keys = [
        key("login", "careful", 1),
        key("login", "hasty", 1),
        key("query", "careful", 1),
        key("query", "hasty", 1),
    ];
    let usage = Usage {
        input_tokens: Some(12_000),
        output_tokens: Some(900),
        cost_usd: Some(0.25),
        ..Usage::default()
    };
    let results = vec![
        TrialResult { usage: Some(usage), ..scored(&keys[0], 1.0) },
        TrialResult { agent_end: Some(AgentEnd::TimedOut), ..scored(&keys[1], 0.0) },
        scored(&keys[2], 0.5),
        invalid(&keys[3], Cause::DevboxLost, "the devbox\nended by itself"),
    ];
    let attempt = eval_record::attempt_directory(&keys[0], 1);
    let logs = Map(BTreeMap::from([
        (problem_file("login"), b"Make the check strict.\n".to_vec()),
        (format!("{attempt}/agent.stdout"), b"\x1b[32mreading\x1b[0m src/a.py\n".to_vec()),
        (format!("{attempt}/agent.stderr"), b"warning: & <so on>\n".to_vec()),
        (
            format!("{attempt}/diff.patch"),
            b"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x >= y\n+x > y\n".to_vec(),
        ),
    ]));
    (summary(&keys, &BTreeMap::from([("difficulty".to_owned(), "hard".to_owned())]), results), logs)
}

#[test]
fn a_small_run() {
    let (summary, logs) = small();
    let gate = verdict(Decision::Fail, "the mean score is 0.500, below 0.800");
    let mut shown = page(&summary, Some(&gate), &logs);
    // The assets are read where they are; what of them is in the page is another test.
    for (start, end, name) in [
        ("<style>", "</style>", "report.css"),
        ("<script>", "</script>", "report.js"),
        ("style-src &#39;", "&#39;; script-src", "hash"),
        ("script-src &#39;", "&#39;; base-uri", "hash"),
    ] {
        let text = between(&shown, start, end).to_owned();
        assert!(text.len() > 40, "{name}: {text}");
        shown = shown.replacen(&text, name, 1);
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn nothing_but_the_pages_own_style_and_script_may_run_and_nothing_is_fetched() {
    let (summary, logs) = small();
    let page = page(&summary, None, &logs);
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for (start, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
        assert_eq!(page.matches(start).count(), 1, "{start}");
        let hash = STANDARD.encode(Sha256::digest(between(&page, start, end)));
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{start} {hash} {policy}");
    }
    assert!(page.find("Content-Security-Policy") < page.find("<style>"), "the policy must come first");
    for outside in
        [" src=", "<link", "<img", "<iframe", "http://", "https://", "url(", "@import", " style=\""]
    {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(!page.contains("innerHTML") && !page.contains("eval("));
}

/// Every element that is opened, with its attributes as they stand, and that all are closed in order.
fn elements(page: &str) -> Vec<String> {
    const VOID: [&str; 9] = ["meta", "input", "br", "rect", "line", "circle", "path", "!DOCTYPE", "hr"];
    let mut rest = page;
    let mut open: Vec<String> = Vec::new();
    let mut elements = Vec::new();
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).expect("a name").to_owned();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "before {:.80}", rest);
            continue;
        }
        elements.push(tag.to_owned());
        if name == "style" || name == "script" {
            rest = rest.split_once(&format!("</{name}>")).expect("it ends").1;
        } else if !VOID.contains(&name.as_str()) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    elements
}

/// The shape of a page: its elements with the names of their attributes. Text has no part in it.
fn shape(page: &str) -> Vec<String> {
    let name = |tag: &String| {
        let mut quoted = false;
        tag.split('"')
            .filter(|_| {
                quoted = !quoted;
                quoted
            })
            .collect::<Vec<_>>()
            .join("\"")
    };
    elements(page).iter().map(name).collect()
}

/// A run in which everything that a scenario, an agent or a devbox can name is this text.
fn everywhere(text: &str) -> (Summary, Map) {
    let keys = [key(text, text, 1), key(text, text, 2), key(&format!("{text} b"), &format!("{text} b"), 1)];
    let score = |score| ScorerScore {
        name: text.to_owned(),
        weight: 1.0,
        score,
        duration_ms: 1,
        output: text.to_owned(),
    };
    let results = vec![
        TrialResult {
            message: Some(text.to_owned()),
            scores: vec![score(Some(1.0)), score(None)],
            digest: text.to_owned(),
            ..scored(&keys[0], 1.0)
        },
        TrialResult { logs: Some(text.to_owned()), ..scored(&keys[1], 0.5) },
        invalid(&keys[2], Cause::ApiError, text),
    ];
    let mut logs = Map::default();
    for directory in [eval_record::attempt_directory(&keys[0], 1), text.to_owned()] {
        for name in ["agent.stdout", "agent.stderr"] {
            logs.0.insert(format!("{directory}/{name}"), text.as_bytes().to_vec());
        }
        let patch = format!("--- a/{text}\n+++ b/{text}\n@@ {text}\n-{text}\n+{text}\n {text}\n");
        logs.0.insert(format!("{directory}/diff.patch"), patch.into_bytes());
    }
    for key in &keys {
        logs.0.insert(problem_file(&key.scenario), text.as_bytes().to_vec());
    }
    let mut summary = summary(&keys, &BTreeMap::from([(text.to_owned(), text.to_owned())]), results);
    for field in [
        &mut summary.run.id,
        &mut summary.run.benchmark,
        &mut summary.run.source,
        &mut summary.run.target,
        &mut summary.run.version,
    ] {
        text.clone_into(field);
    }
    let [first, ..] = summary.trials.as_mut_slice() else { unreachable!("there are three") };
    first.history = (1..=2)
        .map(|attempt| Attempt {
            attempt,
            phases_ms: BTreeMap::from([(Phase::Preparing, 0), (Phase::Agent, 20)]),
            took_ms: Some(100),
            cause: (attempt == 1).then_some(Cause::DevboxLost),
            message: Some(text.to_owned()),
            ..Attempt::default()
        })
        .collect();
    let label = |value: &str| GroupRow {
        key: text.to_owned(),
        value: value.to_owned(),
        agent: text.to_owned(),
        measures: Measures::default(),
    };
    summary.per_group = vec![label(text), label("another")];
    summary.run.agent_versions.insert(text.to_owned(), text.to_owned());
    summary.guarantees =
        Some(serde_json::json!({text: {"level": text, "by": text}, format!("{text} b"): text}));
    (summary, logs)
}

#[test]
fn hostile_text_stays_text_wherever_it_comes_from() {
    let decision = |text: &str| verdict(Decision::Undecided, text);
    let (tame, logs) = everywhere("harmless");
    let expected = shape(&page(&tame, Some(&decision("harmless")), &logs));
    for hostile in [
        "<script>alert(1)</script>",
        "</pre></script></style></title></details><script>alert(1)</script>",
        "\"><img/src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "\" autofocus onfocus=\"alert(1)",
        "<!--",
        "]]><svg onload=alert(1)>",
        "&lt;script&gt;&#60;script>",
        "javascript:alert(1)",
        "<base href=//x>\u{202e}<meta http-equiv=refresh content=0>",
        "{{constructor}}${alert(1)}`",
    ] {
        let (summary, logs) = everywhere(hostile);
        let page = page(&summary, Some(&decision(hostile)), &logs);
        assert_eq!(shape(&page), expected, "{hostile}");
        assert!(!page.contains(hostile) || !hostile.contains(['<', '"', '\'', '&']), "{hostile}");
        assert!(!page.contains('\u{202e}'));
    }
}

#[test]
fn text_of_a_devbox_is_shown_in_every_place() {
    let (summary, logs) = everywhere("seen&");
    let page = page(&summary, Some(&verdict(Decision::Fail, "seen&")), &logs);
    for place in [
        "<title>seen&amp;",
        "<h1>seen&amp;",
        "<li><b>seen&amp;</b>: seen&amp; <span class=\"muted\"><code>seen&amp;</code></span><ul><li><a href=\"#t1\">\
         seen&amp; · 1</a>: seen&amp; <span class=\"muted\">baseline <code>seen&amp;",
        "<li><b>seen&amp;</b>: seen&amp;</li>",
        "<a href=\"#t2\">seen&amp;</a></th>",
        "<code>devbox_lost</code> seen&amp;</p>",
        "<span class=\"muted\">seen&amp;</span> seen&amp;</th>",
        "<p class=\"message\">seen&amp;",
        "aria-label=\"problem\">seen&amp;",
        "aria-label=\"output of scorer seen&amp;\">seen&amp;",
        "aria-label=\"Agent: standard output\">seen&amp;",
        "aria-label=\"Agent: standard error\">seen&amp;",
        "<del>-seen&amp;",
        "<dt>seen&amp;</dt><dd>seen&amp;</dd>",
        "<dt>seen&amp;</dt><dd>seen&amp;: seen&amp;</dd>",
    ] {
        assert!(page.contains(place), "{place}");
    }
}

#[test]
fn huge_fields_are_cut() {
    let huge = "<&\"'\n".repeat(200_000);
    let (summary, logs) = everywhere(&huge);
    let page = page(&summary, Some(&verdict(Decision::Fail, &huge)), &logs);
    assert!(page.len() < 500_000, "{}", page.len());
    assert!(page.contains("left out here"));
    elements(&page);
}

#[test]
fn logs_are_cut_in_the_middle_and_say_where_the_rest_is() {
    let keys = [key("a", "x", 1)];
    let attempt = eval_record::attempt_directory(&keys[0], 1);
    let log: String = (0..50_000).map(|line| format!("line {line}\n")).collect();
    let logs = Map(BTreeMap::from([(format!("{attempt}/agent.stdout"), log.into_bytes())]));
    let page = page(&summary(&keys, &BTreeMap::new(), vec![scored(&keys[0], 1.0)]), None, &logs);
    let shown = between(&page, "aria-label=\"Agent: standard output\">", "</pre>");
    assert!(shown.starts_with("line 0\nline 1\n") && shown.ends_with("line 49999\n"), "{:.200}", shown);
    assert!(shown.contains(&format!("left out here; the whole is in {attempt}/agent.stdout …")));
    assert!(shown.len() < 30_000);
}

fn many(scenarios: u32, agents: u32, repetitions: u32) -> (Summary, Map) {
    let mut keys = Vec::new();
    for scenario in 0..scenarios {
        for agent in 0..agents {
            for repetition in 1..=repetitions {
                keys.push(key(
                    &format!("a-scenario-of-some-length-{scenario}"),
                    &format!("agent-{agent}"),
                    repetition,
                ));
            }
        }
    }
    let mut logs = Map::default();
    let mut results = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let directory = eval_record::attempt_directory(key, 1);
        for name in ["agent.stdout", "agent.stderr", "diff.patch"] {
            logs.0.insert(format!("{directory}/{name}"), b"+<&>\n".repeat(600));
        }
        results.push(match place % 10 {
            0 => invalid(key, Cause::DevboxLost, "the devbox ended by itself"),
            1..4 => scored(key, 0.25),
            _ => scored(key, 1.0),
        });
    }
    (summary(&keys, &BTreeMap::from([("difficulty".to_owned(), "hard".to_owned())]), results), logs)
}

#[test]
fn ten_thousand_trials_stay_small_and_every_one_is_there() {
    for (scenarios, agents, repetitions) in [(1_000, 2, 5), (5, 400, 5)] {
        let (summary, logs) = many(scenarios, agents, repetitions);
        let page = page(&summary, None, &logs);
        assert!(page.len() < 12 << 20, "{scenarios} × {agents} × {repetitions}: {}", page.len());
        assert_eq!(page.matches("<details id=\"t").count(), 10_000);
        assert!(page.contains("To keep this file small, the logs of"));
        // Whatever there is no room for, it is not the trials that need looking at.
        let first = between(&page, "<details id=\"t1\">", "</details>");
        assert!(first.contains("devbox_lost") && first.contains("Agent: standard output"), "{first}");
    }
}

#[test]
fn more_trials_than_are_listed_are_told() {
    let (summary, _) = many(1_001, 1, 10);
    let page = page(&summary, None, &Map::default());
    assert_eq!(page.matches("<details id=\"t").count(), 10_000);
    assert!(page.contains("The first 10000 of 10010 trials; results.json has all."));
    assert!(!page.contains("href=\"#t10001\""));
}

#[test]
fn a_link_leads_to_something_and_an_id_is_there_once() {
    for (summary, logs) in [small(), many(40, 3, 3)] {
        let page = page(&summary, None, &logs);
        let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let different: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), different.len());
        for rest in page.split("href=\"#").skip(1) {
            let id = rest.split('"').next().expect("an id");
            assert!(different.contains(id), "#{id}");
        }
    }
}

#[test]
fn runs_with_nothing_or_little_in_them_have_a_page_too() {
    let empty = page(&Summary::default(), None, &Map::default());
    assert!(empty.contains("<strong>No trials.</strong>") && !empty.contains("<h2 id="), "{empty}");
    elements(&empty);

    let keys = [key("a", "x", 1)];
    let unfinished =
        page(&summary(&keys, &BTreeMap::new(), Vec::new()), Some(&Verdict::default()), &Map::default());
    assert!(unfinished.contains("<strong>Incomplete.</strong> 1 of 1 trial"), "{unfinished}");
    assert!(unfinished.contains("no score"));
    elements(&unfinished);

    let one = page(&summary(&keys, &BTreeMap::new(), vec![scored(&keys[0], 1.0)]), None, &Map::default());
    assert!(one.contains("<details id=\"t1\" open>"), "one trial has nothing to choose from");
    elements(&one);
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let (summary, logs) = many(30, 3, 3);
    assert_eq!(page(&summary, None, &logs), page(&summary, None, &logs));
}

#[test]
fn a_run_directory_gives_its_files_and_no_others() {
    let outside = tempfile::tempdir().expect("a directory");
    let run = outside.path().join("run");
    std::fs::create_dir_all(run.join("trials")).expect("a directory");
    std::fs::write(outside.path().join("secret"), "secret").expect("a file");
    std::fs::write(run.join("trials/log"), "0123456789").expect("a file");
    std::os::unix::fs::symlink(outside.path().join("secret"), run.join("trials/link")).expect("a link");
    let logs = DirectoryLogs::open(&run).expect("it is there");
    let whole = logs.read("trials/log", 5, 5).expect("a file");
    assert_eq!(whole, Log { head: b"0123456789".to_vec(), tail: Vec::new(), size: 10 });
    let ends = logs.read("trials/log", 2, 3).expect("a file");
    assert_eq!(ends, Log { head: b"01".to_vec(), tail: b"789".to_vec(), size: 10 });
    assert_eq!(ends, Log::of(b"0123456789", 2, 3));
    let kind = |path: &str| logs.read(path, 9, 9).expect_err(path).kind();
    assert_eq!(kind("trials/none"), io::ErrorKind::NotFound);
    assert_eq!(kind("trials"), io::ErrorKind::InvalidInput);
    let secret = outside.path().join("secret");
    for path in ["../secret", "trials/link", "trials/../../secret", secret.to_str().expect("UTF-8")] {
        assert_eq!(kind(path), io::ErrorKind::PermissionDenied, "{path}");
    }
}

/// Logs that a server shows under a path.
struct Linked;

impl Logs for Linked {
    fn read(&self, _: &str, _: usize, _: usize) -> io::Result<Log> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn link(&self, path: &str) -> Option<String> {
        Some(format!("files/{path}?\"><script>"))
    }
}

#[test]
fn served_it_stands_in_a_frame_with_links_and_may_ask_its_server_but_nobody_else() {
    let trial = key("a", "x", 1);
    let result = TrialResult { logs: Some("trials/a".to_owned()), ..scored(&trial, 1.0) };
    let summary = summary(&[trial], &BTreeMap::new(), vec![result]);
    let mut frame = html::Frame { scripts: vec!["\"live\";"], ..html::Frame::default() };
    frame.above.raw("<nav>all runs</nav>");
    frame.top.raw("<p>running</p>");
    let document = html::document(&summary, &Linked, Some(&frame));
    let page = document.html();
    let page = page.as_str();
    assert!(page.find("<nav>all runs").unwrap() < page.find("<header").unwrap());
    assert!(between(page, "<main", "id=\"summary\"").contains("<p>running</p>"));
    assert!(page.contains("href=\"files/trials/a?&quot;&gt;&lt;script&gt;\""), "{page}");
    assert!(!page.contains("http-equiv"), "the server sends it");
    let policy = document.policy();
    let hash = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(b"\"live\";")));
    assert!(policy.contains(&hash) && policy.contains("connect-src 'self';"), "{policy}");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
}

#[test]
fn lines_of_json_are_shown_as_steps_and_stay_text() {
    let trial = key("a", "x", 1);
    let attempt = eval_record::attempt_directory(&trial, 1);
    let shown = |text: &str| {
        let call = serde_json::json!({"type": text, "message": {"content": [{"type": "text", "text": text},
            {"type": "tool_use", "name": text, "input": {text: text}}]}});
        let unknown = serde_json::json!({text: text});
        let log = format!("{call}\n{unknown}\n");
        let logs = Map(BTreeMap::from([(format!("{attempt}/agent.stdout"), log.into_bytes())]));
        page(&summary(std::slice::from_ref(&trial), &BTreeMap::new(), vec![scored(&trial, 1.0)]), None, &logs)
    };
    let tame = shown("I look");
    let steps = between(&tame, "<ol class=\"steps\"", "</ol>");
    assert!(steps.contains("<b>I look</b> <span>I look\nI look\n{&quot;I look&quot;:"), "{steps}");
    assert!(steps.contains("<b>step</b> <span>{&quot;I look&quot;:&quot;I look&quot;}"), "{steps}");
    let hostile = shown("</span></li></ol><script>alert(1)</script>\"'");
    assert_eq!(shape(&hostile), shape(&tame));
}

#[test]
fn a_trial_with_several_attempts_shows_each_with_its_output() {
    let trial = key("a", "x", 1);
    let mut summary = summary(
        std::slice::from_ref(&trial),
        &BTreeMap::new(),
        vec![TrialResult { attempts: 2, ..scored(&trial, 1.0) }],
    );
    let attempt = |attempt, started_at_ms, cause| Attempt {
        attempt,
        started_at_ms,
        took_ms: Some(1_000),
        phases_ms: BTreeMap::from([(Phase::Starting, 0), (Phase::Agent, 250)]),
        cause,
        message: Some("it went away".to_owned()),
    };
    summary.trials[0].history =
        vec![attempt(1, 1_700_000_000_000, Some(Cause::DevboxLost)), attempt(2, 1_700_000_004_000, None)];
    let log = |n: u32| format!("{}/agent.stdout", eval_record::attempt_directory(&trial, n));
    let logs = Map(BTreeMap::from([(log(1), b"first try".to_vec()), (log(2), b"second try".to_vec())]));
    let page = page(&summary, None, &logs);
    let course = between(&page, "<ol class=\"course\">", "</ol>");
    assert!(course.contains("<b>Attempt 1</b>") && course.contains("<b>Attempt 2</b>"), "{course}");
    assert!(course.contains("22:13:20 UTC</time>, took 1.0 s"), "{course}");
    assert!(course.contains("agent 750 ms <span class=\"muted\">at 250 ms</span>"), "{course}");
    assert!(course.contains("<code>devbox_lost</code> it went away"), "{course}");
    assert!(course.contains("first try") && !course.contains("second try"), "{course}");
    assert!(page.contains("Agent: standard output <span class=\"time\">250 ms to 1.0 s</span>"), "{page}");
}

#[test]
fn of_many_scenarios_those_that_moved_furthest_are_drawn_against_the_baseline() {
    let (summary, logs) = many(3, 1, 1);
    let drawn = |count: usize, difference: f64| {
        let names: Vec<String> = (0..count).map(|n| format!("scenario {n}")).collect();
        let agent = AgentVerdict {
            agent: "agent-0".to_owned(),
            regression: Some(regression(&names, difference)),
            ..AgentVerdict::default()
        };
        let page = page(&summary, Some(&Verdict { agents: vec![agent], ..Verdict::default() }), &logs);
        let section = between(&page, "<section id=\"baseline\"", "</section>").to_owned();
        (section.matches("<tr><th scope=\"row\"").count() - 1, section)
    };
    assert_eq!(drawn(30, 0.0).0, 30, "few are drawn whether they moved or not");
    let (rows, section) = drawn(300, 0.0);
    assert_eq!(rows, 0);
    assert!(section.contains("300 more scenarios score the same"), "{section}");
    let (rows, section) = drawn(300, -0.25);
    assert_eq!(rows, 200);
    assert!(section.contains("scenario 0<") && section.contains("scenario 299<"), "both ends: {section}");
    assert!(!section.contains("scenario 150<") && section.contains("gate.json has all"), "{section}");
}
