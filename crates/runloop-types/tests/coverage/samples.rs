//! Samples of the table's types, made from the table alone.

use serde_json::{Map, Value, json};

use crate::table::{Field, Shape, Table};

/// What a sample holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Every field.
    Full,
    /// Only the fields that must have a value.
    Least,
    /// Every field, null where that is allowed.
    Null,
    /// Every field, with values that no enum has yet.
    Later,
}

/// Stands in the text of every field that is a secret.
pub(crate) const HIDDEN: &str = "hidden-";

/// Fields whose text nobody may see in a log.
const SECRETS: &[&str] = &[
    "auth_token",
    "download_url",
    "github_auth_token",
    "key_secret",
    "password",
    "ssh_private_key",
    "token",
    "upload_headers",
    "upload_url",
    "value",
];

/// Makes one sample. Each value differs from the others, so that two fields that are mixed up show.
pub(crate) struct Samples<'a> {
    table: &'a Table,
    style: Style,
    round: usize,
    count: i64,
}

impl<'a> Samples<'a> {
    /// `round` chooses the values of enums and the members of unions.
    pub(crate) fn new(table: &'a Table, style: Style, round: usize) -> Self {
        Self { table, style, round, count: 0 }
    }

    /// A sample of a type of the table.
    pub(crate) fn of(&mut self, name: &str) -> Value {
        match self.table.shape(name) {
            Shape::Fields(fields) => {
                let mut map = Map::new();
                for field in fields {
                    if let Some(value) = self.field(field) {
                        map.insert(field.name.clone(), value);
                    }
                }
                Value::Object(map)
            }
            Shape::Union(members) => self.of(&members[self.round % members.len()]),
            Shape::Enum(values) => self.choice(values),
            Shape::Alias(target) => self.value("alias", target),
        }
    }

    fn field(&mut self, field: &Field) -> Option<Value> {
        match self.style {
            Style::Least if !field.required || field.nullable => None,
            Style::Null if field.nullable => Some(Value::Null),
            Style::Null if !field.required => None,
            _ if field.kind == "enum" => Some(self.choice(&field.values)),
            _ if field.kind == "list<enum>" => {
                Some(field.values.iter().map(|value| Value::from(value.as_str())).collect())
            }
            _ => Some(self.value(&field.name, &field.kind)),
        }
    }

    fn choice(&self, values: &[String]) -> Value {
        // An enum of one value is what tells a type from others, not a choice.
        if self.style == Style::Later && values.len() > 1 {
            return Value::from("value_of_a_later_api");
        }
        Value::from(values[self.round % values.len()].as_str())
    }

    fn value(&mut self, name: &str, kind: &str) -> Value {
        if let Some(item) = inner(kind, "list<") {
            return json!([self.value(name, item), self.value(name, item)]);
        }
        if let Some(item) = inner(kind, "map<") {
            let (first, second) = (self.next(), self.next());
            let mut map = Map::new();
            map.insert(format!("key-{first}"), self.value(name, item));
            map.insert(format!("key {second}"), self.value(name, item));
            return Value::Object(map);
        }
        let count = self.next();
        match kind {
            "string" if SECRETS.contains(&name) => Value::from(format!("{HIDDEN}{count}")),
            "string" => Value::from(format!("text-{count} \u{e4}")),
            // Times do not fit into 32 bits.
            "int" if name.contains("_ms") => Value::from(1_700_000_000_000 + count),
            "int" => Value::from(count),
            "float" => json!(f64::from(i32::try_from(count).unwrap_or(0)) + 0.25),
            // Fields that stand side by side differ.
            "bool" => Value::Bool((count + i64::try_from(self.round).unwrap_or(0)) % 2 == 0),
            "json" => json!({"any": [count, null, {"deep": "json"}]}),
            other if self.table.contains(other) => self.of(other),
            other => panic!("{name} is of the unknown type {other}"),
        }
    }

    fn next(&mut self) -> i64 {
        self.count += 1;
        self.count
    }
}

fn inner<'k>(kind: &'k str, prefix: &str) -> Option<&'k str> {
    kind.strip_prefix(prefix)?.strip_suffix('>')
}
