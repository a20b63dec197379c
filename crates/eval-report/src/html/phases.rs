//! Where the time goes.

use crate::text::{duration, percent};
use crate::{AgentRow, Summary};

use super::AGENTS;
use super::headline::more;
use super::markup::Html;
use super::plot::bar;

/// `None` where nothing was timed.
pub(crate) fn section(summary: &Summary) -> Option<Html> {
    if summary.total.durations_ms.is_empty() {
        return None;
    }
    let several = summary.per_agent.len() > 1;
    let mut html = Html::default();
    html.raw("<p>The last attempt of each trial. Preparation is shared, so trials that wait for the same one wait together.</p>\n");
    html.raw("<table class=\"phases\">\n<caption class=\"hidden\">Time in each phase</caption>\n<thead><tr>");
    if several {
        html.raw("<th scope=\"col\">Agent</th>");
    }
    html.raw("<th scope=\"col\">Phase</th><th scope=\"col\" class=\"wide\">Share of the time</th>");
    html.raw("<th scope=\"col\" class=\"n\">Share</th><th scope=\"col\" class=\"n\">Median</th>");
    html.raw("<th scope=\"col\" class=\"n\">Longest</th><th scope=\"col\" class=\"n\">All trials</th></tr></thead>\n");
    for row in summary.per_agent.iter().take(AGENTS) {
        agent(row, several, &mut html);
    }
    html.raw("</table>\n");
    more(summary.per_agent.len(), &mut html);
    Some(html)
}

fn agent(row: &AgentRow, several: bool, html: &mut Html) {
    let phases = &row.measures.durations_ms;
    if phases.is_empty() {
        return;
    }
    let all = phases.values().fold(0u64, |sum, phase| sum.saturating_add(phase.total)).max(1) as f64;
    html.raw("<tbody>");
    for (nth, (phase, times)) in phases.iter().enumerate() {
        html.raw("<tr>");
        if several && nth == 0 {
            html.raw("<th scope=\"rowgroup\" class=\"name\"").attribute("rowspan", phases.len()).raw(">");
            html.name(&row.agent).raw("</th>");
        }
        let share = times.total as f64 / all;
        html.raw("<th scope=\"row\">").raw(phase.as_str()).raw("</th><td class=\"wide\">");
        bar(share, html);
        html.raw("</td><td class=\"n\">")
            .text(percent(share))
            .raw("</td><td class=\"n\">")
            .text(duration(times.median));
        html.raw("</td><td class=\"n\">").text(duration(times.max)).raw("</td><td class=\"n\">");
        html.text(duration(times.total)).raw("</td></tr>");
    }
    html.raw("</tbody>\n");
}
