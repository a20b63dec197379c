//! What scenarios of a kind have in common: mean and pass rate by label.

use crate::text::percent;
use crate::{GroupRow, Interval, Measures, Summary};

use super::markup::Html;
use super::plot::{Range, range, scale};

/// Rows that are drawn.
const ROWS: usize = 300;

/// `None` where no label groups anything.
pub(crate) fn section(summary: &Summary) -> Option<Html> {
    let rows = &summary.per_group[..summary.per_group.len().min(ROWS)];
    if rows.is_empty() {
        return None;
    }
    let several = summary.per_agent.len() > 1;
    let mut html = Html::default();
    html.raw("<p>The mean score of the scenarios that share a label, with its 95 % interval (bootstrap over them); ");
    html.raw("a band is what it could be had the trials without a score failed or passed.</p>\n");
    if rows.len() < summary.per_group.len() {
        html.raw("<p class=\"note\">The first ").text(rows.len()).raw(" of ").text(summary.per_group.len());
        html.raw(" rows; results.json has all.</p>\n");
    }
    html.raw("<table class=\"forest\">\n<caption class=\"hidden\">Mean score and pass rate of each label");
    html.raw(if several { " and agent" } else { "" })
        .raw("</caption>\n<thead><tr><th scope=\"col\">Label</th>");
    if several {
        html.raw("<th scope=\"col\">Agent</th>");
    }
    html.raw("<th scope=\"col\" class=\"wide\"><span class=\"hidden\">Plot of the mean score</span>");
    scale(&mut html);
    html.raw("</th><th scope=\"col\" class=\"n\">Passed</th><th scope=\"col\" class=\"n\">Pass rate</th>");
    html.raw("<th scope=\"col\" class=\"n\">95 % interval</th><th scope=\"col\" class=\"n\">Mean score</th></tr></thead>\n");
    for group in rows.chunk_by(|a, b| (&a.key, &a.value) == (&b.key, &b.value)) {
        html.raw("<tbody>");
        for (nth, row) in group.iter().enumerate() {
            html.raw("<tr>");
            if nth == 0 {
                html.raw("<th class=\"name\"").raw(if several {
                    " scope=\"rowgroup\""
                } else {
                    " scope=\"row\""
                });
                html.attribute("rowspan", group.len()).raw("><span class=\"muted\">").name(&row.key);
                html.raw("</span> ").name(&row.value).raw("</th>");
            }
            if several {
                html.raw("<th scope=\"row\" class=\"agent\">").name(&row.agent).raw("</th>");
            }
            numbers(row, &mut html);
            html.raw("</tr>");
        }
        html.raw("</tbody>\n");
    }
    html.raw("</table>\n");
    Some(html)
}

fn numbers(row: &GroupRow, html: &mut Html) {
    let Measures { passed, scored, pass_rate, mean_score, mean_bounds, .. } = row.measures;
    let interval = row.measures.mean_interval.filter(|interval| !interval.degenerate);
    let interval = interval.map(|interval| Interval { low: interval.low, high: interval.high });
    html.raw("<td class=\"wide\">");
    range(Range { estimate: mean_score, interval, bounds: mean_bounds, mean: None }, html);
    html.raw("</td><td class=\"n\">").text(format_args!("{passed}/{scored}"));
    if row.measures.without_score() > 0 {
        html.raw(" <span class=\"is invalid\">+ ").text(row.measures.without_score()).raw(" without</span>");
    }
    html.raw("</td><td class=\"n\">");
    match pass_rate {
        Some(rate) => html.text(percent(rate)),
        None => html.raw("none"),
    };
    html.raw("</td><td class=\"n muted\">");
    match interval {
        Some(Interval { low, high }) => html.text(format_args!("{low:.3} – {high:.3}")),
        None => html.raw("none"),
    };
    html.raw("</td><td class=\"n\">");
    match mean_score {
        Some(mean) => html.text(format_args!("{mean:.3}")),
        None => html.raw("none"),
    };
    html.raw("</td>");
}
