//! A run written down for CI systems: JUnit XML, Markdown, workflow commands. All of it may hold hostile text.

#![expect(clippy::panic, reason = "a panic is how a test fails, also in a helper")]

mod github;
mod junit;
mod junit_schema;
mod markdown;
mod runs;
