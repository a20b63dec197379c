//! What of a directory is archived, and under which names.

use std::sync::Arc;

use super::ignore::IgnoreRules;

type Filter = Arc<dyn Fn(ArchiveEntry) -> Option<ArchiveEntry> + Send + Sync>;

/// What an archive of a directory leaves out, or holds under another name; by default it holds everything as it is.
///
/// ```
/// use runloop_client::{ArchiveOptions, IgnoreRules};
///
/// let options = ArchiveOptions::default()
///     .dockerignore()
///     .ignore(IgnoreRules::from_patterns(["target", "*.log"]))
///     .filter(|mut entry| {
///         entry.name = entry.name.to_lowercase();
///         (entry.name != "secrets.env").then_some(entry)
///     });
/// # drop(options);
/// ```
#[derive(Clone, Default)]
pub struct ArchiveOptions {
    pub(super) dockerignore: bool,
    pub(super) rules: IgnoreRules,
    pub(super) filter: Option<Filter>,
}

impl ArchiveOptions {
    /// Leaves out what the `.dockerignore` of the directory says, if there is one.
    pub fn dockerignore(mut self) -> Self {
        self.dockerignore = true;
        self
    }

    /// Leaves out what these rules say. They come after those of a `.dockerignore` and of earlier calls, and so win.
    pub fn ignore(mut self, rules: IgnoreRules) -> Self {
        self.rules.append(rules);
        self
    }

    /// Passes each entry that the rules let through to `filter`, which may rename it, change its mode, or leave it out.
    ///
    /// A directory that is left out is not entered. Renaming a directory does not rename what is in it: each entry comes
    /// with its own name. The root itself comes first, as `.`.
    pub fn filter(
        mut self,
        filter: impl Fn(ArchiveEntry) -> Option<ArchiveEntry> + Send + Sync + 'static,
    ) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }
}

impl std::fmt::Debug for ArchiveOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveOptions")
            .field("dockerignore", &self.dockerignore)
            .field("rules", &self.rules)
            .field("filter", &self.filter.is_some())
            .finish()
    }
}

/// One entry of an archive, for [`ArchiveOptions::filter`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveEntry {
    /// Its name in the archive: relative to the root, separated by `/`.
    pub name: String,
    /// Its permission bits: 0o755 for directories and executable files, 0o644 for other files, 0o777 for links.
    pub mode: u32,
    /// What it is. Changing this changes nothing.
    pub kind: ArchiveEntryKind,
}

/// What an entry of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArchiveEntryKind {
    /// A directory.
    Directory,
    /// A file.
    File,
    /// A symbolic link.
    Link,
}
