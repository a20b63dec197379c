//! Finds run directories.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eval_record::safe_name;

/// How far below a root runs are looked for.
const DEPTH: usize = 4;

/// Directories that are looked into, at most.
const DIRECTORIES: usize = 20_000;

/// A directory to be shown: a run, or one with runs somewhere below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    path: PathBuf,
    shown: String,
}

/// There is no such directory.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be shown", path.display())]
pub struct RootError {
    /// The directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl Root {
    /// This directory, as it is now: what its path leads to later does not matter.
    ///
    /// # Errors
    /// If it cannot be found.
    pub fn open(path: &Path) -> Result<Self, RootError> {
        let failed = |source| RootError { path: path.to_path_buf(), source };
        let found = fs::canonicalize(path).map_err(failed)?;
        fs::read_dir(&found).map_err(failed)?;
        Ok(Self { path: found, shown: path.display().to_string() })
    }

    /// As it was named.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

/// A run directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Names it in addresses: harmless in all of them, and no other run's.
    pub(crate) key: String,
    /// Names it for people.
    pub(crate) label: String,
    pub(crate) path: PathBuf,
}

/// All runs below some roots.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    pub(crate) runs: Vec<Found>,
    /// Whether there were too many directories to look into all of them.
    pub(crate) cut: bool,
}

/// Looks for them. Links are not followed, hidden directories and run directories are not looked into.
pub(crate) fn discover(roots: &[Root]) -> Discovery {
    let mut discovery = Discovery::default();
    let mut looked = 0;
    // One root may be below another.
    let mut known = HashSet::new();
    for root in roots {
        let several = roots.len() > 1;
        let mut left = vec![(root.path.clone(), String::new(), 0)];
        while let Some((path, below, depth)) = left.pop() {
            if !known.insert(path.clone()) {
                continue;
            }
            if path.join("run.json").is_file() {
                let label = match (below.is_empty(), several) {
                    (true, _) => root.shown.clone(),
                    (false, true) => format!("{}/{below}", root.shown.trim_end_matches('/')),
                    (false, false) => below,
                };
                discovery.runs.push(Found { key: safe_name(&label), label, path });
                continue;
            }
            looked += 1;
            if looked > DIRECTORIES {
                discovery.cut = true;
                return discovery;
            }
            if depth == DEPTH {
                continue;
            }
            // One that cannot be read has no runs to show.
            for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !name.starts_with('.') {
                    let below = if below.is_empty() { name } else { format!("{below}/{name}") };
                    left.push((entry.path(), below, depth + 1));
                }
            }
        }
    }
    discovery
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(root: &Path, name: &str) {
        fs::create_dir_all(root.join(name)).unwrap();
        fs::write(root.join(name).join("run.json"), "{}").unwrap();
    }

    fn labels(roots: &[Root]) -> Vec<String> {
        let mut labels: Vec<_> = discover(roots).runs.into_iter().map(|found| found.label).collect();
        labels.sort();
        labels
    }

    #[test]
    fn runs_are_found_at_every_depth_but_not_in_each_other_or_through_links() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("runs");
        for name in ["a", "nested/deep/b", "a/trials/inner", ".hidden/c", "1/2/3/4/5"] {
            run(&root, name);
        }
        run(directory.path(), "outside");
        std::os::unix::fs::symlink(directory.path().join("outside"), root.join("link")).unwrap();
        std::os::unix::fs::symlink(&root, root.join("loop")).unwrap();
        assert_eq!(labels(&[Root::open(&root).unwrap()]), ["a", "nested/deep/b"]);
    }

    #[test]
    fn runs_of_several_roots_have_names_and_keys_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        run(&one, "same");
        run(&two, "same");
        let roots = [&one, &two, &one, &two.join("same")].map(|path| Root::open(path).unwrap());
        let discovery = discover(&roots);
        let keys: std::collections::BTreeSet<_> = discovery.runs.iter().map(|found| &found.key).collect();
        assert_eq!((keys.len(), discovery.runs.len()), (2, 2), "{discovery:?}");
        assert!(labels(&roots)[0].ends_with("/one/same"), "{:?}", labels(&roots));
    }

    #[test]
    fn a_root_that_is_not_there_is_told() {
        let error = Root::open(Path::new("/nowhere/at/all")).unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/at/all cannot be shown");
    }
}
