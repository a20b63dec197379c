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

/// The files of a diff by their paths afterwards. Quoted paths are left as git writes them.
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

/// The second of the two equal paths in `a/PATH b/PATH`.
fn after(names: &str) -> &str {
    let half = names.len() / 2;
    match (names.get(..half), names.get(half + 1..)) {
        (Some(a), Some(b)) if a.strip_prefix("a/") == b.strip_prefix("b/") => &b[2..],
        _ => names.rsplit_once(" b/").map_or(names, |(_, path)| path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
