//! What scenarios of a kind have in common: mean and pass rate by label.

use crate::text::percent;
use crate::{Interval, Measures, Summary};

use super::markup::Html;
use super::plot::{Range, range};
use super::ranges::{Ranges, number, passed};

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
    let table = Ranges {
        caption: "Mean score and pass rate of each label",
        of: "Label",
        drawn: "mean score",
        numbers: &["Passed", "Pass rate", "95 % interval", "Mean score"],
        several,
    };
    table.head(&mut html);
    for group in rows.chunk_by(|a, b| (&a.key, &a.value) == (&b.key, &b.value)) {
        let name = |html: &mut Html| {
            html.raw("<span class=\"muted\">").name(&group[0].key).raw("</span> ").name(&group[0].value);
        };
        table.rows(group, name, |row| &row.agent, |row, html| numbers(&row.measures, html), &mut html);
    }
    html.raw("</table>\n");
    Some(html)
}

fn numbers(measures: &Measures, html: &mut Html) {
    let Measures { pass_rate, mean_score, mean_bounds, .. } = *measures;
    let interval = measures.mean_interval.filter(|interval| !interval.degenerate);
    let interval = interval.map(|interval| Interval { low: interval.low, high: interval.high });
    html.raw("<td class=\"wide\">");
    range(Range { estimate: mean_score, interval, bounds: mean_bounds, mean: None }, html);
    html.raw("</td>");
    passed(measures, html);
    number("n", pass_rate.map(percent), html);
    let interval = interval.map(|Interval { low, high }| format!("{low:.3} – {high:.3}"));
    number("n muted", interval, html);
    number("n", mean_score.map(|mean| format!("{mean:.3}")), html);
}
