//! From the key `scorers` to scoring functions of the API.

use std::path::Path;
use std::time::Duration;

use runloop_types::{CustomScript, Expect, PassRate, Scorer as Function, ScriptLanguage, TestFile};
use serde_json::{Map as JsonMap, Value as Json};

use crate::agent::duration;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::environment::{complete_target, non_empty, own_name, source_and_target};
use crate::files::FileKind;
use crate::keys::{SCORER_FILE, SCORER_KINDS};
use crate::loader::{LoadOptions, Loader, local_path};
use crate::model::{FileEntry, Scorer};
use crate::shape::{self, Shape};
use crate::template::Scope;
use crate::yaml::{Data, Entry, Map, Node};

/// Keys that go with one kind only.
const COMPANIONS: &[(&str, &str)] = &[
    ("test_files", "test_command"),
    ("pass_rate", "test_command"),
    ("python_version_constraint", "python_script"),
    ("requirements", "python_script"),
    ("with", "use"),
];

/// Reads all scorers of a scenario; their weights sum to 1. `longest` is the scenario's scorer timeout.
pub(crate) fn scorers(loader: &mut Loader<'_>, node: &Node, scope: &Scope, longest: Duration) -> Vec<Scorer> {
    let mut found: Vec<Scorer> = Vec::new();
    for item in node.as_list() {
        let Some(map) = item.as_map() else { continue };
        check_timeout(loader, map, longest);
        let Some(scorer) = scorer(loader, item, map, scope) else { continue };
        if found.iter().any(|known| known.name == scorer.name) {
            let span = map.get("name").map_or(&item.span, |name| &name.span);
            loader.push(
                Diagnostic::error(span, format!("two scorers are called `{}`", scorer.name))
                    .label("used again here"),
            );
        }
        found.push(scorer);
    }
    let sum: f64 = found.iter().map(|scorer| scorer.weight).sum();
    if !sum.is_finite() {
        loader.error(&node.span, "the weights of these scorers are too large to be added");
    }
    for scorer in &mut found {
        scorer.weight /= sum;
    }
    found
}

fn scorer(loader: &mut Loader<'_>, node: &Node, map: &Map, scope: &Scope) -> Option<Scorer> {
    check_companions(loader, map);
    let name = map.get("name").and_then(Node::as_text).unwrap_or_default().to_owned();
    let weight = map.get("weight").and_then(Node::as_number).unwrap_or(1.0);
    // None or several kinds were reported by the shape check.
    let kind = map.0.iter().find(|entry| SCORER_KINDS.contains(&entry.key.as_str()))?;
    let mut scorer = Scorer {
        name,
        weight,
        function: Function::CommandScorer { command: String::new() },
        expect: Expect::Present,
        pass_rate: None,
        custom_script: None,
        timeout: map.get("timeout").and_then(duration),
    };
    let value = &kind.value;
    match kind.key.as_str() {
        "test_command" => {
            scorer.function = Function::TestBasedScorer {
                test_command: non_empty(loader, value, "`test_command`", scope)?,
                test_files: Some(test_files(loader, map, scope)),
            };
            scorer.pass_rate = pass_rate(loader, map, scope);
        }
        "shell_command" => {
            let command = non_empty(loader, value, "`shell_command`", scope)?;
            scorer.function = Function::CommandScorer { command };
        }
        "bash_script" => {
            let bash_script = script(loader, value, scope, &[".sh", ".bash"])?;
            scorer.function = Function::BashScriptScorer { bash_script };
        }
        "python_script" => {
            let requirements = map.get("requirements");
            scorer.function = Function::PythonScriptScorer {
                python_script: script(loader, value, scope, &[".py"])?,
                python_version_constraint: loader.text(map, "python_version_constraint", scope),
                requirements_contents: requirements
                    .and_then(|node| loader.text_or_file(node, scope, &[".txt", ".in"])),
            };
        }
        "ast_grep" => {
            let map = value.as_map()?;
            let pattern = non_empty(loader, map.get("pattern")?, "`pattern`", scope)?;
            let search_directory = loader.text(map, "search_directory", scope);
            scorer.function = Function::AstGrepScorer {
                pattern,
                search_directory: search_directory.unwrap_or_else(|| ".".to_owned()),
                lang: loader.text(map, "lang", scope),
            };
            if map.get("expect").and_then(Node::as_text) == Some("absent") {
                scorer.expect = Expect::Absent;
            }
        }
        "custom" => {
            let map = value.as_map()?;
            let params = map.get("params").map(|node| loader.render_json(node, scope, true));
            scorer.function = Function::CustomScorer {
                custom_scorer_type: non_empty(loader, map.get("type")?, "`type`", scope)?,
                scorer_params: params,
            };
        }
        "use" => {
            let (function, script) = shared(loader, node, value, map, scope)?;
            scorer.function = function;
            scorer.custom_script = Some(script);
        }
        _ => return None,
    }
    Some(scorer)
}

