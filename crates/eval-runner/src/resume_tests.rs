//! Runs that were killed and go on, against scripted devboxes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eval_builder::{Agent, Network, Verify};
use eval_record::{Budget, Cause, EventKind, EventSink, ResourceKind, TrialKey, TrialState};

use crate::fake::{Does, Fake, Fault};
use crate::fixtures::{Memory, options, plan, prepared, scenario, set_up, working};
use crate::platform::Platform as _;
use crate::{Cancellation, Earlier, Plan, RunOptions, RunOutcome, run};

fn fine() -> Fake {
    Fake::new(|_, line| match line {
        line if line.contains("g write-tree") => Does::prints(&prepared()),
        line if line.contains("runloop-eval:diff") => Does::prints("runloop-eval:diff\n"),
        line if line.contains("runloop-eval-room") => Does::prints("runloop-eval:alive\n"),
        _ => Does::default(),
    })
}

/// A part of a run, on a runtime of its own. `None` if it did not come to its end: then everything of it is gone at once.
fn part(fake: &Arc<Fake>, sink: &Arc<Memory>, plan: &Plan, options: RunOptions) -> Option<RunOutcome> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let sink = Arc::clone(sink) as Arc<dyn EventSink>;
    let work = run(plan.clone(), Arc::clone(fake), options, sink, Cancellation::default());
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(100_000), work).await.ok() })
}

fn going_on(sink: &Memory) -> RunOptions {
    let history = sink.history();
    RunOptions { earlier: history.began.then(|| Earlier::from(history)), ..options() }
}

fn key(repetition: u32) -> TrialKey {
    TrialKey { scenario: "s".into(), agent: "agent".into(), repetition }
}

/// Attempts at each trial, by number.
fn attempts(sink: &Memory) -> BTreeMap<TrialKey, Vec<u32>> {
    let mut attempts: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for event in sink.events.lock().unwrap().iter() {
        if let EventKind::AttemptStarted { trial, attempt, .. } = event {
            attempts.entry(trial.clone()).or_default().push(*attempt);
        }
    }
    attempts
}

/// Whatever the run was about to do when it was killed: the next part comes to the same end, and nothing is left.
#[test]
fn killed_at_any_call_a_run_goes_on_to_the_same_end_and_leaves_nothing() {
    for verify in [Verify::Same, Verify::Snapshot, Verify::Pristine] {
        let mut task = set_up(scenario("s", verify), &["x"]);
        task.environment.network = Network::None;
        let plan = plan(vec![task], working(), 2);
        let whole = Arc::new(fine());
        part(&whole, &Arc::default(), &plan, options()).expect("an undisturbed run ends");
        for call in 0..whole.calls().len() {
            for fault in [Fault::Hangs, Fault::HangsAfter] {
                let case = format!("{verify:?}: {fault:?} at call {call}");
                let (fake, sink) = (Arc::new(fine().with_fault(call, fault)), Arc::new(Memory::default()));
                part(&fake, &sink, &plan, options());
                let (done, before) = (sink.history().verdicts, attempts(&sink));
                let second = part(&fake, &sink, &plan, going_on(&sink));
                let outcome = second.unwrap_or_else(|| panic!("{case}: it hangs again"));
                assert!(outcome.complete, "{case}");
                for result in sink.history().verdicts.values() {
                    assert_eq!((result.state, result.score), (TrialState::Scored, Some(1.0)), "{case}");
                }
                assert_eq!((fake.living(), fake.leftovers()), (vec![], (0, 0)), "{case}: {:?}", fake.calls());
                assert!(sink.ledger().leaked().is_empty(), "{case}: {:?}", sink.ledger());
                for (trial, numbers) in attempts(&sink) {
                    let expected = 1..=numbers.len() as u32;
                    assert_eq!(numbers, expected.collect::<Vec<_>>(), "{case}: {trial}");
                    let is_done = done.get(&trial).is_some_and(|done| done.state == TrialState::Scored);
                    assert!(!is_done || before[&trial] == numbers, "{case}: {trial} had its verdict");
                }
            }
        }
    }
}

