//! A place to write scenario files, run the real binary on them, and read what it says.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_runloop-eval");

/// A private directory with its own state home; removed at the end.
pub(crate) struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, with its parents.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("the directory can be made");
        std::fs::write(&path, content).expect("the file can be written");
        path
    }

    /// The program, in this directory, with nothing of the caller's environment but the path.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("XDG_STATE_HOME", self.path("state"))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Finished {
        let output = self.command().args(args).output().expect("the program starts");
        Finished { output }
    }

    /// Runs `run FILE --format json ARGS` and reads the results.
    pub(crate) fn results<I: AsRef<OsStr>>(&self, file: &Path, args: impl IntoIterator<Item = I>) -> Results {
        let output = self
            .command()
            .arg("run")
            .arg(file)
            .args(["--format", "json"])
            .args(args)
            .output()
            .expect("the program starts");
        let finished = Finished { output };
        let json = serde_json::from_str(&finished.stdout())
            .unwrap_or_else(|error| panic!("standard output is no JSON: {error}\n{finished}"));
        Results { finished, json }
    }
}

/// A program that has ended.
pub(crate) struct Finished {
    output: Output,
}

impl Finished {
    pub(crate) fn of(output: Output) -> Self {
        Self { output }
    }

    pub(crate) fn code(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code(), self.stdout(), self.stderr())
    }
}

/// The results of a run.
pub(crate) struct Results {
    pub(crate) finished: Finished,
    pub(crate) json: Value,
}

impl Results {
    /// The only trial of a scenario.
    pub(crate) fn trial(&self, scenario: &str) -> &Value {
        let trials = self.json["trials"].as_array().expect("a list of trials");
        trials
            .iter()
            .find(|trial| trial["scenario"] == scenario)
            .unwrap_or_else(|| panic!("no trial of {scenario}\n{}", self.finished))
    }

    /// Asserts a valid verdict with this score.
    #[track_caller]
    pub(crate) fn assert_score(&self, scenario: &str, score: f64) {
        let trial = self.trial(scenario);
        assert_eq!(trial["state"], "scored", "{scenario}: {trial:#}\n{}", self.finished);
        assert_eq!(trial["score"], score, "{scenario}: {trial:#}\n{}", self.finished);
    }

    /// Asserts that there is no verdict, for this cause.
    #[track_caller]
    pub(crate) fn assert_invalid(&self, scenario: &str, cause: &str) {
        let trial = self.trial(scenario);
        assert_eq!(trial["state"], "invalid", "{scenario}: {trial:#}\n{}", self.finished);
        assert_eq!(trial["cause"], cause, "{scenario}: {trial:#}\n{}", self.finished);
        assert!(trial["score"].is_null(), "an invalid trial has no score: {trial:#}");
    }
}
