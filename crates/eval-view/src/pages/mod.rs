//! The pages.

mod chart;
mod compare;
mod failure;
mod file;
mod frame;
mod history;
mod link;
mod list;
mod now;
mod row;
mod run;

pub(crate) use compare::compare;
pub(crate) use failure::{Failure, failure};
pub(crate) use file::{File, file};
pub(crate) use link::run_link;
pub(crate) use list::list;
pub(crate) use now::now;
pub(crate) use run::run;
