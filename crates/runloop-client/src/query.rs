//! Query strings as the API reads them.

use percent_encoding::utf8_percent_encode;
use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::request::RESERVED;

/// Query parameters in order: lists joined with commas, nested maps as `a[b]=c`, null left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Adds one parameter.
    pub fn push(&mut self, name: &str, value: String) {
        self.pairs.push((name.to_owned(), value));
    }

    /// Sets one parameter, in place of an earlier one of that name.
    pub(crate) fn set(&mut self, name: &str, value: String) {
        match self.pairs.iter_mut().find(|(known, _)| known == name) {
            Some(pair) => pair.1 = value,
            None => self.push(name, value),
        }
    }

    /// Adds every field of a struct or map.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if `params` is neither, or a list holds lists or maps.
    pub fn extend(&mut self, params: &impl Serialize) -> Result<(), Error> {
        match serde_json::to_value(params) {
            Ok(Value::Object(map)) => map.iter().try_for_each(|(name, value)| self.add(name, value)),
            Ok(Value::Null) => Ok(()),
            Ok(other) => Err(invalid(format!("a query must be a map of parameters, not {other}"))),
            Err(error) => Err(invalid(format!("the query cannot be encoded: {error}"))),
        }
    }

    fn add(&mut self, name: &str, value: &Value) -> Result<(), Error> {
        match value {
            Value::Null => Ok(()),
            Value::Object(map) => {
                map.iter().try_for_each(|(key, value)| self.add(&format!("{name}[{key}]"), value))
            }
            Value::Array(items) => {
                let items: Vec<String> =
                    items.iter().filter_map(|item| plain(item).transpose()).collect::<Result<_, _>>()?;
                self.push(name, items.join(","));
                Ok(())
            }
            value => {
                if let Some(text) = plain(value)? {
                    self.push(name, text);
                }
                Ok(())
            }
        }
    }

    /// Appends `?a=b&c=d` to a path; nothing if there are no parameters.
    pub(crate) fn append_to(&self, url: &mut String) {
        for (index, (name, value)) in self.pairs.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.extend(utf8_percent_encode(name, RESERVED));
            url.push('=');
            url.extend(utf8_percent_encode(value, RESERVED));
        }
    }
}

fn plain(value: &Value) -> Result<Option<String>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(value.to_string())),
        Value::Number(value) => Ok(Some(value.to_string())),
        Value::String(value) => Ok(Some(value.clone())),
        other => Err(invalid(format!("a list in a query holds plain values, not {other}"))),
    }
}

fn invalid(reason: String) -> Error {
    Error::InvalidRequest { reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn encode(params: Value) -> String {
        let mut query = Query::default();
        query.extend(&params).unwrap();
        let mut url = String::new();
        query.append_to(&mut url);
        url
    }

    #[test]
    fn plain_values_lists_and_maps() {
        assert_eq!(
            encode(json!({"limit": 5, "include_total_count": false})),
            "?limit=5&include_total_count=false"
        );
        assert_eq!(encode(json!({"status": ["running", "failure"]})), "?status=running%2Cfailure");
        assert_eq!(
            encode(json!({"metadata": {"team": "a&b", "run": {"in": ["1", "2"]}}})),
            "?metadata%5Bteam%5D=a%26b&metadata%5Brun%5D%5Bin%5D=1%2C2"
        );
    }

    #[test]
    fn null_is_left_out() {
        assert_eq!(encode(json!({"a": null, "b": [null, 1]})), "?b=1");
        assert_eq!(encode(json!(null)), "");
        assert_eq!(encode(json!({})), "");
    }

    #[test]
    fn shapes_without_a_meaning_are_refused() {
        assert!(Query::default().extend(&json!([1])).is_err());
        assert!(Query::default().extend(&json!({"a": [[1]]})).is_err());
    }

    #[test]
    fn set_replaces() {
        let mut query = Query::default();
        query.push("starting_after", "a".into());
        query.push("limit", "1".into());
        query.set("starting_after", "b".into());
        let mut url = String::new();
        query.append_to(&mut url);
        assert_eq!(url, "?starting_after=b&limit=1");
    }
}
