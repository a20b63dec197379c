//! `cargo xtask bench phases`: what a trial costs on the embedded platform, phase by phase, and what bounds each.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Command, Stdio};

use eval_record::{EventKind, Phase, ResourceRequest, TrialKey, read_events};

use super::cpu::children_seconds;
use crate::table;

/// Trials of each mode, one after the other: nothing waits for anything but itself.
const TRIALS: usize = 100;

/// What each phase does, and what its time is made of.
const BOUNDS: [(&str, &str); 6] = [
    (
        "preparing",
        "once per environment: setup commands, `git` and a snapshot; every later trial finds it done",
    ),
    (
        "starting",
        "one devbox: about half harness and server, the rest namespaces, overlay mounts and a broker",
    ),
    ("agent", "one request and one `bash -l -c`: the login shell's start-up files"),
    (
        "reaping",
        "suspend, which ends every process in the box; then resume, snapshot or diff, whatever the mode asks for",
    ),
    ("scoring", "a second devbox unless the mode is `same`, then one `bash -l -c` for each scorer"),
    ("ending", "the kernel's taking down of namespaces and mounts; the next trial has begun meanwhile"),
];

/// The milliseconds of each phase, one for each trial.
type Times = BTreeMap<&'static str, Vec<f64>>;

pub(super) fn run() -> Result<(), String> {
    let binary = super::build(&["runloop-eval"])?.join("runloop-eval");
    let directory = std::env::temp_dir().join(format!("runloop-eval-bench-phases-{}", std::process::id()));
    std::fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let outcome = tables(&binary, &directory);
    let _ = std::fs::remove_dir_all(&directory);
    outcome
}

fn tables(binary: &Path, directory: &Path) -> Result<(), String> {
    let file = directory.join("phases.yaml");
    std::fs::write(&file, DEFINITION).map_err(|error| error.to_string())?;
    let mut modes = Vec::new();
    for verify in ["same", "snapshot", "pristine"] {
        let output = directory.join(verify);
        let before = children_seconds()?;
        let status = Command::new(binary)
            .arg("run")
            .arg(&file)
            .args(["--quiet", "--concurrency", "1", "--trials", &TRIALS.to_string()])
            .args(["--verify", verify, "--output"])
            .arg(&output)
            .stdout(Stdio::null())
            .status()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        if !status.success() {
            return Err(format!("the run with verify {verify} ended with {status}"));
        }
        let cpu = (children_seconds()? - before) * 1000.0 / TRIALS as f64;
        modes.push((verify, cpu, times(&output.join("events.jsonl"))?));
    }
    let mut rows = Vec::new();
    for (phase, bound) in BOUNDS {
        let mut row = vec![phase.to_owned()];
        for (_, _, times) in &modes {
            let mut times = times.get(phase).cloned().unwrap_or_default();
            times.sort_by(f64::total_cmp);
            row.push(
                times.get(times.len() / 2).map_or_else(|| "-".to_owned(), |median| format!("{median:.0}")),
            );
        }
        row.push(bound.to_owned());
        rows.push(row);
    }
    let mut row = vec!["CPU of all processes, a trial".to_owned()];
    row.extend(modes.iter().map(|(_, cpu, _)| format!("{cpu:.1}")));
    row.push("the sum of all phases, boxes included".to_owned());
    rows.push(row);
    table::print(
        "Phases",
        &format!(
            "Medians over {TRIALS} trials, one at a time, in milliseconds of wall time, of the verify modes; phases of the \
             first trial, which prepares, count as any other's."
        ),
        &["phase", "same", "snapshot", "pristine", "what bounds it"],
        &rows,
    );
    Ok(())
}

/// What the record tells: phases from one event to the next, the ending from the verdict to the end of the last that the trial had.
fn times(events: &Path) -> Result<Times, String> {
    let read = read_events(events).map_err(|error| error.to_string())?;
    let mut times = Times::new();
    let mut began: HashMap<TrialKey, (&'static str, i64)> = HashMap::new();
    let mut owners = HashMap::new();
    let mut ends: HashMap<TrialKey, (i64, i64)> = HashMap::new();
    for event in read.events {
        let at = event.at_ms;
        match event.kind {
            EventKind::PhaseStarted { trial, phase, .. } => {
                if let Some((before, since)) = began.insert(trial, (name(phase), at)) {
                    times.entry(before).or_default().push((at - since) as f64);
                }
            }
            EventKind::TrialFinished(result) => {
                if let Some((last, since)) = began.remove(&result.trial) {
                    times.entry(last).or_default().push((at - since) as f64);
                }
                ends.insert(result.trial, (at, at));
            }
            EventKind::ResourceRequested(ResourceRequest { key, trial: Some(trial), .. }) => {
                owners.insert(key, trial);
            }
            EventKind::ResourceEnded { key, .. } => {
                if let Some((_, last)) = owners.get(&key).and_then(|trial| ends.get_mut(trial)) {
                    *last = at;
                }
            }
            _ => {}
        }
    }
    times.insert("ending", ends.values().map(|(verdict, last)| (last - verdict) as f64).collect());
    Ok(times)
}

fn name(phase: Phase) -> &'static str {
    BOUNDS.iter().map(|(name, _)| *name).find(|name| *name == phase.as_str()).unwrap_or("other")
}

/// A trial that does next to nothing, in a checkout, as most are.
const DEFINITION: &str = "name: phases
agents: [{ name: writer, command: 'echo done > answer' }]
scenarios:
  - name: trivial
    problem_statement: Write it.
    environment:
      network: none
      working_directory: repo
      setup_commands: [git init -q && git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m base]
    scorers: [{ name: written, weight: 1, shell_command: grep -q done answer }]
";
