//! From the key `environment` to an [`Environment`].

use std::path::Path;

use runloop_types::{
    BlueprintCreateParams, BlueprintId, BuildContext, LaunchParameters, Mount, ObjectId, SnapshotId,
};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::diagnostic::Diagnostic;
use crate::digest::{Digest, DigestBuilder, canonical_json};
use crate::loader::{Loader, local_path};
use crate::model::{Environment, FileEntry, Network, Origin};
use crate::template::Scope;
use crate::yaml::{Map, Node};

/// Reads an environment; what is absent takes its default.
pub(crate) fn environment(loader: &mut Loader<'_>, node: Option<&Node>, scope: &Scope) -> Environment {
    let empty = Map::default();
    let map = node.and_then(Node::as_map).unwrap_or(&empty);
    let (origin, build_context) = origin(loader, map, scope);
    let working_directory = working_directory(loader, map, scope);
    let mut environment = Environment {
        origin,
        build_context,
        files: files(loader, map, scope, &working_directory),
        working_directory,
        mounts: mounts(loader, map, scope),
        setup_commands: loader.texts(map, "setup_commands", scope),
        environment_variables: loader.text_map(map, "environment_variables", scope),
        secrets: loader.text_map(map, "secrets", scope),
        launch_parameters: launch_parameters(loader, map, scope),
        network: network(loader, map, scope),
        digest: DigestBuilder::new("environment").finish(),
    };
    check_variables(loader, map, &environment);
    environment.digest = environment_digest(&environment);
    environment
}

