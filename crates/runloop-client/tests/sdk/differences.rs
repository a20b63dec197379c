//! Where the official SDKs and this client are meant to differ.

use serde_json::Value;

/// A call that is not compared, with any release but the oldest.
pub(crate) struct Difference {
    /// `resource.name` of the SDK's method.
    pub(crate) method: &'static str,
    /// What the comparison finds, to its first words.
    pub(crate) finds: &'static str,
    pub(crate) reason: &'static str,
}

/// All of them. One that no call needs any more fails the comparison.
pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        method: "devboxes.wait_for_status",
        finds: "no such method",
        reason: "part of await_running and await_suspended, which are compared in its place",
    },
    Difference {
        method: "devboxes.executions.wait_for_status",
        finds: "no such method",
        reason: "wait_for_command and await_completed are compared in its place",
    },
];

/// A filter by label: the official SDKs send the literal word `key`, so that no label can be named; this client sends the
/// label.
pub(crate) fn as_the_sdks_have_it(parameter: &str) -> String {
    match parameter.split_once('[').and_then(|(before, rest)| Some((before, rest.split_once(']')?.1))) {
        Some((before, after)) => format!("{before}[key]{after}"),
        None => parameter.to_owned(),
    }
}

/// What a builder was not told is `null` in the SDKs and left out here: to who creates a thing, that is the same.
pub(crate) fn without_nulls(body: &mut Option<Value>) {
    if let Some(body) = body {
        drop_nulls(body);
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The states of a wait are a set in the SDKs, and come in any order.
pub(crate) fn in_one_order(body: &mut Option<Value>) {
    if let Some(Value::Array(statuses)) = body.as_mut().and_then(|body| body.get_mut("statuses")) {
        statuses.sort_by_key(Value::to_string);
    }
}
