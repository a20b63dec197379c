//! The client against servers that send anything: nothing is lost or doubled, nothing panics, nothing goes on for ever.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the failure report")]

mod answers;
mod pages;
mod resume;
mod support;
mod views;
