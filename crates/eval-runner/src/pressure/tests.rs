//! The gate, and runs under a target in trouble, in paused time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eval_builder::Verify;
use eval_record::{AgentEnd, Cause, EventKind, TrialState};
use runloop_client::{Outcome, Pass as _};
use tokio::time::{Instant, advance};

use super::gate::{Class, Ticket};
use super::lane::{Lane, in_lane};
use crate::fake::{Does, Fake};
use crate::fixtures::{Ran, options, plan, run_with, scenario, working};
use crate::platform::PlatformErrorKind;
use crate::{Cancellation, Pressure, RunOptions};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn answer(ticket: Ticket, status: u16, retry_after: Option<Duration>) {
    Box::new(ticket).done(Outcome::Answered { status, retry_after });
}

/// A gate whose limit on requests is half of `width`, with nothing in flight.
async fn limited_to_half(width: usize) -> Pressure {
    let pressure = Pressure::default();
    let mut tickets = Vec::new();
    for _ in 0..width {
        tickets.push(pressure.enter(Class::Request).await);
    }
    answer(tickets.pop().unwrap(), 429, None);
    advance(seconds(1)).await;
    pressure
}

async fn waited(pressure: &Pressure, class: Class) -> Duration {
    let began = Instant::now();
    drop(pressure.enter(class).await);
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn without_complaints_nothing_waits() {
    let pressure = Pressure::default();
    let mut tickets = Vec::new();
    for _ in 0..10_000 {
        tickets.push(pressure.enter(Class::Request).await);
    }
    tickets.into_iter().for_each(|ticket| answer(ticket, 404, None));
    assert_eq!(waited(&pressure, Class::Creation).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn agents_take_turns_at_a_limit() {
    let pressure = limited_to_half(2).await;
    let busy = pressure.enter(Class::Request).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for name in ["a", "a", "a", "b"] {
        let (pressure, order) = (pressure.clone(), Arc::clone(&order));
        tasks.push(tokio::spawn(in_lane(Lane::Agent(name.into()), async move {
            let ticket = pressure.enter(Class::Request).await;
            order.lock().unwrap().push(name);
            answer(ticket, 200, None);
        })));
        tokio::task::yield_now().await;
    }
    assert!(order.lock().unwrap().is_empty());
    drop(busy);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["a", "b", "a", "a"]);
}

#[tokio::test(start_paused = true)]
async fn everyone_obeys_the_pause_that_the_target_asks_for() {
    let pressure = Pressure::default();
    for class in [Class::Request, Class::Creation, Class::Work, Class::Hold] {
        answer(pressure.enter(Class::Request).await, 429, Some(seconds(5)));
        assert_eq!(waited(&pressure, class).await, seconds(5), "{class:?}");
    }
    // But what is refused for want of room for devboxes leaves free what makes room.
    answer(pressure.enter(Class::Creation).await, 429, Some(seconds(7)));
    assert_eq!(waited(&pressure, Class::Request).await, Duration::ZERO);
    assert_eq!(waited(&pressure, Class::Creation).await, seconds(7));
}

#[tokio::test(start_paused = true)]
async fn long_polls_do_not_count_and_work_counts_for_a_second() {
    let pressure = limited_to_half(2).await;
    let _hold = pressure.enter(Class::Hold).await;
    let work = pressure.enter(Class::Work).await;
    assert_eq!(waited(&pressure, Class::Hold).await, Duration::ZERO);
    assert_eq!(waited(&pressure, Class::Request).await, seconds(1));
    drop(work);
}

#[tokio::test(start_paused = true)]
async fn creations_have_a_limit_of_their_own() {
    let pressure = Pressure::default();
    let creations = [pressure.enter(Class::Creation).await, pressure.enter(Class::Creation).await];
    let [one, other] = creations;
    answer(one, 503, None);
    assert_eq!(waited(&pressure, Class::Request).await, Duration::ZERO);
    let blocked = tokio::time::timeout(seconds(10), pressure.enter(Class::Creation)).await;
    assert!(blocked.is_err(), "the other one is still in flight");
    answer(other, 200, None);
    assert_eq!(waited(&pressure, Class::Creation).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_takes_no_place() {
    let pressure = limited_to_half(2).await;
    let busy = pressure.enter(Class::Request).await;
    for _ in 0..3 {
        assert!(tokio::time::timeout(seconds(1), pressure.enter(Class::Request)).await.is_err());
    }
    drop(busy);
    assert_eq!(waited(&pressure, Class::Request).await, Duration::ZERO);
}

/// Agents that work for 50 s.
fn fake(
    pressure: &Pressure,
    trouble: impl Fn(&str, Duration) -> Option<PlatformErrorKind> + Send + Sync + 'static,
) -> Fake {
    Fake::new(|_, line| if line.ends_with("work") { Does::takes(50) } else { Does::default() })
        .troubled(pressure, trouble)
}

/// Nobody is reached from one second of the run to another.
fn unreachable(from: u64, to: u64) -> impl Fn(&str, Duration) -> Option<PlatformErrorKind> {
    move |_, at| (seconds(from)..seconds(to)).contains(&at).then_some(PlatformErrorKind::Unreachable)
}

/// Two trials at once, no retries.
async fn run(
    trials: u32,
    trouble: impl Fn(&str, Duration) -> Option<PlatformErrorKind> + Send + Sync + 'static,
) -> Ran {
    let pressure = Pressure::default();
    let options = RunOptions { pressure: pressure.clone(), retries: 0, ..options() };
    let plan = plan(vec![scenario("s", Verify::Snapshot)], working(), trials);
    run_with(fake(&pressure, trouble), plan, options, Cancellation::default()).await
}

fn count(ran: &Ran, is_it: impl Fn(&EventKind) -> bool) -> usize {
    ran.sink.events.lock().unwrap().iter().filter(|event| is_it(event)).count()
}

#[tokio::test(start_paused = true)]
async fn a_trial_outlives_an_outage_in_which_its_agent_works() {
    let ran = run(4, unreachable(20, 80)).await;
    for result in &ran.results {
        assert_eq!((result.score, result.attempts), (Some(1.0), 1), "{result:?}");
        assert_eq!(result.agent_end, Some(AgentEnd::Exited { exit_status: 0 }));
    }
    assert_eq!(count(&ran, |event| matches!(event, EventKind::TargetBack { .. })), 1);
    assert!(count(&ran, |event| matches!(event, EventKind::TargetDown { .. })) > 2, "told again and again");
    let tried = ran.fake.tried(seconds(20)..seconds(80));
    let probes = tried.iter().filter(|name| *name == "probe").count();
    assert!((3..=9).contains(&probes), "seldom, and more and more so: {probes}");
    assert!(tried.len() - probes <= 8, "only until it is known that nobody is there: {tried:?}");
    assert_eq!((ran.fake.living(), ran.fake.leftovers()), (vec![], (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_seen_in_time_is_no_verdict_and_no_used_up_retry() {
    // The agents' time of 100 s is over in the middle of it.
    let ran = run(2, unreachable(20, 300)).await;
    for result in &ran.results {
        assert_eq!((result.score, result.attempts), (Some(1.0), 2), "{result:?}");
        assert_eq!(result.agent_end, Some(AgentEnd::Exited { exit_status: 0 }));
    }
    let failed = |event: &EventKind| matches!(event, EventKind::AttemptFailed { cause: Cause::ApiError, .. });
    assert_eq!(count(&ran, failed), 2, "both attempts are kept");
    assert_eq!((ran.fake.living(), ran.fake.leftovers()), (vec![], (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn an_outage_at_any_moment_changes_no_verdict() {
    for from in (0..110).step_by(5) {
        for length in [3, 30, 200] {
            let ran = run(2, unreachable(from, from + length)).await;
            for result in &ran.results {
                assert_eq!(result.score, Some(1.0), "{from} + {length}: {result:?}");
            }
            assert_eq!(ran.fake.living(), [], "{from} + {length}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_stays_away_stops_the_run_and_nothing_is_booked() {
    let ran = run(5, unreachable(20, u64::MAX)).await;
    let stopped = ran.outcome.stopped.as_ref().unwrap();
    assert_eq!(stopped.cause, Cause::TargetDown);
    assert!(stopped.message.contains("600 s"), "{}", stopped.message);
    assert!(!ran.outcome.complete && !ran.outcome.interrupted);
    for result in &ran.results {
        assert_eq!((result.state, result.cause), (TrialState::Canceled, Some(Cause::TargetDown)));
    }
    assert_eq!(ran.leaked_devboxes(), ran.fake.living(), "what nobody could end is told");
}

#[tokio::test(start_paused = true)]
async fn when_the_runs_time_is_over_it_ends_within_the_time_for_the_cleanup_though_nobody_answers() {
    for lost in [10, 20, 39] {
        let pressure = Pressure::default();
        let options = RunOptions { pressure: pressure.clone(), timeout: Some(seconds(40)), ..options() };
        let plan = plan(vec![scenario("s", Verify::Snapshot)], working(), 5);
        let limit = seconds(40) + options.limits.cleanup;
        let began = Instant::now();
        let fake = fake(&pressure, unreachable(lost, u64::MAX));
        let ran = run_with(fake, plan, options, Cancellation::default()).await;
        assert!(began.elapsed() <= limit, "{lost}: {:?}", began.elapsed());
        assert_eq!(ran.outcome.stopped.as_ref().map(|stopped| stopped.cause), Some(Cause::RunTimeout));
        assert_eq!(ran.leaked_devboxes(), ran.fake.living(), "what nobody could end is told");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_taken_no_more_stops_the_run() {
    for status in [401, 403] {
        let lost = PlatformErrorKind::Status(status);
        let ran = run(100, move |_, at| (at > seconds(60)).then_some(lost)).await;
        let stopped = ran.outcome.stopped.as_ref().unwrap();
        assert_eq!(stopped.cause, Cause::Unauthorized);
        let states = |state| ran.results.iter().filter(|result| result.state == state).count();
        assert_eq!((states(TrialState::Scored), states(TrialState::Invalid)), (2, 0), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_one_call_may_not_do_is_no_lost_key() {
    let refused = |name: &str, _: Duration| (name == "snapshot").then_some(PlatformErrorKind::Status(403));
    let ran = run(4, refused).await;
    assert_eq!(ran.outcome.stopped, None);
    for result in &ran.results {
        assert_eq!((result.state, result.cause), (TrialState::Invalid, Some(Cause::ApiError)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_brings_the_target_down_each_time_is_not_made_for_ever() {
    let down_until = AtomicU64::new(0);
    let ran = run(1, move |name, at| {
        // It falls over the scoring, and needs two minutes to come back.
        if name == "snapshot" && at.as_secs() >= down_until.load(Ordering::Relaxed) {
            down_until.store(at.as_secs() + 120, Ordering::Relaxed);
        }
        (at.as_secs() < down_until.load(Ordering::Relaxed)).then_some(PlatformErrorKind::Status(502))
    })
    .await;
    assert_eq!((ran.result().state, ran.result().cause), (TrialState::Invalid, Some(Cause::ApiError)));
    assert!((2..=4).contains(&ran.result().attempts), "{}", ran.result().attempts);
}
