//! `junit.xml`: the trials as JUnit XML, for the test pages of CI systems.
//!
//! JUnit XML has no standard. This writes what the schema of the Jenkins xUnit plugin allows, the strictest in use, which
//! GitLab and the reporters of GitHub read too:
//!
//! | element | is | attributes |
//! | --- | --- | --- |
//! | `testsuites` | the run | `name` (the benchmark), `tests`, `failures`, `errors`, `time` |
//! | `testsuite` | an agent | `name` (the agent), `tests`, `failures`, `errors`, `skipped`, `time`, `timestamp` (UTC) |
//! | `properties` | of the run and the agent | run, target, version, seed, mean score and pass rate with their bounds, what the gate decided; `flag.<kind>` for each flag of a trial, with the trial, the place and the evidence |
//! | `testcase` | a trial | `name` (the scenario, and ` #2` where there are repetitions), `classname` (`<benchmark>.<agent>`, dots in either as `_`), `time` |
//! | `failure` | a verdict below the pass mark | `message`, `type="failed"` |
//! | `error` | an invalid trial | `message`, `type` (the cause) |
//! | `skipped` | a canceled or unfinished trial | `message` |
//! | `system-out` | what the scorers printed, of trials without a pass | |
//!
//! Times are seconds of all phases of a trial's last attempt; those of suites are their sums, not the wall time. Excerpts of
//! output are bounded for each trial and for the file, and say so. Characters that XML forbids become U+FFFD.

use std::io;

use jiff::Timestamp;

use crate::text::{counted, cut, percent};
use crate::why::{bad_end, why};
use crate::{AgentRow, Summary, Trial, TrialStatus};

/// Characters of a message or name in an attribute.
const ATTRIBUTE_LIMIT: usize = 1_000;

/// Bytes of output for each trial; the end of an output says more than its start.
const EXCERPT_LIMIT: usize = 8 * 1024;

/// Bytes of output in the whole file. GitLab refuses reports beyond 30 MB.
const OUTPUT_LIMIT: usize = 8 * 1024 * 1024;

/// Flags of an agent that are listed; `results.json` has all of them.
const FLAGS: usize = 1_000;

/// Writes the trials of a summary, a suite for each agent in the order of the plan.
///
/// # Errors
///
/// Those of the writer.
pub fn write(summary: &Summary, mut writer: impl io::Write) -> io::Result<()> {
    let suites: Vec<(&AgentRow, Vec<&Trial>)> = summary
        .per_agent
        .iter()
        .map(|row| (row, summary.trials.iter().filter(|trial| trial.key.agent == row.agent).collect()))
        .collect();
    let all = Counts::of(&summary.trials);
    writer.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites")?;
    attribute(&mut writer, "name", &summary.run.benchmark)?;
    all.write(&mut writer, Skipped::Left)?;
    writer.write_all(b">\n")?;
    let repeated = summary.per_scenario.iter().any(|row| row.measures.planned > 1);
    let mut document = Document { summary, repeated, output_left: OUTPUT_LIMIT };
    for (row, trials) in suites {
        suite(&mut document, row, &trials, &mut writer)?;
    }
    writer.write_all(b"</testsuites>\n")?;
    writer.flush()
}

/// What the parts of the file share.
struct Document<'a> {
    summary: &'a Summary,
    /// Whether names must tell repetitions apart.
    repeated: bool,
    /// Bytes of output that the file still takes.
    output_left: usize,
}

fn suite(
    document: &mut Document<'_>,
    row: &AgentRow,
    trials: &[&Trial],
    writer: &mut impl io::Write,
) -> io::Result<()> {
    writer.write_all(b"  <testsuite")?;
    attribute(writer, "name", &row.agent)?;
    Counts::of(trials.iter().copied()).write(writer, Skipped::Written)?;
    if let Some(at) = document.summary.run.started_at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
        attribute(writer, "timestamp", &at.strftime("%Y-%m-%dT%H:%M:%S").to_string())?;
    }
    writer.write_all(b">\n    <properties>\n")?;
    let properties =
        properties(document.summary, row).into_iter().map(|(name, value)| (name.to_owned(), value));
    for (name, value) in properties.chain(flagged(trials).take(FLAGS)) {
        writer.write_all(b"      <property")?;
        attribute(writer, "name", &name)?;
        attribute(writer, "value", &value)?;
        writer.write_all(b"/>\n")?;
    }
    writer.write_all(b"    </properties>\n")?;
    for trial in trials {
        case(document, trial, writer)?;
    }
    writer.write_all(b"  </testsuite>\n")
}

