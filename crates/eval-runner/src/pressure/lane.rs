//! For whom a request is made. It travels with the task, so that no call has to be told.

use std::sync::Arc;

tokio::task_local! {
    static LANE: Lane;
}

/// For whom a request is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Lane {
    /// For all: preparations, cleanup.
    #[default]
    Shared,
    /// For the trials of an agent.
    Agent(Arc<str>),
    /// To find out whether the target is there: it passes whatever holds the others.
    Probe,
}

impl Lane {
    /// That of the present task.
    pub(crate) fn current() -> Self {
        LANE.try_with(Clone::clone).unwrap_or_default()
    }
}

/// Does work in a lane.
pub(crate) fn in_lane<F: Future>(lane: Lane, work: F) -> impl Future<Output = F::Output> {
    LANE.scope(lane, work)
}

/// Work of a new task, in the lane of the present one.
pub(crate) fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    in_lane(Lane::current(), work)
}
