//! What the table of endpoints says about releases.

use serde::Deserialize;
use serde_json::Value;

/// A method of the official SDKs.
#[derive(Debug, Deserialize)]
pub(crate) struct Endpoint {
    resource: String,
    name: String,
    pub(crate) method: String,
    path: String,
    versions: Vec<String>,
    legacy: bool,
    query: Vec<Field>,
    body: Vec<Field>,
    /// The row itself.
    #[serde(skip)]
    pub(crate) row: Value,
}

#[derive(Debug, Deserialize)]
struct Field {
    name: String,
    sdks: Vec<String>,
    #[serde(default)]
    legacy: bool,
}

impl Endpoint {
    /// `resource.name`: the method, below the SDK's client.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.resource, self.name)
    }

    /// Whether `other` is the same method and path.
    pub(crate) fn is_alias_of(&self, other: &Self) -> bool {
        self.method == other.method && self.path == other.path
    }

    /// Whether the release has it, and no later one that is compared has it too: of the oldest release, only what is
    /// gone is of interest.
    pub(crate) fn is_compared_with(&self, release: Release, fields: &[&str]) -> bool {
        let gone = |field: &Field| field.legacy && fields.contains(&field.name.as_str());
        let of_interest = !release.is_legacy() || self.legacy || self.fields().any(gone);
        of_interest && self.versions.iter().any(|version| version == release.0)
    }

    /// Whether the table has this field in a release. Of the oldest one it says so only for what is gone since.
    pub(crate) fn has(&self, field: &str, release: Release) -> bool {
        let found = self.fields().find(|known| known.name == field);
        found.is_some_and(|known| {
            known.legacy == release.is_legacy() && known.sdks.iter().any(|major| major == release.major())
                || self.legacy
        })
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.query.iter().chain(&self.body)
    }

    /// Name and value of each place in a path.
    pub(crate) fn places<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.path.split('/').zip(path.split('/')).filter_map(|(place, value)| {
            let name = place.strip_prefix('{')?.strip_suffix('}')?;
            Some((name, value))
        })
    }
}

/// A release of the official Python SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Release(pub(crate) &'static str);

impl Release {
    /// One of each major, and the last one that has what is gone.
    pub(crate) const ALL: [Self; 4] = [Self("1.3.2"), Self("1.32.0"), Self("2.0.0"), Self("3.0.0")];

    pub(crate) fn is_legacy(self) -> bool {
        self == Self::ALL[0]
    }

    fn major(self) -> &'static str {
        self.0.split('.').next().unwrap_or_default()
    }
}

/// The whole table.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../../api/endpoints.json")).expect("the table");
    rows.into_iter()
        .map(|row| Endpoint { row: row.clone(), ..serde_json::from_value(row).expect("an endpoint") })
        .collect()
}
