//! Agents: built in, from the catalogue, from files, or written in place.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use runloop_types::AgentSource;
use serde_json::{Value as Json, json};

use crate::agent_source;
use crate::agent_usage;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::digest::{Digest, DigestBuilder, canonical_json};
use crate::duration;
use crate::environment::non_empty;
use crate::keys::{AGENT, BUILT_IN_AGENTS};
use crate::loader::{LoadOptions, Loader, local_path};
use crate::model::{Agent, AgentKind, Benchmark, Scenario};
use crate::shape::{self, Shape};
use crate::source::{SourceFile, Span};
use crate::template::{self, Scope};
use crate::yaml::{self, Data, Map, Node};

/// Prefix of an agent that is a command.
const COMMAND: &str = "command:";
/// What stands for a file in messages about an agent that is named on the command line.
pub(crate) const ARGUMENT: &str = "--agent";

/// An agent and, for messages, the node of its command.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) agent: Arc<Agent>,
    pub(crate) command: Option<Node>,
}

/// Why the command of an agent could not be made for a scenario.
#[derive(Debug, thiserror::Error)]
#[error("the command of agent {agent} cannot be made for scenario {scenario}: {message}{}", help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
pub struct RenderError {
    /// The agent.
    pub agent: String,
    /// The scenario.
    pub scenario: String,
    /// What is wrong with the template.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Loads an agent for a benchmark: one that the benchmark names, `oracle`, `nop`, a name of the catalogue, the path of
/// a file, or `command:` and a bash command. Its command is checked against every scenario.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_agent(spec: &str, benchmark: &Benchmark, options: &LoadOptions) -> Result<Agent, Diagnostics> {
    if let Some(agent) = benchmark.agents.iter().find(|agent| agent.name == spec) {
        return Ok(Agent::clone(agent));
    }
    // A node that stands for the argument, so that paths are relative to where the user is.
    let file = Arc::new(SourceFile { path: PathBuf::from(ARGUMENT), text: spec.to_owned() });
    let span = Span::new(&file, 0..spec.len());
    let node = Node { span, data: Data::Text(spec.to_owned()) };
    let mut loader = Loader::new(options);
    let located = agent(&mut loader, &node);
    if let Some(located) = &located {
        check_for(&mut loader, &node, located, &benchmark.scenarios);
    }
    match located {
        Some(located) if !loader.diagnostics.has_errors() => Ok(Arc::unwrap_or_clone(located.agent)),
        _ => Err(loader.diagnostics),
    }
}

/// The command of an agent for one scenario; empty for the built-in agents.
///
/// The template sees `name`, `problem_statement`, `problem_statement_file`, `working_directory`, `metadata` and
/// `additional_context` (null if there is none). `problem_statement_file` is a quoted reference to the variable
/// `PROBLEM_STATEMENT_FILE`, because where the file is depends on where the command runs.
///
/// # Errors
/// If the template cannot be rendered for this scenario.
pub fn render_agent_command(agent: &Agent, scenario: &Scenario) -> Result<String, RenderError> {
    let template = match &agent.kind {
        AgentKind::Command(template) | AgentKind::HostCommand(template) => template,
        AgentKind::Oracle | AgentKind::Nop | AgentKind::Control(_) => return Ok(String::new()),
    };
    template::render(template, &command_scope(scenario)).map_err(|error| RenderError {
        agent: agent.name.clone(),
        scenario: scenario.name.clone(),
        message: error.message,
        help: error.help,
    })
}

fn command_scope(scenario: &Scenario) -> Scope {
    let mut scope = Scope::default();
    scope.set("name", scenario.name.as_str());
    scope.set("problem_statement", scenario.problem_statement.as_str());
    scope.set("working_directory", scenario.environment.working_directory.as_str());
    scope.set("metadata", json!(scenario.metadata));
    scope.set("additional_context", scenario.additional_context.clone().unwrap_or(Json::Null));
    scope.set_shell_word("problem_statement_file", "\"$PROBLEM_STATEMENT_FILE\"");
    scope
}

/// What an agent must be for every scenario: its command can be made, and its own time leaves some for the scorers.
pub(crate) fn check_for(
    loader: &mut Loader<'_>,
    node: &Node,
    Located { agent, command }: &Located,
    scenarios: &[Arc<Scenario>],
) {
    if let Some(command) = command {
        check_command(loader, command, scenarios);
    }
    let Some(timeout) = agent.timeout else { return };
    let short = scenarios
        .iter()
        .find(|scenario| scenario.trial_timeout.is_some_and(|time| time <= scenario.working_time(timeout)));
    if let Some(scenario) = short {
        loader.push(
            Diagnostic::error(
                &node.span,
                format!(
                    "the `timeout` of agent {} and the scorers take up the `trial_timeout` of scenario {}",
                    agent.name, scenario.name
                ),
            )
            .help("raise `trial_timeout`, or shorten the agent's time"),
        );
    }
}