/// What the counts alone do not say.
fn properties(summary: &Summary, row: &AgentRow) -> Vec<(&'static str, String)> {
    let run = &summary.run;
    let measures = &row.measures;
    let mut properties = vec![
        ("run", run.id.clone()),
        ("target", run.target.clone()),
        ("version", run.version.clone()),
        ("seed", run.seed.to_string()),
    ];
    let mut estimate = |name, value: Option<f64>, low_high, bounds: Option<crate::Bounds>| {
        if let Some(value) = value {
            properties.push((name, value.to_string()));
        }
        if let Some(bounds) = bounds {
            properties.push((low_high, format!("{} to {}", bounds.low, bounds.high)));
        }
    };
    estimate("mean_score", measures.mean_score, "mean_score_bounds", measures.mean_bounds);
    estimate("pass_rate", measures.pass_rate, "pass_rate_bounds", measures.pass_rate_bounds);
    let verdicts = summary.gate.iter().flat_map(|verdict| &verdict.agents);
    if let Some(verdict) = verdicts.into_iter().find(|verdict| verdict.agent == row.agent) {
        let reasons: Vec<&str> = verdict.reasons.iter().map(|reason| reason.message.as_str()).collect();
        properties.push(("gate", [&[verdict.decision.as_str()], reasons.as_slice()].concat().join("; ")));
    }
    properties
}

/// Signs that trials may not be worth what they say. The schema knows no properties of a single test case.
fn flagged<'a>(trials: &'a [&Trial]) -> impl Iterator<Item = (String, String)> + 'a {
    trials.iter().flat_map(|trial| {
        let who = format!("{} #{}", trial.key.scenario, trial.key.repetition);
        let property = move |flag: &eval_record::Flag| {
            (format!("flag.{}", flag.kind.as_str()), format!("{who}: {}: {}", flag.place, flag.evidence))
        };
        trial.flags.iter().map(property)
    })
}

fn case(document: &mut Document<'_>, trial: &Trial, writer: &mut impl io::Write) -> io::Result<()> {
    let mut name = trial.key.scenario.clone();
    if document.repeated {
        name += &format!(" #{}", trial.key.repetition);
    }
    let plain = |text: &str| text.replace('.', "_");
    let class = format!("{}.{}", plain(&document.summary.run.benchmark), plain(&trial.key.agent));
    writer.write_all(b"    <testcase")?;
    attribute(writer, "name", &name)?;
    attribute(writer, "classname", &class)?;
    attribute(writer, "time", &seconds(trial.duration_ms()))?;
    let Some((element, kind)) = outcome(trial) else { return writer.write_all(b"/>\n") };
    let mut message = why(trial);
    if let Some(said) = &trial.message {
        message += &format!(": {said}");
    }
    write!(writer, ">\n      <{element}")?;
    if let Some(kind) = kind {
        attribute(writer, "type", kind)?;
    }
    attribute(writer, "message", &message)?;
    writer.write_all(b">")?;
    writer.write_all(text(&details(document.summary, trial)).as_bytes())?;
    writeln!(writer, "</{element}>")?;
    let output = excerpt(trial, &mut document.output_left);
    if !output.is_empty() {
        writeln!(writer, "      <system-out>{}</system-out>", text(&output))?;
    }
    writer.write_all(b"    </testcase>\n")
}

