//! What may stand where: one description of the files, from which both the checks and the JSON Schemas are made.

use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::duration;
use crate::yaml::{Data, Map, Node};

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Text; numbers and booleans must be quoted.
    Text,
    /// Text that must match a pattern of letters: see [`NameRule`].
    Name(NameRule),
    /// Text, or a number or boolean that is taken as it is written.
    Scalar,
    /// `10m`, or a number of seconds.
    Duration,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer { min: i64, max: i64 },
    /// A number from `min` to `max`.
    Number { min: f64, max: f64 },
    /// A number above 0.
    Positive,
    /// Any value.
    Anything,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list.
    List(&'static Shape),
    /// A list with at least one item.
    FullList(&'static Shape),
    /// A mapping with keys of the user's choice.
    Map(&'static Shape),
    /// A mapping whose keys are names of variables: letters, digits and `_`.
    VariableMap(&'static Shape),
    /// A mapping with fixed keys.
    Object(&'static Object),
    /// A mapping whose fixed keys depend on the value of `type`.
    Tagged(&'static [(&'static str, &'static Object)]),
    /// One of several, told apart by what kind of YAML value it is.
    Either(&'static [Shape]),
}

/// Which letters a name may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// Letters, digits, `-`, `_` and `.`, starting with a letter or digit: part of paths and tables.
    File,
    /// Letters, digits, `-` and `_`: what the API allows for scoring functions.
    Function,
    /// Letters, digits and `_`, not starting with a digit: an environment variable.
    Variable,
    /// A program on the search path.
    Program,
}

impl NameRule {
    /// As a regular expression.
    pub(crate) fn pattern(self) -> &'static str {
        match self {
            Self::File => "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
            Self::Function => "^[A-Za-z0-9_-]{1,100}$",
            Self::Variable => "^[A-Za-z_][A-Za-z0-9_]*$",
            Self::Program => "^[A-Za-z0-9_][A-Za-z0-9._+-]*$",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::File => {
                "use letters, digits, `-`, `_` and `.`, start with a letter or digit, at most 100 of them"
            }
            Self::Function => "use letters, digits, `-` and `_`, at most 100 of them",
            Self::Variable => "use letters, digits and `_`, and do not start with a digit",
            Self::Program => "use the name of a program, without path and arguments",
        }
    }

    /// Whether a name keeps to the rule.
    pub(crate) fn allows(self, name: &str) -> bool {
        let mut letters = name.chars();
        let Some(first) = letters.next() else { return false };
        match self {
            Self::File => {
                first.is_ascii_alphanumeric()
                    && name.len() <= 100
                    && letters.all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
            }
            Self::Function => {
                name.len() <= 100
                    && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
            }
            Self::Variable => {
                (first.is_ascii_alphabetic() || first == '_')
                    && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            }
            Self::Program => {
                (first.is_ascii_alphanumeric() || first == '_')
                    && letters.all(|letter| letter.is_ascii_alphanumeric() || "._+-".contains(letter))
            }
        }
    }
}

/// A mapping with fixed keys.
#[derive(Debug)]
pub(crate) struct Object {
    /// Its name in the schema, and in messages as "a key of {noun}".
    pub(crate) name: &'static str,
    /// What it is, with article: `a scorer`.
    pub(crate) noun: &'static str,
    /// What it is for.
    pub(crate) about: &'static str,
    /// Its keys, in groups.
    pub(crate) fields: &'static [&'static [Field]],
    /// Exactly one of these keys must be there; empty for no such rule.
    pub(crate) one_of: &'static [&'static str],
}

impl Object {
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static Field> + Clone {
        self.fields.iter().flat_map(|group| group.iter())
    }

    pub(crate) fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.key == key)
    }
}

/// A key of an [`Object`].
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) about: &'static str,
    pub(crate) shape: Shape,
    pub(crate) presence: Presence,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
    /// Optional, and `null` takes a default away.
    Nullable,
}

