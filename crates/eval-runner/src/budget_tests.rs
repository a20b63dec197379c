//! Budgets and rounds in whole runs against scripted devboxes, in paused time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use eval_builder::{Agent, Prices, UsageFile, Verify};
use eval_record::{
    Budget, Cause, Digests, EventKind, Outcome, Rounds, Spent, TrialResult, TrialState, Usage,
};

use crate::fake::{Does, Fake, Fault};
use crate::fixtures::{Ran, options, plan, run_with, scenario, working};
use crate::platform::PlatformErrorKind;
use crate::{Adaptive, Cancellation, Earlier, Plan, RunOptions, StoppingRule};

/// An agent that says a cost, and of which nothing is declared.
fn paid() -> Agent {
    let file = UsageFile {
        path: "usage.json".to_owned(),
        cost_usd: Some("/cost".to_owned()),
        ..UsageFile::default()
    };
    Agent { usage: Some(file), ..working() }
}

/// Agents take a second and say these costs one after the other, the last one for ever; `None` says nothing.
fn costing(costs: &'static [Option<f64>]) -> Fake {
    let next = AtomicUsize::new(0);
    Fake::new(move |_, line| {
        if line.contains("usage.json") {
            let nth = next.fetch_add(1, Ordering::Relaxed).min(costs.len() - 1);
            return costs[nth]
                .map_or(Does::default(), |cost| Does::prints(&format!("{{ \"cost\": {cost} }}")));
        }
        if line.ends_with("work") { Does::takes(1) } else { Does::default() }
    })
}

async fn run_within(budget: Budget, fake: Fake, plan: Plan) -> Ran {
    run_with(fake, plan, RunOptions { budget, ..options() }, Cancellation::default()).await
}

fn money(usd: f64) -> Budget {
    Budget { max_cost_usd: Some(usd), ..Budget::default() }
}

fn scored(ran: &Ran) -> usize {
    ran.results.iter().filter(|result| result.state == TrialState::Scored).count()
}

fn spent(ran: &Ran) -> f64 {
    let of = |result: &TrialResult| result.usage.and_then(|usage| usage.cost_usd).unwrap_or_default();
    ran.results.iter().map(of).sum()
}

