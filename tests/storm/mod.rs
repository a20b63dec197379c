//! A network and a platform at their worst: whatever is delayed, refused, cut, repeated, silent, broken or killed, each planned
//! trial has one verdict in the end, the one of a quiet day, and nothing is left on the platform.
//!
//! Everything random has a seed, which a failure names. `RUNLOOP_EVAL_STORMS=N` makes N rounds of each instead of a few.

mod harness;
mod left;
mod network;
mod platform;
mod server;
mod work;

use std::net::SocketAddr;
use std::time::Duration;

use runloop_simulator::{Faults, Span};
use tokio::runtime::Runtime;

/// Rounds unless the environment names another number.
const ROUNDS: u64 = 2;

/// The key of the servers that are started here.
const KEY: &str = "key-of-the-storm";

/// The seeds of a test's rounds.
fn seeds() -> std::ops::RangeInclusive<u64> {
    1..=std::env::var("RUNLOOP_EVAL_STORMS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS)
}

/// The same for tests whose rounds take long: half as many.
fn fewer_seeds() -> std::ops::RangeInclusive<u64> {
    1..=seeds().end().div_ceil(2)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address")
}

/// A little of everything: in a trial of a dozen requests about every second one meets a fault.
fn faults(seed: u64) -> Faults {
    Faults { delay: Span::About(Duration::from_millis(2)), ..Faults::all(0.07, seed) }
}