/// A timeout of its own gives a score, that of the scenario gives none: the first must come first.
fn check_timeout(loader: &mut Loader<'_>, map: &Map, longest: Duration) {
    let Some(entry) = map.entry("timeout") else { return };
    if map.entry("ast_grep").is_some() {
        loader.push(
            Diagnostic::error(&entry.key_span, "`timeout` goes with scorers that run a command")
                .help("nothing of the agent's runs in a search; remove it"),
        );
        return;
    }
    if duration(&entry.value).is_some_and(|timeout| timeout >= longest) {
        loader.push(
            Diagnostic::error(
                &entry.value.span,
                format!("this `timeout` is not below the scenario's `scorer_timeout` of {longest:?}"),
            )
            .label("never reached: the trial is invalid before")
            .help("a `timeout` says when a check has failed, `scorer_timeout` when something is wrong with it: shorten the one or raise the other"),
        );
    }
}

fn check_companions(loader: &mut Loader<'_>, map: &Map) {
    for (key, kind) in COMPANIONS {
        if let Some(entry) = map.entry(key)
            && map.entry(kind).is_none()
        {
            loader.error(&entry.key_span, format!("`{key}` goes with `{kind}` only"));
        }
    }
}

fn script(loader: &mut Loader<'_>, node: &Node, scope: &Scope, endings: &[&str]) -> Option<String> {
    let text = loader.text_or_file(node, scope, endings)?;
    if text.trim().is_empty() {
        loader.error(&node.span, "this script is empty");
        return None;
    }
    Some(text)
}

