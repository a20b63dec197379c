//! Two runs side by side.

use eval_report::Summary;
use eval_report::compare::{
    Comparison, ScenarioChange, Side, Standing, Tally, agent_pairs, compare as compared,
};
use eval_report::html::{Document, Html, count};

use super::frame::{document, ways};
use super::link::{file_link, run_link};
use super::row::{when, word};
use crate::library::Look;

/// Scenarios that are listed.
const SCENARIOS: usize = 1_000;

/// Pairs of agents that are shown.
const PAIRS: usize = 12;

/// The comparison of two runs, the older one first, of the agents that were chosen.
pub(crate) fn compare(sides: &[Look; 2], before: Option<&str>, after: Option<&str>) -> Document {
    let [old, new] = sides;
    let mut header = Html::default();
    header
        .raw("<p class=\"kind\">Comparison</p>\n<h1>")
        .name(&new.summary.run.benchmark)
        .raw("</h1>\n<dl class=\"facts sides\">");
    for (name, look) in [("before", old), ("after", new)] {
        header
            .raw("<div><dt>")
            .raw(name)
            .raw("</dt><dd><a")
            .attribute("href", run_link(&look.found.key))
            .raw("><code>");
        header.name(&look.found.label).raw("</code></a> ");
        when(look.summary.run.started_at_ms, &mut header);
        header.raw(" ");
        word(look.state, &mut header);
        header.raw("</dd></div>");
    }
    header.raw("</dl>\n");
    let mut main = Html::default();
    agents(sides, before, after, &mut main);
    if old.summary.run.benchmark != new.summary.run.benchmark {
        main.raw("<p class=\"banner warn\"><strong>Different benchmarks:</strong> ")
            .name(&old.summary.run.benchmark);
        main.raw(" before, ").name(&new.summary.run.benchmark).raw(" after.</p>\n");
    }
    match agent_pairs(&old.summary, &new.summary, before, after) {
        Err(message) => {
            main.raw("<section id=\"none\" aria-label=\"Nothing to compare\"><p>").name(&message);
            main.raw("</p>\n<p>Choose an agent for each side.</p></section>\n");
        }
        Ok(pairs) => {
            for (nth, (a, b)) in pairs.iter().take(PAIRS).enumerate() {
                let side = |look: &'_ Look| look.found.label.clone();
                let (labels, summaries) = ([side(old), side(new)], [&old.summary, &new.summary]);
                let comparison = compared(
                    Side { summary: summaries[0], agent: a, directory: &labels[0] },
                    Side { summary: summaries[1], agent: b, directory: &labels[1] },
                );
                section(nth, &comparison, [&old.found.key, &new.found.key], &mut main);
            }
            if pairs.len() > PAIRS {
                main.raw("<p class=\"note\">And ")
                    .text(pairs.len() - PAIRS)
                    .raw(" more agents: choose one above.</p>\n");
            }
        }
    }
    document("Comparison".to_owned(), false, &ways(|_| {}), &header, &main)
}

/// Lets the agents be chosen, where there is a choice.
fn agents(sides: &[Look; 2], before: Option<&str>, after: Option<&str>, html: &mut Html) {
    if sides.iter().all(|look| look.summary.per_agent.len() < 2) {
        return;
    }
    html.raw("<form class=\"tools\" id=\"filter\" action=\"/compare\" aria-label=\"Agents\">\n");
    for (look, name, label, chosen) in
        [(&sides[0], "agent-a", "Agent before", before), (&sides[1], "agent-b", "Agent after", after)]
    {
        html.raw("<input type=\"hidden\" name=\"run\"").attribute("value", &look.found.key).raw(">");
        html.raw("<label><span>")
            .raw(label)
            .raw("</span><select")
            .attribute("name", name)
            .attribute("id", name);
        html.raw("><option value=\"\">each of both</option>");
        for agent in names(&look.summary) {
            html.raw("<option").attribute("value", agent).raw(if Some(agent) == chosen {
                " selected>"
            } else {
                ">"
            });
            html.name(agent).raw("</option>");
        }
        html.raw("</select></label>\n");
    }
    html.raw("<button id=\"show\">Compare</button>\n</form>\n");
}

fn names(summary: &Summary) -> impl Iterator<Item = &str> {
    summary.per_agent.iter().map(|row| row.agent.as_str()).take(500)
}

fn section(nth: usize, comparison: &Comparison, keys: [&str; 2], html: &mut Html) {
    let (before, after) = (&comparison.before, &comparison.after);
    html.raw("<section")
        .attribute("id", format_args!("c{nth}"))
        .attribute("aria-labelledby", format_args!("h{nth}"));
    html.raw(">\n<h2").attribute("id", format_args!("h{nth}")).raw(">").name(&before.agent);
    if before.agent != after.agent {
        html.raw(" → ").name(&after.agent);
    }
    html.raw("</h2>\n");
    headline(comparison, html);
    if comparison.scenarios.is_empty() {
        html.raw("</section>\n");
        return;
    }
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Scenarios\">\n<table>\n");
    html.raw("<caption class=\"hidden\">Scenarios: what changed most comes first</caption>\n<thead><tr>");
    html.raw("<th scope=\"col\">Scenario</th><th scope=\"col\">Standing</th><th scope=\"col\" class=\"n\">Before</th>");
    html.raw("<th scope=\"col\" class=\"n\">After</th><th scope=\"col\" class=\"n\">Difference</th>");
    html.raw("<th scope=\"col\" class=\"n\">p</th><th scope=\"col\">Logs</th></tr></thead>\n<tbody>\n");
    let mut changes: Vec<&ScenarioChange> = comparison.scenarios.iter().collect();
    changes.sort_by(|a, b| {
        let size = |change: &ScenarioChange| change.difference.unwrap_or_default().abs();
        a.standing.cmp(&b.standing).then(size(b).total_cmp(&size(a)))
    });
    for change in changes.iter().take(SCENARIOS) {
        row(change, comparison, keys, html);
    }
    html.raw("</tbody>\n</table>\n</div>\n");
    if changes.len() > SCENARIOS {
        html.raw("<p class=\"note\">And ").text(changes.len() - SCENARIOS);
        html.raw(" more: <code>runloop-eval compare --format json</code> has all.</p>\n");
    }
    html.raw("</section>\n");
}

