//! What the gate decided, and why.

use crate::gate::{AgentVerdict, Decision, Example, Reason, Verdict};
use crate::text::one_line;

use super::NAME;
use super::markup::Html;
use super::places::Places;

/// Reasons that are shown.
const REASONS: usize = 50;

/// Examples of each that are shown: as many as the gate names.
const EXAMPLES: usize = 10;

/// Longest sentence of a reason or an example, in characters.
const MESSAGE: usize = 300;

/// Longest path, in characters.
const PATH: usize = 400;

pub(crate) fn write(verdict: &Verdict, places: &Places<'_>, html: &mut Html) {
    let (class, sign, word) = match verdict.decision {
        Decision::Pass => ("pass", "✓", "Gate passed"),
        Decision::Fail => ("fail", "✗", "Gate failed"),
        Decision::Undecided => ("warn", "?", "Gate undecided"),
    };
    html.raw("<div class=\"banner gate ").raw(class);
    html.raw("\"><strong><span class=\"sign\" aria-hidden=\"true\">");
    html.raw(sign).raw("</span>").raw(word).raw("</strong>");
    let whose = verdict.agents.len() > 1;
    let all =
        || verdict.agents.iter().flat_map(|agent| agent.reasons.iter().map(move |reason| (agent, reason)));
    let notes = || verdict.agents.iter().flat_map(|agent| agent.notes.iter().map(move |note| (agent, note)));
    let reasons = all().count();
    if reasons + notes().count() > 0 {
        html.raw("<ul>");
        for (agent, reason) in all().take(REASONS) {
            item(agent, whose, html);
            because(agent, reason, places, html);
            html.raw("</li>");
        }
        if reasons > REASONS {
            html.raw("<li>and ").text(reasons - REASONS).raw(" more</li>");
        }
        for (agent, note) in notes().take(REASONS) {
            item(agent, whose, html);
            html.text(one_line(note, MESSAGE)).raw("</li>");
        }
        html.raw("</ul>");
    }
    html.raw("</div>\n");
}

fn item(agent: &AgentVerdict, whose: bool, html: &mut Html) {
    html.raw("<li>");
    if whose {
        html.raw("<b>").name(&agent.agent).raw("</b>: ");
    }
}

fn because(agent: &AgentVerdict, reason: &Reason, places: &Places<'_>, html: &mut Html) {
    html.text(one_line(&reason.message, MESSAGE));
    path("", reason.place.as_deref(), html);
    if reason.examples.is_empty() {
        return;
    }
    html.raw("<ul>");
    for example in reason.examples.iter().take(EXAMPLES) {
        html.raw("<li>");
        let leads = trial(agent, example, places, html);
        html.raw(": ").text(one_line(&example.message, MESSAGE));
        path("baseline ", example.place.as_deref(), html);
        path("scenario ", example.source.as_deref(), html);
        // The trial's own section names them.
        path("logs ", example.logs.as_deref().filter(|_| !leads), html);
        html.raw("</li>");
    }
    if reason.examples.len() > EXAMPLES {
        html.raw("<li>and ").text(reason.examples.len() - EXAMPLES).raw(" more</li>");
    }
    html.raw("</ul>");
}

/// Names what a reason rests on, and leads there if there is a way.
fn trial(agent: &AgentVerdict, example: &Example, places: &Places<'_>, html: &mut Html) -> bool {
    let place = match example.repetition {
        Some(repetition) => places.of_trial(&example.scenario, &agent.agent, repetition),
        None => places.lowest(&example.scenario, &agent.agent),
    };
    if let Some(place) = place {
        html.raw("<a href=\"#t").text(place + 1).raw("\">");
    }
    html.text(one_line(&example.scenario, NAME));
    if let Some(repetition) = example.repetition {
        html.raw(" · ").text(repetition);
    }
    html.raw(if place.is_some() { "</a>" } else { "" });
    place.is_some()
}

fn path(what: &'static str, path: Option<&str>, html: &mut Html) {
    if let Some(path) = path {
        html.raw(" <span class=\"muted\">")
            .raw(what)
            .raw("<code>")
            .text(one_line(path, PATH))
            .raw("</code></span>");
    }
}
