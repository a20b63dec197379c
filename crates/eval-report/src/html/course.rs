//! The course of a trial: its attempts, the phases of each with their times, and why another one was made.

use eval_record::{Phase, attempt_directory};
use jiff::Timestamp;

use crate::text::{duration, one_line};
use crate::{Attempt, Span, Trial};

use super::Logs;
use super::markup::Html;
use super::output;
use super::plot::Percent;

/// Attempts that are shown: the last ones.
const ATTEMPTS: usize = 10;

/// Longest message, in characters.
const MESSAGE: usize = 400;

/// Writes it, with what agents of earlier attempts printed in about `limit` bytes.
pub(crate) fn write(trial: &Trial, logs: &dyn Logs, limit: usize, html: &mut Html) {
    let all = &trial.history;
    if all.iter().all(|attempt| attempt.phases_ms.is_empty() && attempt.cause.is_none()) {
        return;
    }
    html.raw("<h3>Course</h3>\n");
    let shown = &all[all.len().saturating_sub(ATTEMPTS)..];
    if shown.len() < all.len() {
        html.raw("<p class=\"note\">The last ").text(shown.len()).raw(" of ").text(all.len());
        html.raw(" attempts.</p>\n");
    }
    html.raw("<ol class=\"course\">\n");
    let longest = shown.iter().map(end).max().unwrap_or(0).max(1);
    let earlier = shown.iter().filter(|attempt| attempt.cause.is_some()).count().max(1);
    for attempt in shown {
        html.raw("<li>");
        line(attempt, all.len() > 1, html);
        phases(attempt, longest, html);
        if let Some(cause) = attempt.cause {
            html.raw("<p class=\"why\">Given up: <code>").raw(cause.as_str()).raw("</code> ");
            html.text(one_line(attempt.message.as_deref().unwrap_or_default(), MESSAGE)).raw("</p>\n");
            outputs(trial, attempt, logs, limit / earlier, html);
        }
        html.raw("</li>\n");
    }
    html.raw("</ol>\n");
}

fn line(attempt: &Attempt, several: bool, html: &mut Html) {
    html.raw("<p>");
    if several {
        html.raw("<b>Attempt ").text(attempt.attempt).raw("</b> ");
    }
    if let Ok(at) = Timestamp::from_millisecond(attempt.started_at_ms) {
        html.raw("<span class=\"muted\">from <time").attribute("datetime", at).raw(">");
        html.text(at.strftime("%H:%M:%S")).raw(" UTC</time>");
        match attempt.took_ms {
            Some(ms) => html.raw(", took ").text(duration(ms)),
            None => html.raw(", without an end in the record"),
        };
        html.raw("</span>");
    }
    html.raw("</p>\n");
}

/// Milliseconds until the last thing that is known of it.
fn end(attempt: &Attempt) -> u64 {
    attempt.took_ms.or(attempt.phases_ms.values().copied().max()).unwrap_or(0)
}

/// A bar, on a scale that all attempts of the trial share, and the same in words.
fn phases(attempt: &Attempt, longest: u64, html: &mut Html) {
    let spans = attempt.spans();
    if spans.is_empty() {
        return;
    }
    let all = longest as f64;
    html.raw("<svg class=\"bar\" aria-hidden=\"true\" focusable=\"false\" height=\"10\">");
    for Span { phase, from_ms, to_ms } in &spans {
        let to = to_ms.unwrap_or(end(attempt));
        html.raw("<rect height=\"10\" class=\"phase ").raw(phase.as_str()).raw("\"");
        html.attribute("x", Percent(*from_ms as f64 / all));
        html.attribute("width", Percent(to.saturating_sub(*from_ms) as f64 / all)).raw("/>");
    }
    html.raw("</svg>\n<ul class=\"spans\">");
    for Span { phase, from_ms, to_ms } in &spans {
        html.raw("<li><span class=\"key ").raw(phase.as_str()).raw("\" aria-hidden=\"true\"></span>");
        html.raw(phase.as_str()).raw(" ");
        match to_ms {
            Some(to) => html.text(duration(to.saturating_sub(*from_ms))),
            None => html.raw("without an end"),
        };
        html.raw(" <span class=\"muted\">at ").text(duration(*from_ms)).raw("</span></li>");
    }
    html.raw("</ul>\n");
}

/// What the agent of an earlier attempt printed, if it came so far.
fn outputs(trial: &Trial, attempt: &Attempt, logs: &dyn Logs, limit: usize, html: &mut Html) {
    let mut outputs = Html::default();
    output::agent(&attempt_directory(&trial.key, attempt.attempt), None, logs, limit, &mut outputs);
    if outputs.len() > 0 {
        html.raw("<details class=\"earlier\"><summary>What the agent printed</summary>\n").piece(&outputs);
        html.raw("</details>\n");
    }
}

/// When the agent of the last attempt worked.
pub(crate) fn agents_time(trial: &Trial) -> Option<Span> {
    trial.history.last()?.spans().into_iter().find(|span| span.phase == Phase::Agent)
}
