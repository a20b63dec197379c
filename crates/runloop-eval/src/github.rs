//! `--github`: what a step of GitHub Actions shows of a run.

use std::fs::OpenOptions;
use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use eval_report::Summary;
use eval_report::gate::Verdict;
use eval_report::github::{Place, annotations, gate_annotations};

/// Appends to the step summary and prints the annotations. They go to standard error, which the runner reads as well, so that
/// standard output is what `--format` says.
///
/// What cannot be told is said and changes no exit code: verdicts do not depend on who is told.
pub(crate) fn tell(summary: &Summary) {
    show(&eval_report::markdown::render(summary), |place| annotations(summary, place));
}

/// The same of a gate's verdict alone.
pub(crate) fn tell_verdict(verdict: &Verdict) {
    show(&eval_report::markdown::render_gate(verdict), |place| gate_annotations(verdict, place));
}

fn show(markdown: &str, annotations: impl FnOnce(Place<'_>) -> String) {
    match std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
        None => say!("--github: GITHUB_STEP_SUMMARY is not set, so there is no step summary"),
        Some(path) => {
            if let Err(error) = append(Path::new(&path), markdown) {
                let path = Path::new(&path).display();
                say!("--github: {path} cannot be written: {error}");
            }
        }
    }
    let directory = std::env::current_dir().unwrap_or_default();
    let workspace = std::env::var_os("GITHUB_WORKSPACE").map_or_else(|| directory.clone(), PathBuf::from);
    let place = Place { directory: &directory, workspace: &workspace };
    // A log that nobody reads any more is no reason to fail.
    let _ = std::io::stderr().lock().write_all(annotations(place).as_bytes());
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(format!("{text}\n").as_bytes())
}
