//! What the run says, at a glance.

use crate::text::percent;
use crate::{Interval, Measures, Summary};

use super::markup::{Html, count};
use super::places::Places;
use super::plot::{Range, range, scale};
use super::status::Outcome;
use super::{AGENTS, decision};

pub(crate) fn write(summary: &Summary, places: &Places<'_>, html: &mut Html) {
    html.raw("<section id=\"summary\" aria-label=\"Summary\">\n");
    state(summary, html);
    if let Some(verdict) = &summary.gate {
        decision::write(verdict, places, html);
    }
    html.raw("<div class=\"cards\">\n");
    for row in summary.per_agent.iter().take(AGENTS) {
        let version = summary.run.agent_versions.get(&row.agent);
        card(&row.agent, version.map(String::as_str), &row.measures, html);
    }
    html.raw("</div>\n");
    more(summary.per_agent.len(), html);
    if summary.total.planned > 0 {
        key(summary, html);
    }
    html.raw("</section>\n");
}

/// Says that not all agents are drawn, where it is so.
pub(crate) fn more(agents: usize, html: &mut Html) {
    if agents > AGENTS {
        html.raw("<p class=\"note\">And ").text(count((agents - AGENTS) as u64, "more agent"));
        html.raw(", left out here: see results.json.</p>\n");
    }
}

fn state(summary: &Summary, html: &mut Html) {
    let total = &summary.total;
    if total.planned == 0 {
        html.raw(
            "<p class=\"banner warn\"><strong>No trials.</strong> This run has nothing to report.</p>\n",
        );
        return;
    }
    if summary.run.complete {
        return;
    }
    html.raw("<p class=\"banner warn\"><strong>");
    html.raw(if summary.run.interrupted { "Interrupted." } else { "Incomplete." }).raw("</strong> ");
    html.text(total.canceled + total.unfinished).raw(" of ").text(count(total.planned, "trial"));
    html.raw(" have no verdict yet; the numbers below are of the others.</p>\n");
}

fn card(agent: &str, version: Option<&str>, measures: &Measures, html: &mut Html) {
    html.raw("<article class=\"card\">\n<h2>").name(agent);
    if let Some(version) = version {
        html.raw(" <span class=\"muted\">").name(version).raw("</span>");
    }
    html.raw("</h2>\n");
    match measures.mean_score {
        Some(mean) => {
            html.raw("<p class=\"big\">").text(format_args!("{mean:.3}"));
            html.raw(" <span>mean score</span></p>\n<p class=\"sub\">");
            interval(measures, html);
            html.raw("</p>\n");
        }
        None => {
            html.raw("<p class=\"big none\">no score</p>\n<p class=\"sub\">no trial has one</p>\n");
        }
    }
    html.raw("<div class=\"plot\">");
    let shown = measures.mean_interval.filter(|interval| !interval.degenerate);
    range(
        Range {
            estimate: measures.mean_score,
            interval: shown.map(|interval| Interval { low: interval.low, high: interval.high }),
            bounds: measures.mean_bounds,
            mean: None,
        },
        html,
    );
    scale(html);
    html.raw("</div>\n");
    if let Some(rate) = measures.pass_rate {
        html.raw("<p class=\"rate\"><strong>").text(percent(rate)).raw("</strong> of scored trials passed");
        if let Some(Interval { low, high }) = measures.pass_rate_interval {
            html.raw("<br><span class=\"muted\">95 % from ")
                .text(percent(low))
                .raw(" to ")
                .text(percent(high));
            html.raw(" (Wilson)</span>");
        }
        html.raw("</p>\n");
    }
    counts(measures, html);
    if let (1.., Some(mean), Some(rate)) =
        (measures.without_score(), measures.mean_bounds, measures.pass_rate_bounds)
    {
        html.raw("<p class=\"bounds\">Had ");
        match measures.without_score() {
            1 => html.raw("the trial without a score"),
            n => html.raw("the ").text(n).raw(" trials without a score"),
        };
        html.raw(" failed or passed: mean ").text(format_args!("{:.3} to {:.3}", mean.low, mean.high));
        html.raw(", pass rate ").text(percent(rate.low)).raw(" to ").text(percent(rate.high)).raw(".</p>\n");
    }
    html.raw("</article>\n");
}

fn interval(measures: &Measures, html: &mut Html) {
    match measures.mean_interval {
        None => html.raw("no interval: it takes two scored scenarios"),
        Some(interval) if interval.degenerate => html
            .raw("no interval: the ")
            .text(interval.scenarios)
            .raw(" scenarios score the same; see the pass rate"),
        Some(interval) => html
            .raw("95 % from ")
            .text(format_args!("{:.3} to {:.3}", interval.low, interval.high))
            .raw(" (bootstrap over ")
            .text(count(interval.scenarios, "scenario"))
            .raw(")"),
    };
}

fn counts(measures: &Measures, html: &mut Html) {
    html.raw("<ul class=\"counts\" aria-label=\"Trials\">");
    html.raw("<li>").text(count(measures.planned, "trial")).raw("</li>");
    for outcome in Outcome::ALL {
        let n = match outcome {
            Outcome::Passed => measures.passed,
            Outcome::Failed => measures.failed,
            Outcome::Invalid => measures.invalid,
            Outcome::Canceled => measures.canceled,
            Outcome::Unfinished => measures.unfinished,
        };
        if n > 0 {
            html.raw("<li class=\"is ")
                .raw(outcome.word())
                .raw("\"><span class=\"sign\" aria-hidden=\"true\">");
            html.raw(outcome.sign()).raw("</span>").text(n).raw(" ").raw(outcome.word()).raw("</li>");
        }
    }
    html.raw("</ul>\n");
}

fn key(summary: &Summary, html: &mut Html) {
    html.raw("<p class=\"note\">Dot: estimate. Line: 95 % interval.");
    if summary.total.without_score() > 0 {
        html.raw(" Band: what the estimate could be had the trials without a score failed or passed; they are in no mean.");
    }
    if summary.per_agent.len() > 1 {
        html.raw(" Intervals are each agent’s own: for a difference between agents, compare them in pairs.");
    }
    html.raw("</p>\n");
}
