//! A patch with its lines marked.

use super::excerpt::Excerpt;
use super::markup::Html;

/// Bytes of the page that marking a line costs.
pub(crate) const LINE: usize = 30;

/// Writes it. What a line does is told by its first character, which stays; colour only repeats it.
pub(crate) fn write(excerpt: &Excerpt, path: &str, html: &mut Html) {
    html.raw("<pre class=\"diff\" tabindex=\"0\" role=\"group\" aria-label=\"diff\">");
    lines(&excerpt.head, html);
    excerpt.cut_line(Some(path), html);
    lines(&excerpt.tail, html);
    html.raw("</pre>");
}

fn lines(text: &str, html: &mut Html) {
    for line in text.split_inclusive('\n') {
        let open = match line.as_bytes() {
            [b'+', b'+', b'+', b' ', ..] | [b'-', b'-', b'-', b' ', ..] => "<b>",
            [b'd', b'i', b'f', b'f', b' ', ..] => "<b>",
            [b'+', ..] => "<ins>",
            [b'-', ..] => "<del>",
            [b'@', b'@', ..] => "<i>",
            _ => "",
        };
        let close = match open {
            "<b>" => "</b>",
            "<ins>" => "</ins>",
            "<del>" => "</del>",
            "<i>" => "</i>",
            _ => "",
        };
        html.raw(open).text(line).raw(close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_signs_and_every_element_is_closed() {
        let mut html = Html::default();
        lines("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-<a>\n+<b>\n c", &mut html);
        let expected = "<b>--- a/x\n</b><b>+++ b/x\n</b><i>@@ -1 +1 @@\n</i><del>-&lt;a&gt;\n</del>\
                        <ins>+&lt;b&gt;\n</ins> c";
        assert_eq!(html.as_str(), expected);
    }
}
