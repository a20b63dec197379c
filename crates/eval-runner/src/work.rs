//! What an agent does in a trial.

use std::collections::BTreeMap;

use eval_builder::{AgentKind, Scenario, Solution, SolutionKind, render_agent_command};
use runloop_types::Mount;

use crate::failure::Failure;
use crate::plan::Trial;
use crate::shell::{enter, quote};

/// Directory of the harness in a devbox, below the home directory.
pub(crate) const PLACE: &str = ".runloop-eval";

/// Statements up to this many bytes are in `PROBLEM_STATEMENT` too; longer ones only in the file, because Linux limits a
/// variable to 128 KiB.
const VARIABLE_LIMIT: usize = 100 * 1024;

/// What an agent does in a trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Work {
    /// Nothing at all.
    Nothing,
    /// A command in the devbox.
    Inside(String),
    /// A command beside the harness.
    Beside(String),
}

/// The work with what the devbox needs for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) environment: BTreeMap<String, String>,
}

impl Job {
    /// `home` is how the home directory is written in mounts.
    pub(crate) fn of(trial: &Trial, home: &str) -> Result<Self, Failure> {
        let scenario = &trial.scenario;
        match &trial.agent.kind {
            AgentKind::Nop => Ok(Self::quiet(Work::Nothing, Vec::new())),
            AgentKind::Oracle => match &scenario.reference_output {
                Some(solution) => Ok(apply(solution, scenario, home)),
                None => {
                    Err(Failure::harness("the scenario has no `reference_output` for the oracle to apply"))
                }
            },
            AgentKind::Control(name) => {
                match scenario.controls.iter().find(|control| control.name == *name) {
                    Some(solution) => Ok(apply(solution, scenario, home)),
                    None => Err(Failure::harness(format!("the scenario has no control `{name}`"))),
                }
            }
            AgentKind::Command(_) => {
                let command = render(trial)?;
                let line = format!(
                    "{}{}export PROBLEM_STATEMENT_FILE=\"$HOME/{PLACE}/problem_statement.md\"\n{command}",
                    wait_past("problem_statement.md"),
                    enter(&scenario.environment.working_directory)
                );
                Ok(Self {
                    work: Work::Inside(line),
                    mounts: vec![file(home, "problem_statement.md", &scenario.problem_statement)],
                    environment: statement(scenario),
                })
            }
            AgentKind::HostCommand(_) => Ok(Self {
                work: Work::Beside(render(trial)?),
                mounts: vec![file(home, "problem_statement.md", &scenario.problem_statement)],
                environment: statement(scenario),
            }),
        }
    }

    /// The commands that the agent consists of, as far as they are known.
    pub(crate) fn told(&self) -> &str {
        let script = self.mounts.iter().find_map(|mount| match mount {
            Mount::FileMount { target, content } if target.ends_with("/solution") => Some(content.as_str()),
            _ => None,
        });
        match &self.work {
            Work::Nothing => "",
            Work::Inside(line) | Work::Beside(line) => script.unwrap_or(line),
        }
    }

    fn quiet(work: Work, mounts: Vec<Mount>) -> Self {
        Self { work, mounts, environment: BTreeMap::new() }
    }
}

fn render(trial: &Trial) -> Result<String, Failure> {
    render_agent_command(&trial.agent, &trial.scenario).map_err(|error| Failure::harness(error.to_string()))
}

fn file(home: &str, name: &str, content: &str) -> Mount {
    Mount::FileMount { target: format!("{home}/{PLACE}/{name}"), content: content.to_owned() }
}

/// What the agent is told, as variables.
pub(crate) fn statement(scenario: &Scenario) -> BTreeMap<String, String> {
    let context = scenario.additional_context.as_ref().map(ToString::to_string);
    [("PROBLEM_STATEMENT", Some(scenario.problem_statement.clone())), ("ADDITIONAL_CONTEXT", context)]
        .into_iter()
        .filter_map(|(name, value)| {
            Some((name.to_owned(), value.filter(|value| value.len() <= VARIABLE_LIMIT)?))
        })
        .collect()
}

