//! A run that is followed.

use std::path::Path;
use std::sync::Arc;

use eval_record::{Event, EventKind, Follower, RunDirectory};
use eval_report::{Summary, SummaryFold};

use crate::entry::State;
use crate::now::{Now, Running};

/// What has been read of a run, and where to go on.
#[derive(Debug)]
pub(crate) struct OpenRun {
    follower: Follower,
    fold: SummaryFold,
    now: Now,
    end: Option<State>,
    error: Option<String>,
    /// Grows with all that a page of the run could show, but for what goes on now.
    revision: u64,
    summary: Option<Arc<Summary>>,
}

impl OpenRun {
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            follower: Follower::new(&directory.join("events.jsonl")),
            fold: SummaryFold::default(),
            now: Now::default(),
            end: None,
            error: None,
            revision: 0,
            summary: None,
        }
    }

    /// Reads what was added.
    pub(crate) fn read(&mut self) {
        loop {
            let batch = match self.follower.read() {
                Ok(batch) => batch,
                Err(error) => {
                    let error = told(&error);
                    if self.error.as_ref() != Some(&error) {
                        self.revision += 1;
                    }
                    self.error = Some(error);
                    return;
                }
            };
            if batch.anew {
                (self.fold, self.now, self.end) = (SummaryFold::default(), Now::default(), None);
                self.change();
            }
            self.error = None;
            for event in &batch.events {
                self.add(event);
            }
            if !batch.more {
                return;
            }
        }
    }

    fn add(&mut self, event: &Event) {
        self.fold.take(event);
        self.now.add(event);
        match &event.kind {
            EventKind::RunFinished { complete, interrupted } => {
                self.end = Some(match (complete, interrupted) {
                    (_, true) => State::Interrupted,
                    (true, false) => State::Complete,
                    (false, false) => State::Incomplete,
                });
            }
            EventKind::RunStarted(_) | EventKind::RunResumed(_) => self.end = None,
            EventKind::TrialFinished(_)
            | EventKind::AttemptFailed { .. }
            | EventKind::RoundPlanned { .. }
            | EventKind::AgentDecided { .. } => {}
            // Of these, a page shows at most what goes on now.
            _ => return,
        }
        self.change();
    }

    fn change(&mut self) {
        self.revision += 1;
        self.summary = None;
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub(crate) fn running(&self) -> Vec<Running> {
        self.now.running()
    }

    /// How it stands, given whether somebody writes to it.
    pub(crate) fn state(&self, live: bool) -> State {
        match (&self.error, self.end) {
            (Some(_), _) => State::Unreadable,
            (None, Some(end)) => end,
            (None, None) if live => State::Running,
            (None, None) => State::Killed,
        }
    }

    /// The summary of what was read. Before the first event, it is that of what `run.json` plans.
    pub(crate) fn summary(&mut self, directory: &Path) -> Arc<Summary> {
        if let Some(summary) = &self.summary {
            return Arc::clone(summary);
        }
        let mut fold = self.fold.clone();
        if self.revision == 0
            && let Ok(header) = RunDirectory::open(directory).and_then(|run| run.header())
        {
            fold.take(&Event { at_ms: 0, kind: EventKind::RunStarted(Box::new(header)) });
        }
        let mut summary = fold.finish();
        if self.revision == 0 {
            summary.run.started_at_ms = None;
        }
        let summary = Arc::new(summary);
        self.summary = Some(Arc::clone(&summary));
        summary
    }
}

fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
