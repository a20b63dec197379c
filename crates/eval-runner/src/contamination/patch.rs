//! What a unified diff of git's changes.

use std::collections::BTreeMap;

/// A file of a diff.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Name of the object that the file becomes; empty if it is removed or the diff does not say.
    pub(crate) blob: String,
    /// The lines that are added.
    pub(crate) added: Vec<String>,
}

/// The files of a diff by their paths afterwards. What git escapes in odd paths stays as it writes it.
pub(crate) fn changes(diff: &str) -> BTreeMap<String, Change> {
    let mut files: BTreeMap<String, Change> = BTreeMap::new();
    let mut path = String::new();
    let mut is_body = false;
    for line in diff.lines() {
        if let Some(names) = line.strip_prefix("diff --git ") {
            path = after(names).to_owned();
            is_body = false;
            files.entry(path.clone()).or_default();
        } else if line.starts_with("@@ ") {
            is_body = true;
        } else if let Some(file) = files.get_mut(&path) {
            if is_body {
                file.added.extend(line.strip_prefix('+').map(str::to_owned));
            } else if let Some(ids) = line.strip_prefix("index ") {
                let ids = ids.split_whitespace().next().unwrap_or_default();
                let blob = ids.split_once("..").map_or("", |(_, after)| after);
                if blob.bytes().any(|byte| byte != b'0') {
                    file.blob = blob.to_owned();
                }
            }
        }
    }
    files
}

/// The second path in `a/PATH b/PATH`, whose quotes may be around either, or in `PATH PATH`.
fn after(names: &str) -> &str {
    let halves = names.split_at_checked(names.len() / 2);
    if let Some((first, second)) = halves.and_then(|(first, rest)| Some((first, rest.strip_prefix(' ')?))) {
        let (first, second) = (bare(first), bare(second));
        match (first.strip_prefix("a/"), second.strip_prefix("b/")) {
            (Some(before), Some(after)) if before == after => return after,
            _ if first == second => return second,
            _ => {}
        }
    }
    let after = [" b/", " \"b/"].iter().find_map(|between| Some(names.rsplit_once(between)?.1));
    after.map_or(names, |path| path.trim_end_matches('"'))
}

/// Without the quotes that git puts around odd paths.
fn bare(path: &str) -> &str {
    path.strip_prefix('"').and_then(|path| path.strip_suffix('"')).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_path_is_the_one_afterwards_however_it_is_written() {
        for (names, path) in [
            ("a/x b/x", "x"),
            ("a/x b/y b/x b/y", "x b/y"),
            ("a/old b/new", "new"),
            ("README.md README.md", "README.md"),
            (r#""a/\303\244" "b/\303\244""#, r"\303\244"),
            (r#"a/plain "b/\303\244""#, r"\303\244"),
            (r#""a/\303\244" b/plain"#, "plain"),
            ("x", "x"),
            ("", ""),
        ] {
            assert_eq!(after(names), path, "{names}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(lines in prop::collection::vec("(diff --git |index |@@ |[+]|)[ab/ .\"\u{e4}x]{0,9}", 0..9)) {
            changes(&lines.join("\n"));
        }
    }

    #[test]
    fn a_diff_tells_paths_objects_and_added_lines() {
        let diff = "diff --git a/x b/y b/x b/y\nindex 1111111..2222222 100644\n--- a/x b/y\n+++ b/x b/y\n@@ -1 +1,2 @@\n-a\n+b\n++c\n\
                    diff --git a/gone b/gone\ndeleted file mode 100644\nindex 3333333..0000000\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n";
        let changes = changes(diff);
        assert_eq!(changes["x b/y"].blob, "2222222");
        assert_eq!(changes["x b/y"].added, ["b", "+c"]);
        assert_eq!(changes["gone"], Change::default());
    }
}
