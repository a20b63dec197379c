//! `results.csv`: a header and one row a trial, in the order of the plan; RFC 4180 with `\n` line ends.
//!
//! | column | |
//! | --- | --- |
//! | `scenario`, `agent`, `repetition` | which trial |
//! | `state` | `scored`, `invalid`, `canceled` or `unfinished` |
//! | `score` | 0 to 1, empty unless scored |
//! | `passed` | `true` or `false`, empty unless scored |
//! | `cause` | why it is invalid, or what ended the run first: `run_timeout`, `budget_exhausted`, `target_down`, `unauthorized` |
//! | `attempts` | how many were made |
//! | `agent_end` | `exited`, `timed_out`, `exhausted_devbox`, or empty |
//! | `agent_exit_status` | of an agent that exited |
//! | `duration_ms` | of all phases of the last attempt |
//! | `preparing_ms`, `starting_ms`, `agent_ms`, `reaping_ms`, `scoring_ms` | of each, empty if it did not get there |
//! | `digest` | of the scenario |
//! | `message` | what there is to say about it |
//! | `input_tokens`, `output_tokens`, `cost_usd` | what the agent says it used, empty where it says nothing |
//! | `flags` | kinds of its flags, with `, ` between them |
//!
//! Text is always between double quotes, so that no separator of any locale cuts it, and may come from a devbox: text that
//! a spreadsheet would take for a formula (that starts with `=`, `+`, `-`, `@`, their full-width forms, a tab, or a line
//! break) gets a single quote before it, as OWASP advises against CSV injection; control characters but line breaks and
//! tabs become U+FFFD. Newlines stand as they are, within the quotes.

use std::io;

use ::csv::{QuoteStyle, WriterBuilder};
use eval_record::{AgentEnd, Phase};

use crate::{Summary, Trial, flags};

const COLUMNS: [&str; 22] = [
    "scenario",
    "agent",
    "repetition",
    "state",
    "score",
    "passed",
    "cause",
    "attempts",
    "agent_end",
    "agent_exit_status",
    "duration_ms",
    "preparing_ms",
    "starting_ms",
    "agent_ms",
    "reaping_ms",
    "scoring_ms",
    "digest",
    "message",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "flags",
];

const PHASES: [Phase; 5] = [Phase::Preparing, Phase::Starting, Phase::Agent, Phase::Reaping, Phase::Scoring];

/// Writes the trials of a summary.
///
/// # Errors
///
/// Those of the writer.
pub fn write(summary: &Summary, writer: impl io::Write) -> io::Result<()> {
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::NonNumeric).from_writer(writer);
    writer.write_record(COLUMNS).map_err(io::Error::from)?;
    for trial in &summary.trials {
        writer.write_record(row(trial)).map_err(io::Error::from)?;
    }
    writer.flush()
}

fn row(trial: &Trial) -> Vec<String> {
    let (agent_end, exit_status) = match trial.agent_end {
        None => ("", None),
        Some(AgentEnd::Exited { exit_status }) => ("exited", Some(exit_status)),
        Some(AgentEnd::TimedOut) => ("timed_out", None),
        Some(AgentEnd::ExhaustedDevbox) => ("exhausted_devbox", None),
    };
    let mut row = vec![
        harmless(&trial.key.scenario),
        harmless(&trial.key.agent),
        trial.key.repetition.to_string(),
        trial.status.as_str().to_owned(),
        optional(trial.score),
        optional(trial.passed),
        trial.cause.map(|cause| cause.as_str().to_owned()).unwrap_or_default(),
        trial.attempts.to_string(),
        agent_end.to_owned(),
        optional(exit_status),
        trial.duration_ms().to_string(),
    ];
    row.extend(PHASES.map(|phase| optional(trial.durations_ms.get(&phase))));
    row.push(harmless(&trial.digest));
    row.push(harmless(trial.message.as_deref().unwrap_or_default()));
    let usage = trial.usage.unwrap_or_default();
    row.extend([optional(usage.input_tokens), optional(usage.output_tokens), optional(usage.cost_usd)]);
    row.push(flags::kinds(trial));
    row
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Text that no spreadsheet runs and no terminal obeys.
fn harmless(text: &str) -> String {
    let clean = text.replace("\r\n", "\n");
    let clean =
        clean.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c });
    let clean: String = clean.collect();
    // White space before it does not keep a formula from being one.
    let first = clean.trim_start_matches([' ', '\u{a0}']).chars().next();
    match first {
        Some('=' | '+' | '-' | '@' | '\t' | '\n' | '\u{fffd}' | '＝' | '＋' | '－' | '＠') => {
            format!("'{clean}")
        }
        _ => clean,
    }
}
