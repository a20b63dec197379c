//! Inline SVG: shapes in percent of the width, so that they fit any.

use crate::{Bounds, Interval};

use super::markup::Html;

/// What is drawn on a scale from 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range {
    /// The dot.
    pub estimate: Option<f64>,
    /// The line.
    pub interval: Option<Interval>,
    /// The band.
    pub bounds: Option<Bounds>,
    /// The diamond.
    pub mean: Option<f64>,
}

/// Draws a band (bounds), a line (interval), a diamond (mean) and a dot (estimate). The numbers stand beside it as text, so
/// it is hidden from screen readers.
pub fn range(range: Range, html: &mut Html) {
    html.raw("<svg class=\"range\" aria-hidden=\"true\" focusable=\"false\" height=\"22\">");
    html.raw("<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"11\" y2=\"11\"/>");
    for place in ["0", "25%", "50%", "75%", "100%"] {
        html.raw("<line class=\"tick\" y1=\"5\" y2=\"17\" x1=\"")
            .raw(place)
            .raw("\" x2=\"")
            .raw(place)
            .raw("\"/>");
    }
    if let Some(bounds) = range.bounds.filter(|bounds| bounds.low < bounds.high) {
        html.raw("<rect class=\"band\" y=\"3\" height=\"16\" rx=\"3\"").attribute("x", Percent(bounds.low));
        html.attribute("width", Percent(bounds.high - bounds.low)).raw("/>");
    }
    if let Some(interval) = range.interval {
        let (low, high) = (Percent(interval.low), Percent(interval.high));
        html.raw("<line class=\"interval\" y1=\"11\" y2=\"11\"").attribute("x1", low).attribute("x2", high);
        html.raw("/>");
        for end in [low, high] {
            html.raw("<line class=\"interval end\" y1=\"7\" y2=\"15\"").attribute("x1", end);
            html.attribute("x2", end).raw("/>");
        }
    }
    if let Some(mean) = range.mean {
        html.raw("<svg overflow=\"visible\" y=\"11\"").attribute("x", Percent(mean));
        html.raw("><path class=\"diamond\" d=\"M0-5 5 0 0 5-5 0Z\"/></svg>");
    }
    if let Some(estimate) = range.estimate {
        html.raw("<circle class=\"dot\" cy=\"11\" r=\"5\"").attribute("cx", Percent(estimate)).raw("/>");
    }
    html.raw("</svg>");
}

/// The labels over such drawings.
pub fn scale(html: &mut Html) {
    html.raw("<svg class=\"range scale\" aria-hidden=\"true\" focusable=\"false\" height=\"14\">");
    html.raw("<text x=\"0\" y=\"11\">0</text><text class=\"m\" x=\"50%\" y=\"11\">50 %</text>");
    html.raw("<text class=\"e\" x=\"100%\" y=\"11\">100 %</text></svg>");
}

/// Draws a difference from -1 to 1: the interval and a dot. The middle is 0.
pub(crate) fn difference(estimate: f64, interval: Option<(f64, f64)>, html: &mut Html) {
    let place = |difference: f64| f64::midpoint(difference, 1.0);
    let interval = interval.map(|(low, high)| Interval { low: place(low), high: place(high) });
    range(Range { estimate: Some(place(estimate)), interval, bounds: None, mean: None }, html);
}

/// The labels over those.
pub(crate) fn difference_scale(html: &mut Html) {
    html.raw("<svg class=\"range scale\" aria-hidden=\"true\" focusable=\"false\" height=\"14\">");
    html.raw("<text x=\"0\" y=\"11\">−1</text><text class=\"m\" x=\"50%\" y=\"11\">0</text>");
    html.raw("<text class=\"e\" x=\"100%\" y=\"11\">+1</text></svg>");
}

/// A bar from the left.
pub(crate) fn bar(share: f64, html: &mut Html) {
    html.raw("<svg class=\"bar\" aria-hidden=\"true\" focusable=\"false\" height=\"10\">");
    html.raw("<rect class=\"rest\" width=\"100%\" height=\"10\" rx=\"2\"/><rect class=\"part\" height=\"10\" rx=\"2\"");
    html.attribute("width", Percent(share)).raw("/></svg>");
}

/// A share as a length: `12.34%`, never outside of the drawing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percent(pub(crate) f64);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = if self.0.is_finite() { self.0.clamp(0.0, 1.0) } else { 0.0 };
        write!(f, "{:.2}%", share * 100.0)
    }
}