/// Applies a solution: a patch with git (or patch, where there is none), a script with the interpreter of its first line.
fn apply(solution: &Solution, scenario: &Scenario, home: &str) -> Job {
    let enter = enter(&scenario.environment.working_directory);
    let (name, line) = match solution.kind {
        SolutionKind::Patch => (
            "solution.patch",
            format!(
                "if command -v git >/dev/null 2>&1; then git apply --whitespace=nowarn \"$HOME/{PLACE}/solution.patch\"\n\
                 else patch -p1 -s -i \"$HOME/{PLACE}/solution.patch\"\nfi\n"
            ),
        ),
        SolutionKind::Script => {
            ("solution", format!("exec {} \"$HOME/{PLACE}/solution\"\n", interpreter(&solution.content)))
        }
    };
    Job::quiet(
        Work::Inside(format!("{}{enter}{line}", wait_past(name))),
        vec![file(home, name, &solution.content)],
    )
}

/// Waits until what is written is newer than a file of the harness. The agent's work is told from what was there by that
/// file's time, but the clock of a disk ticks only every 4 to 10 ms, and an agent may begin within the tick of its task.
/// The turns take about 0.1 s: more than any tick, and little where the file is of the future. Without room there are none.
fn wait_past(name: &str) -> String {
    format!(
        "(turns=0; while command : >\"$HOME/{PLACE}/now\" && [ ! \"$HOME/{PLACE}/now\" -nt \"$HOME/{PLACE}/{name}\" ] && \
         [ \"$turns\" -lt 9999 ]; do turns=$((turns + 1)); done) 2>/dev/null\n"
    )
}

/// The words of a script's first line, or `sh`.
fn interpreter(script: &str) -> String {
    let words: Vec<String> = script
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("#!"))
        .map(|line| line.split_whitespace().map(quote).collect())
        .unwrap_or_default();
    if words.is_empty() { "sh".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_an_agent_writes_at_once_is_newer_than_its_task() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(home.path().join(PLACE)).expect("the harness's place");
        let turn = format!(
            ": >{PLACE}/task\n{}: >work\n[ work -nt {PLACE}/task ] || echo \"turn $i was too early\"",
            wait_past("task")
        );
        let output = Command::new("bash")
            .args(["-c", &format!("for i in {{1..100}}; do\n{turn}\ndone")])
            .current_dir(&home)
            .env("HOME", home.path())
            .output()
            .expect("bash");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{output:?}");
        assert!(output.status.success(), "{output:?}");
    }

    #[test]
    fn a_task_of_the_future_delays_no_agent_for_long() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(home.path().join(PLACE)).expect("the harness's place");
        let task = std::fs::File::create(home.path().join(PLACE).join("task")).expect("a file");
        task.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(3600))
            .expect("a time");
        for (home, why) in
            [(home.path(), "its time"), (&home.path().join("missing"), "nothing can be written")]
        {
            let script = format!("{}echo began", wait_past("task"));
            let output = Command::new("bash").args(["-c", &script]).env("HOME", home).output().expect("bash");
            assert_eq!(output.stdout, b"began\n", "{why}: {output:?}");
            assert_eq!(output.stderr, b"", "{why}");
        }
    }

    #[test]
    fn scripts_run_with_the_interpreter_they_name() {
        assert_eq!(interpreter("#!/usr/bin/env python3\nprint()"), "/usr/bin/env python3");
        assert_eq!(interpreter("#! /bin/bash -e\n"), "/bin/bash -e");
        assert_eq!(interpreter("echo hi"), "sh");
        assert_eq!(interpreter("#!\n"), "sh");
        assert_eq!(interpreter("#!/bin/sh;reboot\n"), "'/bin/sh;reboot'");
    }
}