#[test]
fn scores_stand_and_what_has_none_is_done_again() {
    let plan = plan(vec![scenario("s", Verify::Same)], working(), 3);
    let sink = Arc::new(Memory::default());
    // There is time for one trial and a half.
    let cut = RunOptions { concurrency: 1, timeout: Some(Duration::from_secs(60)), ..options() };
    let slow = |_: &str, line: &str| match line.ends_with("work") {
        true => Does::takes(40),
        false => Does::default(),
    };
    let fake = Arc::new(Fake::new(slow));
    part(&fake, &sink, &plan, cut).expect("it ends in time");
    let states: Vec<_> = sink.history().verdicts.values().map(|result| result.state).collect();
    assert_eq!(states, [TrialState::Scored, TrialState::Canceled, TrialState::Canceled]);

    part(&fake, &sink, &plan, going_on(&sink)).expect("it ends");
    let verdicts = sink.history().verdicts;
    assert!(verdicts.values().all(|result| result.state == TrialState::Scored));
    assert_eq!(attempts(&sink), BTreeMap::from([(key(1), vec![1]), (key(2), vec![1, 2]), (key(3), vec![1])]));
    let resumed: Vec<_> = sink
        .events
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            EventKind::RunResumed(resumed) => Some(resumed.remaining),
            _ => None,
        })
        .collect();
    assert_eq!(resumed, [2]);
    assert_eq!(verdicts[&key(2)].attempts, 2);
    let told = sink.verdicts().into_iter().rfind(|result| result.trial == key(2)).unwrap();
    assert!(told.logs.is_none_or(|logs| logs.ends_with("attempt-2")));
}

#[test]
fn retries_are_counted_anew_in_each_part() {
    let plan = plan(vec![scenario("s", Verify::Same)], working(), 1);
    let sink = Arc::new(Memory::default());
    let broken = Arc::new(fine().refusing("create agent", 503));
    part(&broken, &sink, &plan, options()).expect("it ends");
    assert_eq!(sink.history().verdicts[&key(1)].attempts, 2);
    part(&broken, &sink, &plan, going_on(&sink)).expect("it ends");
    assert_eq!(sink.history().verdicts[&key(1)].attempts, 4);
    assert_eq!(attempts(&sink)[&key(1)], [1, 2, 3, 4]);
}

#[test]
fn a_cap_holds_however_often_the_run_is_killed() {
    // Agents that say no cost before they end, which they never do.
    let endless = |_: &str, line: &str| match line.ends_with("work") {
        true => Does::takes(1_000_000),
        false => Does::default(),
    };
    let mut long = scenario("s", Verify::Same);
    (long.agent_timeout, long.trial_timeout) = (Duration::from_secs(1_000_000), None);
    let budget = Budget { max_cost_usd: Some(1.0), ..Budget::default() };
    for (max_cost, kills, why) in
        [(Some(0.4), 2, "$0.8000 of the budget of $1.0000 are gone"), (None, 3, "said no cost in 3 attempts")]
    {
        let plan = plan(vec![long.clone()], Agent { max_cost, ..working() }, 3);
        let (fake, sink) = (Arc::new(Fake::new(endless)), Arc::new(Memory::default()));
        let capped = || RunOptions { budget, concurrency: 1, ..going_on(&sink) };
        for kill in 1..=kills {
            assert!(
                part(&fake, &sink, &plan, capped()).is_none(),
                "{max_cost:?}: {kill}: an agent is at work"
            );
        }
        part(&fake, &sink, &plan, capped()).expect("nothing is left to begin with");
        let verdicts = sink.verdicts();
        assert_eq!(verdicts.len(), 3);
        for result in verdicts {
            assert_eq!(result.cause, Some(Cause::BudgetExhausted), "{max_cost:?}: {result:?}");
            assert!(result.message.as_deref().is_some_and(|message| message.contains(why)), "{result:?}");
        }
        assert_eq!(attempts(&sink)[&key(1)].len(), kills, "{max_cost:?}");
    }
}