fn pass_rate(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> Option<PassRate> {
    let node = map.get("pass_rate")?;
    match node.as_map() {
        Some(map) => non_empty(loader, map.get("junit")?, "`junit`", scope).map(PassRate::Junit),
        None => Some(PassRate::Tap),
    }
}

fn test_files(loader: &mut Loader<'_>, map: &Map, scope: &Scope) -> Vec<TestFile> {
    let mut found: Vec<TestFile> = Vec::new();
    for node in map.get("test_files").map(Node::as_list).unwrap_or_default() {
        for file in test_file(loader, node, scope).unwrap_or_default() {
            if found.iter().any(|known| known.file_path == file.file_path) {
                loader.push(
                    Diagnostic::error(&node.span, format!("two test files go to `{}`", file.file_path))
                        .help("only the last one would be there; give one of them another target"),
                );
            }
            found.push(file);
        }
    }
    found
}

fn test_file(loader: &mut Loader<'_>, node: &Node, scope: &Scope) -> Option<Vec<TestFile>> {
    let (source_node, target_node) = source_and_target(node)?;
    let source = loader.render(source_node, scope)?;
    let target = match target_node {
        Some(node) => non_empty(loader, node, "`target`", scope)?,
        None => own_name(loader, source_node, &source)?,
    };
    if target.starts_with('/') || target.starts_with('~') {
        loader.push(
            Diagnostic::error(&node.span, format!("`{target}` is not relative to the working directory"))
                .help("test files are written relative to the working directory"),
        );
        return None;
    }
    let is_directory = local_path(source_node, &source).is_dir();
    let target = complete_target(&source, &target, is_directory);
    let entry = loader.file_entry(source_node, &source, target)?;
    let source = local_path(source_node, &source);
    read_files(loader, source_node, &source, &entry)
}

/// The texts of an entry. Links are followed, they stay within it; directories exist only through their files.
fn read_files(
    loader: &mut Loader<'_>,
    node: &Node,
    source: &Path,
    entry: &FileEntry,
) -> Option<Vec<TestFile>> {
    let items = match entry.walk() {
        Ok(items) => items,
        Err(error) => {
            loader.files_error(node, &error);
            return None;
        }
    };
    let mut files = Vec::new();
    for item in &items {
        let is_file = match item.kind {
            FileKind::File { .. } => true,
            FileKind::Symlink { .. } => !item.location.is_dir(),
            FileKind::Directory => false,
        };
        if is_file {
            // By the path that was given, for messages.
            let path = if entry.is_directory { source.join(&item.path) } else { source.to_owned() };
            let file_contents = loader.read_text_file(node, &path)?;
            files.push(TestFile { file_path: clean(&entry.destination(item)), file_contents });
        }
    }
    if files.is_empty() {
        loader.error(&node.span, format!("there are no files in {}", source.display()));
        return None;
    }
    Some(files)
}

/// A relative path without `.` and doubled slashes.
fn clean(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    parts.join("/")
}

/// A scorer file with its parameters.
fn shared(
    loader: &mut Loader<'_>,
    scorer: &Node,
    value: &Node,
    map: &Map,
    scope: &Scope,
) -> Option<(Function, CustomScript)> {
    let name = non_empty(loader, value, "`use`", scope)?;
    let path = local_path(value, &name);
    if !loader.exists(value, &name, &path) {
        return None;
    }
    let file = loader.read_object(&path, &value.span, &SCORER_FILE)?;
    let definition = file.as_map()?;
    check_definition(loader, definition);
    let params = parameters(loader, scorer, value, map.get("with"), definition, scope);
    let script = shared_script(loader, definition)?;
    let custom_scorer_type = definition.get("name").and_then(Node::as_text)?.to_owned();
    let function = Function::CustomScorer { custom_scorer_type, scorer_params: Some(Json::Object(params)) };
    Some((function, script))
}

/// A scorer file on its own, as a library of scorers needs it.
#[derive(Debug, Clone)]
pub struct ScorerFile {
    /// Its name, which is its type when it is registered.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Parameters that `with` must give, by name.
    pub required_parameters: Vec<String>,
    /// Parameters that have a default, with it.
    pub defaults: JsonMap<String, Json>,
    /// Its script.
    pub script: CustomScript,
}

/// Loads a scorer file without a scenario that uses it.
///
/// # Errors
/// Everything that is wrong with it, warnings included.
pub fn load_scorer(path: &Path) -> Result<ScorerFile, Diagnostics> {
    let options = LoadOptions::default();
    let mut loader = Loader::new(&options);
    let node = loader.read_tree(path, None);
    let script = node.as_ref().and_then(|node| {
        shape::check(node, &Shape::Object(&SCORER_FILE), SCORER_FILE.noun, &mut loader.diagnostics);
        let definition = node.as_map()?;
        check_definition(&mut loader, definition);
        shared_script(&mut loader, definition)
    });
    let mut diagnostics = loader.diagnostics;
    let empty = Map::default();
    match (node.as_ref().and_then(Node::as_map), script) {
        (Some(map), Some(script)) if diagnostics.is_empty() => {
            let text = |key: &str| map.get(key).and_then(Node::as_text).map(str::to_owned);
            let parameters = map.get("parameters").and_then(Node::as_map).unwrap_or(&empty);
            let about = |entry: &Entry| entry.value.as_map().cloned().unwrap_or_default();
            let is_required = |entry: &&Entry| is_true(about(entry).get("required"));
            let default = |entry: &Entry| Some((entry.key.clone(), about(entry).get("default")?.to_json()));
            Ok(ScorerFile {
                name: text("name").unwrap_or_default(),
                description: text("description"),
                required_parameters: parameters
                    .0
                    .iter()
                    .filter(is_required)
                    .map(|entry| entry.key.clone())
                    .collect(),
                defaults: parameters.0.iter().filter_map(default).collect(),
                script,
            })
        }
        _ => {
            diagnostics.sort();
            Err(diagnostics)
        }
    }
}

fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| matches!(node.data, Data::Bool(true)))
}

