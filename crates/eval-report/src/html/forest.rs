//! The forest plot: how far each scenario's pass rate can be trusted.

use std::collections::HashMap;

use crate::text::percent;
use crate::{Interval, Measures, ScenarioRow, Summary};

use super::markup::Html;
use super::plot::{Range, range};
use super::ranges::{Ranges, number, passed};

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
    let table = Ranges {
        caption: "Pass rate and mean score of each scenario",
        of: "Scenario",
        drawn: "pass rate",
        numbers: &["Passed", "95 % interval", "Mean score"],
        several,
    };
    table.head(&mut html);
    for place in shown {
        let (scenario, rows) = &scenarios[place];
        let rows = &rows[..rows.len().min(ROWS)];
        let name = |html: &mut Html| {
            html.name(scenario);
        };
        table.rows(rows, name, |row| &row.agent, |row, html| numbers(&row.measures, html), &mut html);
    }
    html.raw("</table>\n");
    Some(html)
}

fn numbers(measures: &Measures, html: &mut Html) {
    let Measures { pass_rate, pass_rate_interval, pass_rate_bounds, mean_score, .. } = *measures;
    let mean = mean_score.filter(|mean| pass_rate.is_some_and(|rate| (rate - mean).abs() > 5e-4));
    html.raw("<td class=\"wide\">");
    range(Range { estimate: pass_rate, interval: pass_rate_interval, bounds: pass_rate_bounds, mean }, html);
    html.raw("</td>");
    passed(measures, html);
    let interval =
        pass_rate_interval.map(|Interval { low, high }| format!("{} – {}", percent(low), percent(high)));
    number("n muted", interval, html);
    number("n", mean_score.map(|mean| format!("{mean:.3}")), html);
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
