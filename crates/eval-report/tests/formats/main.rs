//! A run written down for CI systems: JUnit XML, Markdown, workflow commands. All of it may hold hostile text.

mod github;
mod junit;
mod junit_schema;
mod markdown;
mod runs;
