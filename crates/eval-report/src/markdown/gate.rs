//! What the gate decided.

use super::code::{NAME_LIMIT, PATH_LIMIT, code};
use crate::compare::Change;
use crate::gate::{AgentVerdict, Decision, Example, Reason, Verdict};
use crate::text::counted;

/// Bytes for all reasons, so that they leave room for the trials.
const LIMIT: usize = 10_000;

/// Characters of a sentence.
const MESSAGE_LIMIT: usize = 300;

/// A verdict alone, for a step summary. Ends with a newline.
pub fn render(verdict: &Verdict) -> String {
    let mut text = format!("### {}\n\n", headline(verdict));
    reasons(verdict, &mut text);
    text
}

pub(super) fn headline(verdict: &Verdict) -> &'static str {
    match verdict.decision {
        Decision::Pass => "✅ Gate passed",
        Decision::Fail => "❌ Gate failed",
        Decision::Undecided => "⚠️ Gate undecided",
    }
}

/// Each agent's baseline, reasons with what they rest on, and notes.
pub(super) fn reasons(verdict: &Verdict, text: &mut String) {
    let limit = text.len() + LIMIT;
    let mut left_out = 0;
    for agent in &verdict.agents {
        for line in lines(agent, verdict.agents.len() > 1) {
            if left_out > 0 || text.len() + line.len() > limit {
                left_out += 1;
            } else {
                *text += &line;
            }
        }
    }
    if left_out > 0 {
        *text += &format!("- and {} more, see `gate.json`\n", counted(left_out, "line"));
    }
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
}

fn lines(agent: &AgentVerdict, several: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let whose = if several { format!("{}: ", code(&agent.agent, NAME_LIMIT)) } else { String::new() };
    if let Some(regression) = &agent.regression {
        lines.extend(
            change(&regression.change, regression.paired).map(|change| format!("- {whose}{change}\n")),
        );
    }
    for reason in &agent.reasons {
        lines.push(format!("- {whose}{}\n", sentence(reason)));
        lines.extend(reason.examples.iter().map(|example| format!("  - {}\n", what(example))));
    }
    lines.extend(agent.notes.iter().map(|note| format!("- {whose}{}\n", code(note, MESSAGE_LIMIT))));
    lines
}

fn change(change: &Change, scenarios: u64) -> Option<String> {
    let (before, after, difference) = (change.mean_before?, change.mean_after?, change.difference?);
    let interval = change.interval.filter(|interval| !interval.degenerate);
    let interval = interval.map(|interval| format!(", 95 %: {:+.3} to {:+.3}", interval.low, interval.high));
    Some(format!(
        "mean score {before:.3} in the baseline, **{after:.3}** now ({difference:+.3}{}), {}",
        interval.unwrap_or_default(),
        counted(scenarios, "scenario")
    ))
}

fn sentence(reason: &Reason) -> String {
    let place = reason.place.as_deref().map(|place| format!(" ({})", code(place, PATH_LIMIT)));
    format!("{}{}", code(&reason.message, MESSAGE_LIMIT), place.unwrap_or_default())
}

fn what(example: &Example) -> String {
    let mut text = code(&example.scenario, NAME_LIMIT);
    if let Some(repetition) = example.repetition {
        text += &format!(", repetition {repetition}");
    }
    text += &format!(": {}", code(&example.message, MESSAGE_LIMIT));
    for (name, value) in
        [("baseline", &example.place), ("scenario", &example.source), ("logs", &example.logs)]
    {
        if let Some(value) = value {
            text += &format!("; {name}: {}", code(value, PATH_LIMIT));
        }
    }
    text
}
