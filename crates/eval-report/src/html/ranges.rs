//! Tables whose rows are ranges on one scale, with the numbers beside them.

use crate::Measures;

use super::markup::Html;
use super::plot::scale;

/// What such a table is about.
pub(super) struct Ranges<'a> {
    /// What is shown of each what.
    pub(super) caption: &'a str,
    /// What a row, or all that share a name, is about.
    pub(super) of: &'a str,
    /// What the drawing shows.
    pub(super) drawn: &'a str,
    /// The columns behind the drawing.
    pub(super) numbers: &'a [&'a str],
    /// Whether a name has a row for each of several agents.
    pub(super) several: bool,
}

impl Ranges<'_> {
    /// Opens the table, up to its first row.
    pub(super) fn head(&self, html: &mut Html) {
        html.raw("<table class=\"forest\">\n<caption class=\"hidden\">").text(self.caption);
        html.raw(if self.several { " and agent" } else { "" });
        html.raw("</caption>\n<thead><tr><th scope=\"col\">").text(self.of).raw("</th>");
        if self.several {
            html.raw("<th scope=\"col\">Agent</th>");
        }
        html.raw("<th scope=\"col\" class=\"wide\"><span class=\"hidden\">Plot of the ").text(self.drawn);
        html.raw("</span>");
        scale(html);
        html.raw("</th>");
        for number in self.numbers {
            html.raw("<th scope=\"col\" class=\"n\">").text(number).raw("</th>");
        }
        html.raw("</tr></thead>\n");
    }

    /// Rows that share a name: each its agent and then its `cells`.
    pub(super) fn rows<T>(
        &self,
        rows: &[T],
        name: impl Fn(&mut Html),
        agent: impl Fn(&T) -> &str,
        cells: impl Fn(&T, &mut Html),
        html: &mut Html,
    ) {
        html.raw("<tbody>");
        for (nth, row) in rows.iter().enumerate() {
            html.raw("<tr>");
            if nth == 0 {
                html.raw("<th class=\"name\" scope=").raw(if self.several {
                    "\"rowgroup\""
                } else {
                    "\"row\""
                });
                html.attribute("rowspan", rows.len()).raw(">");
                name(html);
                html.raw("</th>");
            }
            if self.several {
                html.raw("<th scope=\"row\" class=\"agent\">").name(agent(row)).raw("</th>");
            }
            cells(row, html);
            html.raw("</tr>");
        }
        html.raw("</tbody>\n");
    }
}

/// The cell that counts what passed, and what has no score.
pub(super) fn passed(measures: &Measures, html: &mut Html) {
    html.raw("<td class=\"n\">").text(format_args!("{}/{}", measures.passed, measures.scored));
    if measures.without_score() > 0 {
        html.raw(" <span class=\"is invalid\">+ ").text(measures.without_score()).raw(" without</span>");
    }
    html.raw("</td>");
}

/// A cell of a number, if there is one.
pub(super) fn number(class: &'static str, value: Option<String>, html: &mut Html) {
    html.raw("<td class=\"").raw(class).raw("\">");
    match value {
        Some(value) => html.text(value),
        None => html.raw("none"),
    };
    html.raw("</td>");
}
