//! The table of endpoints.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// A method of an official SDK.
#[derive(Debug, Deserialize)]
pub(super) struct Endpoint {
    resource: String,
    name: String,
    pub(super) method: String,
    /// With a `{name}` for each value.
    pub(super) path: String,
    query: Vec<Field>,
    body: Vec<Field>,
    pub(super) encoding: Option<String>,
    accept: Option<String>,
    response: Option<String>,
    pub(super) idempotency: bool,
}

#[derive(Debug, Deserialize)]
struct Field {
    name: String,
    required: bool,
    /// Gone before SDK 1.32: today's callers leave it out.
    #[serde(default)]
    legacy: bool,
}

impl Endpoint {
    fn full_name(&self) -> String {
        format!("{}.{}", self.resource, self.name)
    }

    /// The entries of `list` that name this endpoint or its whole resource.
    pub(super) fn among<'a>(&self, list: &[&'a str]) -> impl Iterator<Item = &'a str> {
        list.iter().copied().filter(|entry| *entry == self.resource || *entry == self.full_name())
    }

    /// Whether a percent-encoded path is this endpoint's, with a value in each place.
    pub(super) fn is_at(&self, path: &str) -> bool {
        let wanted: Vec<_> = self.path.split('/').collect();
        let found: Vec<_> = path.split('/').collect();
        let fits = |(wanted, found): (&&str, &&str)| {
            if wanted.starts_with('{') { !found.is_empty() } else { wanted == found }
        };
        wanted.len() == found.len() && wanted.iter().zip(&found).all(fits)
    }

    /// What must be asked for. The official SDK forgets to for one stream, which then stays silent.
    pub(super) fn accept(&self) -> &str {
        match (&self.accept, &self.response) {
            (Some(accept), _) => accept,
            (None, Some(response)) if response.starts_with("sse:") => "text/event-stream",
            (None, _) => "application/json",
        }
    }
}

/// All SDK methods that are one method and path on the wire.
pub(super) struct Group {
    pub(super) endpoints: Vec<Endpoint>,
}

impl Group {
    /// The endpoint of this `resource.name`.
    pub(super) fn find(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.full_name() == name)
    }

    /// All names of it.
    pub(super) fn name(&self) -> String {
        self.endpoints.iter().map(Endpoint::full_name).collect::<Vec<_>>().join(" = ")
    }

    /// `query x` and `body x` of every field, and whether each is required.
    pub(super) fn fields(&self) -> BTreeMap<String, bool> {
        let mut fields = BTreeMap::new();
        for endpoint in &self.endpoints {
            let query = endpoint.query.iter().map(|field| ("query", field));
            for (place, field) in query.chain(endpoint.body.iter().map(|field| ("body", field))) {
                let required = fields.entry(format!("{place} {}", field.name)).or_insert(true);
                *required &= field.required && !field.legacy;
            }
        }
        fields
    }
}

/// The whole table; aliases stand together.
pub(super) fn groups() -> Vec<Group> {
    let endpoints: Vec<Endpoint> =
        serde_json::from_str(include_str!("../../../api/endpoints.json")).expect("the table");
    let mut groups: BTreeMap<(String, String), Vec<Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        groups.entry((endpoint.path.clone(), endpoint.method.clone())).or_default().push(endpoint);
    }
    groups.into_values().map(|endpoints| Group { endpoints }).collect()
}

/// Names of a query's parameters as the table writes them: whatever label is asked for stands there as `key`.
pub(super) fn fields_of_query(query: &str) -> impl Iterator<Item = String> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        let name = percent_decode_str(name).decode_utf8().expect("UTF-8").into_owned();
        match name.split_once('[').zip(name.split_once(']')) {
            Some(((before, _), (_, after))) => format!("{before}[key]{after}"),
            None => name,
        }
    })
}
