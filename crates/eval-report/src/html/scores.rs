//! How the scores are spread.

use crate::{Summary, Trial};

use super::AGENTS;
use super::headline::more;
use super::markup::{Html, count};
use super::plot::Percent;

/// Exactly 0, ten tenths, exactly 1.
const BINS: usize = 12;

/// `None` without scores.
pub(crate) fn section(summary: &Summary) -> Option<Html> {
    summary.total.mean_score?;
    let mut html = Html::default();
    html.raw(
        "<p>Scored trials by their score. The first and the last column are exactly 0 and exactly 1.</p>\n",
    );
    html.raw("<div class=\"figures\">\n");
    for row in summary.per_agent.iter().take(AGENTS) {
        let of_agent = summary.trials.iter().filter(|trial| trial.key.agent == row.agent);
        histogram(&row.agent, &bins(of_agent), &mut html);
    }
    html.raw("</div>\n");
    more(summary.per_agent.len(), &mut html);
    Some(html)
}

fn bins<'a>(trials: impl Iterator<Item = &'a Trial>) -> [u64; BINS] {
    let mut bins = [0; BINS];
    for score in trials.filter_map(|trial| trial.score) {
        let bin = match score {
            score if score <= 0.0 => 0,
            score if score >= 1.0 => BINS - 1,
            score => 1 + ((score * 10.0) as usize).min(9),
        };
        bins[bin] += 1;
    }
    bins
}

fn name(bin: usize) -> String {
    match bin {
        0 => "0".to_owned(),
        bin if bin == BINS - 1 => "1".to_owned(),
        bin => format!("0.{} to {}", bin - 1, if bin == 10 { "1".to_owned() } else { format!("0.{bin}") }),
    }
}

fn histogram(agent: &str, bins: &[u64; BINS], html: &mut Html) {
    let most = bins.iter().copied().max().unwrap_or(0).max(1) as f64;
    let told: Vec<String> = bins
        .iter()
        .enumerate()
        .filter(|(_, n)| **n > 0)
        .map(|(bin, n)| format!("{}: {}", name(bin), count(*n, "trial")))
        .collect();
    let told = if told.is_empty() { "no scored trial".to_owned() } else { told.join(", ") };
    html.raw("<figure>\n<figcaption>").name(agent).raw("</figcaption>\n");
    html.raw("<svg class=\"histogram\" role=\"img\" height=\"150\"").attribute("aria-label", told).raw(">");
    html.raw("<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"128\" y2=\"128\"/>");
    let width = 1.0 / BINS as f64;
    for (bin, n) in bins.iter().enumerate() {
        if *n == 0 {
            continue;
        }
        let left = bin as f64 * width;
        let height = (*n as f64 / most * 104.0).max(2.0);
        html.raw("<rect class=\"part\" rx=\"2\"").attribute("x", Percent(left + width * 0.08));
        html.attribute("width", Percent(width * 0.84)).attribute("y", format_args!("{:.1}", 128.0 - height));
        html.attribute("height", format_args!("{height:.1}")).raw("/><text class=\"m\"");
        html.attribute("x", Percent(left + width / 2.0))
            .attribute("y", format_args!("{:.1}", 123.0 - height));
        html.raw(">").text(n).raw("</text>");
    }
    for (place, label) in [(0.5, "0"), (6.0, "0.5"), (11.5, "1")] {
        html.raw("<text class=\"m muted\" y=\"145\"").attribute("x", Percent(place * width)).raw(">");
        html.raw(label).raw("</text>");
    }
    html.raw("</svg>\n</figure>\n");
}
