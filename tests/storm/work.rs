//! What is run in a storm, and what comes of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Bench, Finished};

/// What a trial came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    pub(super) state: String,
    pub(super) score: Option<f64>,
    pub(super) passed: Option<bool>,
    pub(super) cause: Option<String>,
}

impl Verdict {
    /// Whether it is no verdict about the agent, for one of these reasons.
    pub(super) fn is_invalid_for(&self, causes: &[&str]) -> bool {
        self.state == "invalid"
            && self.score.is_none()
            && self.cause.as_deref().is_some_and(|cause| causes.contains(&cause))
    }
}

/// Verdicts by trial.
pub(super) type Verdicts = BTreeMap<String, Verdict>;

/// A run that has ended.
pub(super) struct Ran {
    pub(super) finished: Finished,
    pub(super) verdicts: Verdicts,
    /// The attempts of each trial.
    pub(super) attempts: Vec<u64>,
}

impl Ran {
    /// Reads what `--format json` said.
    #[track_caller]
    pub(super) fn of(finished: Finished) -> Self {
        let json: Value = serde_json::from_str(&finished.stdout())
            .unwrap_or_else(|error| panic!("standard output is no JSON: {error}\n{finished}"));
        let trials = json["trials"].as_array().expect("a list of trials");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let verdict = |trial: &Value| Verdict {
            state: text(&trial["state"]).expect("a state"),
            score: trial["score"].as_f64(),
            passed: trial["passed"].as_bool(),
            cause: text(&trial["cause"]),
        };
        let verdicts: Verdicts = trials.iter().map(|trial| (name(trial), verdict(trial))).collect();
        assert_eq!(verdicts.len(), trials.len(), "no trial twice: {finished}");
        assert_eq!(
            json["summary"]["planned"],
            verdicts.len(),
            "one verdict for each planned trial: {finished}"
        );
        let attempts = trials.iter().map(|trial| trial["attempts"].as_u64().expect("a number")).collect();
        Self { finished, verdicts, attempts }
    }

    pub(super) fn scored(&self) -> usize {
        self.verdicts.values().filter(|verdict| verdict.state == "scored").count()
    }

    /// Whether something went wrong that was tried again.
    pub(super) fn has_retries(&self) -> bool {
        self.attempts.iter().any(|attempts| *attempts > 1)
    }

    /// Each trial has the verdict of the quiet day, or none for one of these reasons; and most have one.
    #[track_caller]
    pub(super) fn assert_only_lost(&self, quiet: &Verdicts, causes: &[&str], seed: u64) {
        let finished = &self.finished;
        assert_eq!(self.verdicts.len(), quiet.len(), "seed {seed}: {finished}");
        for (trial, verdict) in &self.verdicts {
            assert!(
                quiet.get(trial) == Some(verdict) || verdict.is_invalid_for(causes),
                "seed {seed}: {trial} is {verdict:?}\n{finished}"
            );
        }
        assert!(self.scored() * 2 >= quiet.len(), "seed {seed}: most were lost: {finished}");
        assert!(self.has_retries(), "seed {seed}: there was no storm: {finished}");
    }
}

/// A trial as results and events name it.
pub(super) fn name(trial: &Value) -> String {
    format!("{} {} {}", trial["scenario"], trial["agent"], trial["repetition"])
}

/// Scenarios of every outcome. Their commands are such as both a shell and the simulator understand. What is done twice
/// or not at all, or to the wrong disk, changes a verdict. `agents` is what the agent does before its work.
pub(super) fn scenarios(bench: &Bench, modes: &[&str], agents: &str) -> PathBuf {
    bench.write("part/notes.txt", "notes\n");
    let holds = |file: &str, text: &str| {
        format!("'test \"$(cat {file})\" = {text} # sim: time=5ms..30ms holds={file}:{text}'")
    };
    let mut text = format!(
        "name: storm\nagents:\n  - name: worker\n    \
         command: '{agents}printf done >> answer # sim: time=~40ms append=answer:done'\nscenarios:\n",
    );
    for mode in modes {
        for (name, scorers) in [
            ("passes", vec![holds("answer", "done"), holds("state", "base")]),
            ("half", vec![holds("answer", "done"), holds("state", "other")]),
            ("fails", vec![holds("answer", "nothing")]),
        ] {
            text += &format!(
                "  - name: {name}-{mode}\n    problem_statement: Write it.\n    verify: {mode}\n    environment:\n      \
                 network: none\n      blueprint: {{ name: storm, system_setup_commands: ['true'] }}\n      \
                 files: [{{ source: part/notes.txt, target: notes.txt }}]\n      \
                 setup_commands: ['printf base >> state # sim: append=state:base']\n    scorers:\n"
            );
            for (number, scorer) in scorers.iter().enumerate() {
                text += &format!("      - {{ name: s{number}, weight: 1, shell_command: {scorer} }}\n");
            }
        }
    }
    bench.write("storm.yaml", &text)
}

/// Everything against this platform, still to be started.
pub(super) fn command(bench: &Bench, file: &Path, url: &str, key: &str, args: &[&str]) -> Command {
    let mut command = bench.command();
    command.env("RUNLOOP_API_KEY", key).arg("run").arg(file);
    command.args(["--target", url, "--format", "json"]).args(args);
    command
}

/// Runs everything against this platform.
pub(super) fn run(bench: &Bench, file: &Path, url: &str, key: &str, args: &[&str]) -> Ran {
    let output = command(bench, file, url, key, args).output().expect("the program starts");
    Ran::of(Finished::of(output))
}
