//! How a run was started.

use serde::{Deserialize, Serialize};

/// What was typed to start a run, so that it can go on with nothing but its directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Invocation {
    /// Where it was typed, absolute; other paths are relative to it.
    pub directory: String,
    /// The benchmark or scenario file.
    pub benchmark: String,
    /// Agents; empty for those of the benchmark.
    pub agents: Vec<String>,
    /// Patterns of scenario names; empty for all.
    pub filter: Vec<String>,
    /// Repetitions, or the way to find them; `None` for what the benchmark says.
    pub trials: Option<String>,
    /// Where scoring happens; `None` for what the scenarios say.
    pub verify: Option<String>,
    /// Whether agents' devboxes are left alive.
    pub keep_devboxes: bool,
    /// How sandboxes of a local target are isolated; `None` for the strongest that works.
    pub driver: Option<String>,
    /// Whether isolation is accepted that cannot hold everything.
    pub allow_weak: bool,
}