/// A required key.
pub(crate) const fn required(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { key, about, shape, presence: Presence::Required }
}

/// An optional key.
pub(crate) const fn optional(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { key, about, shape, presence: Presence::Optional }
}

/// An optional key that may be `null`.
pub(crate) const fn nullable(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { key, about, shape, presence: Presence::Nullable }
}

impl Shape {
    /// What is expected, in words.
    fn words(&self) -> String {
        match self {
            Self::Text | Self::Name(_) => "text".to_owned(),
            Self::Scalar => "text, a number or a boolean".to_owned(),
            Self::Duration => "a duration such as 10m".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Integer { .. } => "a whole number".to_owned(),
            Self::Number { .. } | Self::Positive => "a number".to_owned(),
            Self::Anything => "a value".to_owned(),
            Self::Choice(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                match quoted.split_last() {
                    Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                    _ => quoted.concat(),
                }
            }
            Self::List(_) | Self::FullList(_) => "a list".to_owned(),
            Self::Map(_) | Self::VariableMap(_) => "a mapping".to_owned(),
            Self::Object(object) => {
                let keys: Vec<String> = object.fields().map(|field| format!("`{}`", field.key)).collect();
                if keys.len() > 4 {
                    "a mapping".to_owned()
                } else {
                    format!("a mapping with {}", keys.join(", "))
                }
            }
            Self::Tagged(_) => "a mapping with a `type`".to_owned(),
            Self::Either(shapes) => {
                let words: Vec<String> = shapes.iter().map(Self::words).collect();
                words.join(" or ")
            }
        }
    }

    /// Whether a value is of the right kind, whatever is in it.
    fn fits(&self, node: &Node) -> bool {
        match self {
            Self::Text | Self::Name(_) | Self::Choice(_) => matches!(node.data, Data::Text(_)),
            Self::Scalar => matches!(node.data, Data::Text(_) | Data::Number(_) | Data::Bool(_)),
            Self::Duration => matches!(node.data, Data::Text(_) | Data::Number(_)),
            Self::Boolean => matches!(node.data, Data::Bool(_)),
            Self::Integer { .. } | Self::Number { .. } | Self::Positive => {
                matches!(node.data, Data::Number(_))
            }
            Self::Anything => true,
            Self::List(_) | Self::FullList(_) => matches!(node.data, Data::List(_)),
            Self::Map(_) | Self::VariableMap(_) | Self::Object(_) | Self::Tagged(_) => {
                matches!(node.data, Data::Map(_))
            }
            Self::Either(shapes) => shapes.iter().any(|shape| shape.fits(node)),
        }
    }
}

