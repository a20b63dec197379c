//! What is about to run and in what isolation, before the first trial.

use std::collections::BTreeSet;

use eval_runner::{Plan, RunOptions};
use runloop_sandbox::{Guarantees, Sandbox};

use crate::args::{Driver, IsolationArgs};
use crate::budget;
use crate::commands::doctor::{driver_name, promises};
use crate::commands::validate::CONTROL;
use crate::target::{Target, sandbox_options};

/// Shows the header on standard error.
pub(crate) fn show(plan: &Plan, options: &RunOptions, target: &Target) {
    let scenarios: BTreeSet<&str> = plan.trials.iter().map(|trial| trial.key.scenario.as_str()).collect();
    let names: BTreeSet<&str> = plan.trials.iter().map(|trial| trial.key.agent.as_str()).collect();
    let (controls, agents): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| name.starts_with(CONTROL));
    let mut who: Vec<String> = agents.into_iter().map(str::to_owned).collect();
    if who.len() > 4 {
        who = vec![counted(who.len(), "agent")];
    }
    if !controls.is_empty() {
        who.push(counted(controls.len(), "control"));
    }
    let who = who.join(", ");
    say!(
        "{}: {}, {who}, {}, {} at once, seed {}",
        plan.benchmark,
        counted(scenarios.len(), "scenario"),
        counted(plan.trials.len(), "trial"),
        options.concurrency,
        options.seed
    );
    if let Some(forecast) = budget::forecast(&options.budget, plan) {
        say!("{forecast}");
    }
    match &target.guarantees {
        None => say!("devboxes: {} ({})", target.name, target.base_url),
        Some(guarantees) => {
            say!("devboxes: local, {}", driver_name(guarantees.driver));
            for line in weaknesses(guarantees) {
                say!("  {line}");
            }
        }
    }
}

/// `1 trial`, `2 trials`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What does not hold, and what would improve it. Empty on a machine that isolates well.
fn weaknesses(guarantees: &Guarantees) -> Vec<String> {
    let unheld: Vec<String> =
        promises(guarantees).into_iter().filter(|line| line.contains(" not held: ")).collect();
    if unheld.is_empty() {
        return Vec::new();
    }
    let isolation = IsolationArgs { driver: Driver::Auto, allow_weak: true };
    let probe = Sandbox::probe(&sandbox_options(std::env::temp_dir(), &isolation));
    let remedies = probe.steps.into_iter().filter(|step| !step.works).filter_map(|step| step.remedy);
    unheld.into_iter().chain(remedies.take(1).map(|remedy| format!("to improve it: {remedy}"))).collect()
}
