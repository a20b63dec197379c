//! The trials without a score, called out with their causes.

use std::collections::BTreeMap;

use eval_record::Cause;

use crate::text::one_line;
use crate::{Summary, Trial, TrialStatus};

use super::LISTED;
use super::markup::{Html, count};
use super::status::{Outcome, meaning};

/// Trials that are named under each cause.
const NAMED: usize = 20;

/// Longest message, in characters.
const MESSAGE: usize = 300;

/// `None` if every trial has a score.
pub(crate) fn section(summary: &Summary) -> Option<Html> {
    let mut causes: BTreeMap<Option<Cause>, Vec<(usize, &Trial)>> = BTreeMap::new();
    for (place, trial) in summary.trials.iter().enumerate() {
        let told = match trial.status {
            TrialStatus::Invalid => true,
            TrialStatus::Canceled => trial.cause.is_some(),
            TrialStatus::Scored | TrialStatus::Unfinished => false,
        };
        if told {
            causes.entry(trial.cause).or_default().push((place, trial));
        }
    }
    if causes.is_empty() {
        return None;
    }
    let mut html = Html::default();
    html.raw(
        "<p>The agent is not to blame for these, so they are in no mean: they only widen the bounds.</p>\n",
    );
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, trials)| std::cmp::Reverse(trials.len()));
    for (cause, trials) in causes {
        html.raw("<div class=\"cause\">\n<h3><code>")
            .raw(cause.map_or("no cause", Cause::as_str))
            .raw("</code> ");
        html.raw("<span class=\"muted\">").text(count(trials.len() as u64, "trial")).raw("</span></h3>\n");
        html.raw("<p>").raw(cause.map_or("", meaning)).raw("</p>\n<ul>\n");
        for (place, trial) in trials.iter().take(NAMED) {
            html.raw("<li>");
            Outcome::of(trial).write(&mut html);
            html.raw(" ");
            link(*place, trial, &mut html);
            if trial.attempts > 1 {
                html.raw(" <span class=\"muted\">after ").text(trial.attempts).raw(" attempts</span>");
            }
            if let Some(message) = &trial.message {
                html.raw("<br><span class=\"message\">").text(one_line(message, MESSAGE)).raw("</span>");
            }
            html.raw("</li>\n");
        }
        html.raw("</ul>\n");
        if trials.len() > NAMED {
            html.raw("<p class=\"note\">And ")
                .text(trials.len() - NAMED)
                .raw(" more: see the trials below.</p>\n");
        }
        html.raw("</div>\n");
    }
    Some(html)
}

/// A trial's name, leading to its section if there is one.
fn link(place: usize, trial: &Trial, html: &mut Html) {
    let listed = place < LISTED;
    if listed {
        html.raw("<a href=\"#t").text(place + 1).raw("\">");
    }
    html.name(&trial.key.scenario).raw(" · ").name(&trial.key.agent).raw(" · ").text(trial.key.repetition);
    if listed {
        html.raw("</a>");
    }
}
