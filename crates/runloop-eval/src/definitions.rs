//! Loads definitions and shows what is wrong with them.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use eval_builder::{Agent, Benchmark, Diagnostics, LoadOptions, load_agent, load_benchmark};
use globset::Glob;

use crate::catalogue;
use crate::error::CliError;
use crate::exit::Exit;

/// What definitions may see of the environment: all of it, because they name what they want.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// How definitions are loaded to be run.
pub(crate) fn options() -> LoadOptions {
    LoadOptions { environment: environment(), catalogue: catalogue::agents(), ..LoadOptions::default() }
}

/// Loads a benchmark or a scenario and shows its warnings.
pub(crate) fn benchmark(path: &Path, options: &LoadOptions, quiet: bool) -> Result<Benchmark, CliError> {
    let loaded = load_benchmark(path, options).map_err(|diagnostics| refused(&diagnostics))?;
    if !quiet && !loaded.warnings.is_empty() {
        show(&loaded.warnings);
    }
    Ok(loaded.benchmark)
}

/// Resolves `--agent` values; names must differ, because results go by name.
pub(crate) fn agents(
    values: &[String],
    benchmark: &Benchmark,
    options: &LoadOptions,
) -> Result<Vec<Arc<Agent>>, CliError> {
    if values.is_empty() {
        if benchmark.agents.is_empty() {
            return Err(CliError::new(
                Exit::Usage,
                format!("{} names no agents", benchmark.source.display()),
            )
            .hint("name one: --agent oracle, --agent nop, --agent command:'...' or --agent FILE.yaml"));
        }
        return Ok(benchmark.agents.clone());
    }
    let mut agents: Vec<Arc<Agent>> = Vec::new();
    for value in values {
        let agent = load_agent(value, benchmark, options).map_err(|diagnostics| refused(&diagnostics))?;
        if agents.iter().any(|other| other.name == agent.name) {
            return Err(CliError::new(Exit::Usage, format!("two agents are called {:?}", agent.name))
                .hint("give each agent file a `name` of its own"));
        }
        agents.push(Arc::new(agent));
    }
    Ok(agents)
}

/// Keeps the scenarios that any of the patterns names: as a glob over the whole name, or as a part of it.
pub(crate) fn filter(benchmark: &mut Benchmark, patterns: &[String]) -> Result<(), CliError> {
    if patterns.is_empty() {
        return Ok(());
    }
    // A name such as `fix[size=small]` is no glob for itself, hence the part beside the glob.
    let globs: Vec<_> =
        patterns.iter().map(|pattern| Glob::new(pattern).ok().map(|g| g.compile_matcher())).collect();
    let wanted = |name: &str| {
        patterns.iter().zip(&globs).any(|(pattern, glob)| {
            name.contains(pattern) || glob.as_ref().is_some_and(|glob| glob.is_match(name))
        })
    };
    let names: Vec<String> = benchmark.scenarios.iter().map(|scenario| scenario.name.clone()).collect();
    benchmark.scenarios.retain(|scenario| wanted(&scenario.name));
    if benchmark.scenarios.is_empty() {
        return Err(CliError::new(Exit::Usage, format!("no scenario matches {}", patterns.join(", ")))
            .hint(format!("there are: {}", names.join(", "))));
    }
    Ok(())
}

/// Refuses scenarios that the oracle cannot solve, before anything is run.
pub(crate) fn demand_references(benchmark: &Benchmark) -> Result<(), CliError> {
    let without: Vec<&str> = benchmark
        .scenarios
        .iter()
        .filter(|scenario| scenario.reference_output.is_none())
        .map(|scenario| scenario.name.as_str())
        .collect();
    if without.is_empty() {
        return Ok(());
    }
    Err(CliError::new(Exit::Usage, format!("the oracle has no reference for {}", without.join(", ")))
        .hint("give each scenario a `reference_output`, or leave it out with --filter"))
}

/// Shows diagnostics on standard error, with colours where they are wanted.
pub(crate) fn show(diagnostics: &Diagnostics) {
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    say!("{}", diagnostics.render(colours).trim_end());
}

/// Shows what is wrong and makes it an error.
pub(crate) fn refused(diagnostics: &Diagnostics) -> CliError {
    show(diagnostics);
    let errors = diagnostics.iter().filter(|one| one.severity == eval_builder::Severity::Error).count();
    let noun = if errors == 1 { "mistake" } else { "mistakes" };
    CliError::new(Exit::Usage, format!("{errors} {noun} in the definitions; nothing was run"))
}
