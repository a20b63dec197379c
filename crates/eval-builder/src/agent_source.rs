//! Where an agent comes from, and the commands that install it from there.

use runloop_types::{AgentGitSource, AgentObjectSource, AgentPackageSource, AgentSource};

use crate::keys::SOURCE_KINDS;
use crate::loader::Loader;
use crate::template::shell_quote;
use crate::yaml::{Map, Node};

/// Where everything of it goes, in the home directory.
const PLACE: &str = "~/.agent";

/// Reads the key `source`. What the shape check reported is left out.
pub(crate) fn source(loader: &mut Loader<'_>, node: &Node) -> Option<AgentSource> {
    let map = node.as_map()?;
    let kind = map.0.iter().find(|entry| SOURCE_KINDS.contains(&entry.key.as_str()))?;
    if let Some(node) = map.get("type")
        && node.as_text().is_some_and(|name| name != kind.key)
    {
        loader.error(&node.span, format!("this is not the type of a source with `{}`", kind.key));
    }
    let about = kind.value.as_map()?;
    let text = |key: &str| about.get(key).and_then(Node::as_scalar).map(str::to_owned);
    let mut needed = |key: &str| {
        let value = text(key)?;
        if value.trim().is_empty() || value.starts_with('-') {
            let span = about.get(key).map_or(&kind.value.span, |node| &node.span);
            loader.error(span, format!("`{key}` must name something"));
        }
        Some(value)
    };
    let setup = setup(about);
    let package = |package_name| AgentPackageSource {
        package_name,
        registry_url: text("registry_url"),
        agent_setup: setup.clone(),
    };
    Some(match kind.key.as_str() {
        "npm" => AgentSource::npm(package(needed("package_name")?)),
        "pip" => AgentSource::pip(package(needed("package_name")?)),
        "git" => {
            let repository = needed("repository")?;
            AgentSource::git(AgentGitSource { repository, git_ref: text("ref"), agent_setup: setup })
        }
        _ => {
            let object_id = needed("object_id")?.into();
            AgentSource::object(AgentObjectSource { object_id, agent_setup: setup })
        }
    })
}

fn setup(about: &Map) -> Option<Vec<String>> {
    let items = about.get("agent_setup")?.as_list();
    Some(items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect())
}

/// The commands that install it. An object is in its place before them.
pub(crate) fn install(source: &AgentSource) -> Vec<String> {
    let url = |option: &str, package: &AgentPackageSource| {
        let url = package.registry_url.as_deref().map(shell_quote);
        url.map(|url| format!("{option} {url} ")).unwrap_or_default()
    };
    let (fetch, setup) = match source {
        AgentSource { npm: Some(npm), .. } => {
            let name = shell_quote(&npm.package_name);
            let fetch = format!("npm install --global --prefix {PLACE} {}{name}", url("--registry", npm));
            (Some(fetch), &npm.agent_setup)
        }
        AgentSource { pip: Some(pip), .. } => {
            let name = shell_quote(&pip.package_name);
            let fetch = format!(
                "python3 -m venv {PLACE} && {PLACE}/bin/python -m pip install {}{name}",
                url("--index-url", pip)
            );
            (Some(fetch), &pip.agent_setup)
        }
        AgentSource { git: Some(git), .. } => {
            let branch = git.git_ref.as_deref().map(shell_quote);
            let branch = branch.map(|branch| format!("--branch {branch} ")).unwrap_or_default();
            let repository = shell_quote(&git.repository);
            (Some(format!("git clone --quiet --depth 1 {branch}-- {repository} {PLACE}")), &git.agent_setup)
        }
        AgentSource { object: Some(object), .. } => (None, &object.agent_setup),
        _ => (None, &None),
    };
    let setup = setup.iter().flatten().map(|command| format!("mkdir -p {PLACE} && cd {PLACE}\n{command}"));
    fetch.into_iter().chain(setup).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_into_the_one_place() {
        let package = AgentPackageSource {
            package_name: "@me/solver@1.2".to_owned(),
            registry_url: Some("https://npm.example.com/?a&b".to_owned()),
            agent_setup: Some(vec!["solver login".to_owned()]),
        };
        assert_eq!(
            install(&AgentSource::npm(package)),
            [
                "npm install --global --prefix ~/.agent --registry 'https://npm.example.com/?a&b' @me/solver@1.2",
                "mkdir -p ~/.agent && cd ~/.agent\nsolver login"
            ]
        );
        let package = AgentPackageSource { package_name: "solver>=1".to_owned(), ..Default::default() };
        assert_eq!(
            install(&AgentSource::pip(package)),
            ["python3 -m venv ~/.agent && ~/.agent/bin/python -m pip install 'solver>=1'"]
        );
    }

    #[test]
    fn repositories_are_cloned_and_objects_are_there_already() {
        let git = AgentGitSource {
            repository: "https://example.com/a.git".to_owned(),
            git_ref: Some("v1".to_owned()),
            agent_setup: None,
        };
        assert_eq!(
            install(&AgentSource::git(git)),
            ["git clone --quiet --depth 1 --branch v1 -- https://example.com/a.git ~/.agent"]
        );
        let setup = Some(vec!["make".to_owned()]);
        let object = AgentObjectSource { object_id: "obj_1".into(), agent_setup: setup };
        assert_eq!(install(&AgentSource::object(object)), ["mkdir -p ~/.agent && cd ~/.agent\nmake"]);
    }
}
