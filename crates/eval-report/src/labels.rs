//! What shares a label.

use std::collections::BTreeMap;

/// Items by the labels that they have: key, value and the items, sorted by both. A key with one value for all of them, or
/// another one for each, groups nothing and is left out.
pub(crate) fn grouped<'a, T>(
    items: impl IntoIterator<Item = (&'a BTreeMap<String, String>, T)>,
) -> Vec<(&'a str, &'a str, Vec<T>)>
where
    T: Copy,
{
    let mut found: BTreeMap<&str, BTreeMap<&str, Vec<T>>> = BTreeMap::new();
    for (labels, item) in items {
        for (key, value) in labels {
            found.entry(key).or_default().entry(value).or_default().push(item);
        }
    }
    let mut groups = Vec::new();
    for (key, values) in found {
        let all: usize = values.values().map(Vec::len).sum();
        if values.len() > 1 && values.len() < all {
            groups.extend(values.into_iter().map(|(value, items)| (key, value, items)));
        }
    }
    groups
}