fn headline(comparison: &Comparison, html: &mut Html) {
    let change = &comparison.change;
    match (change.difference, change.mean_before, change.mean_after) {
        (Some(difference), Some(before), Some(after)) => {
            html.raw("<p class=\"big\">").text(format_args!("{difference:+.3}"));
            html.raw(" <span>mean score ")
                .text(format_args!("{before:.3} → {after:.3}"))
                .raw("</span></p>\n<p class=\"sub\">");
            match change.interval.filter(|interval| !interval.degenerate) {
                Some(interval) => {
                    html.text(format_args!("95 % from {:+.3} to {:+.3}", interval.low, interval.high))
                }
                None => html.raw("no interval"),
            };
            if let Some(p) = comparison.p {
                html.raw(" · p = ").text(format_args!("{p:.4}"));
            }
            html.raw(" · ").text(count(comparison.paired, "paired scenario"));
            if let Some(drop) = comparison.detectable_drop {
                html.raw("<br>A drop of ")
                    .text(format_args!("{drop:.3}"))
                    .raw(" shows 4 times of 5 with trials like these.");
            }
            html.raw("</p>\n");
        }
        _ => {
            html.raw("<p class=\"big none\">nothing to compare</p>\n");
            html.raw("<p class=\"sub\">no scenario has a score and the same definition on both sides</p>\n");
        }
    }
    html.raw("<ul class=\"counts\" aria-label=\"Scenarios\">");
    for (standing, n) in comparison.counts.iter().filter(|(_, n)| **n > 0) {
        html.raw("<li>");
        self::standing(*standing, html);
        html.raw(" ").text(n).raw("</li>");
    }
    html.raw("</ul>\n");
}

fn standing(standing: Standing, html: &mut Html) {
    let (class, sign) = match standing {
        Standing::Regressed => ("failed", "▼"),
        Standing::Improved => ("passed", "▲"),
        Standing::Undecided => ("canceled", "?"),
        Standing::Unchanged => ("canceled", "="),
        Standing::Missing => ("invalid", "!"),
        Standing::ChangedDefinition => ("invalid", "≠"),
    };
    html.raw("<span class=\"is ")
        .raw(class)
        .raw("\"><span class=\"sign\" aria-hidden=\"true\">")
        .raw(sign)
        .raw("</span>");
    html.raw(standing.as_str()).raw("</span>");
}

fn row(change: &ScenarioChange, comparison: &Comparison, keys: [&str; 2], html: &mut Html) {
    html.raw("<tr><th scope=\"row\" class=\"name\">").name(&change.scenario);
    if let Some(old) = &change.renamed_from {
        html.raw(" <span class=\"who\">was ").name(old).raw("</span>");
    }
    html.raw("</th><td>");
    standing(change.standing, html);
    for side in [&change.before, &change.after] {
        html.raw("</td><td class=\"n\">");
        tally(side.as_ref(), html);
    }
    html.raw("</td><td class=\"n\">");
    if let Some(difference) = change.difference {
        html.text(format_args!("{difference:+.3}"));
    }
    html.raw("</td><td class=\"n muted\">");
    if let Some(p) = change.p {
        html.text(format_args!("{p:.3}"));
    }
    html.raw("</td><td>");
    if let Some(flip) = comparison.flips.iter().find(|flip| flip.scenario == change.scenario) {
        let sides = [
            ("before", keys[0], &flip.logs_before, &comparison.before.directory),
            ("after", keys[1], &flip.logs_after, &comparison.after.directory),
        ];
        for (word, key, logs, directory) in sides {
            let logs = logs.as_deref().and_then(|logs| logs.strip_prefix(directory.trim_end_matches('/')));
            if let Some(logs) = logs.and_then(|logs| logs.strip_prefix('/')) {
                html.raw("<a").attribute("href", file_link(key, logs)).raw(">").raw(word).raw("</a> ");
            }
        }
    }
    html.raw("</td></tr>\n");
}

fn tally(tally: Option<&Tally>, html: &mut Html) {
    match tally {
        None => html.raw("<span class=\"muted\">not there</span>"),
        Some(Tally { mean_score: None, .. }) => html.raw("<span class=\"muted\">no score</span>"),
        Some(Tally { mean_score: Some(mean), scored, passed, .. }) => html
            .text(format_args!("{mean:.3}"))
            .raw(" <span class=\"muted\">")
            .text(format_args!("{passed}/{scored}"))
            .raw("</span>"),
    };
}
