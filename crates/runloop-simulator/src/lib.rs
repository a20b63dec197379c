//! A Runloop platform without machines, for tests and measurements: the routes that a run calls, over real HTTP, with
//! devboxes that are a few bytes of memory each.
//!
//! A [`Simulator`] follows a [`Script`]: how long each step takes, which devboxes die, what commands do. A command says it
//! itself, in a comment that a real shell ignores, so that the same scenario runs here and in real boxes:
//!
//! ```text
//! echo done >> answer              # sim: time=200ms append=answer:done
//! test "$(cat answer)" = done      # sim: holds=answer:done
//! ```
//!
//! Of what a shell does otherwise it knows only how `verify: pristine` carries work over, with `tar`. A devbox whose keep-alive
//! nobody renews ends, as a real one does.
//!
//! Everything random comes from the script's seed and from names that the caller gave, so that the same run meets the same
//! world, whatever the order in which its requests arrive.
//!
//! A [`FaultProxy`] stands between a client and any server and makes the faults of a network: it delays, refuses, resets
//! before and after the server did its work, cuts answers short, keeps silent and sends requests twice.

mod archive;
mod command;
mod counts;
mod devbox;
mod error;
mod proxy;
mod replay;
mod routes;
mod script;
mod simulator;
mod span;
mod world;

pub use counts::Counts;
pub use proxy::{FaultProxy, Faults, Made};
pub use script::{Rule, Script, ScriptError, Times};
pub use simulator::{Simulator, SimulatorOptions, raise_open_files};
pub use span::Span;
