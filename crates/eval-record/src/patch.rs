//! Diffs as they are kept.

use std::borrow::Cow;

/// What a line of git's says before binary content. Lines of text have a mark before them in a diff.
const BINARY: &[u8] = b"GIT binary patch";

/// What the next file of a diff begins with. Binary content has no spaces.
const FILE: &[u8] = b"diff --git ";

/// A git diff without binary content: a line in its place says how large it is. Binary content is deflated, so no known
/// value can be found and masked in it.
pub fn without_binary_content(diff: &[u8]) -> Cow<'_, [u8]> {
    let is_binary = |line: &[u8]| line.trim_ascii_end() == BINARY && line.starts_with(BINARY);
    let mut lines = diff.split_inclusive(|byte| *byte == b'\n').peekable();
    let mut kept = Vec::new();
    let mut left_out = false;
    while let Some(line) = lines.next() {
        if !is_binary(line) {
            kept.extend_from_slice(line);
            continue;
        }
        left_out = true;
        let size = lines.peek().and_then(|line| size(line)).unwrap_or_default();
        kept.extend_from_slice(
            format!("Binary content{size} is left out of the record: the run has secrets\n").as_bytes(),
        );
        while lines.next_if(|line| !line.starts_with(FILE)).is_some() {}
    }
    if left_out { Cow::Owned(kept) } else { Cow::Borrowed(diff) }
}

/// ` of 12 bytes`, from `literal 12`.
fn size(line: &[u8]) -> Option<String> {
    let line = str::from_utf8(line).ok()?.trim_end();
    let bytes: u64 = line.strip_prefix("literal ").or_else(|| line.strip_prefix("delta "))?.parse().ok()?;
    Some(format!(" of {bytes} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_content_is_left_out_and_all_else_stays() {
        let text =
            "diff --git a/t b/t\n--- a/t\n+++ b/t\n@@ -1 +1 @@\n GIT binary patch\n+GIT binary patch\n";
        let header = "diff --git a/b b/b\nnew file mode 100644\nindex 0000000..1111111\n";
        let content = "GIT binary patch\nliteral 12\nTcmb=J&Q2{-NiAl`OeugdSpR\n\nliteral 0\nHcmV?d00001\n\n";
        let diff = format!("{text}{header}{content}{text}{header}{content}");
        let line = "Binary content of 12 bytes is left out of the record: the run has secrets\n";
        let kept = without_binary_content(diff.as_bytes());
        assert_eq!(str::from_utf8(&kept).unwrap(), format!("{text}{header}{line}{text}{header}{line}"));
        assert!(matches!(without_binary_content(text.as_bytes()), Cow::Borrowed(_)));
    }
}
