//! What all parts of loading share: options, diagnostics, files that were read, texts that are rendered.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::agent::ARGUMENT;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::files::FilesError;
use crate::model::FileEntry;
use crate::shape::{self, Object, Shape};
use crate::source::{ReadError, Span, read_source};
use crate::template::{self, Scope, TemplateError};
use crate::yaml::{self, Data, Map, Node};

/// Largest script, patch or test file: they are held in memory and sent as text.
const MAX_TEXT_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// What loading needs from its surroundings.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Environment of the harness. Templates see only what a scenario lists as required.
    pub environment: BTreeMap<String, String>,
    /// Whether a required variable that is not set is filled in as `<NAME>` instead of being an error where a template
    /// uses it: for checking definitions on a machine that does not run them.
    pub placeholders: bool,
    /// Agents that can be used by name, as name and YAML text.
    pub catalogue: Vec<(String, String)>,
}

/// The state of one loading.
#[derive(Debug)]
pub(crate) struct Loader<'a> {
    pub(crate) options: &'a LoadOptions,
    pub(crate) diagnostics: Diagnostics,
    /// Files and directories by source, because scenarios share them and matrices repeat them.
    entries: HashMap<PathBuf, FileEntry>,
    /// Scorer files, checked already.
    trees: HashMap<PathBuf, Option<Node>>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(options: &'a LoadOptions) -> Self {
        Self { options, diagnostics: Diagnostics::default(), entries: HashMap::new(), trees: HashMap::new() }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(crate) fn error(&mut self, span: &Span, message: impl Into<String>) {
        self.push(Diagnostic::error(span, message));
    }

    /// Reads a YAML file. `at` is where it is named, if it is named in a file.
    pub(crate) fn read_tree(&mut self, path: &Path, at: Option<&Span>) -> Option<Node> {
        let file = match read_source(path) {
            Ok(file) => file,
            Err(error) => {
                let diagnostic = match at {
                    Some(span) => Diagnostic::error(span, error.to_string()),
                    None => Diagnostic::unreadable(&error),
                };
                let missing = matches!(&error, ReadError::Io { source, .. } if source.kind() == NotFound);
                self.push(match error.help() {
                    Some(help) => diagnostic.help(help),
                    None if missing => diagnostic.help(missing_help(path, at)),
                    None => diagnostic,
                });
                return None;
            }
        };
        let node = yaml::parse(&file, &mut self.diagnostics)?;
        if node.as_map().is_none() {
            let span = Span::new(&file, 0..file.text.lines().next().unwrap_or_default().len());
            let what = if matches!(node.data, Data::Null) { "is empty" } else { "must hold a mapping" };
            self.error(&span, format!("the file {what}"));
            return None;
        }
        Some(node)
    }

    /// Reads a YAML file and checks it against its keys, once.
    pub(crate) fn read_object(&mut self, path: &Path, at: &Span, object: &'static Object) -> Option<Node> {
        if let Some(known) = self.trees.get(path) {
            return known.clone();
        }
        let node = self.read_tree(path, Some(at));
        if let Some(node) = &node {
            shape::check(node, &Shape::Object(object), object.noun, &mut self.diagnostics);
        }
        self.trees.insert(path.to_owned(), node.clone());
        node
    }

    /// A text of a node with its variables filled in. Wrong kinds were reported by the shape check.
    pub(crate) fn render(&mut self, node: &Node, scope: &Scope) -> Option<String> {
        let Some(text) = node.as_text() else { return node.as_scalar().map(str::to_owned) };
        match template::render(text, scope) {
            Ok(text) if text.contains('\0') => {
                self.error(&node.span, "this text has a NUL character once it is rendered");
                None
            }
            Ok(text) => Some(text),
            Err(error) => {
                self.template_error(node, &error);
                None
            }
        }
    }

    pub(crate) fn template_error(&mut self, node: &Node, error: &TemplateError) {
        let diagnostic = Diagnostic::error(&error.locate(node), &error.message);
        self.push(match &error.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    /// A value with all its texts rendered; with `typed`, a text that is one expression keeps the type of its value.
    pub(crate) fn render_json(&mut self, node: &Node, scope: &Scope, typed: bool) -> Json {
        match &node.data {
            Data::Text(text) if typed => match template::render_json(text, scope) {
                Ok(value) => value,
                Err(error) => {
                    self.template_error(node, &error);
                    Json::Null
                }
            },
            Data::Text(_) => self.render(node, scope).map_or(Json::Null, Json::String),
            Data::List(items) => {
                Json::Array(items.iter().map(|item| self.render_json(item, scope, typed)).collect())
            }
            Data::Map(map) => Json::Object(
                map.0
                    .iter()
                    .map(|entry| (entry.key.clone(), self.render_json(&entry.value, scope, typed)))
                    .collect(),
            ),
            Data::Null | Data::Bool(_) | Data::Number(_) => node.to_json(),
        }
    }

    /// The rendered text of a key.
    pub(crate) fn text(&mut self, map: &Map, key: &str, scope: &Scope) -> Option<String> {
        let node = map.get(key)?;
        self.render(node, scope)
    }

    /// The rendered texts of a key that holds a list.
    pub(crate) fn texts(&mut self, map: &Map, key: &str, scope: &Scope) -> Vec<String> {
        let items = map.get(key).map(Node::as_list).unwrap_or_default();
        items.iter().filter_map(|item| self.render(item, scope)).collect()
    }

    /// The rendered texts of a key that holds a mapping; numbers and booleans are taken as they are written.
    pub(crate) fn text_map(&mut self, map: &Map, key: &str, scope: &Scope) -> BTreeMap<String, String> {
        let Some(map) = map.get(key).and_then(Node::as_map) else { return BTreeMap::new() };
        let entry =
            |entry: &yaml::Entry| self.render(&entry.value, scope).map(|text| (entry.key.clone(), text));
        map.0.iter().filter_map(entry).collect()
    }

    /// A local file or directory that goes to `target`, which the caller has checked.
    pub(crate) fn file_entry(&mut self, node: &Node, source: &str, target: String) -> Option<FileEntry> {
        let path = local_path(node, source);
        // A trailing slash would be kept in messages.
        let path: PathBuf = path.components().collect();
        if let Some(known) = self.entries.get(&path) {
            return Some(FileEntry { target, ..known.clone() });
        }
        if !self.exists(node, source, &path) {
            return None;
        }
        match FileEntry::read(&path, target) {
            Ok(entry) => {
                self.entries.insert(path, entry.clone());
                Some(entry)
            }
            Err(error) => {
                self.files_error(node, &error);
                None
            }
        }
    }

    pub(crate) fn files_error(&mut self, node: &Node, error: &FilesError) {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        let diagnostic = Diagnostic::error(&node.span, format!("{error}{cause}"));
        self.push(match error {
            FilesError::LinkLeadsOut { .. } => {
                diagnostic.help("copy what it points to into the directory, or remove the link")
            }
            _ => diagnostic,
        });
    }

    /// Whether a file that a node names is there; if not, says so.
    pub(crate) fn exists(&mut self, node: &Node, name: &str, path: &Path) -> bool {
        if name.trim().is_empty() {
            self.error(&node.span, "a path must not be empty");
            return false;
        }
        if path.exists() {
            return true;
        }
        let diagnostic = Diagnostic::error(&node.span, format!("there is no file `{name}`"))
            .label(format!("looked for {}", path.display()));
        self.push(diagnostic.help(missing_help(path, Some(&node.span))));
        false
    }

    /// Reads a local text file that a node names.
    pub(crate) fn read_text(&mut self, node: &Node, name: &str) -> Option<String> {
        let path = local_path(node, name);
        if !self.exists(node, name, &path) {
            return None;
        }
        self.read_text_file(node, &path)
    }

    /// Reads a text file; what is wrong with it is shown at the node that led to it.
    pub(crate) fn read_text_file(&mut self, node: &Node, path: &Path) -> Option<String> {
        let problem = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => "is a directory, not a file".to_owned(),
            Ok(metadata) if !metadata.is_file() => "is not a regular file".to_owned(),
            Ok(metadata) if metadata.len() > MAX_TEXT_FILE_BYTES => {
                format!("is larger than {} MiB", MAX_TEXT_FILE_BYTES / 1024 / 1024)
            }
            Ok(_) => match std::fs::read(path).map(String::from_utf8) {
                Ok(Ok(text)) if text.contains('\0') => "is not a text file: it has NUL characters".to_owned(),
                Ok(Ok(text)) => return Some(text),
                Ok(Err(_)) => "is not UTF-8 text".to_owned(),
                Err(error) => format!("cannot be read: {error}"),
            },
            Err(error) => format!("cannot be read: {error}"),
        };
        self.error(&node.span, format!("{} {problem}", path.display()));
        None
    }

    /// A text that is given as it is or as the path of a file. A file is read as it is, without templates.
    ///
    /// It is a path if it is one line that names an existing file, or one word with a fitting ending.
    pub(crate) fn text_or_file(&mut self, node: &Node, scope: &Scope, endings: &[&str]) -> Option<String> {
        let text = self.render(node, scope)?;
        let name = text.trim();
        let word = !name.is_empty() && !name.contains(char::is_whitespace);
        let lower = name.to_ascii_lowercase();
        if word && endings.iter().any(|ending| lower.ends_with(ending)) {
            return self.read_text(node, name);
        }
        if !name.is_empty() && !name.contains('\n') && local_path(node, name).is_file() {
            return self.read_text(node, name);
        }
        Some(text)
    }
}

/// A path that stands in a file: relative to that file.
pub(crate) fn local_path(node: &Node, name: &str) -> PathBuf {
    let directory = node.span.file.directory();
    if directory == Path::new(".") { PathBuf::from(name) } else { directory.join(name) }
}

/// What to do about a file that is not there. `at` is where it is named, if it is named in a file.
fn missing_help(path: &Path, at: Option<&Span>) -> String {
    match (near_file(path), at) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(at)) if at.file.path != Path::new(ARGUMENT) => {
            "paths are relative to the file they stand in".to_owned()
        }
        (None, _) => "paths on the command line are relative to the directory that you are in".to_owned(),
    }
}

/// A file beside the missing one with a similar name.
fn near_file(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = std::fs::read_dir(parent)
        .ok()?
        .take(1000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
}