/// Checks a value and everything in it. `what` names the value in messages: `` `weight` ``.
pub(crate) fn check(node: &Node, shape: &Shape, what: &str, diagnostics: &mut Diagnostics) {
    if diagnostics.is_full() {
        return;
    }
    if !shape.fits(node) {
        let mut diagnostic =
            Diagnostic::error(&node.span, format!("{what} must be {}, not {}", shape.words(), node.kind()));
        if matches!(shape, Shape::Text | Shape::Name(_)) && node.as_scalar().is_some() {
            diagnostic = diagnostic.help(format!("put it in quotes: '{}'", node.span.text()));
        }
        diagnostics.push(diagnostic);
        return;
    }
    match (shape, &node.data) {
        (Shape::Name(rule), Data::Text(name)) if !rule.allows(name) => {
            diagnostics.push(
                Diagnostic::error(&node.span, format!("`{name}` cannot be used as {what}"))
                    .help(rule.words()),
            );
        }
        (Shape::Duration, _) => check_duration(node, what, diagnostics),
        (Shape::Integer { .. } | Shape::Number { .. } | Shape::Positive, Data::Number(_)) => {
            check_number(node, shape, what, diagnostics);
        }
        (Shape::Choice(words), Data::Text(text)) if !words.contains(&text.as_str()) => {
            diagnostics.push(unknown_word(node, text, words, what));
        }
        (Shape::List(item) | Shape::FullList(item), Data::List(items)) => {
            if items.is_empty() && matches!(shape, Shape::FullList(_)) {
                diagnostics.push(Diagnostic::error(&node.span, format!("{what} must not be empty")));
            }
            for node in items {
                check(node, item, &format!("an item of {what}"), diagnostics);
            }
        }
        (Shape::Map(value), Data::Map(map)) => check_map(map, value, None, diagnostics),
        (Shape::VariableMap(value), Data::Map(map)) => {
            check_map(map, value, Some(NameRule::Variable), diagnostics);
        }
        (Shape::Object(object), Data::Map(map)) => check_object(node, map, object, &[], diagnostics),
        (Shape::Tagged(variants), Data::Map(map)) => check_tagged(node, map, variants, diagnostics),
        (Shape::Either(shapes), _) => {
            if let Some(shape) = shapes.iter().find(|shape| shape.fits(node)) {
                // A word that is not one of the choices: the other shapes are possible, too.
                let choices = matches!((shape, node.as_text()), (Shape::Choice(words), Some(text)) if !words.contains(&text));
                if choices && shapes.len() > 1 {
                    let text = node.as_text().unwrap_or_default();
                    let others: Vec<String> =
                        shapes.iter().filter(|other| !other.fits(node)).map(Shape::words).collect();
                    let words = match shape {
                        Shape::Choice(words) => *words,
                        _ => &[],
                    };
                    let mut diagnostic = unknown_word(node, text, words, what);
                    if diagnostic.help.is_none() && !others.is_empty() {
                        diagnostic = diagnostic.help(format!("or {}", others.join(" or ")));
                    }
                    diagnostics.push(diagnostic);
                } else {
                    check(node, shape, what, diagnostics);
                }
            }
        }
        _ => {}
    }
}

