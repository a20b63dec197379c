//! The parts of the page.

use super::markup::Html;

/// A part: its place in the page, and its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Baseline,
    Invalid,
    Scenarios,
    Groups,
    Grid,
    Scores,
    Time,
    Cost,
    Trials,
}

impl Section {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Invalid => "invalid",
            Self::Scenarios => "scenarios",
            Self::Groups => "groups",
            Self::Grid => "grid",
            Self::Scores => "scores",
            Self::Time => "time",
            Self::Cost => "cost",
            Self::Trials => "trials",
        }
    }

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Baseline => "Against the baseline",
            Self::Invalid => "Without a score",
            Self::Scenarios => "Scenarios",
            Self::Groups => "By label",
            Self::Grid => "Agents × scenarios",
            Self::Scores => "Scores",
            Self::Time => "Time",
            Self::Cost => "Cost",
            Self::Trials => "Trials",
        }
    }

    /// Opens it with its heading.
    pub(crate) fn open(self, html: &mut Html) {
        html.raw("<section id=\"").raw(self.id()).raw("\" aria-labelledby=\"h-").raw(self.id());
        html.raw("\">\n<h2 id=\"h-").raw(self.id()).raw("\">").raw(self.heading()).raw("</h2>\n");
    }
}
