//! Scores over time: for each benchmark and agent, the runs in which it was measured.

use std::collections::BTreeMap;

use eval_report::{Interval, Measures};

use crate::definition::Relation;
use crate::entry::{Entry, State};

/// An agent in a benchmark over time.
#[derive(Debug, PartialEq)]
pub(crate) struct Series<'a> {
    pub(crate) benchmark: &'a str,
    pub(crate) agent: &'a str,
    /// The oldest first.
    pub(crate) points: Vec<Point<'a>>,
}

/// One run of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Point<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) measures: &'a Measures,
    /// Never those of a degenerate interval, which says nothing.
    pub(crate) interval: Option<Interval>,
    /// How what it was measured by stands to that of the latest run with a score.
    pub(crate) relation: Relation,
}

impl Point<'_> {
    /// Whether more verdicts could change its score.
    pub(crate) fn is_partial(&self) -> bool {
        self.entry.state != State::Complete || self.measures.without_score() > 0
    }
}

/// All series with a score, that of the latest run first. Entries may come in any order.
pub(crate) fn history<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<Series<'a>> {
    let mut runs: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
    for entry in entries {
        for agent in entry.agents.iter().filter(|agent| agent.measures.mean_score.is_some()) {
            runs.entry((&entry.benchmark, &agent.agent)).or_default().push((entry, agent));
        }
    }
    let mut all = Vec::new();
    for ((benchmark, agent), mut runs) in runs {
        runs.sort_by_key(|(entry, _)| (entry.started_at_ms, &entry.found.label));
        let Some(latest) = runs.last().map(|(_, agent)| agent.definition) else { continue };
        let points = runs.into_iter().map(|(entry, agent)| Point {
            entry,
            measures: &agent.measures,
            interval: agent
                .measures
                .mean_interval
                .filter(|interval| !interval.degenerate)
                .map(|interval| Interval { low: interval.low, high: interval.high }),
            relation: agent.definition.relation(latest),
        });
        all.push(Series { benchmark, agent, points: points.collect() });
    }
    // Stable: benchmarks and agents of the same run stay in the order of their names.
    all.sort_by_key(|series| {
        std::cmp::Reverse(series.points.last().and_then(|point| point.entry.started_at_ms))
    });
    all
}