fn unknown_word(node: &Node, text: &str, words: &'static [&'static str], what: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        &node.span,
        format!("`{text}` is not a value of {what}: it must be {}", Shape::Choice(words).words()),
    );
    match nearest(text, words.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

fn check_number(node: &Node, shape: &Shape, what: &str, diagnostics: &mut Diagnostics) {
    let Data::Number(number) = &node.data else { return };
    let float = number.as_f64().unwrap_or(f64::NAN);
    let (fits, rule) = match shape {
        Shape::Integer { min, max } => {
            let end = if *max == i64::MAX { "on".to_owned() } else { format!("to {max}") };
            let fits = number.as_i64().is_some_and(|number| (*min..=*max).contains(&number));
            (fits, format!("a whole number from {min} {end}"))
        }
        Shape::Number { min, max } => ((*min..=*max).contains(&float), format!("from {min} to {max}")),
        _ => (float > 0.0, "greater than 0".to_owned()),
    };
    if !fits {
        diagnostics.push(Diagnostic::error(&node.span, format!("{what} must be {rule}")));
    }
}

fn check_duration(node: &Node, what: &str, diagnostics: &mut Diagnostics) {
    let result = match (&node.data, node.as_number()) {
        (_, Some(seconds)) => duration::from_seconds(seconds),
        (Data::Text(text), _) => duration::parse_duration(text),
        _ => return,
    };
    if let Err(reason) = result {
        let text = node.as_scalar().unwrap_or_default();
        diagnostics.push(
            Diagnostic::error(&node.span, format!("`{text}` is not a duration for {what}: {reason}"))
                .help("write it as 90s, 10m or 1h30m"),
        );
    }
}

fn check_map(map: &Map, value: &Shape, keys: Option<NameRule>, diagnostics: &mut Diagnostics) {
    for entry in &map.0 {
        if let Some(rule) = keys
            && !rule.allows(&entry.key)
        {
            diagnostics.push(
                Diagnostic::error(
                    &entry.key_span,
                    format!("`{}` cannot be the name of a variable", entry.key),
                )
                .help(rule.words()),
            );
        }
        check(&entry.value, value, &format!("`{}`", entry.key), diagnostics);
    }
}

fn check_object(node: &Node, map: &Map, object: &Object, also: &[&str], diagnostics: &mut Diagnostics) {
    for entry in &map.0 {
        if diagnostics.is_full() {
            return;
        }
        let Some(field) = object.field(&entry.key) else {
            if !also.contains(&entry.key.as_str()) {
                diagnostics.push(unknown_key(entry, object));
            }
            continue;
        };
        if matches!(entry.value.data, Data::Null) {
            match field.presence {
                Presence::Nullable => continue,
                Presence::Required | Presence::Optional => diagnostics.push(
                    Diagnostic::error(&entry.key_span, format!("`{}` has no value", entry.key))
                        .help(format!("write {}, or remove the key", field.shape.words())),
                ),
            }
            continue;
        }
        check(&entry.value, &field.shape, &format!("`{}`", entry.key), diagnostics);
    }
    for field in object.fields().filter(|field| field.presence == Presence::Required) {
        if map.entry(field.key).is_none() && !is_misspelt(map, object, &[field.key]) {
            diagnostics.push(
                Diagnostic::error(&node.span, format!("{} needs `{}`", object.noun, field.key))
                    .help(format!("`{}`: {}", field.key, field.about)),
            );
        }
    }
    check_one_of(node, map, object, diagnostics);
}

fn check_one_of(node: &Node, map: &Map, object: &Object, diagnostics: &mut Diagnostics) {
    let mut given = map.0.iter().filter(|entry| object.one_of.contains(&entry.key.as_str()));
    if object.one_of.is_empty() {
        return;
    }
    if let Some(first) = given.next() {
        if let Some(second) = given.next() {
            diagnostics.push(
                Diagnostic::error(
                    &second.key_span,
                    format!("`{}` and `{}` exclude each other", first.key, second.key),
                )
                .label(format!("{} has exactly one of them", object.noun)),
            );
        }
        return;
    }
    if !is_misspelt(map, object, object.one_of) {
        let kinds: Vec<String> = object.one_of.iter().map(|key| format!("`{key}`")).collect();
        diagnostics.push(
            Diagnostic::error(&node.span, format!("{} does not say what it does", object.noun))
                .help(format!("give it exactly one of {}", kinds.join(", "))),
        );
    }
}

/// Whether an unknown key is probably one of these: it was reported, and is not to be reported as missing, too.
pub(crate) fn is_misspelt(map: &Map, object: &Object, keys: &[&'static str]) -> bool {
    map.0.iter().any(|entry| {
        object.field(&entry.key).is_none() && nearest(&entry.key, keys.iter().copied()).is_some()
    })
}

fn unknown_key(entry: &crate::yaml::Entry, object: &Object) -> Diagnostic {
    let keys: Vec<&str> = object.fields().map(|field| field.key).collect();
    let diagnostic = Diagnostic::error(&entry.key_span, format!("unknown key `{}`", entry.key))
        .label(format!("not a key of {}", object.noun));
    match nearest(&entry.key, keys.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("its keys are {}", keys.join(", "))),
    }
}

fn check_tagged(
    node: &Node,
    map: &Map,
    variants: &'static [(&'static str, &'static Object)],
    diagnostics: &mut Diagnostics,
) {
    let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
    let Some(tag) = map.entry("type") else {
        diagnostics.push(
            Diagnostic::error(&node.span, "this needs a `type`")
                .help(format!("the types are {}", names.join(", "))),
        );
        return;
    };
    let found = tag.value.as_text().and_then(|tag| variants.iter().find(|(name, _)| *name == tag));
    match found {
        Some((_, object)) => check_object(node, map, object, &["type"], diagnostics),
        None => {
            let text = tag.value.as_scalar().unwrap_or_default();
            let help = match nearest(text, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are {}", names.join(", ")),
            };
            diagnostics.push(Diagnostic::error(&tag.value.span, format!("unknown type `{text}`")).help(help));
        }
    }
}
