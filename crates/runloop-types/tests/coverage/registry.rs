//! What is registered for a type of the table.

use std::fmt::Debug;

use runloop_types::ListItem;
use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};

/// What became of a JSON text.
pub(crate) struct Outcome {
    /// The type's JSON.
    pub(crate) encoded: Value,
    /// Its `Debug` output.
    pub(crate) shown: String,
}

/// Decodes a JSON text and encodes it again.
pub(crate) type RoundTrip = fn(&str) -> Result<Outcome, serde_json::Error>;

/// The round trip of a type.
pub(crate) fn round_trip<T: DeserializeOwned + Serialize + Debug>(
    text: &str,
) -> Result<Outcome, serde_json::Error> {
    let value: T = serde_json::from_str(text)?;
    Ok(Outcome { encoded: serde_json::to_value(&value)?, shown: format!("{value:?}") })
}

/// The round trip of a page of a list. The client's pages know the items' field, `has_more` and `total_count`; nobody
/// needs `remaining_count`, which major 1 dropped. Any other field is lost here, and so reported.
pub(crate) fn page<T: ListItem + DeserializeOwned + Serialize + Debug>(
    text: &str,
) -> Result<Outcome, serde_json::Error> {
    let body: Map<String, Value> = serde_json::from_str(text)?;
    let mut encoded = Map::new();
    let mut shown = String::new();
    for (key, value) in body {
        if key == T::FIELD {
            let items: Vec<T> = serde_json::from_value(value)?;
            shown = format!("{items:?}");
            encoded.insert(key, serde_json::to_value(&items)?);
        } else if key == "has_more" {
            encoded.insert(key, Value::Bool(serde_json::from_value(value)?));
        } else if key == "total_count" {
            let count: Option<u64> = serde_json::from_value(value)?;
            encoded.extend(count.map(|count| (key, Value::from(count))));
        } else if key == "remaining_count" {
            if !value.is_u64() {
                return Err(serde_json::Error::custom("remaining_count is no number"));
            }
            encoded.insert(key, value);
        }
    }
    Ok(Outcome { encoded: Value::Object(encoded), shown })
}
