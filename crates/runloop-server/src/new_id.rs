//! New ids: a prefix and a time-ordered UUID, so that the order of ids is the order of creation.

use uuid::Uuid;

/// A new id with this prefix. Later ids of one process are greater.
pub(crate) fn new_id(prefix: &str) -> String {
    format!("{prefix}{}", Uuid::now_v7().simple())
}

/// Whether a text could be an id at all; what could not is answered with 400 instead of 404.
pub(crate) fn is_well_formed(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_in_a_row_are_in_order() {
        let ids: Vec<String> = (0..10_000).map(|_| new_id("dbx_")).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| is_well_formed(id)));
    }

    #[test]
    fn what_cannot_be_an_id_is_told_apart() {
        for bad in ["", "a b", "a/b", "..", "a\nb", &"x".repeat(129)] {
            assert!(!is_well_formed(bad), "{bad:?}");
        }
    }
}
