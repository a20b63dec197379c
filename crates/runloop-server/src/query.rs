//! Query strings.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query as AxumQuery};
use axum::http::Uri;
use axum::http::request::Parts;

use crate::error::{ApiError, ApiResult, shown};

/// The decoded pairs of a query string, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    fn read(uri: &Uri) -> Self {
        AxumQuery::<Vec<(String, String)>>::try_from_uri(uri).map(|pairs| Self(pairs.0)).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn parse(query: &str) -> Self {
        Self::read(&format!("/?{query}").parse().expect("a URI"))
    }

    /// The value of a parameter. An empty one counts as absent, as clients drop null.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// `true` or `false`.
    pub(crate) fn bool(&self, name: &str) -> ApiResult<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "True" | "1") => Ok(Some(true)),
            Some("false" | "False" | "0") => Ok(Some(false)),
            Some(other) => {
                Err(ApiError::bad_request(format!("`{name}` is `{}`: give `true` or `false`", shown(other))))
            }
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&self, name: &str) -> ApiResult<Option<u64>> {
        self.get(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    ApiError::bad_request(format!(
                        "`{name}` is `{}`: give a whole number from 0",
                        shown(text)
                    ))
                })
            })
            .transpose()
    }

    /// Metadata filters: `metadata[key]=value` and `metadata[key][in]=a,b`. Every key must match one of its values.
    pub(crate) fn metadata(&self) -> BTreeMap<String, Vec<String>> {
        let mut filters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in &self.0 {
            let Some(rest) = key.strip_prefix("metadata[") else { continue };
            if let Some(name) = rest.strip_suffix("][in]") {
                filters.entry(name.to_owned()).or_default().extend(value.split(',').map(str::to_owned));
            } else if let Some(name) = rest.strip_suffix(']') {
                filters.entry(name.to_owned()).or_default().push(value.clone());
            }
        }
        filters
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_filters_are_read_in_both_forms() {
        let filters = Query::parse("metadata%5Brun%5D=7&metadata[kind][in]=a,b&limit=3").metadata();
        assert_eq!(filters["run"], ["7"]);
        assert_eq!(filters["kind"], ["a", "b"]);
        assert_eq!(filters.len(), 2);
    }

    #[test]
    fn empty_values_count_as_absent() {
        assert_eq!(Query::parse("limit=&name=x").get("limit"), None);
        assert_eq!(Query::parse("limit=&name=x").get("name"), Some("x"));
    }

    #[test]
    fn numbers_are_checked() {
        assert_eq!(Query::parse("offset=12").number("offset").unwrap(), Some(12));
        assert!(Query::parse("offset=-1").number("offset").is_err());
    }
}
