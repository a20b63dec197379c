//! A bad network between the harness and its target.

use std::time::Duration;

use runloop_simulator::{FaultProxy, Script, Simulator, SimulatorOptions, Span, Times};

use super::left::{assert_empty, cleanup};
use super::work::{run, scenarios};
use super::{KEY, address, faults, fewer_seeds, runtime, seeds};
use crate::serving::Serving;
use crate::support::Bench;

const MODES: [&str; 3] = ["snapshot", "same", "pristine"];

#[test]
fn a_bad_network_changes_no_verdict_and_leaves_nothing() {
    let runtime = runtime();
    let bench = Bench::new();
    let file = scenarios(&bench, &MODES, "");
    let start = |seed| {
        let times = Times {
            create: Span::About(Duration::from_millis(10)),
            suspend: Span::About(Duration::from_millis(5)),
            snapshot: Span::About(Duration::from_millis(5)),
            ..Default::default()
        };
        let script = Script { seed, times, ..Script::default() };
        runtime.block_on(Simulator::start(SimulatorOptions::new(script))).expect("a port")
    };
    let simulator = start(0);
    let args = ["--trials", "3", "-j", "24", "--retries", "5"];
    let quiet = run(&bench, &file, simulator.url(), simulator.api_key(), &args);
    assert_eq!(quiet.finished.code(), 0, "{}", quiet.finished);
    for score in [0.0, 0.5, 1.0] {
        let found = quiet.verdicts.values().filter(|verdict| verdict.score == Some(score)).count();
        assert_eq!(found, 9, "{}", quiet.finished);
    }
    assert_empty(&simulator, 0);

    for seed in seeds() {
        let simulator = start(seed);
        let proxy =
            runtime.block_on(FaultProxy::start(address(simulator.url()), faults(seed))).expect("a port");
        let stormy = run(&bench, &file, proxy.url(), simulator.api_key(), &args);
        assert!(proxy.made().faults > 10, "seed {seed}: there was no storm: {:?}", proxy.made());
        assert_eq!(stormy.verdicts, quiet.verdicts, "seed {seed}: {}", stormy.finished);
        assert_empty(&simulator, seed);
        cleanup(&bench, simulator.url(), simulator.api_key(), seed);
    }
}

#[test]
fn a_bad_network_to_real_devboxes_changes_no_verdict_and_leaves_nothing() {
    let runtime = runtime();
    let bench = Bench::new();
    let file = scenarios(&bench, &MODES, "");
    let serving = Serving::start(&bench.path("served"), KEY).expect("the server starts");
    let args = ["--trials", "1", "-j", "4", "--retries", "5"];
    let quiet = run(&bench, &file, &serving.url, KEY, &args);
    assert_eq!(quiet.finished.code(), 0, "{}", quiet.finished);
    for seed in fewer_seeds() {
        let proxy = runtime.block_on(FaultProxy::start(address(&serving.url), faults(seed))).expect("a port");
        let stormy = run(&bench, &file, proxy.url(), KEY, &args);
        assert!(proxy.made().faults > 0, "seed {seed}: there was no storm: {:?}", proxy.made());
        assert_eq!(stormy.verdicts, quiet.verdicts, "seed {seed}: {}", stormy.finished);
        cleanup(&bench, &serving.url, KEY, seed);
    }
}