/// The script of a scorer file. Not a template: its parameters come through the environment.
fn shared_script(loader: &mut Loader<'_>, definition: &Map) -> Option<CustomScript> {
    let (node, language, endings): (_, _, &[&str]) =
        match (definition.get("bash_script"), definition.get("python_script")) {
            (Some(node), _) => (node, ScriptLanguage::Bash, &[".sh", ".bash"]),
            (None, Some(node)) => (node, ScriptLanguage::Python, &[".py"]),
            (None, None) => return None,
        };
    let text = node.as_text()?;
    let word = !text.trim().contains(char::is_whitespace);
    let text = if word && endings.iter().any(|ending| text.trim().ends_with(ending)) {
        loader.read_text(node, text.trim())?
    } else {
        text.to_owned()
    };
    if text.trim().is_empty() {
        loader.error(&node.span, "this script is empty");
        return None;
    }
    Some(CustomScript { language, text })
}

/// Defaults of a scorer file below the values of `with`, checked by type.
fn parameters(
    loader: &mut Loader<'_>,
    scorer: &Node,
    value: &Node,
    with: Option<&Node>,
    definition: &Map,
    scope: &Scope,
) -> JsonMap<String, Json> {
    let empty = Map::default();
    let declared = definition.get("parameters").and_then(Node::as_map).unwrap_or(&empty);
    let given = with.and_then(Node::as_map).unwrap_or(&empty);
    let mut params = JsonMap::new();
    for entry in &given.0 {
        if declared.entry(&entry.key).is_none() {
            let names = declared.0.iter().map(|entry| entry.key.as_str());
            let help = match nearest(&entry.key, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if declared.0.is_empty() => "it has no parameters".to_owned(),
                None => format!("its parameters are {}", names.collect::<Vec<_>>().join(", ")),
            };
            loader.push(
                Diagnostic::error(&entry.key_span, format!("this scorer has no parameter `{}`", entry.key))
                    .help(help),
            );
        }
    }
    for parameter in &declared.0 {
        let Some(about) = parameter.value.as_map() else { continue };
        let kind = about.get("type").and_then(Node::as_text).unwrap_or_default();
        if let Some(entry) = given.entry(&parameter.key) {
            let json = loader.render_json(&entry.value, scope, true);
            if !is_of_type(&json, kind) {
                loader.error(
                    &entry.value.span,
                    format!(
                        "the parameter `{}` must be {}, not {}",
                        entry.key,
                        with_article(kind),
                        describe(&json)
                    ),
                );
            }
            params.insert(entry.key.clone(), json);
        } else if is_true(about.get("required")) {
            let at = with.unwrap_or(value);
            let at = if at.as_map().is_some_and(|map| map.0.is_empty()) { scorer } else { at };
            loader.error(&at.span, format!("this scorer needs the parameter `{}`", parameter.key));
        } else if let Some(default) = about.get("default") {
            params.insert(parameter.key.clone(), default.to_json());
        }
    }
    params
}

/// What the shape check cannot see in a scorer file: whether defaults have the type of their parameter.
fn check_definition(loader: &mut Loader<'_>, definition: &Map) {
    let Some(declared) = definition.get("parameters").and_then(Node::as_map) else { return };
    for parameter in &declared.0 {
        let Some(about) = parameter.value.as_map() else { continue };
        let Some(kind) = about.get("type").and_then(Node::as_text) else { continue };
        let Some(default) = about.get("default") else { continue };
        let json = default.to_json();
        if !is_of_type(&json, kind) {
            loader.error(
                &default.span,
                format!(
                    "the default of `{}` must be {}, not {}",
                    parameter.key,
                    with_article(kind),
                    describe(&json)
                ),
            );
        }
        if is_true(about.get("required")) {
            loader.error(
                &default.span,
                format!("`{}` is required, so its default is never used", parameter.key),
            );
        }
    }
}

fn is_of_type(value: &Json, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        // An unknown type was reported where it stands.
        _ => true,
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}")
}

fn describe(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
