//! Runs in the browser: all that are below some directories with their history, each of them live, two side by side.
//!
//! [`Server`] answers on the loopback only, to names of the loopback only, and only reads. Pages are made of what
//! `eval-report` has: a run's page is its `report.html` in a frame. Runs are followed in their `events.jsonl`, each
//! from where it was read last; of a run that nobody looks at, only its line in the list is kept.
//!
//! Pages need no JavaScript. With it, they keep up with what they show: the script asks for the page again when the server
//! says that it changed, and replaces only what is different.

mod definition;
mod discover;
mod entry;
mod etag;
mod guard;
mod history;
mod library;
mod now;
mod open_run;
mod pages;
mod routes;
mod server;

pub use discover::{Root, RootError};
pub use server::{Server, StartError};
