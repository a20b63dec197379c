//! How much a run asks of its target at once.
//!
//! [`Pressure`] is the gate of the run's client: every attempt of every request passes it and tells what came of it.
//!
//! - Where the target complains (429, 5xx, no answer in time), a [limit](limit) on requests in flight, and another on
//!   creations of devboxes, goes down; answers let it rise again. Without complaints there is none.
//! - `Retry-After` is obeyed by everyone, not only by whoever was told. That of a creation holds for creations only,
//!   because what frees room for devboxes is other requests.
//! - What must wait waits in a [queue](queue) that alternates between the agents of the run.
//! - Long polls do not count as requests in flight, because they cost a target nothing while they hold; commands and
//!   snapshots, whose requests stay open for as long as the work takes, count for their first second.
//! - A target that is [down](health) is asked by one probe only, at growing intervals, while all else waits.

mod excuse;
mod gate;
mod health;
mod lane;
mod limit;
mod queue;
mod watch;

#[cfg(test)]
mod tests;

pub(crate) use excuse::Excuses;
#[cfg(test)]
pub(crate) use gate::Class;
pub use gate::Pressure;
pub(crate) use lane::{Lane, carried, in_lane};
