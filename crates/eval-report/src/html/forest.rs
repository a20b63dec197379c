//! The forest plot: how far each scenario's pass rate can be trusted.

use std::collections::HashMap;

use crate::text::percent;
use crate::{Interval, ScenarioRow, Summary};

use super::markup::Html;
use super::plot::{Range, range, scale};

/// Rows that are drawn.
const ROWS: usize = 300;

/// `None` without trials.
pub(crate) fn section(summary: &Summary) -> Option<Html> {
    let scenarios = scenarios(summary);
    if scenarios.is_empty() {
        return None;
    }
    let several = summary.per_agent.len() > 1;
    let shown = lowest(&scenarios, (ROWS / summary.per_agent.len().max(1)).max(10));
    let mut html = Html::default();
    html.raw("<p>Each scenario’s pass rate with its 95 % interval (Wilson): the fewer trials, the wider. ");
    html.raw(
        "A diamond is the mean score where that differs; a band is what the rate could be had the trials ",
    );
    html.raw("without a score failed or passed.</p>\n");
    if shown.len() < scenarios.len() {
        html.raw("<p class=\"note\">The ").text(shown.len()).raw(" scenarios with the lowest scores of ");
        html.text(scenarios.len()).raw("; results.json has all.</p>\n");
    }
    html.raw("<table class=\"forest\">\n<caption class=\"hidden\">Pass rate and mean score of each scenario");
    html.raw(if several { " and agent" } else { "" })
        .raw("</caption>\n<thead><tr><th scope=\"col\">Scenario</th>");
    if several {
        html.raw("<th scope=\"col\">Agent</th>");
    }
    html.raw("<th scope=\"col\" class=\"wide\"><span class=\"hidden\">Plot of the pass rate</span>");
    scale(&mut html);
    html.raw(
        "</th><th scope=\"col\" class=\"n\">Passed</th><th scope=\"col\" class=\"n\">95 % interval</th>",
    );
    html.raw("<th scope=\"col\" class=\"n\">Mean score</th></tr></thead>\n");
    for place in shown {
        let (scenario, rows) = &scenarios[place];
        html.raw("<tbody>");
        for (nth, row) in rows.iter().take(ROWS).enumerate() {
            html.raw("<tr>");
            if nth == 0 {
                html.raw("<th class=\"name\"").raw(if several {
                    " scope=\"rowgroup\""
                } else {
                    " scope=\"row\""
                });
                html.attribute("rowspan", rows.len().min(ROWS)).raw(">").name(scenario).raw("</th>");
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

fn numbers(row: &ScenarioRow, html: &mut Html) {
    let measures = &row.measures;
    let mean =
        measures.mean_score.filter(|mean| measures.pass_rate.is_some_and(|rate| (rate - mean).abs() > 5e-4));
    html.raw("<td class=\"wide\">");
    range(
        Range {
            estimate: measures.pass_rate,
            interval: measures.pass_rate_interval,
            bounds: measures.pass_rate_bounds,
            mean,
        },
        html,
    );
    html.raw("</td><td class=\"n\">").text(format_args!("{}/{}", measures.passed, measures.scored));
    if measures.without_score() > 0 {
        html.raw(" <span class=\"is invalid\">+ ").text(measures.without_score()).raw(" without</span>");
    }
    html.raw("</td><td class=\"n muted\">");
    match measures.pass_rate_interval {
        Some(Interval { low, high }) => html.text(percent(low)).raw(" – ").text(percent(high)),
        None => html.raw("none"),
    };
    html.raw("</td><td class=\"n\">");
    match measures.mean_score {
        Some(mean) => html.text(format_args!("{mean:.3}")),
        None => html.raw("none"),
    };
    html.raw("</td>");
}

/// The rows of each scenario, in the order of the plan.
pub(crate) fn scenarios(summary: &Summary) -> Vec<(&str, Vec<&ScenarioRow>)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut scenarios: Vec<(&str, Vec<&ScenarioRow>)> = Vec::new();
    for row in &summary.per_scenario {
        let place = *places.entry(&row.scenario).or_insert_with(|| {
            scenarios.push((&row.scenario, Vec::new()));
            scenarios.len() - 1
        });
        scenarios[place].1.push(row);
    }
    scenarios
}

/// The places of so many scenarios with the lowest mean score of any agent, in the order of the plan. Those without a score
/// come first: something is wrong with them.
pub(crate) fn lowest(scenarios: &[(&str, Vec<&ScenarioRow>)], most: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..scenarios.len()).collect();
    if places.len() <= most {
        return places;
    }
    let score = |place: &usize| {
        let (_, rows) = &scenarios[*place];
        rows.iter().map(|row| row.measures.mean_score.unwrap_or(-1.0)).fold(f64::INFINITY, f64::min)
    };
    places.sort_by(|a, b| score(a).total_cmp(&score(b)));
    places.truncate(most);
    places.sort_unstable();
    places
}
