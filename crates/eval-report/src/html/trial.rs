//! What there is to read of one trial.

use eval_record::{AgentEnd, safe_name};

use crate::Trial;
use crate::text::{duration, one_line};

use super::cost::{money, thousands};
use super::diff;
use super::excerpt::Excerpt;
use super::markup::Html;
use super::status::meaning;
use super::{Logs, course, output, problem};

/// Most scorers and labels of a trial that are shown.
const SHOWN: usize = 50;

/// Longest message, in characters.
const MESSAGE: usize = 2_000;

/// What the record says: in every trial, and short where its logs are left out too (`brief`).
pub(crate) fn facts(trial: &Trial, brief: bool, logs: &dyn Logs, html: &mut Html) {
    if let Some(cause) = trial.cause {
        html.raw("<p class=\"why\"><code>")
            .raw(cause.as_str())
            .raw("</code> ")
            .raw(meaning(cause))
            .raw("</p>\n");
    }
    if let Some(message) = &trial.message {
        html.raw("<p class=\"message\">").text(one_line(message, MESSAGE)).raw("</p>\n");
    }
    for flag in &trial.flags {
        html.raw("<p class=\"flag\"><code>").raw(flag.kind.as_str()).raw("</code> at <code>");
        html.text(one_line(&flag.place, MESSAGE)).raw("</code>: ").text(one_line(&flag.evidence, MESSAGE));
        html.raw("</p>\n");
    }
    html.raw("<dl class=\"facts\">");
    if let Some(end) = trial.agent_end {
        html.raw("<div><dt>agent</dt><dd>");
        match end {
            AgentEnd::Exited { exit_status } => html.raw("exited with ").text(exit_status),
            AgentEnd::TimedOut => html.raw("ran out of time and was killed"),
            AgentEnd::ExhaustedDevbox => html.raw("hit the memory or disk limit of its devbox"),
        };
        html.raw("</dd></div>");
    }
    if trial.attempts > 1 {
        html.raw("<div><dt>attempts</dt><dd>").text(trial.attempts).raw("</dd></div>");
    }
    // The course tells more, where there is room for it.
    if !trial.durations_ms.is_empty() && (brief || trial.history.is_empty()) {
        html.raw("<div><dt>time</dt><dd>");
        for (nth, (phase, ms)) in trial.durations_ms.iter().enumerate() {
            html.raw(if nth > 0 { " · " } else { "" }).raw(phase.as_str()).raw(" ").text(duration(*ms));
        }
        html.raw("</dd></div>");
    }
    if let Some(usage) = trial.usage {
        html.raw("<div><dt>used</dt><dd>");
        let told = [
            usage.input_tokens.map(|tokens| format!("{} tokens in", thousands(tokens))),
            usage.output_tokens.map(|tokens| format!("{} tokens out", thousands(tokens))),
            usage.cost_usd.map(money),
        ];
        html.text(told.into_iter().flatten().collect::<Vec<_>>().join(" · "));
        html.raw("</dd></div>");
    }
    for (name, value) in trial.metadata.iter().take(if brief { 0 } else { SHOWN }) {
        html.raw("<div><dt>").name(name).raw("</dt><dd>").name(value).raw("</dd></div>");
    }
    if !trial.digest.is_empty() && !brief {
        html.raw("<div><dt>digest</dt><dd><code>")
            .text(one_line(&trial.digest, 20))
            .raw("</code></dd></div>");
    }
    if let Some(directory) = &trial.logs {
        html.raw("<div><dt>logs</dt><dd>");
        let link = logs.link(directory);
        if let Some(link) = &link {
            html.raw("<a").attribute("href", link).raw(">");
        }
        html.raw("<code>").text(one_line(directory, 400)).raw("</code>");
        html.raw(if link.is_some() { "</a>" } else { "" }).raw("</dd></div>");
    }
    html.raw("</dl>\n");
}

/// What scorers and agent said and did, in about `limit` bytes.
pub(crate) fn excerpts(trial: &Trial, logs: &dyn Logs, limit: usize) -> Html {
    let mut html = Html::default();
    problem::write(&trial.key.scenario, logs, limit / 8, &mut html);
    course::write(trial, logs, limit / 8, &mut html);
    scorers(trial, limit / 8, &mut html);
    let Some(directory) = &trial.logs else { return html };
    let patch = format!("{directory}/diff.patch");
    match Excerpt::read(logs, &patch, limit / 4, diff::LINE) {
        Some(Ok(excerpt)) => {
            html.raw("<h3>Diff</h3>\n");
            diff::write(&excerpt, &patch, &mut html);
        }
        Some(Err(error)) => output::unreadable(&patch, &error, &mut html),
        None => {}
    }
    output::agent(directory, course::agents_time(trial), logs, limit / 8 * 3, &mut html);
    html
}

fn scorers(trial: &Trial, limit: usize, html: &mut Html) {
    if trial.scores.is_empty() {
        return;
    }
    html.raw("<h3>Scorers</h3>\n");
    let each = limit / trial.scores.len().clamp(1, SHOWN);
    for scorer in trial.scores.iter().take(SHOWN) {
        html.raw("<div class=\"scorer\"><p><b>").name(&scorer.name).raw("</b> <span class=\"n\">");
        match scorer.score {
            Some(score) => html.text(format_args!("{score:.3}")),
            None => html.raw("no score"),
        };
        html.raw("</span> <span class=\"muted\">weight ")
            .text(format_args!("{:.2}", scorer.weight))
            .raw(" · ");
        html.text(duration(scorer.duration_ms)).raw("</span></p>\n");
        if !scorer.output.trim().is_empty() {
            let path =
                trial.logs.as_ref().map(|logs| format!("{logs}/scorer-{}.txt", safe_name(&scorer.name)));
            let label = format!("output of scorer {}", one_line(&scorer.name, super::NAME));
            Excerpt::of_text(&scorer.output, each).write(path.as_deref(), &label, html);
        }
        html.raw("</div>\n");
    }
    if trial.scores.len() > SHOWN {
        html.raw("<p class=\"note\">And ").text(trial.scores.len() - SHOWN).raw(" more scorers.</p>\n");
    }
}
