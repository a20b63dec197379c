//! Scores over time, as plots with their tables.

use eval_report::html::{Html, count};

use super::chart::chart;
use super::link::run_link;
use super::row::{counts, when, word};
use crate::definition::Relation;
use crate::entry::{Entry, State};
use crate::history::{Point, Series, history};

/// Plots that are drawn.
const SERIES: usize = 24;

/// Runs of each: the latest.
const POINTS: usize = 60;

/// Writes the section, if any run has a score.
pub(crate) fn section(entries: &[Entry], html: &mut Html) {
    let all = history(entries);
    if all.is_empty() {
        return;
    }
    html.raw("<section id=\"history\" aria-labelledby=\"h-history\">\n<h2 id=\"h-history\">Scores over time</h2>\n");
    html.raw("<p class=\"note\">Each run’s mean score with its 95 % interval, the latest on the right. A line joins runs that were ");
    html.raw("measured by the same scenarios in the same definition as the latest; a diamond stands alone, for it was measured by ");
    html.raw("something else. An open dot may change: some trials have no score.</p>\n");
    for (nth, series) in all.iter().take(SERIES).enumerate() {
        self::series(nth, series, html);
    }
    if all.len() > SERIES {
        html.raw("<p class=\"note\">And ").text(count((all.len() - SERIES) as u64, "more pair"));
        html.raw(" of benchmark and agent: choose a benchmark or an agent above.</p>\n");
    }
    html.raw("</section>\n");
}

fn series(nth: usize, series: &Series<'_>, html: &mut Html) {
    let shown = &series.points[series.points.len().saturating_sub(POINTS)..];
    html.raw("<article class=\"series\"").attribute("aria-labelledby", format_args!("s{nth}")).raw(">\n<h3");
    html.attribute("id", format_args!("s{nth}"))
        .raw(">")
        .name(series.benchmark)
        .raw(" <span class=\"who\">· ");
    html.name(series.agent).raw("</span></h3>\n");
    if shown.len() < series.points.len() {
        html.raw("<p class=\"note\">The last ")
            .text(shown.len())
            .raw(" of ")
            .text(series.points.len())
            .raw(" runs.</p>\n");
    }
    html.raw("<div class=\"beside\"><figure>");
    chart(shown, html);
    html.raw("</figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\"")
        .attribute("aria-labelledby", format_args!("s{nth}"));
    html.raw(
        ">\n<table>\n<caption class=\"hidden\">Mean scores, the latest run first</caption>\n<thead><tr>",
    );
    html.raw("<th scope=\"col\">Run</th><th scope=\"col\" class=\"n\">Mean score</th><th scope=\"col\" class=\"n\">95 % interval</th>");
    html.raw("<th scope=\"col\" class=\"n\">Trials</th><th scope=\"col\">Note</th></tr></thead>\n<tbody>\n");
    for point in shown.iter().rev() {
        self::point(point, html);
    }
    html.raw("</tbody>\n</table>\n</div></div>\n</article>\n");
}

fn point(point: &Point<'_>, html: &mut Html) {
    html.raw("<tr><th scope=\"row\"><a").attribute("href", run_link(&point.entry.found.key)).raw(">");
    when(point.entry.started_at_ms, html);
    html.raw("</a></th><td class=\"n\">");
    if let Some(mean) = point.measures.mean_score {
        html.text(format_args!("{mean:.3}"));
    }
    html.raw("</td><td class=\"n muted\">");
    match point.interval {
        Some(interval) => html.text(format_args!("{:.3} – {:.3}", interval.low, interval.high)),
        None => html.raw("none"),
    };
    html.raw("</td><td class=\"n\">");
    counts(point.measures, html);
    html.raw("</td><td>");
    if point.entry.state != State::Complete {
        word(point.entry.state, html);
        html.raw(" ");
    }
    html.raw(match point.relation {
        Relation::Same => "",
        Relation::Changed => "<span class=\"is invalid\">definition changed</span>",
        Relation::Other => "<span class=\"is invalid\">other scenarios</span>",
    });
    html.raw("</td></tr>\n");
}
