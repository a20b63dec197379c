//! Runs that began at a target which outlives them and did not end in good order, wherever their directories are: what they
//! left there is found by the next run and by `cleanup`.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eval_record::{RunDirectory, safe_name};
use eval_runner::RunOutcome;
use serde::{Deserialize, Serialize};

use crate::args::Verbosity;
use crate::state::state_home;
use crate::target::{Target, is_same};

/// A run that has not ended in good order, as far as is known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    /// Its id, which is a label of all it made.
    pub(crate) run_id: String,
    /// Its directory, absolute.
    pub(crate) directory: PathBuf,
    /// Its target, as typed.
    pub(crate) target: String,
}

impl Unfinished {
    /// Whether a program goes on with it.
    pub(crate) fn is_alive(&self) -> bool {
        RunDirectory::open(&self.directory).is_ok_and(|directory| directory.is_locked())
    }
}

/// A file for each of them.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    directory: PathBuf,
}

impl Registry {
    /// The one of this user.
    pub(crate) fn open(env: impl Fn(&str) -> Option<OsString>) -> io::Result<Self> {
        let directory = state_home(env)?.join("runs");
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    /// A run begins, or goes on.
    pub(crate) fn begin(&self, run: &Unfinished) -> io::Result<()> {
        let new = self.file(&run.run_id).with_extension("new");
        fs::write(&new, serde_json::to_vec(run)?)?;
        fs::rename(&new, self.file(&run.run_id))
    }

    /// Nothing of a run is left.
    pub(crate) fn end(&self, run_id: &str) {
        let path = self.file(run_id);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "cannot forget a run that is over");
        }
    }

    /// Every run that is known, alive or not, by age. What cannot be understood is left out.
    pub(crate) fn runs(&self) -> Vec<Unfinished> {
        let Ok(entries) = fs::read_dir(&self.directory) else { return Vec::new() };
        let mut runs: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "json"))
            .filter_map(|entry| {
                let run: Unfinished = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, run))
            })
            .collect();
        runs.sort_by_key(|(at, _)| *at);
        runs.into_iter().map(|(_, run)| run).collect()
    }

    /// Where a run is remembered.
    pub(crate) fn file(&self, run_id: &str) -> PathBuf {
        self.directory.join(format!("{}.json", safe_name(run_id)))
    }
}

/// A run that is remembered until it ended in good order. On the local platform nothing outlives a run, so none is.
#[derive(Debug)]
pub(crate) struct Remembered(Option<(Registry, String)>);

impl Remembered {
    /// Remembers a run, and tells of others at the same target that left something.
    pub(crate) fn begin(target: &Target, run_id: &str, directory: &Path, verbosity: Verbosity) -> Self {
        if target.is_local() {
            return Self(None);
        }
        let run = Unfinished {
            run_id: run_id.to_owned(),
            directory: absolute(directory),
            target: target.name.clone(),
        };
        let registry = Registry::open(|name| std::env::var_os(name));
        let registry = match registry.and_then(|registry| registry.begin(&run).map(|()| registry)) {
            Ok(registry) => registry,
            Err(error) => {
                tracing::warn!(%error, "`cleanup` will not know of this run by itself");
                return Self(None);
            }
        };
        let dead = |other: &Unfinished| {
            is_same(&other.target, &target.name) && other.run_id != run_id && !other.is_alive()
        };
        let count = registry.runs().into_iter().filter(dead).count();
        if count > 0 && !verbosity.quiet {
            let left = if count == 1 { "an earlier run" } else { "earlier runs" };
            say!("{left} may have left devboxes there; to end them: runloop-eval cleanup");
        }
        Self(Some((registry, run_id.to_owned())))
    }

    /// Forgets it, unless something of it may live.
    pub(crate) fn end(self, outcome: &RunOutcome) {
        if let Some((registry, run_id)) = self.0
            && outcome.leaked.is_empty()
        {
            registry.end(&run_id);
        }
    }
}

/// An absolute path to something that exists.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(home: &Path) -> Registry {
        let home = home.as_os_str().to_owned();
        Registry::open(move |name| (name == "XDG_STATE_HOME").then(|| home.clone())).unwrap()
    }

    fn run(run_id: &str, directory: &Path) -> Unfinished {
        Unfinished { run_id: run_id.to_owned(), directory: directory.to_path_buf(), target: "cloud".into() }
    }

    #[test]
    fn a_run_is_known_from_its_beginning_to_its_good_end() {
        let home = tempfile::tempdir().unwrap();
        let registry = registry(home.path());
        let (a, b) = (run("a/../b", home.path()), run("b", home.path()));
        registry.begin(&a).unwrap();
        registry.begin(&b).unwrap();
        registry.begin(&b).unwrap();
        assert_eq!(registry.runs().len(), 2);
        registry.end("a/../b");
        registry.end("a/../b");
        fs::write(registry.file("torn"), b"{\"run_id\": \"to").unwrap();
        assert_eq!(registry.runs(), [b]);
    }

    #[test]
    fn a_run_is_alive_while_a_program_holds_its_directory() {
        let home = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create_at(&home.path().join("run")).unwrap();
        let run = run("r", directory.path());
        assert!(!run.is_alive(), "without a header it never began");
        directory.write_header(&eval_record::RunHeader::default()).unwrap();
        assert!(!run.is_alive());
        let lock = directory.lock().unwrap();
        assert!(run.is_alive());
        drop(lock);
        assert!(!run.is_alive());
    }
}
