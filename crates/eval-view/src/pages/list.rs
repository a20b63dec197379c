//! The first page: all runs, and scores over time.

use std::collections::BTreeSet;

use eval_report::html::{Document, Html, count};

use super::frame::document;
use super::link::list_link;
use super::{history, row};
use crate::discover::Root;
use crate::entry::{Entry, State};
use crate::library::Listing;

/// Runs of a page.
const ON_PAGE: usize = 50;

/// Choices that are offered.
const CHOICES: usize = 500;

/// What is shown of all runs.
#[derive(Debug, Default)]
struct Filter<'a> {
    benchmark: &'a str,
    agent: &'a str,
    page: usize,
}

impl<'a> Filter<'a> {
    fn of(asked: &'a [(String, String)]) -> Self {
        let mut filter = Self::default();
        for (name, value) in asked {
            match name.as_str() {
                "benchmark" => filter.benchmark = value,
                "agent" => filter.agent = value,
                "page" => filter.page = value.parse().unwrap_or(1_usize).saturating_sub(1),
                _ => {}
            }
        }
        filter
    }

    fn is_open(&self) -> bool {
        self.benchmark.is_empty() && self.agent.is_empty()
    }

    /// The run as far as it is shown.
    fn apply(&self, entry: &Entry) -> Option<Entry> {
        if !self.benchmark.is_empty() && entry.benchmark != self.benchmark {
            return None;
        }
        let mut entry = entry.clone();
        if !self.agent.is_empty() {
            entry.agents.retain(|agent| agent.agent == self.agent);
        }
        (self.agent.is_empty() || !entry.agents.is_empty()).then_some(entry)
    }

    fn link(&self, page: usize) -> String {
        let page = (page + 1).to_string();
        let all = [
            ("benchmark", self.benchmark),
            ("agent", self.agent),
            ("page", if page == "1" { "" } else { &page }),
        ];
        list_link(&all.into_iter().filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>())
    }
}

/// The list, as asked for.
pub(crate) fn list(listing: &Listing, roots: &[Root], asked: &[(String, String)]) -> Document {
    let filter = Filter::of(asked);
    let entries: Vec<Entry> = listing.entries.iter().filter_map(|entry| filter.apply(entry)).collect();
    let mut main = Html::default();
    if listing.entries.is_empty() && listing.unread == 0 {
        nothing(&mut main);
    } else {
        filters(listing, &filter, &mut main);
        runs(&entries, &filter, &mut main);
        history::section(&entries, &mut main);
    }
    document("Runs".to_owned(), true, &Html::default(), &header(listing, roots), &main)
}

fn header(listing: &Listing, roots: &[Root]) -> Html {
    let mut html = Html::default();
    html.raw("<p class=\"kind\">runloop-eval</p>\n<h1>Runs</h1>\n<p class=\"lead\">");
    html.text(count((listing.entries.len() + listing.unread) as u64, "run")).raw(" in ");
    for (nth, root) in roots.iter().take(5).enumerate() {
        html.raw(if nth > 0 { ", " } else { "" }).raw("<code>").name(root.shown()).raw("</code>");
    }
    if roots.len() > 5 {
        html.raw(" and ").text(roots.len() - 5).raw(" more");
    }
    let running = listing.entries.iter().filter(|entry| entry.state == State::Running).count();
    if running > 0 {
        html.raw(" · <span class=\"is running\">").text(running).raw(" running</span>");
    }
    html.raw("</p>\n");
    if listing.unread > 0 {
        html.raw("<p class=\"note\" id=\"unread\" role=\"status\">")
            .text(count(listing.unread as u64, "more run"));
        html.raw(if listing.unread == 1 { " is" } else { " are" });
        html.raw(" being read; <a href=\"\">look again</a>.</p>\n");
    }
    if listing.cut {
        html.raw("<p class=\"note\">There are too many directories to look into all of them: name one nearer to the runs.</p>\n");
    }
    html
}

fn nothing(html: &mut Html) {
    html.raw("<section id=\"nothing\" aria-label=\"Nothing\"><p>There are no runs here yet. A run that begins appears by itself: ");
    html.raw("<code>runloop-eval run BENCHMARK</code></p></section>\n");
}

fn filters(listing: &Listing, filter: &Filter<'_>, html: &mut Html) {
    let benchmarks: BTreeSet<&str> = listing.entries.iter().map(|entry| entry.benchmark.as_str()).collect();
    let agents: BTreeSet<&str> =
        listing.entries.iter().flat_map(|entry| &entry.agents).map(|agent| agent.agent.as_str()).collect();
    html.raw("<form class=\"tools\" id=\"filter\" action=\"/\" role=\"search\" aria-label=\"Runs\">\n");
    for (name, label, all, chosen) in
        [("benchmark", "Benchmark", benchmarks, filter.benchmark), ("agent", "Agent", agents, filter.agent)]
    {
        html.raw("<label><span>")
            .raw(label)
            .raw("</span><select")
            .attribute("name", name)
            .attribute("id", name);
        html.raw("><option value=\"\">all</option>");
        for value in all.into_iter().filter(|value| !value.is_empty()).take(CHOICES) {
            html.raw("<option").attribute("value", value).raw(if value == chosen {
                " selected>"
            } else {
                ">"
            });
            html.name(value).raw("</option>");
        }
        html.raw("</select></label>\n");
    }
    html.raw("<button id=\"show\">Show</button>\n");
    if !filter.is_open() {
        html.raw("<p><a href=\"/\">Show all</a></p>\n");
    }
    html.raw("</form>\n");
}

fn runs(entries: &[Entry], filter: &Filter<'_>, html: &mut Html) {
    html.raw("<section id=\"runs\" aria-labelledby=\"h-runs\">\n<h2 id=\"h-runs\">Runs</h2>\n");
    let pages = entries.len().div_ceil(ON_PAGE).max(1);
    let page = filter.page.min(pages - 1);
    if entries.is_empty() {
        html.raw("<p>No run is like that.</p>\n</section>\n");
        return;
    }
    html.raw("<form action=\"/compare\" id=\"comparing\">\n");
    row::table(entries.iter().skip(page * ON_PAGE).take(ON_PAGE), html);
    html.raw("<p class=\"act\"><button id=\"compare\">Compare</button> <span class=\"note\">Choose two runs.</span></p>\n</form>\n");
    if pages > 1 {
        html.raw("<nav aria-label=\"Pages\"><ul class=\"pages\">");
        if page > 0 {
            html.raw("<li><a rel=\"prev\"").attribute("href", filter.link(page - 1)).raw(">Newer</a></li>");
        }
        html.raw("<li class=\"here\">").text(page + 1).raw(" of ").text(pages).raw("</li>");
        if page + 1 < pages {
            html.raw("<li><a rel=\"next\"").attribute("href", filter.link(page + 1)).raw(">Older</a></li>");
        }
        html.raw("</ul></nav>\n");
    }
    html.raw("</section>\n");
}
