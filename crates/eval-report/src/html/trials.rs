//! The list of trials, with a section for each.

use std::collections::HashMap;

use crate::text::duration;
use crate::{Summary, Trial};

use super::markup::{Html, count, size};
use super::status::Outcome;
use super::trial::{excerpts, facts};
use super::{EXCERPTS, LISTED, Logs};

/// Most bytes of one trial's excerpts, and the least that is worth showing.
const OF_ONE: (usize, usize) = (4 << 10, 96 << 10);

/// `None` without trials.
pub(crate) fn section(summary: &Summary, logs: &dyn Logs) -> Option<Html> {
    if summary.trials.is_empty() {
        return None;
    }
    let listed = &summary.trials[..summary.trials.len().min(LISTED)];
    let excerpts = all_excerpts(listed, logs);
    let mut html = Html::default();
    if listed.len() < summary.trials.len() {
        html.raw("<p class=\"note\">The first ").text(listed.len()).raw(" of ").text(summary.trials.len());
        html.raw(" trials; results.json has all.</p>\n");
    }
    let without = excerpts.iter().filter(|excerpts| excerpts.is_none()).count();
    if without > 0 {
        html.raw("<p class=\"note\">To keep this file small, the logs of ")
            .text(count(without as u64, "trial"));
        html.raw(" are left out (passed ones first): excerpts of all logs take at most ")
            .text(size(EXCERPTS as u64));
        html.raw(" together. Each trial says where its own are.</p>\n");
    }
    tools(summary, &mut html);
    // By place: names may be anything.
    let agents: HashMap<&str, usize> =
        summary.per_agent.iter().enumerate().map(|(place, row)| (row.agent.as_str(), place)).collect();
    html.raw("<ul class=\"trials\" id=\"list\" role=\"list\">\n");
    for (place, (trial, excerpts)) in listed.iter().zip(&excerpts).enumerate() {
        let agent = agents.get(trial.key.agent.as_str()).copied().unwrap_or_default();
        html.raw("<li").attribute("data-by", agent);
        item(place, trial, excerpts.as_ref(), logs, listed.len() == 1, &mut html);
    }
    html.raw("</ul>\n<p id=\"nothing\" hidden>No trial is like that.</p>\n");
    Some(html)
}

/// The excerpts of each trial, within the bytes that there are for all: trials without a score first, then failed ones.
/// `None` for those that there is no room for.
fn all_excerpts(trials: &[Trial], logs: &dyn Logs) -> Vec<Option<Html>> {
    let limit = (EXCERPTS / trials.len().max(1)).clamp(OF_ONE.0, OF_ONE.1);
    let mut left = EXCERPTS;
    let mut pieces = vec![None; trials.len()];
    let mut order: Vec<usize> = (0..trials.len()).collect();
    order.sort_by_key(|place| Outcome::of(&trials[*place]));
    for place in order {
        if left < limit {
            break;
        }
        let piece = excerpts(&trials[place], logs, limit);
        left = left.saturating_sub(piece.len());
        pieces[place] = Some(piece);
    }
    pieces
}

/// What only the script can do; it shows them.
fn tools(summary: &Summary, html: &mut Html) {
    html.raw("<form class=\"tools\" id=\"tools\" role=\"search\" aria-label=\"Trials\" hidden>\n");
    html.raw("<label class=\"search\"><span>Search</span><input id=\"search\" type=\"search\" autocomplete=\"off\" ");
    html.raw("spellcheck=\"false\" placeholder=\"names, messages, logs\"></label>\n");
    html.raw("<label><span>Outcome</span><select id=\"outcome\"><option value=\"\">all</option>");
    for outcome in Outcome::ALL {
        let n = summary.trials.iter().filter(|trial| Outcome::of(trial) == outcome).count();
        if n > 0 {
            html.raw("<option value=\"").raw(outcome.word()).raw("\">").raw(outcome.word()).raw(" (").text(n);
            html.raw(")</option>");
        }
    }
    html.raw("</select></label>\n");
    if summary.per_agent.len() > 1 {
        html.raw("<label><span>Agent</span><select id=\"agent\"><option value=\"\">all</option>");
        for (place, row) in summary.per_agent.iter().enumerate().take(1_000) {
            html.raw("<option").attribute("value", place).raw(">").name(&row.agent).raw("</option>");
        }
        html.raw("</select></label>\n");
    }
    html.raw("<label><span>Order</span><select id=\"order\"><option value=\"\">as planned</option>");
    html.raw("<option value=\"low\">lowest score</option><option value=\"high\">highest score</option>");
    html.raw("<option value=\"slow\">slowest</option></select></label>\n");
    html.raw("<button type=\"button\" id=\"open\">Open all</button>\n");
    html.raw("<p id=\"found\" role=\"status\"></p>\n");
    html.raw("<p class=\"keys\"><label><input type=\"checkbox\" id=\"keys\" checked> Keys</label>: <kbd>/</kbd> search, ");
    html.raw("<kbd>j</kbd> <kbd>k</kbd> next and previous trial, <kbd>n</kbd> next one that did not pass, ");
    html.raw("<kbd>Enter</kbd> open, <kbd>Esc</kbd> clear</p>\n</form>\n");
}

fn item(place: usize, trial: &Trial, excerpts: Option<&Html>, logs: &dyn Logs, open: bool, html: &mut Html) {
    let outcome = Outcome::of(trial);
    html.raw(" data-is=\"").raw(outcome.word()).raw("\"").attribute("data-ms", trial.duration_ms());
    if let Some(score) = trial.score {
        html.attribute("data-score", score);
    }
    html.raw("><details id=\"t")
        .text(place + 1)
        .raw("\"")
        .raw(if open { " open" } else { "" })
        .raw("><summary>");
    outcome.write(html);
    html.raw("<b>").name(&trial.key.scenario).raw("</b><span class=\"who\">");
    html.name(&trial.key.agent).raw(" · ").text(trial.key.repetition).raw("</span><span class=\"n\">");
    match (trial.score, trial.cause) {
        (Some(score), _) => html.text(format_args!("{score:.3}")),
        (None, Some(cause)) => html.raw("<code>").raw(cause.as_str()).raw("</code>"),
        (None, None) => html,
    };
    html.raw("</span><span class=\"n ms\">");
    if !trial.durations_ms.is_empty() {
        html.text(duration(trial.duration_ms()));
    }
    html.raw("</span></summary>\n<div class=\"body\">\n");
    facts(trial, excerpts.is_none(), logs, html);
    if let Some(excerpts) = excerpts {
        html.piece(excerpts);
    }
    html.raw("</div></details></li>\n");
}
