//! Any definition file on its own, whatever it defines.

use std::path::Path;

use crate::agent;
use crate::benchmark::{Loaded, is_benchmark, is_scenario, load_benchmark};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::loader::{LoadOptions, Loader};
use crate::model::Agent;
use crate::scorer::{ScorerFile, load_scorer};
use crate::yaml::Node;

/// A definition file without mistakes.
#[derive(Debug, Clone)]
pub enum Checked {
    /// A benchmark, or a scenario as a benchmark of one, with warnings.
    Benchmark(Loaded),
    /// An agent. What its command takes from a scenario's labels and context is not known here.
    Agent(Box<Agent>),
    /// A scorer that scenarios share.
    Scorer(ScorerFile),
}

/// Checks a definition file; its keys say what it defines.
///
/// # Errors
/// Everything that is wrong with it and the files it names, warnings included.
pub fn check_file(path: &Path, options: &LoadOptions) -> Result<Checked, Diagnostics> {
    let mut loader = Loader::new(options);
    let Some(node) = loader.read_tree(path, None) else { return Err(loader.diagnostics) };
    let has =
        |keys: &[&str]| node.as_map().is_some_and(|map| keys.iter().any(|key| map.entry(key).is_some()));
    if is_benchmark(&node) || is_scenario(&node) {
        return load_benchmark(path, options).map(Checked::Benchmark);
    }
    if has(&["bash_script", "python_script", "parameters"]) {
        return load_scorer(path).map(Checked::Scorer);
    }
    if has(&["command", "host_command", "install"]) {
        let agent = lone_agent(&mut loader, &node);
        return match agent {
            Some(agent) if loader.diagnostics.is_empty() => Ok(Checked::Agent(Box::new(agent))),
            _ => Err(sorted(loader.diagnostics)),
        };
    }
    let span = node.span.first_line();
    loader.push(
        Diagnostic::error(&span, "this file is neither a benchmark nor a scenario, an agent or a scorer").help(
            "a benchmark has `scenarios`, a scenario `problem_statement` and `scorers`, an agent `command` or `host_command`, a scorer `bash_script` or `python_script`",
        ),
    );
    Err(sorted(loader.diagnostics))
}

fn lone_agent(loader: &mut Loader<'_>, node: &Node) -> Option<Agent> {
    let located = agent::checked(loader, node)?;
    if let Some(command) = &located.command {
        agent::check_names(loader, command);
    }
    Some(Agent::clone(&located.agent))
}

fn sorted(mut diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.sort();
    diagnostics
}
