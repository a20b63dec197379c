//! Reference solutions and controls.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::environment::non_empty;
use crate::loader::{Loader, local_path};
use crate::model::{Solution, SolutionKind};
use crate::shape::NameRule;
use crate::template::Scope;
use crate::yaml::{Map, Node};

/// Directory next to a scenario file whose patches and scripts must not pass.
const CONTROLS: &str = "controls";

/// The reference of a scenario.
pub(crate) fn reference(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> Option<Solution> {
    let node = map.get("reference_output")?;
    let (kind, content) = output(loader, node, scope)?;
    Some(Solution { name: "reference".to_owned(), kind, content })
}

/// The controls of a scenario: those beside its file by name, then those it lists.
pub(crate) fn controls(
    loader: &mut Loader<'_>,
    map: &Map,
    file: Option<&Node>,
    scope: &Scope,
) -> Vec<Solution> {
    let mut found: Vec<Solution> = Vec::new();
    if let Some(node) = file {
        for path in beside(loader, node) {
            let (Some(kind), Some(name)) = (kind_of_path(&path), stem(&path)) else { continue };
            if let Some(text) = loader.read_text_file(node, &path) {
                add(loader, &mut found, node, solution(name, kind, &path, text));
            }
        }
    }
    for node in map.get("controls").map(Node::as_list).unwrap_or_default() {
        if let Some(control) = listed(loader, node, scope) {
            add(loader, &mut found, node, control);
        }
    }
    found
}

fn listed(loader: &mut Loader<'_>, node: &Node, scope: &Scope) -> Option<Solution> {
    if let Some(map) = node.as_map() {
        let name = map.get("name")?.as_text()?.to_owned();
        let (kind, content) = output(loader, map.get("output")?, scope)?;
        return Some(Solution { name, kind, content });
    }
    let name = non_empty(loader, node, "a control", scope)?;
    let path = local_path(node, &name);
    let Some(kind) = kind_of_path(&path) else {
        loader.push(
            Diagnostic::error(&node.span, format!("`{name}` is neither a patch nor a script by its ending"))
                .help("a control ends in .patch, .diff, .sh or .py, or is { name: ..., output: ... }"),
        );
        return None;
    };
    let text = loader.read_text(node, &name)?;
    Some(solution(stem(&path)?, kind, &path, text))
}

fn add(loader: &mut Loader<'_>, found: &mut Vec<Solution>, node: &Node, control: Solution) {
    if found.iter().any(|known| known.name == control.name) {
        loader.error(&node.span, format!("two controls are called `{}`", control.name));
        return;
    }
    if !NameRule::File.allows(&control.name) {
        loader.push(
            Diagnostic::error(
                &node.span,
                format!("`{}` cannot be used as the name of a control", control.name),
            )
            .help("use letters, digits, `-`, `_` and `.` in the file's name"),
        );
        return;
    }
    if control.content.trim().is_empty() {
        loader.push(
            Diagnostic::error(&node.span, format!("the control `{}` is empty", control.name))
                .help("doing nothing is tried anyway, by the agent `nop`"),
        );
        return;
    }
    found.push(control);
}

/// Files of the directory of controls, sorted by name.
fn beside(loader: &mut Loader<'_>, node: &Node) -> Vec<PathBuf> {
    let directory = local_path(node, CONTROLS);
    let Ok(listing) = std::fs::read_dir(&directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = listing.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in &paths {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let ignored = path.is_dir() || name.starts_with('.') || name.ends_with(".md");
        if kind_of_path(path).is_none() && !ignored {
            loader.push(
                Diagnostic::warning(
                    &node.span,
                    format!("{} is neither a patch nor a script, so it is no control", path.display()),
                )
                .help("controls end in .patch, .diff, .sh or .py"),
            );
        }
    }
    paths.retain(|path| path.is_file());
    paths
}

/// A solution that is given as a path or as its text.
fn output(loader: &mut Loader<'_>, node: &Node, scope: &Scope) -> Option<(SolutionKind, String)> {
    let text = non_empty(loader, node, "a solution", scope)?;
    if text.starts_with("#!") {
        return Some((SolutionKind::Script, text));
    }
    if text.starts_with("diff --git") || text.starts_with("--- ") {
        return Some((SolutionKind::Patch, text));
    }
    let name = text.trim();
    let path = local_path(node, name);
    let Some(kind) = kind_of_path(&path).filter(|_| !name.contains('\n')) else {
        loader
            .push(Diagnostic::error(&node.span, "this is neither the path of a solution nor its text").help(
            "name a file that ends in .patch, .diff, .sh or .py, or start the text with `#!` or `diff --git`",
        ));
        return None;
    };
    let content = loader.read_text(node, name)?;
    if content.trim().is_empty() {
        loader.error(&node.span, format!("{} is empty", path.display()));
        return None;
    }
    let solution = solution(String::new(), kind, &path, content);
    Some((kind, solution.content))
}

fn solution(name: String, kind: SolutionKind, path: &Path, text: String) -> Solution {
    // Scripts are run by their first line, or sh; a Python script without one would be run by sh.
    let is_python = path.extension().is_some_and(|ending| ending == "py");
    let content =
        if is_python && !text.starts_with("#!") { format!("#!/usr/bin/env python3\n{text}") } else { text };
    Solution { name, kind, content }
}

fn kind_of_path(path: &Path) -> Option<SolutionKind> {
    match path.extension()?.to_str()? {
        "patch" | "diff" => Some(SolutionKind::Patch),
        "sh" | "py" => Some(SolutionKind::Script),
        _ => None,
    }
}

fn stem(path: &Path) -> Option<String> {
    path.file_stem()?.to_str().map(str::to_owned)
}
