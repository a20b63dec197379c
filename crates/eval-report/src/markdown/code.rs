//! Foreign text in Markdown.

use crate::text::one_line;

/// Characters of a name.
pub(super) const NAME_LIMIT: usize = 100;

/// Characters of a path.
pub(super) const PATH_LIMIT: usize = 300;

/// Foreign text as a code span that nothing in it can end, also not in a table.
pub(super) fn code(text: &str, longest: usize) -> String {
    let clean: String = one_line(text, longest)
        .chars()
        .map(|c| match c {
            '`' => '\'',
            '|' => '¦',
            c => c,
        })
        .collect();
    // A span must hold something, and one of spaces alone would be none.
    let clean = clean.trim();
    format!("`{}`", if clean.is_empty() { "?" } else { clean })
}
