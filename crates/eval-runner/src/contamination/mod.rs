//! Signs that a verdict may not be worth what it says: what an agent knew that it should not know, and what it changed that
//! judges it.
//!
//! [`Watch`] is what there is to watch in a scenario. Before trials start, the prepared environment tells what of it is
//! there ([`Before`]). When the agent is gone, a look at its disk ([`Watch::after`]) tells what of it is newer than the task
//! that the agent got, and [`output`] reads what the agent said and changed. [`history`] knows what of git's is from after the task. Whatever is found is a [`Flag`] with its
//! evidence; a verdict never depends on it.
//!
//! A flag accuses. So where an honest agent could have done the same there is none: what existed already, what the reference
//! changes too, and what package managers do, is left out. An agent that takes care to hide is not found out: the
//! means against it are `verify: pristine`, hidden tests, and an environment without history.
//!
//! Nor does a verdict depend on whether this code works: what breaks in it tells nothing.
//!
//! [`Flag`]: eval_record::Flag

use std::panic::{AssertUnwindSafe, catch_unwind};

mod before;
mod disk;
mod history;
mod observation;
mod output;
mod patch;
mod watch;

pub(crate) use before::{Before, TOLD};
pub(crate) use observation::{Observation, is_trusted};
pub(crate) use watch::Watch;

/// What a look tells; nothing if it breaks.
fn unharmed<T: Default>(look: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(look)).unwrap_or_else(|_| {
        tracing::warn!("the look for signs of contamination broke: a trial has no flags of it");
        T::default()
    })
}
