//! YAML text to a tree in which every node knows its place.
//!
//! The only module that knows the YAML library. It reads parser events instead of deserialising into types, because
//! only so every key and every value has a span, all duplicate keys are found, and limits hold before memory is used.
//!
//! Scalars follow the YAML 1.2 core schema: booleans are `true` and `false` only, and a number with a leading zero
//! stays text. Anchors and aliases work within a budget; tags, merge keys and several documents are refused.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Number;
use serde_yaml::granit_parser::{Event, Options, Parser, ScalarStyle, Span as EventSpan};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 48;
/// Most nodes of a file, after aliases are replaced.
const MAX_NODES: usize = 200_000;
/// Most bytes of text of a file, after aliases are replaced.
const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) data: Data,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

/// A mapping in the order of the file, without duplicate keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Map(pub(crate) Vec<Entry>);

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

impl Map {
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }

    /// The value of a key; a null counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value).filter(|node| !matches!(node.data, Data::Null))
    }
}

impl Node {
    /// What it is, in words for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a mapping",
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Text, or a number or boolean as it is written.
    pub(crate) fn as_scalar(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            Data::Bool(_) | Data::Number(_) => Some(self.span.text()),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match &self.data {
            Data::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> &[Self] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn as_map(&self) -> Option<&Map> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The same value as JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(number) => Value::Number(number.clone()),
            Data::Text(text) => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Map(map) => {
                Value::Object(map.0.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect())
            }
        }
    }

    /// Nodes and bytes of text below and including this one.
    fn weight(&self) -> (usize, usize) {
        let sum = |(nodes, bytes), (more_nodes, more_bytes)| (nodes + more_nodes, bytes + more_bytes);
        match &self.data {
            Data::Null | Data::Bool(_) | Data::Number(_) => (1, 0),
            Data::Text(text) => (1, text.len()),
            Data::List(items) => items.iter().map(Self::weight).fold((1, 0), sum),
            Data::Map(map) => {
                map.0.iter().map(|entry| sum((0, entry.key.len()), entry.value.weight())).fold((1, 0), sum)
            }
        }
    }
}

/// Reads one document. Mistakes go into `diagnostics`; nothing is returned when the text could not be read to its end.
pub(crate) fn parse(file: &Arc<SourceFile>, diagnostics: &mut Diagnostics) -> Option<Node> {
    let mut tree = Tree {
        file,
        diagnostics,
        stack: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        nodes: 0,
        text_bytes: 0,
    };
    match tree.read() {
        // A file of comments is a document without a value.
        Ok(()) => {
            Some(tree.root.take().unwrap_or_else(|| Node { span: Span::new(file, 0..0), data: Data::Null }))
        }
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            None
        }
    }
}

/// A list or mapping whose end was not met yet.
enum Open {
    List { start: usize, anchor: usize, items: Vec<Node> },
    Map { start: usize, anchor: usize, entries: Vec<Entry>, seen: HashMap<String, Span>, key: Option<Key> },
}

/// A key that waits for its value.
struct Key {
    text: String,
    span: Span,
    duplicate: bool,
}

struct Tree<'a> {
    file: &'a Arc<SourceFile>,
    diagnostics: &'a mut Diagnostics,
    stack: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    text_bytes: usize,
}

/// Boxed, because it is large and rare.
type Stop = Box<Diagnostic>;