fn check_command(loader: &mut Loader<'_>, command: &Node, scenarios: &[Arc<Scenario>]) {
    let Some(text) = command.as_text() else { return };
    for scenario in scenarios {
        if let Err(error) = template::render(text, &command_scope(scenario)) {
            loader.template_error(command, &error);
        }
    }
}

/// Whether a command can be made for scenarios that are not known: whether its variables are those that there are.
pub(crate) fn check_names(loader: &mut Loader<'_>, command: &Node) {
    let Some(text) = command.as_text() else { return };
    let mut scope = Scope::default();
    for name in ["name", "problem_statement", "working_directory", "metadata", "additional_context"] {
        scope.set(name, "");
    }
    scope.set_shell_word("problem_statement_file", "");
    for error in template::check_names(text, &scope) {
        loader.template_error(command, &error);
    }
}

/// Reads one agent of a list.
pub(crate) fn agent(loader: &mut Loader<'_>, node: &Node) -> Option<Located> {
    if let Some(map) = node.as_map() {
        return Some(defined(loader, map));
    }
    let spec = node.as_text()?;
    if let Some(command) = spec.strip_prefix(COMMAND) {
        if command.trim().is_empty() {
            loader.error(&node.span, "this agent has an empty command");
            return None;
        }
        let command_node = Node { span: node.span.clone(), data: Data::Text(command.to_owned()) };
        let agent = finished("command", AgentKind::Command(command.to_owned()));
        return Some(Located { agent: Arc::new(agent), command: Some(command_node) });
    }
    match spec {
        "oracle" => return Some(built_in("oracle", AgentKind::Oracle)),
        "nop" => return Some(built_in("nop", AgentKind::Nop)),
        _ => {}
    }
    if let Some(located) = of_catalogue(loader, spec) {
        return located;
    }
    let path = local_path_of(node, spec);
    let is_path = spec.contains('/') || [".yaml", ".yml"].iter().any(|ending| spec.ends_with(ending));
    if !is_path && !path.is_file() {
        let names: Vec<&str> = BUILT_IN_AGENTS
            .iter()
            .copied()
            .chain(loader.options.catalogue.iter().map(|(name, _)| name.as_str()))
            .collect();
        let help = match nearest(spec, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "there are {}; or give the path of a file, or command:<bash command>",
                names.join(", ")
            ),
        };
        loader.push(Diagnostic::error(&node.span, format!("there is no agent `{spec}`")).help(help));
        return None;
    }
    if !loader.exists(node, spec, &path) {
        return None;
    }
    let node = loader.read_tree(&path, Some(&node.span))?;
    checked(loader, &node)
}

/// An agent of the catalogue, if there is one of this name.
fn of_catalogue(loader: &mut Loader<'_>, name: &str) -> Option<Option<Located>> {
    let (name, text) = loader.options.catalogue.iter().find(|(known, _)| known == name)?;
    let path = PathBuf::from(format!("<catalogue>/{name}.yaml"));
    let file = Arc::new(SourceFile { path, text: text.clone() });
    let node = yaml::parse(&file, &mut loader.diagnostics);
    Some(node.and_then(|node| checked(loader, &node)))
}

/// Loads an agent of the catalogue without a benchmark to run it on.
///
/// # Errors
/// Everything that is wrong with it.
pub fn catalogue_agent(name: &str, options: &LoadOptions) -> Result<Agent, Diagnostics> {
    let mut loader = Loader::new(options);
    let located = of_catalogue(&mut loader, name).flatten();
    if let Some(command) = located.as_ref().and_then(|located| located.command.as_ref()) {
        check_names(&mut loader, command);
    }
    match located {
        Some(located) if loader.diagnostics.is_empty() => Ok(Arc::unwrap_or_clone(located.agent)),
        _ => Err(loader.diagnostics),
    }
}

/// The argument of `--agent` stands in no file.
fn local_path_of(node: &Node, spec: &str) -> PathBuf {
    if node.span.file.path == Path::new(ARGUMENT) { PathBuf::from(spec) } else { local_path(node, spec) }
}

pub(crate) fn checked(loader: &mut Loader<'_>, node: &Node) -> Option<Located> {
    shape::check(node, &Shape::Object(&AGENT), AGENT.noun, &mut loader.diagnostics);
    Some(defined(loader, node.as_map()?))
}