fn origin(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> (Origin, Option<FileEntry>) {
    if let (Some(_), Some(snapshot)) = (map.get("blueprint"), map.entry("snapshot"))
        && map.get("snapshot").is_some()
    {
        loader.error(&snapshot.key_span, "`blueprint` and `snapshot` exclude each other");
    }
    if let Some(node) = map.get("snapshot") {
        let id = non_empty(loader, node, "`snapshot`", scope).unwrap_or_default();
        return (Origin::Snapshot(SnapshotId::new(id)), None);
    }
    let Some(node) = map.get("blueprint") else { return (Origin::Default, None) };
    match node.as_map() {
        None => {
            let name = non_empty(loader, node, "`blueprint`", scope).unwrap_or_default();
            (Origin::BlueprintName(name), None)
        }
        Some(map) => match map.entry("id") {
            Some(id) => {
                if let Some(other) = map.0.iter().find(|entry| entry.key != "id") {
                    loader.push(
                        Diagnostic::error(
                            &other.key_span,
                            format!("`id` and `{}` exclude each other", other.key),
                        )
                        .help("a blueprint with an id exists already; remove the id to build one"),
                    );
                }
                let id = non_empty(loader, &id.value, "`id`", scope).unwrap_or_default();
                (Origin::BlueprintId(BlueprintId::new(id)), None)
            }
            None => inline_blueprint(loader, map, scope),
        },
    }
}

fn inline_blueprint(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> (Origin, Option<FileEntry>) {
    let mut params: BlueprintCreateParams = Map(map
        .0
        .iter()
        .filter(|entry| {
            !matches!(entry.key.as_str(), "dockerfile" | "build_context" | "build_args" | "metadata")
        })
        .cloned()
        .collect())
    .into_type(loader, scope, "blueprint");
    if let Some(node) = map.get("dockerfile") {
        params.dockerfile = loader.text_or_file(node, scope, &["dockerfile", ".dockerfile"]);
    }
    if map.get("build_args").is_some() {
        params.build_args = Some(loader.text_map(map, "build_args", scope));
    }
    if map.get("metadata").is_some() {
        params.metadata = Some(loader.text_map(map, "metadata", scope));
    }
    let mut context = None;
    if let Some(node) = map.get("build_context") {
        match node.as_map() {
            Some(stored) => {
                let id = loader.text(stored, "object_id", scope).unwrap_or_default();
                params.build_context =
                    Some(BuildContext { r#type: "object".into(), object_id: ObjectId::new(id) });
            }
            None => context = build_context(loader, node, scope),
        }
    }
    if params.name.is_empty() {
        let content = serde_json::to_value(&params).map(|value| canonical_json(&value)).unwrap_or_default();
        let context = context.as_ref().map(|entry| entry.digest.as_str()).unwrap_or_default();
        let digest = DigestBuilder::new("blueprint")
            .field("params", content.as_bytes())
            .field("build_context", context.as_bytes())
            .finish();
        params.name = format!("eval-{}", digest.short());
    }
    (Origin::Blueprint(Box::new(params)), context)
}

fn build_context(loader: &mut Loader<'_>, node: &Node, scope: &Scope) -> Option<FileEntry> {
    let source = loader.render(node, scope)?;
    let entry = loader.file_entry(node, &source, ".".to_owned())?;
    if !entry.is_directory {
        loader.error(&node.span, format!("`{source}` is not a directory, so it cannot be a build context"));
        return None;
    }
    Some(entry)
}

fn working_directory(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> String {
    let Some(node) = map.get("working_directory") else { return String::new() };
    let Some(text) = loader.render(node, scope) else { return String::new() };
    if text.trim().is_empty() {
        loader.push(
            Diagnostic::error(&node.span, "`working_directory` must not be empty")
                .help("remove the key to work in the home directory"),
        );
    }
    if text.split('/').any(|part| part == "..") {
        loader.push(
            Diagnostic::error(&node.span, "`working_directory` must not contain `..`")
                .help("write it relative to the home directory, or absolute"),
        );
    }
    let below_home = text.strip_prefix("~/").unwrap_or(if text == "~" { "" } else { &text });
    let clean: Vec<&str> = below_home.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let clean = clean.join("/");
    if below_home.starts_with('/') { format!("/{clean}") } else { clean }
}

fn files(loader: &mut Loader<'_>, map: &Map, scope: &Scope, working_directory: &str) -> Vec<FileEntry> {
    let items = map.get("files").map(Node::as_list).unwrap_or_default();
    items.iter().filter_map(|item| file(loader, item, scope, working_directory)).collect()
}

fn file(loader: &mut Loader<'_>, node: &Node, scope: &Scope, working_directory: &str) -> Option<FileEntry> {
    let (source_node, target_node) = source_and_target(node)?;
    let source = loader.render(source_node, scope)?;
    let target = match target_node {
        Some(node) => non_empty(loader, node, "`target`", scope)?,
        None => own_name(loader, source_node, &source)?,
    };
    let is_directory = local_path(source_node, &source).is_dir();
    let target = complete_target(&source, &target, is_directory);
    if leads_out_of_home(working_directory, &target) {
        loader.push(
            Diagnostic::error(
                &target_node.unwrap_or(source_node).span,
                format!("`{target}` leads out of the home directory"),
            )
            .help("write an absolute path if that is meant"),
        );
    }
    loader.file_entry(source_node, &source, target)
}

/// Whether a target that is not absolute is above the home directory: whose directories there are is not known.
fn leads_out_of_home(working_directory: &str, target: &str) -> bool {
    let path = match target.strip_prefix("~/") {
        Some(below_home) => below_home.to_owned(),
        None => format!("{working_directory}/{target}"),
    };
    if target.starts_with('/') || working_directory.starts_with('/') && !target.starts_with("~/") {
        return false;
    }
    let mut depth = 0_usize;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// The nodes of a file that is written as a text or as `{source, target}`.
pub(crate) fn source_and_target(node: &Node) -> Option<(&Node, Option<&Node>)> {
    match node.as_map() {
        Some(map) => Some((map.get("source")?, Some(map.get("target")?))),
        None => node.as_text().map(|_| (node, None)),
    }
}

/// Where something without a target goes: to its own name in the working directory.
pub(crate) fn own_name(loader: &mut Loader<'_>, node: &Node, source: &str) -> Option<String> {
    let name = Path::new(source).file_name().and_then(|name| name.to_str());
    if name.is_none() {
        loader.push(
            Diagnostic::error(&node.span, format!("`{source}` has no name of its own to be put under"))
                .help(format!("write {{ source: {source}, target: ... }}")),
        );
    }
    name.map(str::to_owned)
}

/// A file may be sent into a directory: `.` and `x/` stand for the file's name in it.
pub(crate) fn complete_target(source: &str, target: &str, is_directory: bool) -> String {
    let into = target.ends_with('/') || matches!(target, "." | "~" | "..") || target.ends_with("/..");
    let name = Path::new(source).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match (is_directory, into) {
        (true, _) if target == "/" => "/".to_owned(),
        (true, _) => target.trim_end_matches('/').to_owned(),
        (false, true) if target == "." || target == "./" => name.to_owned(),
        (false, true) => format!("{}/{name}", target.trim_end_matches('/')),
        (false, false) => target.to_owned(),
    }
}

fn mounts(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> Vec<Mount> {
    let items = map.get("mounts").map(Node::as_list).unwrap_or_default();
    items.iter().filter_map(|item| into_type(loader, item, scope, "mount")).collect()
}

fn launch_parameters(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> LaunchParameters {
    map.get("launch_parameters")
        .and_then(|node| into_type(loader, node, scope, "launch parameters"))
        .unwrap_or_default()
}

fn network(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> Network {
    match map.get("network") {
        Some(node) => match (node.as_text(), node.as_map()) {
            (Some("none"), _) => Network::None,
            (_, Some(map)) => Network::AllowedHostnames(loader.texts(map, "allowed_hostnames", scope)),
            _ => Network::All,
        },
        None => Network::All,
    }
}

/// A variable is either plain or secret.
fn check_variables(loader: &mut Loader<'_>, map: &Map, environment: &Environment) {
    let Some(secrets) = map.get("secrets").and_then(Node::as_map) else { return };
    for entry in &secrets.0 {
        if environment.environment_variables.contains_key(&entry.key) {
            loader.error(
                &entry.key_span,
                format!("`{}` is given in `environment_variables` and in `secrets`", entry.key),
            );
        }
    }
}

/// The rendered text of a node that must say something.
pub(crate) fn non_empty(loader: &mut Loader<'_>, node: &Node, what: &str, scope: &Scope) -> Option<String> {
    let text = loader.render(node, scope)?;
    if text.trim().is_empty() {
        loader.error(&node.span, format!("{what} must not be empty"));
        return None;
    }
    Some(text)
}

/// A value of the wire types. Its shape was checked, so that a mismatch here was reported already or is ours to report.
fn into_type<T: DeserializeOwned>(
    loader: &mut Loader<'_>,
    node: &Node,
    scope: &Scope,
    what: &str,
) -> Option<T> {
    let value = loader.render_json(node, scope, false);
    match serde_json::from_value(value) {
        Ok(value) => Some(value),
        Err(error) => {
            if !loader.diagnostics.has_errors() {
                loader.error(&node.span, format!("this is not a valid {what}: {error}"));
            }
            None
        }
    }
}

impl Map {
    fn into_type<T: DeserializeOwned + Default>(
        self,
        loader: &mut Loader<'_>,
        scope: &Scope,
        what: &str,
    ) -> T {
        let Some(first) = self.0.first() else { return T::default() };
        let node = Node { span: first.key_span.clone(), data: crate::yaml::Data::Map(self.clone()) };
        into_type(loader, &node, scope, what).unwrap_or_default()
    }
}

/// Everything of an environment but where its files are on this machine.
pub(crate) fn environment_digest(environment: &Environment) -> Digest {
    let Environment {
        origin,
        build_context,
        working_directory,
        files,
        mounts,
        setup_commands,
        environment_variables,
        secrets,
        launch_parameters,
        network,
        digest: _,
    } = environment;
    let value = json!({
        "origin": origin_json(origin),
        "build_context": build_context.as_ref().map(file_json),
        "working_directory": working_directory,
        "files": files.iter().map(file_json).collect::<Vec<_>>(),
        "mounts": mounts,
        "setup_commands": setup_commands,
        "environment_variables": environment_variables,
        "secrets": secrets,
        "launch_parameters": launch_parameters,
        "network": network_json(network),
    });
    DigestBuilder::new("environment").field("definition", canonical_json(&value).as_bytes()).finish()
}

pub(crate) fn origin_json(origin: &Origin) -> Json {
    match origin {
        Origin::Default => json!({ "kind": "default" }),
        Origin::BlueprintName(name) => json!({ "kind": "blueprint_name", "blueprint_name": name }),
        Origin::BlueprintId(id) => json!({ "kind": "blueprint_id", "blueprint_id": id }),
        Origin::Blueprint(params) => json!({ "kind": "blueprint", "blueprint": params }),
        Origin::Snapshot(id) => json!({ "kind": "snapshot", "snapshot_id": id }),
    }
}

fn file_json(entry: &FileEntry) -> Json {
    json!({ "target": entry.target, "digest": entry.digest.as_str(), "is_directory": entry.is_directory })
}

pub(crate) fn network_json(network: &Network) -> Json {
    match network {
        Network::All => json!("all"),
        Network::None => json!("none"),
        Network::AllowedHostnames(names) => json!({ "allowed_hostnames": names }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_may_leave_the_working_directory_but_not_the_home_directory() {
        for (working_directory, target, out) in [
            ("repo", "../history.sh", false),
            ("repo", "../../x", true),
            ("", "../x", true),
            ("", "a/../b", false),
            ("/srv/repo", "../x", false),
            ("/srv/repo", "~/../x", true),
            ("repo", "~/x", false),
            ("", "/etc/x", false),
        ] {
            assert_eq!(leads_out_of_home(working_directory, target), out, "{target} in {working_directory}");
        }
    }

    #[test]
    fn a_file_is_written_to_its_target_or_into_a_directory() {
        for (source, target, is_directory, complete) in [
            ("a/run.sh", "x", false, "x"),
            ("a/run.sh", ".", false, "run.sh"),
            ("a/run.sh", "bin/", false, "bin/run.sh"),
            ("a/run.sh", "..", false, "../run.sh"),
            ("a/run.sh", "/", false, "/run.sh"),
            ("repo/", "code/", true, "code"),
            ("repo/", ".", true, "."),
            ("repo/", "/", true, "/"),
        ] {
            assert_eq!(complete_target(source, target, is_directory), complete, "{source} to {target}");
        }
    }
}