impl Tree<'_> {
    fn read(&mut self) -> Result<(), Stop> {
        let mut options = Options::default();
        options.set_emit_comments(false);
        let file = Arc::clone(self.file);
        for event in Parser::new_from_str_with_options(&file.text, options) {
            let (event, at) = event.map_err(|error| {
                let offset = error.marker().byte_offset().unwrap_or_default();
                let span = Span::new(&file, offset..offset + 1);
                Box::new(Diagnostic::error(&span, format!("this is not valid YAML: {}", error.info())))
            })?;
            self.event(event, &at)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, at: &EventSpan) -> Result<(), Stop> {
        if let Some(tag) = at.tag_span() {
            let span = self.span(tag.byte_range().unwrap_or_default());
            return Err(Box::new(
                Diagnostic::error(&span, "YAML tags are not supported")
                    .help("remove the tag; put text that looks like a number in quotes"),
            ));
        }
        let range = at.byte_range().unwrap_or_default();
        match event {
            Event::DocumentStart(..) if self.root.is_some() => Err(Box::new(
                Diagnostic::error(
                    &self.span(range),
                    "a file holds one document, and a second one starts here",
                )
                .help("move the second document into a file of its own"),
            )),
            Event::Scalar(text, style, anchor, _) => self.scalar(&text, style, anchor, range),
            Event::SequenceStart(_, anchor, _) => {
                self.open(&range, Open::List { start: range.start, anchor, items: Vec::new() })
            }
            Event::MappingStart(_, anchor, _) => self.open(
                &range,
                Open::Map {
                    start: range.start,
                    anchor,
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    key: None,
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.close(range.end),
            Event::Alias(id) => self.alias(id, range),
            _ => Ok(()),
        }
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range)
    }

    fn open(&mut self, range: &Range<usize>, open: Open) -> Result<(), Stop> {
        if matches!(self.stack.last(), Some(Open::Map { key: None, .. })) {
            return Err(Box::new(Diagnostic::error(&self.span(range.clone()), "a key must be text")));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(Box::new(Diagnostic::error(
                &self.span(range.clone()),
                format!("this is nested more than {MAX_DEPTH} levels deep"),
            )));
        }
        self.stack.push(open);
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), Stop> {
        let (start, anchor, data) = match self.stack.pop() {
            Some(Open::List { start, anchor, items }) => (start, anchor, Data::List(items)),
            Some(Open::Map { start, anchor, entries, .. }) => (start, anchor, Data::Map(Map(entries))),
            None => return Ok(()),
        };
        let node = Node { span: self.span(start..end), data };
        self.count(1, 0, &node.span)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.value(node);
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        range: Range<usize>,
    ) -> Result<(), Stop> {
        let span = self.span(range);
        self.count(1, text.len(), &span)?;
        if text.contains('\0') {
            return Err(Box::new(Diagnostic::error(&span, "text must not contain the NUL character")));
        }
        if let Some(Open::Map { key: key @ None, seen, .. }) = self.stack.last_mut() {
            let duplicate = if text == "<<" && style == ScalarStyle::Plain {
                self.diagnostics.push(
                    Diagnostic::error(&span, "merge keys are not supported")
                        .help("use `defaults` of the benchmark, or an alias for the whole value"),
                );
                true
            } else if seen.contains_key(text) && self.diagnostics.is_full() {
                true
            } else if let Some(first) = seen.get(text) {
                self.diagnostics.push(
                    Diagnostic::error(&span, format!("duplicate key `{text}`")).label("again here").help(
                        format!("it is first given in line {}; remove one of them", first.position().0),
                    ),
                );
                true
            } else {
                seen.insert(text.to_owned(), span.clone());
                false
            };
            *key = Some(Key { text: text.to_owned(), span, duplicate });
            return Ok(());
        }
        let data = if style == ScalarStyle::Plain { plain_scalar(text) } else { Data::Text(text.to_owned()) };
        let node = Node { span, data };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.value(node);
        Ok(())
    }

    fn alias(&mut self, id: usize, range: Range<usize>) -> Result<(), Stop> {
        let span = self.span(range);
        if matches!(self.stack.last(), Some(Open::Map { key: None, .. })) {
            return Err(Box::new(Diagnostic::error(&span, "a key must be text, not an alias")));
        }
        let Some(node) = self.anchors.get(&id) else {
            return Err(Box::new(Diagnostic::error(&span, "this alias stands within its own anchor")));
        };
        let (nodes, bytes) = node.weight();
        let node = node.clone();
        self.count(nodes, bytes, &span)?;
        self.value(node);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn value(&mut self, node: Node) {
        match self.stack.last_mut() {
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => {
                if let Some(Key { text, span, duplicate: false }) = key.take() {
                    entries.push(Entry { key: text, key_span: span, value: node });
                }
            }
            None => self.root = Some(node),
        }
    }

    fn count(&mut self, nodes: usize, bytes: usize, span: &Span) -> Result<(), Stop> {
        self.nodes += nodes;
        self.text_bytes += bytes;
        if self.nodes <= MAX_NODES && self.text_bytes <= MAX_TEXT_BYTES {
            return Ok(());
        }
        Err(Box::new(
            Diagnostic::error(span, "this file holds too much once its aliases are replaced")
                .label("the limit is passed here")
                .help(format!("at most {MAX_NODES} values and {} MiB of text", MAX_TEXT_BYTES / 1024 / 1024)),
        ))
    }
}

/// The YAML 1.2 core schema, but numbers with leading zeros stay text: they are modes, versions and phone numbers.
fn plain_scalar(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Data::Null,
        "true" | "True" | "TRUE" => return Data::Bool(true),
        "false" | "False" | "FALSE" => return Data::Bool(false),
        _ => {}
    }
    number(text).map_or_else(|| Data::Text(text.to_owned()), Data::Number)
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let integer_digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if integer_digits > 1 && unsigned.starts_with('0') {
        return None;
    }
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    if !unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    if integer_digits == unsigned.len() {
        if let Ok(value) = plain.parse::<i64>() {
            return Some(value.into());
        }
        if let Ok(value) = plain.parse::<u64>() {
            return Some(value.into());
        }
    }
    plain.parse::<f64>().ok().and_then(Number::from_f64)
}

fn radix(digits: &str, radix: u32) -> Option<Number> {
    let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    valid.then(|| u64::from_str_radix(digits, radix).ok()).flatten().map(Number::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> (Option<Node>, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let file = Arc::new(SourceFile { path: "a.yaml".into(), text: text.into() });
        let node = parse(&file, &mut diagnostics);
        (node, diagnostics)
    }

    fn json_of(text: &str) -> serde_json::Value {
        let (node, diagnostics) = read(text);
        assert!(diagnostics.is_empty(), "{diagnostics}");
        node.expect("a document").to_json()
    }

    fn complaint(text: &str) -> String {
        let (_, diagnostics) = read(text);
        diagnostics.to_string()
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        assert_eq!(
            json_of("[1, -2, +3, 0x1f, 0o17, 1.5, 1e3, .5, true, null, ~]"),
            json!([1, -2, 3, 31, 15, 1.5, 1000.0, 0.5, true, null, null])
        );
        assert_eq!(
            json_of("[no, on, 0755, 1_000, 1.2.3, '1', .inf, e5, 0x, -x, 2024-01-01]"),
            json!(["no", "on", "0755", "1_000", "1.2.3", "1", ".inf", "e5", "0x", "-x", "2024-01-01"])
        );
    }

    #[test]
    fn values_and_keys_know_their_places() {
        let (node, _) = read("a:\n  - x\n  - y: |\n      text\n");
        let node = node.expect("a document");
        let list = node.as_map().and_then(|map| map.get("a")).expect("a").as_list();
        assert_eq!(list[0].span.position(), (2, 5));
        let entry = list[1].as_map().and_then(|map| map.entry("y")).expect("y");
        assert_eq!(entry.key_span.position(), (3, 5));
        assert_eq!(entry.value.as_text(), Some("text\n"));
    }

    #[test]
    fn every_duplicate_key_is_found_and_the_first_value_stays() {
        let (node, diagnostics) = read("a: 1\nb: 2\na: 3\nb: 4\n");
        assert_eq!(diagnostics.len(), 2);
        assert_eq!(node.expect("a document").to_json(), json!({"a": 1, "b": 2}));
    }

    #[test]
    fn aliases_are_replaced() {
        assert_eq!(json_of("a: &x [1, 2]\nb: *x\n"), json!({"a": [1, 2], "b": [1, 2]}));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let alias = format!("*a{}, ", level - 1).repeat(10);
            text.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
        }
        assert!(complaint(&text).contains("too much once its aliases are replaced"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        for text in ["[".repeat(1_000_000), "a: ".repeat(1_000_000), "- ".repeat(1_000_000)] {
            let message = complaint(&text);
            assert!(message.contains("nested more than") || message.contains("not valid YAML"), "{message}");
        }
    }

    #[test]
    fn what_is_not_supported_is_said() {
        assert!(complaint("a: !!python/object x").contains("tags are not supported"));
        assert!(complaint("a: &x {b: 1}\nc:\n  <<: *x\n").contains("merge keys are not supported"));
        assert!(complaint("a: 1\n---\nb: 2\n").contains("second one starts here"));
        assert!(complaint("? [a]\n: b\n").contains("a key must be text"));
        assert!(complaint("a: &x [*x]\n").contains("within its own anchor"));
        assert!(complaint("a: *nowhere\n").contains("not valid YAML"));
        assert!(complaint("a: \"x\\0y\"\n").contains("NUL"));
        assert!(complaint("a: [1, 2\n").contains("not valid YAML"));
    }
}
