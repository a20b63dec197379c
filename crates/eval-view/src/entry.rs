//! A run in the list.

use eval_report::{Measures, Summary};

use crate::definition::Definition;
use crate::discover::Found;

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Somebody writes to it.
    Running,
    /// Every planned trial has a verdict.
    Complete,
    /// It came to its end without some verdicts.
    Incomplete,
    /// It was interrupted.
    Interrupted,
    /// It did not come to its end, and nobody writes to it.
    Killed,
    /// Its record cannot be read.
    Unreadable,
}

impl State {
    /// In a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Interrupted => "interrupted",
            Self::Killed => "killed",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What the list says of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) found: Found,
    pub(crate) benchmark: String,
    pub(crate) state: State,
    /// Why its record cannot be read (to its end).
    pub(crate) error: Option<String>,
    /// Unix milliseconds.
    pub(crate) started_at_ms: Option<i64>,
    pub(crate) wall_ms: u64,
    pub(crate) total: Measures,
    pub(crate) agents: Vec<AgentEntry>,
}

/// What it says of one of its agents.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AgentEntry {
    pub(crate) agent: String,
    pub(crate) measures: Measures,
    pub(crate) definition: Definition,
}

impl Entry {
    pub(crate) fn new(found: Found, summary: &Summary, state: State, error: Option<String>) -> Self {
        let of_agent =
            |agent: &str| Definition::of(summary.trials.iter().filter(move |trial| trial.key.agent == agent));
        let agents = summary.per_agent.iter().map(|row| AgentEntry {
            agent: row.agent.clone(),
            measures: row.measures.clone(),
            definition: of_agent(&row.agent),
        });
        Self {
            found,
            benchmark: summary.run.benchmark.clone(),
            state,
            error,
            started_at_ms: summary.run.started_at_ms,
            wall_ms: summary.run.wall_ms,
            total: summary.total.clone(),
            agents: agents.collect(),
        }
    }
}
