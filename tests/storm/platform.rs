//! A platform whose devboxes die.

use std::time::Duration;

use runloop_simulator::{Script, Simulator, SimulatorOptions, Span, Times};

use super::left::{assert_empty, cleanup};
use super::work::{run, scenarios};
use super::{runtime, seeds};
use crate::support::Bench;

/// What the death of a devbox makes of a trial, by the phase in which it comes.
const LOST: [&str; 3] = ["devbox_lost", "provision_failed", "prepare_failed"];

#[test]
fn devboxes_that_die_are_never_a_score() {
    let runtime = runtime();
    let bench = Bench::new();
    let file = scenarios(&bench, &["snapshot", "same", "pristine"], "");
    let quiet = runtime.block_on(Simulator::start(SimulatorOptions::new(Script::default()))).expect("a port");
    let args = ["--trials", "3", "-j", "24", "--retries", "2"];
    let undisturbed = run(&bench, &file, quiet.url(), quiet.api_key(), &args);
    for seed in seeds() {
        let times =
            Times { life: Span::Between(Duration::ZERO, Duration::from_millis(150)), ..Default::default() };
        let script = Script { seed, deaths: 0.25, times, ..Script::default() };
        let simulator = runtime.block_on(Simulator::start(SimulatorOptions::new(script))).expect("a port");
        let ran = run(&bench, &file, simulator.url(), simulator.api_key(), &args);
        ran.assert_only_lost(&undisturbed.verdicts, &LOST, seed);
        assert_empty(&simulator, seed);
        cleanup(&bench, simulator.url(), simulator.api_key(), seed);
    }
}
