//! Scores over time as inline SVG.

use eval_report::html::Html;

use crate::definition::Relation;
use crate::history::Point;

/// Height of the scale from 0 to 1, and the room above it, in pixels.
const SCALE: (f64, f64) = (130.0, 10.0);

/// Share of the width before the first and behind the last point.
const EDGE: (f64, f64) = (0.07, 0.03);

/// Draws the points side by side in their order: an even step for each run, for they come in bursts. A line joins two that
/// follow each other and were measured by the same definition, and no others. Hidden from screen readers, which have
/// the table.
pub(crate) fn chart(points: &[Point<'_>], html: &mut Html) {
    let step = |nth: usize| Percent(EDGE.0 + (1.0 - EDGE.0 - EDGE.1) * place(nth, points.len()));
    html.raw("<svg class=\"trend\" aria-hidden=\"true\" focusable=\"false\" height=\"150\">");
    for (share, label) in [(1.0, "1"), (0.5, "0.5"), (0.0, "0")] {
        let y = Height(share);
        html.raw("<line class=\"tick\" x2=\"100%\"")
            .attribute("x1", Percent(EDGE.0 / 2.0))
            .attribute("y1", y);
        html.attribute("y2", y)
            .raw("/><text x=\"0\" dy=\"4\"")
            .attribute("y", y)
            .raw(">")
            .raw(label)
            .raw("</text>");
    }
    for (nth, pair) in points.windows(2).enumerate() {
        let [from, to] = pair else { continue };
        if let (Relation::Same, Relation::Same, Some(before), Some(after)) =
            (from.relation, to.relation, from.measures.mean_score, to.measures.mean_score)
        {
            html.raw("<line class=\"joined\"").attribute("x1", step(nth)).attribute("y1", Height(before));
            html.attribute("x2", step(nth + 1)).attribute("y2", Height(after)).raw("/>");
        }
    }
    for (nth, point) in points.iter().enumerate() {
        mark(point, step(nth), html);
    }
    html.raw("</svg>");
}

fn mark(point: &Point<'_>, x: Percent, html: &mut Html) {
    let Some(mean) = point.measures.mean_score else { return };
    html.raw(if point.relation == Relation::Same { "<g>" } else { "<g class=\"other\">" });
    html.raw("<title>")
        .name(&point.entry.found.label)
        .raw(": ")
        .text(format_args!("{mean:.3}"))
        .raw("</title>");
    if let Some(interval) = point.interval {
        html.raw("<line class=\"interval\"").attribute("x1", x).attribute("x2", x);
        html.attribute("y1", Height(interval.low)).attribute("y2", Height(interval.high)).raw("/>");
    }
    if point.relation == Relation::Same {
        html.raw(if point.is_partial() {
            "<circle class=\"dot partial\" r=\"5\""
        } else {
            "<circle class=\"dot\" r=\"5\""
        });
        html.attribute("cx", x).attribute("cy", Height(mean)).raw("/>");
    } else {
        html.raw("<svg overflow=\"visible\"").attribute("x", x).attribute("y", Height(mean));
        html.raw("><path class=\"diamond\" d=\"M0-5 5 0 0 5-5 0Z\"/></svg>");
    }
    html.raw("</g>");
}

fn place(nth: usize, of: usize) -> f64 {
    let (nth, last) = (nth as f64, of.saturating_sub(1) as f64);
    // A single point stands in the middle.
    if last > 0.0 { nth / last } else { 0.5 }
}

/// A share of the width.
#[derive(Clone, Copy)]
struct Percent(f64);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}%", self.0 * 100.0)
    }
}

/// Where a score from 0 to 1 stands.
#[derive(Clone, Copy)]
struct Height(f64);

impl std::fmt::Display for Height {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1}", SCALE.1 + SCALE.0 * (1.0 - self.0.clamp(0.0, 1.0)))
    }
}