#[tokio::test(start_paused = true)]
async fn trials_that_the_money_does_not_reach_for_are_canceled_with_a_cause_of_their_own() {
    let plan = plan(vec![scenario("s", Verify::Same)], paid(), 10);
    let ran = run_within(money(1.0), costing(&[Some(0.25)]), plan).await;
    // The fourth could cost a third more than those before it.
    assert_eq!((scored(&ran), spent(&ran)), (3, 0.75), "{:?}", ran.results);
    let last = ran.results.last().unwrap();
    assert_eq!(
        (last.state, last.cause, last.attempts),
        (TrialState::Canceled, Some(Cause::BudgetExhausted), 0)
    );
    let message = last.message.as_deref().unwrap();
    assert!(
        message.contains("$0.7500 of the budget of $1.0000 are gone, and this takes up to $0.3333"),
        "{message}"
    );
    assert!(ran.outcome.exhausted && !ran.outcome.complete && !ran.outcome.interrupted);
    assert_eq!(ran.sink.verdicts().len(), 10, "one verdict each");
    assert_eq!(ran.fake.living(), []);
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_which_nothing_is_known_begins_alone_and_then_as_many_run_as_are_paid_for() {
    let fake = costing(&[Some(0.1)]);
    let options = RunOptions { budget: money(10.0), concurrency: 8, ..options() };
    let plan = plan(vec![scenario("s", Verify::Same)], paid(), 20);
    let ran = run_with(fake, plan, options, Cancellation::default()).await;
    assert_eq!(scored(&ran), 20);
    let events = ran.sink.events.lock().unwrap();
    let first_end = events.iter().position(|event| matches!(event, EventKind::TrialFinished(_))).unwrap();
    let started = |events: &[EventKind]| {
        events.iter().filter(|event| matches!(event, EventKind::AttemptStarted { .. })).count()
    };
    assert_eq!(started(&events[..first_end]), 1, "the first one is alone");
    let second_end =
        events.iter().skip(first_end + 1).position(|event| matches!(event, EventKind::TrialFinished(_)));
    let second_end = first_end + 1 + second_end.unwrap();
    assert_eq!(started(&events[..second_end]), 1 + 8, "then all slots are taken");
}

#[tokio::test(start_paused = true)]
async fn a_declared_cost_is_held_from_the_beginning_so_that_the_cap_holds() {
    let agent = Agent { max_cost: Some(0.4), ..paid() };
    let options = RunOptions { budget: money(1.0), concurrency: 8, ..options() };
    // Every trial takes all that it declares.
    let trials = plan(vec![scenario("s", Verify::Same)], agent, 8);
    let ran = run_with(costing(&[Some(0.4)]), trials, options, Cancellation::default()).await;
    assert_eq!((scored(&ran), spent(&ran)), (2, 0.8));
}

#[tokio::test(start_paused = true)]
async fn silence_costs_what_was_held_and_nothing_known_is_not_believed_for_long() {
    let agent = Agent { max_cost: Some(0.25), ..paid() };
    let trials = |agent| plan(vec![scenario("s", Verify::Same)], agent, 10);
    let ran = run_within(money(1.0), costing(&[None]), trials(agent)).await;
    assert_eq!(scored(&ran), 4, "each may have cost all that it declares");

    let ran = run_within(money(1.0), costing(&[None]), trials(paid())).await;
    assert_eq!(scored(&ran), 3);
    let message = ran.results[3].message.clone().unwrap();
    assert!(message.contains("said no cost in 3 attempts"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn every_attempt_counts() {
    // The first devbox dies after the agent said its cost; another attempt costs again.
    let next = AtomicUsize::new(0);
    let fake = Fake::new(move |_, line| match line {
        line if line.contains("usage.json") => Does::prints("{ \"cost\": 0.5 }"),
        line if line.ends_with("score-it") && next.fetch_add(1, Ordering::Relaxed) == 0 => {
            Does { dies: Some(runloop_types::DevboxFailureReason::ExecutionFailed), ..Does::default() }
        }
        _ => Does::default(),
    });
    let plan = plan(vec![scenario("s", Verify::Same)], paid(), 1);
    let ran = run_within(money(5.0), fake, plan).await;
    let result = ran.result();
    assert_eq!((result.state, result.attempts), (TrialState::Scored, 2), "{result:?}");
    assert_eq!(result.usage, Some(Usage { cost_usd: Some(1.0), ..Usage::default() }));
    let events = ran.sink.events.lock().unwrap();
    let of_first = events.iter().find_map(|event| match event {
        EventKind::AttemptFailed { usage, .. } => Some(usage.and_then(|usage| usage.cost_usd)),
        _ => None,
    });
    assert_eq!(of_first, Some(Some(0.5)));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_not_made_again_without_the_means() {
    let agent = Agent { max_cost: Some(0.6), ..paid() };
    let fake = Fake::new(|_, line| match line {
        line if line.contains("usage.json") => Does::prints("{ \"cost\": 0.5 }"),
        line if line.ends_with("score-it") => {
            Does { dies: Some(runloop_types::DevboxFailureReason::ExecutionFailed), ..Does::default() }
        }
        _ => Does::default(),
    });
    let ran = run_within(money(1.0), fake, plan(vec![scenario("s", Verify::Same)], agent, 1)).await;
    let result = ran.result();
    assert_eq!(
        (result.state, result.cause, result.attempts),
        (TrialState::Invalid, Some(Cause::DevboxLost), 1)
    );
    assert!(result.message.as_ref().unwrap().contains("not tried again: $0.5000 of"), "{:?}", result.message);
}

#[tokio::test(start_paused = true)]
async fn tokens_have_a_price() {
    let file = UsageFile {
        path: "usage.json".to_owned(),
        output_tokens: Some("/out".to_owned()),
        ..UsageFile::default()
    };
    let prices = Prices { output_per_million: Some(10.0), ..Prices::default() };
    let agent = Agent { usage: Some(file), prices: Some(prices), ..working() };
    let fake = Fake::new(|_, line| match line.contains("usage.json") {
        true => Does::prints("{ \"out\": 50000 }"),
        false => Does::default(),
    });
    let ran = run_within(money(1.5), fake, plan(vec![scenario("s", Verify::Same)], agent, 5)).await;
    assert_eq!(scored(&ran), 2);
    assert_eq!(ran.results[0].usage.and_then(|usage| usage.cost_usd), Some(0.5));
}

#[tokio::test(start_paused = true)]
async fn the_run_ends_when_its_devbox_minutes_are_gone() {
    // A minute for the first trials, which is what is expected of the others, and then one that takes far longer.
    let next = AtomicUsize::new(0);
    let fake = Fake::new(move |_, line| {
        if !line.ends_with("work") {
            return Does::default();
        }
        if next.fetch_add(1, Ordering::Relaxed) < 3 { Does::takes(60) } else { Does::takes(3600) }
    });
    let budget = Budget { max_devbox_minutes: Some(8.0), ..Budget::default() };
    let mut long = scenario("s", Verify::Same);
    long.agent_timeout = std::time::Duration::from_secs(7200);
    let options = RunOptions { budget, concurrency: 1, ..options() };
    let started = tokio::time::Instant::now();
    let ran = run_with(fake, plan(vec![long], working(), 6), options, Cancellation::default()).await;
    assert_eq!(scored(&ran), 3);
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    assert!((8.0..8.2).contains(&minutes), "one devbox at a time took {minutes} minutes");
    let cut = &ran.results[3];
    assert_eq!((cut.state, cut.cause, cut.attempts), (TrialState::Canceled, Some(Cause::BudgetExhausted), 1));
    assert!(cut.message.as_ref().unwrap().contains("8.0 devbox minutes"), "{:?}", cut.message);
    assert_eq!(ran.fake.living(), []);
}

#[tokio::test(start_paused = true)]
async fn what_an_agent_may_cost_is_held_although_it_cost_less_so_far() {
    // Cheap at first, and then as much as it may.
    let mut costs = [Some(5.0); 64];
    costs[..4].fill(Some(0.1));
    let fake = costing(Box::leak(Box::new(costs)));
    let agent = Agent { max_cost: Some(5.0), ..paid() };
    let options = RunOptions { budget: money(10.0), concurrency: 16, ..options() };
    let plan = plan(vec![scenario("s", Verify::Same)], agent, 32);
    let ran = run_with(fake, plan, options, Cancellation::default()).await;
    assert!(spent(&ran) <= 10.0, "{} of 10", spent(&ran));
    assert!(scored(&ran) >= 5, "{} of them", scored(&ran));
}

#[tokio::test(start_paused = true)]
async fn what_earlier_parts_of_the_run_took_is_gone() {
    let mut earlier = Spent::default();
    let usage = Some(Usage { cost_usd: Some(0.75), ..Usage::default() });
    let ran = run_within(
        Budget::default(),
        costing(&[Some(0.25)]),
        plan(vec![scenario("s", Verify::Same)], paid(), 1),
    );
    let finished = TrialResult { usage, ..ran.await.result().clone() };
    earlier.take(0, &EventKind::TrialFinished(Box::new(finished.clone())));
    let options = RunOptions {
        budget: money(1.25),
        earlier: Some(Earlier {
            verdicts: BTreeMap::from([(
                finished.trial.clone(),
                Outcome::of(&finished, &mut Digests::default()),
            )]),
            spent: earlier,
            ..Earlier::default()
        }),
        concurrency: 1,
        ..options()
    };
    let plan = plan(vec![scenario("s", Verify::Same)], paid(), 4);
    let ran = run_with(costing(&[Some(0.25)]), plan, options, Cancellation::default()).await;
    // One was seen to cost $0.75, so twice that is expected of the next one, which nothing is left for.
    assert_eq!(scored(&ran), 1, "{:?}", ran.results);
}

#[tokio::test(start_paused = true)]
async fn a_fault_at_every_call_leaves_nothing_held() {
    // Whatever breaks, the run comes to an end with one verdict for each trial: nothing waits for what is never released.
    for call in 0..40 {
        let fault = Fault::Before(PlatformErrorKind::Unreachable);
        let fake = costing(&[Some(0.1)]).with_fault(call, fault);
        let budget = Budget { max_cost_usd: Some(0.5), max_devbox_minutes: Some(600.0) };
        let ran = run_within(budget, fake, plan(vec![scenario("s", Verify::Snapshot)], paid(), 6)).await;
        assert_eq!(ran.sink.verdicts().len(), 6, "call {call}");
        assert!(spent(&ran) <= 0.5 + 1e-9, "call {call}");
    }
}

/// Asks for all that is in the table: the repetitions with which an agent is known.
struct Table(BTreeMap<String, usize>, Mutex<Vec<(String, Vec<Option<f64>>)>>);

impl StoppingRule for Table {
    fn enough(&self, agent: &str, results: &[TrialResult]) -> Option<String> {
        let scores = results.iter().map(|result| result.score).collect();
        self.1.lock().unwrap().push((agent.to_owned(), scores));
        (results.len() >= self.0[agent]).then(|| "enough".to_owned())
    }
}

fn adaptive(mut plan: Plan, max: u32, enough: &[(&str, usize)]) -> (Plan, Arc<Table>) {
    let rule = Arc::new(Table(
        enough.iter().map(|(agent, count)| ((*agent).to_owned(), *count)).collect(),
        Mutex::default(),
    ));
    let rounds = Rounds { min: 2, max, half_width: 0.05 };
    plan.adaptive = Some(Adaptive { rounds, rule: Arc::<Table>::clone(&rule) });
    (plan, rule)
}

#[tokio::test(start_paused = true)]
async fn rounds_go_on_for_those_of_whom_not_enough_is_known() {
    let scenarios = || vec![scenario("s", Verify::Same), scenario("t", Verify::Same)];
    let mut both = plan(scenarios(), working(), 2);
    both.trials.extend(plan(scenarios(), Agent { name: "other".to_owned(), ..working() }, 2).trials);
    let (both, rule) = adaptive(both, 5, &[("agent", 4), ("other", 6)]);
    let ran = run_with(Fake::new(|_, _| Does::default()), both, options(), Cancellation::default()).await;
    assert!(ran.outcome.complete);
    let counted = |agent: &str| ran.results.iter().filter(|result| result.trial.agent == agent).count();
    assert_eq!((counted("agent"), counted("other")), (4, 6), "of two scenarios each");
    let events = ran.sink.events.lock().unwrap();
    let decided: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            EventKind::AgentDecided { agent, repetitions, why } => {
                Some((agent.as_str(), *repetitions, why.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(decided, [("agent", 2, "enough"), ("other", 3, "enough")]);
    let rounds = events.iter().filter(|event| matches!(event, EventKind::RoundPlanned { .. })).count();
    assert_eq!(rounds, 1);
    assert_eq!(rule.1.lock().unwrap().len(), 3, "one look at each agent after each of its rounds");
}

#[tokio::test(start_paused = true)]
async fn the_rounds_end_with_the_most_repetitions() {
    let (plan, _) = adaptive(plan(vec![scenario("s", Verify::Same)], working(), 2), 4, &[("agent", 99)]);
    let ran = run_with(Fake::new(|_, _| Does::default()), plan, options(), Cancellation::default()).await;
    assert_eq!((ran.results.len(), ran.outcome.complete), (4, true));
    let events = ran.sink.events.lock().unwrap();
    let last = events.iter().rev().find_map(|event| match event {
        EventKind::AgentDecided { why, .. } => Some(why.clone()),
        _ => None,
    });
    assert_eq!(last.as_deref(), Some("there are no more than 4 repetitions to be made"));
}

#[tokio::test(start_paused = true)]
async fn what_is_planned_does_not_depend_on_the_order_in_which_trials_end() {
    let mut seen = Vec::new();
    for seed in 0..12 {
        // Times that differ from run to run, and scores that do not: every other trial of a scenario passes.
        let fake = Fake::new(move |_, line| {
            if !line.ends_with("work") {
                return Does::default();
            }
            Does::takes(fastrand::Rng::with_seed(seed ^ line.len() as u64).u64(1..90) + fastrand::u64(..5))
        });
        let scenarios = vec![scenario("s", Verify::Same), scenario("long-name", Verify::Same)];
        let (plan, rule) = adaptive(plan(scenarios, working(), 2), 8, &[("agent", 10)]);
        let options = RunOptions { concurrency: 1 + seed as usize % 5, ..options() };
        let ran = run_with(fake, plan, options, Cancellation::default()).await;
        let keys: Vec<_> = ran.results.iter().map(|result| result.trial.clone()).collect();
        let looks = rule.1.lock().unwrap().clone();
        seen.push((keys, looks));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(seen[0].0.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_gone_ends_the_rounds_undecided() {
    let (plan, rule) = adaptive(plan(vec![scenario("s", Verify::Same)], paid(), 2), 8, &[("agent", 99)]);
    let ran = run_within(money(0.9), costing(&[Some(0.3)]), plan).await;
    assert!(!ran.outcome.complete && ran.outcome.exhausted);
    assert_eq!((scored(&ran), ran.results.len()), (2, 3), "{:?}", ran.results);
    assert_eq!(rule.1.lock().unwrap().len(), 1);
    let events = ran.sink.events.lock().unwrap();
    assert!(!events.iter().any(|event| matches!(event, EventKind::AgentDecided { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_round_that_was_planned_is_made_when_the_run_goes_on() {
    let tasks = || vec![scenario("s", Verify::Same)];
    let (first, _) = adaptive(plan(tasks(), paid(), 2), 8, &[("agent", 3)]);
    let cut = run_within(money(0.9), costing(&[Some(0.3)]), first).await;
    assert_eq!((scored(&cut), cut.results.len()), (2, 3));
    // If rounds were planned anew, two would be enough now.
    let (again, _) = adaptive(plan(tasks(), paid(), 2), 8, &[("agent", 2)]);
    let options = RunOptions { earlier: Some(Earlier::from(cut.sink.history())), ..options() };
    let ran = run_with(costing(&[Some(0.3)]), again, options, Cancellation::default()).await;
    assert_eq!((scored(&ran), ran.results.len(), ran.outcome.complete), (3, 3, true));
}
