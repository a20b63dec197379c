//! The run against its baseline: how far each scenario moved, and how far that can be trusted.

use crate::Summary;
use crate::compare::Change;
use crate::gate::{AgentVerdict, Regression, ScenarioDifference};
use crate::statistics::NEAR;

use super::markup::{Html, count};
use super::places::Places;
use super::plot::{difference, difference_scale};

/// Rows that are drawn of an agent.
const ROWS: usize = 200;

/// Scenarios up to which those that score the same are drawn too.
const ALL: usize = 40;

/// `None` where nothing is compared with a baseline.
pub(crate) fn section(summary: &Summary, places: &Places<'_>) -> Option<Html> {
    let agents = summary.gate.iter().flat_map(|verdict| &verdict.agents);
    let compared: Vec<(&AgentVerdict, &Regression)> =
        agents.filter_map(|agent| Some((agent, agent.regression.as_ref()?))).collect();
    if compared.is_empty() {
        return None;
    }
    let mut html = Html::default();
    html.raw("<p>Mean score now less that of the baseline, with its 95 % interval: of the mean, for other scenarios like these ");
    html.raw("(bootstrap over them); of a scenario, for other trials of it (Newcombe). An interval that holds 0 may be chance.</p>\n");
    for (agent, regression) in compared {
        if summary.per_agent.len() > 1 {
            html.raw("<h3>").name(&agent.agent).raw("</h3>\n");
        }
        table(agent, regression, places, &mut html);
    }
    Some(html)
}

fn table(agent: &AgentVerdict, regression: &Regression, places: &Places<'_>, html: &mut Html) {
    let moved = |scenario: &&ScenarioDifference| scenario.difference.abs() > NEAR;
    let rows: Vec<&ScenarioDifference> = if regression.scenarios.len() > ALL {
        regression.scenarios.iter().filter(moved).collect()
    } else {
        regression.scenarios.iter().collect()
    };
    html.raw("<table class=\"forest difference\">\n<caption class=\"hidden\">Difference to the baseline of each scenario</caption>\n");
    html.raw("<thead><tr><th scope=\"col\">Scenario</th>");
    html.raw("<th scope=\"col\" class=\"wide\"><span class=\"hidden\">Plot of the difference</span>");
    difference_scale(html);
    html.raw("</th><th scope=\"col\" class=\"n\">Baseline</th><th scope=\"col\" class=\"n\">Now</th>");
    html.raw("<th scope=\"col\" class=\"n\">95 % interval</th><th scope=\"col\" class=\"n\">Difference</th></tr></thead>\n");
    mean(&regression.change, regression.paired, html);
    html.raw("<tbody>");
    let (half, all) = (ROWS / 2, rows.len());
    // The largest drops come first and the largest gains last: both ends say most.
    let shown = rows.iter().enumerate().filter(|(nth, _)| all <= ROWS || *nth < half || *nth >= all - half);
    for (_, row) in shown {
        scenario(row, places.lowest(&row.scenario, &agent.agent), html);
    }
    html.raw("</tbody>\n</table>\n");
    if all > ROWS {
        html.raw("<p class=\"note\">The ").text(ROWS).raw(" scenarios of ").text(all);
        html.raw(" that moved furthest either way; gate.json has all.</p>\n");
    }
    let same = regression.scenarios.len() - all;
    if same > 0 {
        html.raw("<p class=\"note\">").text(count(same as u64, "more scenario"));
        html.raw(if same == 1 { " scores" } else { " score" }).raw(" the same as in the baseline.</p>\n");
    }
}

fn mean(change: &Change, scenarios: u64, html: &mut Html) {
    let (Some(before), Some(after), Some(moved)) = (change.mean_before, change.mean_after, change.difference)
    else {
        return;
    };
    let interval = change.interval.filter(|interval| !interval.degenerate);
    let interval = interval.map(|interval| (interval.low, interval.high));
    html.raw("<tbody class=\"all\"><tr><th scope=\"row\" class=\"name\">Mean of ");
    html.text(count(scenarios, "scenario")).raw("</th>");
    cells((before, None), (after, None), moved, interval, html);
    html.raw("</tr></tbody>\n");
}

/// A row; its name leads to the trial with the lowest score, if there is one.
fn scenario(row: &ScenarioDifference, trial: Option<usize>, html: &mut Html) {
    html.raw("<tr><th scope=\"row\" class=\"name\">");
    match trial {
        Some(place) => html.raw("<a href=\"#t").text(place + 1).raw("\">").name(&row.scenario).raw("</a>"),
        None => html.name(&row.scenario),
    };
    html.raw("</th>");
    let interval = row.interval.map(|interval| (interval.low, interval.high));
    let (before, after) = ((row.before, Some(row.before_trials)), (row.after, Some(row.after_trials)));
    cells(before, after, row.difference, interval, html);
    html.raw("</tr>");
}

fn cells(
    before: (f64, Option<u64>),
    after: (f64, Option<u64>),
    moved: f64,
    interval: Option<(f64, f64)>,
    html: &mut Html,
) {
    html.raw("<td class=\"wide\">");
    difference(moved, interval, html);
    html.raw("</td>");
    for (mean, trials) in [before, after] {
        html.raw("<td class=\"n\">").text(format_args!("{mean:.3}"));
        if let Some(trials) = trials {
            html.raw(" <span class=\"muted\">of ").text(trials).raw("</span>");
        }
        html.raw("</td>");
    }
    html.raw("<td class=\"n muted\">");
    match interval {
        Some((low, high)) => html.text(format_args!("{low:+.3} to {high:+.3}")),
        None => html.raw("none"),
    };
    html.raw("</td><td class=\"n\"><span");
    let class = match moved {
        moved if moved < -NEAR => " class=\"failed\"",
        moved if moved > NEAR => " class=\"passed\"",
        _ => "",
    };
    html.raw(class).raw(">").text(format_args!("{moved:+.3}")).raw("</span></td>");
}
