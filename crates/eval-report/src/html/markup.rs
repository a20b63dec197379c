//! HTML that cannot be broken out of.

use std::fmt::{self, Display, Write};

use crate::text::{is_unprintable, one_line};

use super::NAME;

/// A piece of a page. Markup is text of this program's source ([`Html::raw`] takes nothing else); everything that is made
/// while it runs is escaped, in text and in attributes (which always stand between double quotes) alike.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Adds markup.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text, escaped.
    pub fn text(&mut self, value: impl Display) -> &mut Self {
        // A string takes everything; only a `Display` of ours could fail, and none does.
        let _ = write!(Escaping(&mut self.0), "{value}");
        self
    }

    /// Adds a name on one line, cut where it is very long.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.text(one_line(name, NAME))
    }

    /// Adds an attribute with its value.
    pub fn attribute(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    /// Adds another piece.
    pub fn piece(&mut self, piece: &Self) -> &mut Self {
        self.0.push_str(&piece.0);
        self
    }

    /// Bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The page.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match escaped(c) {
                Some(entity) => self.0.push_str(entity),
                None => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// What stands for a character that must not stand for itself. Those that nobody sees, or that turn text around, are shown
/// as U+FFFD.
pub(crate) fn escaped(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        '\n' | '\t' => None,
        c if is_unprintable(c) => Some("\u{fffd}"),
        _ => None,
    }
}

/// `12 bytes`, `3.4 KB`, `1.2 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} KB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// `1 trial`, `2 trials`.
pub fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_text_or_attributes() {
        let mut html = Html::default();
        html.raw("<a").attribute("title", "\"><script>'&").raw(">").text("</a>\u{0}\u{202e}\n\t").raw("</a>");
        assert_eq!(
            html.as_str(),
            "<a title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">&lt;/a&gt;\u{fffd}\u{fffd}\n\t</a>"
        );
    }

    #[test]
    fn sizes_are_read_at_a_glance() {
        assert_eq!(
            [0, 999, 1_000, 15_349, 2_000_000].map(size),
            ["0 bytes", "999 bytes", "1.0 KB", "15.3 KB", "2.0 MB"]
        );
    }
}
