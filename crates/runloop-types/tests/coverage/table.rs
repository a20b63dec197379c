//! The table of types.

use std::collections::BTreeMap;

use serde::Deserialize;

const TABLE: &str = include_str!("../../api/types.json");

#[derive(Debug, Deserialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    /// Values of an `enum`.
    #[serde(default, rename = "enum")]
    pub(crate) values: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Type {
    kind: Option<String>,
    fields: Option<Vec<Field>>,
    union: Option<Vec<String>>,
    #[serde(rename = "enum")]
    values: Option<Vec<String>>,
    alias_of: Option<String>,
    same_shape_as: Option<String>,
}

/// What a type is made of.
#[derive(Debug)]
pub(crate) enum Shape<'a> {
    Fields(&'a [Field]),
    Union(&'a [String]),
    Enum(&'a [String]),
    Alias(&'a str),
}

pub(crate) struct Table(BTreeMap<String, Type>);

impl Table {
    pub(crate) fn read() -> Self {
        let table: BTreeMap<String, Type> = match serde_json::from_str(TABLE) {
            Ok(table) => table,
            Err(error) => panic!("api/types.json is broken: {error}"),
        };
        assert!(table.len() > 300, "the table has only {} types", table.len());
        Self(table)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn shape(&self, name: &str) -> Shape<'_> {
        let Some(found) = self.0.get(name) else { panic!("the table has no type {name}") };
        match found {
            Type { fields: Some(fields), .. } => Shape::Fields(fields),
            Type { union: Some(members), .. } => Shape::Union(members),
            Type { values: Some(values), .. } => Shape::Enum(values),
            Type { alias_of: Some(target), .. } => Shape::Alias(target),
            _ => panic!("the table does not say what {name} is"),
        }
    }

    pub(crate) fn is_params(&self, name: &str) -> bool {
        self.0.get(name).and_then(|found| found.kind.as_deref()) == Some("params")
    }

    pub(crate) fn same_shape(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.same_shape_as.as_deref()
    }

    /// How many samples of a type show every value of its enums and every member of its unions.
    pub(crate) fn rounds(&self) -> usize {
        let breadths = self.0.keys().map(|name| match self.shape(name) {
            Shape::Fields(fields) => fields.iter().map(|field| field.values.len()).max().unwrap_or(1),
            Shape::Union(members) => members.len(),
            Shape::Enum(values) => values.len(),
            Shape::Alias(_) => 1,
        });
        breadths.max().unwrap_or(1)
    }
}
