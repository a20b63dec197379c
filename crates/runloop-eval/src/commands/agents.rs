//! `agents`: the agents that can be named without a file.

use eval_builder::{Agent, AgentKind, LoadOptions, catalogue_agent};
use serde_json::json;

use crate::args::{AgentsArgs, AgentsFormat};
use crate::commands::{print, print_json};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{catalogue, definitions};

/// Lists all of them, or prints the file of one, to be copied and changed.
pub(crate) fn run(args: &AgentsArgs) -> Result<Exit, CliError> {
    let files = catalogue::agents();
    if let Some(name) = &args.name {
        let Some((_, text)) = files.iter().find(|(known, _)| known == name) else {
            let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
            return Err(CliError::new(Exit::Usage, format!("the catalogue has no agent {name:?}"))
                .hint(format!("it has {}", names.join(", "))));
        };
        print(text)?;
        return Ok(Exit::Done);
    }
    let options = LoadOptions { catalogue: files.clone(), ..LoadOptions::default() };
    let mut listed = Vec::new();
    for (name, _) in &files {
        let agent =
            catalogue_agent(name, &options).map_err(|diagnostics| definitions::refused(&diagnostics))?;
        listed.push(agent);
    }
    match args.format {
        AgentsFormat::Text => print(&table(&listed))?,
        AgentsFormat::Json => print_json(&listed.iter().map(described).collect::<Vec<_>>())?,
    }
    Ok(Exit::Done)
}

/// Names of the secrets that an agent needs.
fn secrets(agent: &Agent) -> Vec<&str> {
    let mut names: Vec<&str> = agent.secrets.values().map(String::as_str).collect();
    names.dedup();
    names
}

fn described(agent: &Agent) -> serde_json::Value {
    let place = if matches!(agent.kind, AgentKind::HostCommand(_)) { "host" } else { "devbox" };
    json!({
        "name": agent.name,
        "description": agent.description,
        "runs_in": place,
        "secrets": secrets(agent),
        "tells_usage": agent.usage.is_some(),
        "digest": agent.digest.as_str(),
    })
}

fn table(agents: &[Agent]) -> String {
    let built_in = [("oracle", "Applies the reference."), ("nop", "Does nothing.")];
    let width = agents.iter().map(|agent| agent.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, description) in built_in {
        text += &format!("{name:width$}  {description}\n");
    }
    for agent in agents {
        let needs = match secrets(agent).as_slice() {
            [] => String::new(),
            names => format!(" Needs {}.", names.join(", ")),
        };
        let description = agent.description.as_deref().unwrap_or_default();
        text += &format!("{:width$}  {description}{needs}\n", agent.name);
    }
    text += "\nUse one with `run --agent NAME`, or copy and change its file: `runloop-eval agents NAME > my-agent.yaml`.\n\
             They reach their models over the network: scenarios with `network: none` keep them from it.\n";
    text
}
