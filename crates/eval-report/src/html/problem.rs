//! The task of a scenario.

use eval_record::problem_file;

use super::Logs;
use super::excerpt::Excerpt;
use super::markup::Html;

/// Writes it, if the run directory has it.
pub(crate) fn write(scenario: &str, logs: &dyn Logs, limit: usize, html: &mut Html) {
    let path = problem_file(scenario);
    match Excerpt::read(logs, &path, limit, 0) {
        Some(Ok(excerpt)) => {
            html.raw("<h3>Problem</h3>\n");
            excerpt.write(Some(&path), "problem", html);
        }
        Some(Err(error)) => {
            html.raw("<p class=\"note\">The problem cannot be read: ").text(error).raw("</p>\n");
        }
        None => {}
    }
}
