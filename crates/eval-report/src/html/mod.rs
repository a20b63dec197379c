//! `report.html`: a run in one file that needs no other, no network and no JavaScript.
//!
//! What agents and devboxes wrote stays text: nothing reaches the page but through one type, which takes markup only
//! from this program's source and escapes all else, and the page's own Content-Security-Policy lets only the style and the script
//! run that are in it, by their hashes. The script adds search, filters, sorting and keys; all content is there without it.
//!
//! The same page is served, in a [`Frame`], and other pages are made of the same pieces: [`Html`] in a [`Document`].
//!
//! The size is bounded: excerpts of logs share 3 MiB, the list ends at 10 000 trials, names and messages are
//! cut. Wherever something is left out, the page says so and where the whole of it is.

mod baseline;
mod cost;
mod course;
mod decision;
mod diff;
mod directory;
mod document;
mod excerpt;
mod forest;
mod frame;
mod grid;
mod groups;
mod headline;
mod invalid;
mod logs;
mod markup;
mod output;
mod page;
mod phases;
mod places;
mod plot;
mod problem;
mod ranges;
mod scores;
mod section;
mod status;
mod steps;
mod trial;
mod trials;

pub use crate::text::{duration, percent};
pub use directory::DirectoryLogs;
pub use document::Document;
pub use frame::Frame;
pub use logs::{Log, Logs};
pub use markup::{Html, count, size};
pub use page::{STYLE, document, write};
pub use plot::{Range, range, scale};

/// Bytes of all excerpts of logs together, as written to the page.
const EXCERPTS: usize = 3 << 20;

/// Trials that have a section of their own.
const LISTED: usize = 10_000;

/// Agents that are drawn; results.json has all.
const AGENTS: usize = 24;

/// Longest name, in characters.
const NAME: usize = 120;
