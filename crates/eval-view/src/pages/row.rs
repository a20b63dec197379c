//! Runs as rows of a table, a line for each agent.

use eval_report::html::{Html, Range, count, duration, range, scale};
use eval_report::{Interval, Measures};
use jiff::Timestamp;

use super::link::run_link;
use crate::entry::{AgentEntry, Entry, State};

/// Agents of a run that are shown.
const AGENTS: usize = 8;

/// Writes the table.
pub(crate) fn table<'a>(entries: impl Iterator<Item = &'a Entry>, html: &mut Html) {
    html.raw("<table class=\"runs\" id=\"table\">\n<caption class=\"hidden\">Runs, the newest first</caption>\n<thead><tr>");
    html.raw("<th scope=\"col\"><span class=\"hidden\">Compare</span></th><th scope=\"col\">Run</th><th scope=\"col\">State</th>");
    html.raw("<th scope=\"col\">Agent</th><th scope=\"col\" class=\"n\">Mean score</th>");
    html.raw("<th scope=\"col\" class=\"wide\"><span class=\"hidden\">Plot of the mean score</span>");
    scale(html);
    html.raw("</th><th scope=\"col\" class=\"n\">Trials</th></tr></thead>\n");
    for entry in entries {
        run(entry, html);
    }
    html.raw("</table>\n");
}

fn run(entry: &Entry, html: &mut Html) {
    let lines = entry.agents.len().clamp(1, AGENTS) + usize::from(entry.agents.len() > AGENTS);
    let key = &entry.found.key;
    html.raw("<tbody").attribute("id", format_args!("r-{key}")).raw("><tr>");
    html.raw("<td")
        .attribute("rowspan", lines)
        .raw("><input type=\"checkbox\" name=\"run\"")
        .attribute("value", key);
    html.raw(" aria-label=\"Compare ")
        .name(&entry.found.label)
        .raw("\"></td><th scope=\"rowgroup\" class=\"name\"");
    html.attribute("rowspan", lines).raw("><a").attribute("href", run_link(key)).raw(">");
    html.name(if entry.benchmark.is_empty() { "unnamed benchmark" } else { &entry.benchmark }).raw("</a>");
    html.raw("<span class=\"when\">");
    when(entry.started_at_ms, html);
    html.raw("</span><code>").name(&entry.found.label).raw("</code></th><td class=\"state\"");
    html.attribute("rowspan", lines).raw(">");
    state(entry, html);
    html.raw("</td>");
    if entry.agents.is_empty() {
        html.raw("<td colspan=\"4\" class=\"muted\">no trials</td></tr>");
    }
    for (nth, agent) in entry.agents.iter().take(AGENTS).enumerate() {
        html.raw(if nth > 0 { "<tr>" } else { "" });
        self::agent(agent, html);
        html.raw("</tr>");
    }
    if entry.agents.len() > AGENTS {
        html.raw("<tr><td colspan=\"4\" class=\"muted\">and ");
        html.text(count((entry.agents.len() - AGENTS) as u64, "more agent")).raw("</td></tr>");
    }
    html.raw("</tbody>\n");
}

/// A run's begin.
pub(crate) fn when(at_ms: Option<i64>, html: &mut Html) {
    let Some(at) = at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
        html.raw("not begun");
        return;
    };
    html.raw("<time").attribute("datetime", at.strftime("%Y-%m-%dT%H:%M:%SZ")).raw(">");
    html.text(at.strftime("%Y-%m-%d %H:%M UTC")).raw("</time>");
}

fn state(entry: &Entry, html: &mut Html) {
    word(entry.state, html);
    html.raw("<span class=\"took\">");
    let total = &entry.total;
    match entry.state {
        State::Running => {
            html.text(total.planned.saturating_sub(total.unfinished)).raw(" of ").text(total.planned);
        }
        State::Unreadable => {
            html.name(entry.error.as_deref().unwrap_or_default());
        }
        _ => {
            html.text(duration(entry.wall_ms));
        }
    }
    html.raw("</span>");
}

/// A state as a word with its colour.
pub(crate) fn word(state: State, html: &mut Html) {
    html.raw(match state {
        State::Running => "<span class=\"is running\">",
        State::Complete => "<span class=\"is complete\">",
        State::Incomplete | State::Interrupted | State::Killed | State::Unreadable => {
            "<span class=\"is invalid\">"
        }
    });
    html.raw(state.word()).raw("</span>");
}

fn agent(agent: &AgentEntry, html: &mut Html) {
    let measures = &agent.measures;
    let interval = interval(measures);
    html.raw("<th scope=\"row\" class=\"agent\">").name(&agent.agent).raw("</th><td class=\"n\">");
    mean(measures, interval, html);
    html.raw("</td><td class=\"wide\">");
    range(Range { estimate: measures.mean_score, interval, bounds: measures.mean_bounds, mean: None }, html);
    html.raw("</td><td class=\"n counts-of\">");
    counts(measures, html);
    html.raw("</td>");
}

/// The interval of the mean, where it says something.
pub(crate) fn interval(measures: &Measures) -> Option<Interval> {
    let interval = measures.mean_interval.filter(|interval| !interval.degenerate)?;
    Some(Interval { low: interval.low, high: interval.high })
}

fn mean(measures: &Measures, interval: Option<Interval>, html: &mut Html) {
    match measures.mean_score {
        Some(mean) => html.raw("<b>").text(format_args!("{mean:.3}")).raw("</b>"),
        None => html.raw("<span class=\"muted\">none</span>"),
    };
    if let Some(Interval { low, high }) = interval {
        html.raw(" <span class=\"muted\">").text(format_args!("[{low:.2}, {high:.2}]")).raw("</span>");
    }
}

/// Passed, failed and those without a score, of all.
pub(crate) fn counts(measures: &Measures, html: &mut Html) {
    let parts: [(u64, &'static str, &'static str, &'static str); 5] = [
        (measures.passed, "passed", "✓", " passed"),
        (measures.failed, "failed", "✗", " failed"),
        (measures.invalid, "invalid", "!", " invalid"),
        (measures.canceled, "canceled", "–", " canceled"),
        (measures.unfinished, "unfinished", "…", " unfinished"),
    ];
    for (n, class, sign, word) in parts.into_iter().filter(|(n, ..)| *n > 0) {
        html.raw("<span class=\"is ")
            .raw(class)
            .raw("\"><span aria-hidden=\"true\">")
            .raw(sign)
            .raw("</span> ");
        html.text(n).raw("<span class=\"hidden\">").raw(word).raw("</span></span> ");
    }
    html.raw("<span class=\"muted\">of ").text(measures.planned).raw("</span>");
}
