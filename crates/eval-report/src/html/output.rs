//! What an agent printed.

use crate::Span;
use crate::text::{duration, one_line};

use super::Logs;
use super::excerpt::Excerpt;
use super::markup::Html;
use super::steps;

/// Writes both outputs of an attempt, in about `limit` bytes. `time` is when the agent worked.
pub(crate) fn agent(directory: &str, time: Option<Span>, logs: &dyn Logs, limit: usize, html: &mut Html) {
    for (name, heading, share) in
        [("agent.stdout", "Agent: standard output", 3), ("agent.stderr", "Agent: standard error", 1)]
    {
        let path = format!("{directory}/{name}");
        let limit = limit * share / 4;
        let plain = Excerpt::read(logs, &path, limit, 0);
        let is_steps = matches!(&plain, Some(Ok(excerpt)) if steps::read(excerpt).is_some());
        match if is_steps { Excerpt::read(logs, &path, limit, steps::LINE) } else { plain } {
            Some(Ok(excerpt)) => {
                let steps = steps::read(&excerpt);
                html.raw("<h3>").raw(heading).raw(if steps.is_some() { ": trajectory" } else { "" });
                if let Some(time) = time {
                    self::time(time, html);
                }
                html.raw("</h3>\n");
                match steps {
                    Some(steps) => steps::write(&steps, &excerpt, &path, html),
                    None => excerpt.write(Some(&path), heading, html),
                }
            }
            Some(Err(error)) => unreadable(&path, &error, html),
            None => {}
        }
    }
}

fn time(time: Span, html: &mut Html) {
    html.raw(" <span class=\"time\">");
    match time.to_ms {
        Some(to) => html.text(format_args!("{} to {}", duration(time.from_ms), duration(to))),
        None => html.text(format_args!("from {}", duration(time.from_ms))),
    };
    html.raw("</span>");
}

/// Says that a file of the run is there and cannot be shown.
pub(crate) fn unreadable(path: &str, error: &std::io::Error, html: &mut Html) {
    html.raw("<p class=\"note\"><code>").text(one_line(path, 400)).raw("</code> cannot be read: ");
    html.text(one_line(&error.to_string(), 300)).raw("</p>\n");
}
