//! Small text helpers.

/// Cuts a text to at most `limit` bytes, at a character.
pub(crate) fn truncate(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cut_never_splits_a_character() {
        let mut text = "aé".repeat(3);
        super::truncate(&mut text, 5);
        assert_eq!(text, "aéa");
    }
}