/// The element that says what became of a trial, and its type; none for a pass.
fn outcome(trial: &Trial) -> Option<(&'static str, Option<&'static str>)> {
    match trial.status {
        TrialStatus::Scored if trial.passed == Some(true) => None,
        TrialStatus::Scored => Some(("failure", Some("failed"))),
        TrialStatus::Invalid => Some(("error", Some(trial.cause.map_or("invalid", |cause| cause.as_str())))),
        TrialStatus::Canceled | TrialStatus::Unfinished => Some(("skipped", None)),
    }
}

/// Lines for the person who looks into it.
fn details(summary: &Summary, trial: &Trial) -> String {
    let mut lines = Vec::new();
    if let Some(source) = summary.sources.get(&trial.key.scenario) {
        lines.push(format!("scenario: {}:{}", source.file, source.line));
    }
    if let Some(end) = bad_end(trial.agent_end) {
        lines.push(end);
    }
    for scorer in &trial.scores {
        let score = scorer.score.map_or_else(|| "no score".to_owned(), |score| format!("{score:.3}"));
        lines.push(format!("{score} {} (weight {})", scorer.name, percent(scorer.weight)));
    }
    if let Some(logs) = &trial.logs {
        lines.push(format!("logs: {logs}"));
    }
    lines.join("\n")
}

/// What the scorers printed, within the limits of the trial and what is left of the file's.
fn excerpt(trial: &Trial, left: &mut usize) -> String {
    let printed: Vec<_> = trial.scores.iter().filter(|scorer| !scorer.output.trim().is_empty()).collect();
    let limit = EXCERPT_LIMIT.min(*left);
    let Some(share) = limit.checked_div(printed.len()) else { return String::new() };
    let mut output = String::new();
    for scorer in printed {
        let all = scorer.output.trim_end();
        let mut from = all.len().saturating_sub(share);
        while !all.is_char_boundary(from) {
            from += 1;
        }
        output += &format!("== {}\n", cut(&scorer.name, ATTRIBUTE_LIMIT));
        if from > 0 {
            output += &format!("[{} left out, see the logs]\n", counted(from, "byte"));
        }
        let kept = all.get(from..).unwrap_or_default();
        *left = left.saturating_sub(kept.len());
        output += kept;
        output.push('\n');
    }
    output
}

/// How many trials came out how, and how long they took.
#[derive(Default)]
struct Counts {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    ms: u64,
}

/// The schema gives `skipped` to a suite and not to all of them.
enum Skipped {
    Written,
    Left,
}

impl Counts {
    fn of<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Self {
        let mut counts = Self::default();
        for trial in trials {
            counts.tests += 1;
            counts.ms = counts.ms.saturating_add(trial.duration_ms());
            match outcome(trial) {
                Some(("failure", _)) => counts.failures += 1,
                Some(("error", _)) => counts.errors += 1,
                Some(_) => counts.skipped += 1,
                None => {}
            }
        }
        counts
    }

    fn write(&self, writer: &mut impl io::Write, skipped: Skipped) -> io::Result<()> {
        attribute(writer, "tests", &self.tests.to_string())?;
        attribute(writer, "failures", &self.failures.to_string())?;
        attribute(writer, "errors", &self.errors.to_string())?;
        if matches!(skipped, Skipped::Written) {
            attribute(writer, "skipped", &self.skipped.to_string())?;
        }
        attribute(writer, "time", &seconds(self.ms))
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// ` name="value"`, the value cut to [`ATTRIBUTE_LIMIT`].
fn attribute(writer: &mut impl io::Write, name: &str, value: &str) -> io::Result<()> {
    write!(writer, " {name}=\"{}\"", escaped(&cut(value, ATTRIBUTE_LIMIT), true))
}

/// Character data.
fn text(value: &str) -> String {
    escaped(value, false)
}

/// The text with what means something in XML as references, and what XML 1.0 forbids as U+FFFD. A parser would make a
/// space of a line break or tab in an attribute, and a line feed of a carriage return anywhere.
fn escaped(value: &str, in_attribute: bool) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            '\n' if in_attribute => escaped.push_str("&#10;"),
            '\t' if in_attribute => escaped.push_str("&#9;"),
            '\n' | '\t' => escaped.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}
