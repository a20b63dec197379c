//! The client against scripted servers: what goes over the wire, and what comes of each answer.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test, a panic is the failure report")]

mod endpoints;
mod errors;
mod eval_handles;
mod gate;
mod handles;
mod handles_configs;
mod handles_devbox;
mod handles_objects;
mod long_polls;
mod objects;
mod options;
mod pages;
mod requests;
mod resources;
mod retries;
mod streams;
mod support;
mod tls;
mod transport;
mod waits;
