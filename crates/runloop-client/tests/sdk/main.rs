//! What this client sends against what unmodified official Python SDKs send for the same calls: method, path, query and
//! body, for every endpoint both have.
//!
//! Our side are the calls of the wire tests. Their arguments are read off our request and handed to the SDK's method of the
//! table of endpoints, in each release that has it. Handles of evaluation, which only SDK 1 has, are compared by the whole
//! sequence of requests. Has its own `main` because it must say, also when everything passes,
//! whether it ran: where Python, `venv` or the registry is missing, the cases are shown as ignored with the reason.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test, a panic is the failure report")]

mod compare;
mod differences;
#[path = "../wire/endpoints/mod.rs"]
#[expect(dead_code, unused_imports, reason = "its own checks run in the wire tests")]
mod endpoints;
#[path = "../../../../tests/official_sdk/environment.rs"]
mod environment;
mod handles;
mod ours;
#[path = "../wire/support.rs"]
#[expect(dead_code, reason = "its servers are for the wire tests")]
mod support;
mod table;
mod theirs;

use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Trial};

use ours::Recorded;
use table::Release;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // Sent once, and only if a release is there.
    let ours = Arc::new(LazyLock::new(Recorded::new));
    let trials = Release::ALL.map(|release| match environment::python_with_sdk(release.0) {
        Ok(python) => {
            println!("requests of official SDK {}: ready, its test runs", release.0);
            let ours = Arc::clone(&ours);
            let name = format!("requests_of_official_sdk_{}", release.0);
            Trial::test(name, move || compare::compare(release, &python, &ours))
        }
        Err(reason) => {
            println!("requests of official SDK {}: SKIPPED: {reason}", release.0);
            let name = format!("requests_of_official_sdk_{}", release.0);
            Trial::test(name, || Ok(())).with_ignored_flag(true)
        }
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}
