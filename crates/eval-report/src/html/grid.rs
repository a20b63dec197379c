//! Agents × scenarios: a tile for each trial.

use std::collections::HashMap;

use crate::{Summary, Trial};

use super::forest::{lowest, scenarios};
use super::headline::more;
use super::markup::Html;
use super::status::Outcome;
use super::{AGENTS, LISTED};

/// Tiles that are drawn.
const TILES: usize = 4_000;

/// Tiles of one cell.
const IN_CELL: usize = 60;

/// `None` where it would say no more than the list of trials: with one agent that tries each scenario once.
pub(crate) fn section(summary: &Summary) -> Option<Html> {
    if summary.trials.len() == summary.per_scenario.len() && summary.per_agent.len() < 2 {
        return None;
    }
    let mut cells: HashMap<(&str, &str), Vec<(usize, &Trial)>> = HashMap::new();
    for (place, trial) in summary.trials.iter().enumerate() {
        cells.entry((&trial.key.scenario, &trial.key.agent)).or_default().push((place, trial));
    }
    let scenarios = scenarios(summary);
    let agents: Vec<&str> = summary.per_agent.iter().take(AGENTS).map(|row| row.agent.as_str()).collect();
    let in_row = (summary.trials.len() / scenarios.len().max(1)).max(1);
    let shown = lowest(&scenarios, (TILES / in_row).max(10));
    let mut html = Html::default();
    html.raw("<p>One tile a trial; it leads to what happened there.</p>\n<p class=\"legend\">");
    for outcome in Outcome::ALL {
        if summary.trials.iter().any(|trial| Outcome::of(trial) == outcome) {
            outcome.write(&mut html);
            html.raw(" ");
        }
    }
    html.raw("</p>\n");
    if shown.len() < scenarios.len() {
        html.raw("<p class=\"note\">The ").text(shown.len()).raw(" scenarios with the lowest scores of ");
        html.text(scenarios.len()).raw(".</p>\n");
    }
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Agents and scenarios\">\n");
    html.raw(
        "<table class=\"grid\">\n<caption class=\"hidden\">Trials of each scenario and agent</caption>\n",
    );
    html.raw("<thead><tr><th scope=\"col\">Scenario</th>");
    for agent in &agents {
        html.raw("<th scope=\"col\">").name(agent).raw("</th>");
    }
    html.raw("</tr></thead>\n<tbody>\n");
    for place in shown {
        let (scenario, _) = &scenarios[place];
        html.raw("<tr><th scope=\"row\" class=\"name\">").name(scenario).raw("</th>");
        for agent in &agents {
            html.raw("<td>");
            let trials = cells.get(&(*scenario, *agent)).map_or(&[][..], Vec::as_slice);
            for (place, trial) in trials.iter().take(IN_CELL) {
                tile(*place, trial, &mut html);
            }
            if trials.len() > IN_CELL {
                html.raw(" +").text(trials.len() - IN_CELL);
            }
            html.raw("</td>");
        }
        html.raw("</tr>\n");
    }
    html.raw("</tbody>\n</table>\n</div>\n");
    more(summary.per_agent.len(), &mut html);
    Some(html)
}

fn tile(place: usize, trial: &Trial, html: &mut Html) {
    let outcome = Outcome::of(trial);
    let element = if place < LISTED { "a" } else { "span" };
    html.raw("<").raw(element).raw(" class=\"tile ").raw(outcome.word()).raw("\"");
    if place < LISTED {
        html.raw(" href=\"#t").text(place + 1).raw("\"");
    }
    html.raw("><span aria-hidden=\"true\">").raw(outcome.sign()).raw("</span>");
    match trial.score {
        // Between all and nothing, the score is worth its room.
        Some(score) if score > 0.0 && score < 1.0 => html.text(format_args!(" {score:.2}")),
        _ => html,
    };
    html.raw("<span class=\"hidden\">").raw(outcome.word()).raw("</span></").raw(element).raw(">");
}
