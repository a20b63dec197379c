//! The part of a run's page that says what is going on.

use std::time::{SystemTime, UNIX_EPOCH};

use eval_report::html::{Html, count, duration};

use crate::entry::State;
use crate::library::Look;
use crate::now::{Doing, Running};

/// Trials that are listed.
const LISTED: usize = 100;

/// How the run stands, and which trials run. The script fetches it alone, again and again.
pub(crate) fn now(look: &Look) -> Html {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
    let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let mut html = Html::default();
    html.raw("<section id=\"now\" aria-label=\"Now\"").attribute("data-now", now_ms);
    html.attribute("data-revision", revision(look));
    html.raw(if look.state == State::Running { " class=\"live\">\n" } else { " class=\"over\">\n" });
    match look.state {
        State::Running => running(look, now_ms, &mut html),
        State::Killed => {
            html.raw("<p class=\"banner warn\"><strong>Killed.</strong> Nobody writes to this run any more, and it did not ");
            html.raw(
                "come to its end. <code>runloop-eval run --resume</code> with its directory goes on.</p>\n",
            );
        }
        State::Unreadable => {
            html.raw("<p class=\"banner warn\"><strong>Damaged.</strong> The record cannot be read to its end; the numbers ");
            html.raw("below are of what comes before. ")
                .text(look.error.as_deref().unwrap_or_default())
                .raw("</p>\n");
        }
        State::Complete | State::Incomplete | State::Interrupted => {}
    }
    html.raw("</section>\n");
    html
}

/// Changes whenever there is more to show than this part: its gate may decide again when a run is over.
fn revision(look: &Look) -> String {
    let judged = look.judged.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{}-{}-{}", look.revision, look.state.word(), judged.as_nanos())
}

fn running(look: &Look, now_ms: i64, html: &mut Html) {
    let total = &look.summary.total;
    let done = total.planned.saturating_sub(total.unfinished);
    html.raw("<h2>Running</h2>\n<p>").text(done).raw(" of ").text(count(total.planned, "trial"));
    html.raw(if done == 1 { " has a verdict.</p>\n" } else { " have a verdict.</p>\n" });
    html.raw("<progress aria-label=\"Trials with a verdict\"").attribute("max", total.planned.max(1));
    html.attribute("value", done).raw("></progress>\n");
    if look.running.is_empty() {
        return;
    }
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Running trials\">\n<table class=\"going\">\n");
    html.raw(
        "<caption class=\"hidden\">Trials that run now</caption>\n<thead><tr><th scope=\"col\">Trial</th>",
    );
    html.raw("<th scope=\"col\">Phase</th><th scope=\"col\" class=\"n\">For</th>");
    html.raw("<th scope=\"col\" class=\"n\">Attempt</th><th scope=\"col\" class=\"n\">Since its start</th></tr></thead>\n<tbody>\n");
    for running in look.running.iter().take(LISTED) {
        trial(running, now_ms, html);
    }
    html.raw("</tbody>\n</table>\n</div>\n");
    if look.running.len() > LISTED {
        html.raw("<p class=\"note\">And ").text(look.running.len() - LISTED).raw(" more.</p>\n");
    }
}

fn trial(running: &Running, now_ms: i64, html: &mut Html) {
    html.raw("<tr><th scope=\"row\" class=\"name\">")
        .name(&running.trial.scenario)
        .raw("<span class=\"who\"> · ");
    html.name(&running.trial.agent).raw(" · ").text(running.trial.repetition).raw("</span></th><td>");
    match running.doing {
        Doing::Waiting => html.raw("begins"),
        Doing::In(phase) => html.raw(phase.as_str()),
        Doing::Failed(cause) => {
            html.raw("<span class=\"is invalid\">to be tried again: ").raw(cause.as_str()).raw("</span>")
        }
    };
    html.raw("</td><td class=\"n\">");
    since(running.since_ms, now_ms, html);
    html.raw("</td><td class=\"n\">").text(running.attempt).raw("</td><td class=\"n\">");
    since(running.started_ms, now_ms, html);
    html.raw("</td></tr>\n");
}

/// A time that the script lets go on.
fn since(since_ms: i64, now_ms: i64, html: &mut Html) {
    html.raw("<span").attribute("data-since", since_ms).raw(">");
    html.text(duration(u64::try_from(now_ms.saturating_sub(since_ms)).unwrap_or(0) / 1000 * 1000))
        .raw("</span>");
}
