//! Tags by which a browser asks whether something has changed.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use axum::http::{HeaderMap, header};

/// A tag of what something was made of. It means nothing to another process.
pub(crate) fn etag(of: impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// Whether the request says that it has this already.
pub(crate) fn has(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|known| known.trim().trim_start_matches("W/") == etag))
}
