//! Query strings and pages: newest first, the cursor is the id of the last item seen.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query as AxumQuery};
use axum::http::request::Parts;
use runloop_types::{ListItem, Metadata};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Answer, ApiError, json};

const DEFAULT_LIMIT: usize = 20;
const MOST: usize = 5000;

/// The decoded pairs of a query string.
pub(super) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let pairs = AxumQuery::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        Ok(Self(pairs.map(|pairs| pairs.0).unwrap_or_default()))
    }
}

impl Query {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Whether it wants to know how many there are.
    pub(super) fn counts(&self) -> bool {
        self.get("include_total_count") != Some("false")
    }

    /// Whether labels fit the filters `metadata[key]=value` and `metadata[key][in]=a,b`.
    pub(super) fn fits(&self, labels: &Metadata) -> bool {
        let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (key, value) in &self.0 {
            let Some(rest) = key.strip_prefix("metadata[") else { continue };
            if let Some(name) = rest.strip_suffix("][in]") {
                wanted.entry(name).or_default().extend(value.split(','));
            } else if let Some(name) = rest.strip_suffix(']') {
                wanted.entry(name).or_default().push(value);
            }
        }
        wanted
            .iter()
            .all(|(name, values)| labels.get(*name).is_some_and(|label| values.contains(&label.as_str())))
    }

    /// The page of these items, newest first, that is asked for.
    pub(super) fn page<T: ListItem + Serialize>(&self, newest_first: impl Iterator<Item = T>) -> Answer {
        let limit = match self.get("limit").map(str::parse::<usize>) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit @ 1..)) => limit.min(MOST),
            Some(_) => return Err(ApiError::bad_request("`limit` is no whole number from 1")),
        };
        let cursor = self.get("starting_after");
        let total = Cell::new(0);
        let mut rest = newest_first
            .inspect(|_| total.set(total.get() + 1))
            .filter(|item| cursor.is_none_or(|cursor| item.cursor() < cursor));
        let items: Vec<T> = rest.by_ref().take(limit).collect();
        let has_more = rest.next().is_some();
        let mut page = Map::new();
        let items = serde_json::to_value(&items).map_err(|error| ApiError::broke(error.to_string()))?;
        page.insert(T::FIELD.to_owned(), items);
        page.insert("has_more".to_owned(), Value::Bool(has_more));
        if self.counts() {
            rest.for_each(drop);
            page.insert("total_count".to_owned(), total.get().into());
        }
        json(&page)
    }
}