/// An agent whose keys were checked. Only its command is a template; what is installed is shared by all scenarios.
fn defined(loader: &mut Loader<'_>, map: &Map) -> Located {
    let plain = |key: &str| map.get(key).and_then(Node::as_scalar).map(str::to_owned);
    let texts = |key: &str| {
        let items = map.get(key).map(Node::as_list).unwrap_or_default();
        items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect()
    };
    let map_of = |key: &str| {
        let entries = map.get(key).and_then(Node::as_map).map(|map| map.0.as_slice()).unwrap_or_default();
        let pair = |entry: &yaml::Entry| Some((entry.key.clone(), entry.value.as_scalar()?.to_owned()));
        entries.iter().filter_map(pair).collect()
    };
    let name = plain("name").unwrap_or_default();
    if let Some(node) = map.get("name")
        && BUILT_IN_AGENTS.contains(&name.as_str())
    {
        loader.push(
            Diagnostic::error(&node.span, format!("`{name}` is the name of a built-in agent"))
                .help("give it another name"),
        );
    }
    let command = map.get("command").or_else(|| map.get("host_command")).cloned();
    let text = command
        .as_ref()
        .filter(|node| node.as_text().is_some())
        .and_then(|node| {
            node.as_text().filter(|text| !text.trim().is_empty()).or_else(|| {
                non_empty(loader, node, "the command of an agent", &Scope::default());
                None
            })
        })
        .unwrap_or_default()
        .to_owned();
    let kind =
        if map.get("command").is_some() { AgentKind::Command(text) } else { AgentKind::HostCommand(text) };
    let source = map.get("source").and_then(|node| agent_source::source(loader, node));
    let own_install: Vec<String> = texts("install");
    let usage = map.get("usage").and_then(|node| agent_usage::usage(loader, node));
    let mut agent = Agent {
        description: plain("description"),
        version: plain("version"),
        install: source.iter().flat_map(agent_source::install).chain(own_install).collect(),
        source,
        environment_variables: map_of("environment_variables"),
        secrets: map_of("secrets"),
        timeout: map.get("timeout").and_then(duration),
        prices: map.get("prices").and_then(|node| agent_usage::prices(loader, node, usage.as_ref())),
        usage,
        max_cost: map.get("max_cost").and_then(Node::as_number),
        ..finished(&name, kind)
    };
    agent.digest = agent_digest(&agent);
    Located { agent: Arc::new(agent), command }
}

/// The duration of a node, if it is one.
pub(crate) fn duration(node: &Node) -> Option<Duration> {
    match node.as_number() {
        Some(seconds) => duration::from_seconds(seconds).ok(),
        None => duration::parse_duration(node.as_text()?).ok(),
    }
}

fn built_in(name: &str, kind: AgentKind) -> Located {
    Located { agent: Arc::new(finished(name, kind)), command: None }
}

fn finished(name: &str, kind: AgentKind) -> Agent {
    let mut agent = Agent {
        name: name.to_owned(),
        description: None,
        version: None,
        kind,
        source: None,
        install: Vec::new(),
        environment_variables: Default::default(),
        secrets: Default::default(),
        timeout: None,
        usage: None,
        prices: None,
        max_cost: None,
        digest: DigestBuilder::new("agent").finish(),
    };
    agent.digest = agent_digest(&agent);
    agent
}

/// Everything that decides what an agent does: neither its name nor what it costs and where it says so.
fn agent_digest(agent: &Agent) -> Digest {
    let Agent {
        name: _,
        description: _,
        version,
        kind,
        source,
        install,
        environment_variables,
        secrets,
        timeout,
        usage: _,
        prices: _,
        max_cost: _,
        digest: _,
    } = agent;
    let mut value = json!({
        "version": version,
        "kind": kind_json(kind),
        "install": install,
        "environment_variables": environment_variables,
        "secrets": secrets,
        "timeout_ms": timeout.map(|timeout| timeout.as_millis().to_string()),
    });
    // All the others are in `install`.
    if let (Some(map), Some(AgentSource { object: Some(object), .. })) = (value.as_object_mut(), source) {
        map.insert("object_id".to_owned(), object.object_id.as_str().into());
    }
    DigestBuilder::new("agent").field("definition", canonical_json(&value).as_bytes()).finish()
}

pub(crate) fn kind_json(kind: &AgentKind) -> Json {
    match kind {
        AgentKind::Oracle => json!({ "oracle": true }),
        AgentKind::Nop => json!({ "nop": true }),
        AgentKind::Control(name) => json!({ "control": name }),
        AgentKind::Command(command) => json!({ "command": command }),
        AgentKind::HostCommand(command) => json!({ "host_command": command }),
    }
}

impl Agent {
    /// The agent that applies the reference.
    pub fn oracle() -> Self {
        finished("oracle", AgentKind::Oracle)
    }

    /// The agent that does nothing.
    pub fn nop() -> Self {
        finished("nop", AgentKind::Nop)
    }

    /// The agent that applies a control, named `control:<name>`.
    pub fn control(name: &str) -> Self {
        finished(&format!("control:{name}"), AgentKind::Control(name.to_owned()))
    }
}
