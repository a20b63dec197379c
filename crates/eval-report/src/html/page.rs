//! The page as a whole.

use std::io;

use jiff::Timestamp;
use serde_json::Value;

use crate::Summary;
use crate::text::duration;

use super::markup::{Html, count};
use super::places::Places;
use super::section::Section;
use super::{
    Document, Frame, Logs, baseline, cost, forest, grid, groups, headline, invalid, phases, scores, trials,
};

/// The sheet of all pages.
pub const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");

/// Most guarantees that are shown.
const GUARANTEES: usize = 30;

/// Writes the page: the same bytes for the same summary and logs.
///
/// # Errors
///
/// Those of the writer. Logs that cannot be read are no error: the page says so in their place.
pub fn write(summary: &Summary, logs: &dyn Logs, mut writer: impl io::Write) -> io::Result<()> {
    writer.write_all(document(summary, logs, None).html().as_str().as_bytes())?;
    writer.flush()
}

/// The page; within a frame if it is served.
pub fn document(summary: &Summary, logs: &dyn Logs, frame: Option<&Frame>) -> Document {
    let places = Places::of(summary);
    let sections: Vec<(Section, Html)> = [
        (Section::Baseline, baseline::section(summary, &places)),
        (Section::Invalid, invalid::section(summary)),
        (Section::Scenarios, forest::section(summary)),
        (Section::Groups, groups::section(summary)),
        (Section::Grid, grid::section(summary)),
        (Section::Scores, scores::section(summary)),
        (Section::Time, phases::section(summary)),
        (Section::Cost, cost::section(summary)),
        (Section::Trials, trials::section(summary, logs)),
    ]
    .into_iter()
    .filter_map(|(section, html)| Some((section, html?)))
    .collect();

    let mut html = Html::default();
    html.raw("<a class=\"skip\" href=\"#main\">Skip to the results</a>\n");
    if let Some(frame) = frame {
        html.piece(&frame.above);
    }
    header(summary, &sections, &mut html);
    html.raw("<main id=\"main\" tabindex=\"-1\">\n");
    if let Some(frame) = frame {
        html.piece(&frame.top);
    }
    headline::write(summary, &places, &mut html);
    for (section, content) in &sections {
        section.open(&mut html);
        html.piece(content).raw("</section>\n");
    }
    html.raw("</main>\n");
    footer(summary, &mut html);
    let mut document = Document {
        title: summary.run.benchmark.clone(),
        styles: vec![STYLE],
        scripts: vec![SCRIPT],
        served: frame.is_some(),
        body: html,
    };
    if let Some(frame) = frame {
        document.styles.extend(&frame.styles);
        document.scripts.extend(&frame.scripts);
    }
    document
}

fn header(summary: &Summary, sections: &[(Section, Html)], html: &mut Html) {
    let run = &summary.run;
    html.raw("<header class=\"top\">\n<p class=\"kind\">Evaluation report</p>\n<h1>");
    html.name(if run.benchmark.is_empty() { "unnamed benchmark" } else { &run.benchmark })
        .raw("</h1>\n<p class=\"lead\">");
    let scenarios =
        summary.per_scenario.iter().map(|row| &row.scenario).collect::<std::collections::BTreeSet<_>>().len();
    html.text(count(scenarios as u64, "scenario")).raw(" · ");
    html.text(count(summary.per_agent.len() as u64, "agent")).raw(" · ");
    html.text(count(summary.total.planned, "trial"));
    if let Some(at) = run.started_at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
        html.raw(" · <time").attribute("datetime", at.strftime("%Y-%m-%dT%H:%M:%SZ")).raw(">");
        html.text(at.strftime("%Y-%m-%d %H:%M UTC")).raw("</time>");
    }
    html.raw(" · took ").text(duration(run.wall_ms)).raw("</p>\n");
    html.raw("<nav aria-label=\"Sections\"><ul>");
    for (section, _) in sections {
        html.raw("<li><a href=\"#").raw(section.id()).raw("\">").raw(section.heading()).raw("</a></li>");
    }
    html.raw("</ul></nav>\n</header>\n");
}

fn footer(summary: &Summary, html: &mut Html) {
    let run = &summary.run;
    html.raw("<footer>\n<details><summary>About this run</summary>\n<dl class=\"facts\">");
    let mut fact = |name: &'static str, value: &dyn std::fmt::Display| {
        html.raw("<div><dt>").raw(name).raw("</dt><dd>").name(&value.to_string()).raw("</dd></div>");
    };
    fact("run", &run.id);
    fact("benchmark file", &run.source);
    fact("target", &run.target);
    fact("runloop-eval", &run.version);
    fact("seed", &run.seed);
    fact("trials at once", &run.concurrency);
    html.raw("</dl>\n");
    if let Some(Value::Object(guarantees)) = &summary.guarantees {
        html.raw("<h2>What the devboxes guarantee</h2>\n<dl class=\"facts\">");
        for (name, value) in guarantees.iter().take(GUARANTEES) {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            html.raw("<div><dt>").name(name).raw("</dt><dd>");
            match (value.get("level"), value.get("by")) {
                (Some(level), Some(by)) => html.name(&text(level)).raw(": ").name(&text(by)),
                _ => html.name(&text(value)),
            };
            html.raw("</dd></div>");
        }
        html.raw("</dl>\n");
    }
    html.raw("</details>\n<p>All numbers are in <code>results.json</code> and <code>results.csv</code>; all output is in ");
    html.raw("<code>trials/</code>, relative to the directory of the run.</p>\n</footer>\n");
}