#[test]
fn what_was_left_is_ended_before_anything_is_asked_for_and_what_was_kept_is_not() {
    let plan = plan(vec![scenario("s", Verify::Snapshot)], working(), 1);
    let sink = Arc::new(Memory::default());
    let kept = RunOptions { keep_devboxes: true, ..options() };
    let fake = Arc::new(fine().with_fault(4, Fault::Hangs));
    assert!(part(&fake, &sink, &plan, kept).is_none(), "killed when the scoring devbox was to be made");
    let (kept, snapshots) = (fake.living(), fake.leftovers().0);
    assert_eq!((kept.len(), snapshots), (1, 1));

    let before = fake.calls().len();
    part(&fake, &sink, &plan, going_on(&sink)).expect("it ends");
    let calls = fake.calls().split_off(before);
    let first_creation = calls.iter().position(|call| call.starts_with("create")).unwrap();
    assert!(calls[..first_creation].contains(&"delete-snapshot".to_owned()), "{calls:?}");
    assert_eq!(fake.living(), kept);
    assert_eq!(fake.leftovers(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn only_what_carries_the_label_of_the_run_is_touched() {
    let fake = fine();
    let labelled = |run: Option<&str>| runloop_types::DevboxCreateParams {
        metadata: Some(
            [("runloop-eval.purpose", Some("agent")), ("runloop-eval.run", run)]
                .into_iter()
                .filter_map(|(label, value)| Some((label.to_owned(), value?.to_owned())))
                .collect(),
        ),
        ..Default::default()
    };
    let mut ids = Vec::new();
    for run in [Some("mine"), Some("other"), None] {
        ids.push(fake.create_devbox(&labelled(run), "key", Duration::ZERO).await.unwrap().id);
    }
    let mine = crate::leftovers(&fake, Some("mine")).await.unwrap();
    assert_eq!(
        mine.iter().map(|one| (one.kind, one.id.as_str())).collect::<Vec<_>>(),
        [(ResourceKind::Devbox, ids[0].as_str())]
    );
    let all = crate::leftovers(&fake, None).await.unwrap();
    assert_eq!(all.len(), 2, "what is not of a run is nobody's here: {all:?}");
    mine[0].end(&fake).await.unwrap();
    assert_eq!(fake.living(), ids[1..]);
}

/// Another account does not see what the first one has: that is no proof that it is gone.
#[test]
fn what_a_target_never_knew_is_not_called_reaped() {
    for (target, is_told) in [("https://example.com", true), ("local", false)] {
        let plan = plan(vec![scenario("s", Verify::Same)], working(), 1);
        let sink = Arc::new(Memory::default());
        let fake = Arc::new(fine().with_fault(4, Fault::Hangs));
        assert!(part(&fake, &sink, &plan, options()).is_none(), "killed with a devbox at work");
        let left = fake.living();
        assert_eq!(left.len(), 1);

        let other = Arc::new(fine());
        let there = RunOptions { target: target.to_owned(), ..going_on(&sink) };
        let outcome = part(&other, &sink, &plan, there).expect("it ends");
        assert!(outcome.complete);
        let leaked = |resources: Vec<eval_record::Resource>| {
            resources.into_iter().filter_map(|one| one.id).collect::<Vec<_>>()
        };
        let expected: Vec<String> = left.iter().filter(|_| is_told).map(ToString::to_string).collect();
        assert_eq!(leaked(outcome.leaked), expected, "{target}");
        assert_eq!(sink.ledger().leaked().len(), expected.len(), "{target}: the record forgets nothing");

        let back = RunOptions { target: target.to_owned(), ..going_on(&sink) };
        part(&fake, &sink, &plan, back).expect("it ends");
        assert_eq!(
            sink.ledger().leaked(),
            Vec::<&eval_record::Resource>::new(),
            "{target}: with the right key"
        );
        assert!(fake.living().is_empty() || !is_told, "{target}: {:?}", fake.living());
    }
}

/// Power was lost before the first event came to the disk.
#[test]
fn what_a_lost_record_asked_for_is_ended_all_the_same() {
    let plan = plan(vec![scenario("s", Verify::Same)], working(), 1);
    let fake = Arc::new(fine().with_fault(4, Fault::Hangs));
    assert!(part(&fake, &Arc::default(), &plan, options()).is_none(), "killed with a devbox at work");
    assert_eq!(fake.living().len(), 1);
    let again = RunOptions { may_have_begun: true, ..options() };
    assert!(part(&fake, &Arc::default(), &plan, again).expect("it ends").complete);
    assert_eq!(fake.living(), []);
}
