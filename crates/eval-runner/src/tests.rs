//! Whole runs against scripted devboxes, in paused time.

use std::sync::Arc;
use std::time::Duration;

use eval_builder::{
    Agent, AgentKind, AgentSource, Network, Origin, Solution, SolutionKind, UsageFile, Verify,
};
use eval_record::{AgentEnd, Cause, EventKind, Phase, Resource, TrialState, Usage};
use runloop_types::{AgentObjectSource, BlueprintCreateParams, DevboxFailureReason, Mount};

use crate::fake::{Does, Fake, Fault};
use crate::fixtures::{
    Memory, Ran, SlowRecord, agent, bash_scorer, command_scorer, options, plan, prepared, run_one, run_plan,
    run_trial, run_with, scenario, scorer, set_up, working,
};
use crate::platform::{Platform as _, PlatformErrorKind};
use crate::{Cancellation, RunOptions};

/// Everything works.
fn fine() -> Fake {
    Fake::new(|_, line| match line {
        line if line.contains("g write-tree") => Does::prints(&prepared()),
        line if line.contains("runloop-eval:diff") => Does::prints("runloop-eval:diff\n"),
        line => habitable(line),
    })
}

/// A devbox in which a scorer has room to work, when that is asked.
fn habitable(line: &str) -> Does {
    if line.contains("runloop-eval-room") { Does::prints("runloop-eval:alive\n") } else { Does::default() }
}

fn invalid_because(ran: &Ran, cause: Cause, message: &str) {
    let result = ran.result();
    assert_eq!((result.state, result.cause), (TrialState::Invalid, Some(cause)), "{:?}", result.message);
    assert!(result.message.as_ref().unwrap().contains(message), "{:?}", result.message);
    assert_eq!((result.score, result.passed), (None, None));
    assert_eq!(ran.fake.living(), []);
}

fn scored(ran: &Ran) -> f64 {
    let result = ran.result();
    assert_eq!(result.state, TrialState::Scored, "{:?}", result.message);
    assert_eq!(ran.fake.living(), []);
    assert_eq!(ran.fake.leftovers(), (0, 0));
    result.score.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_trivial_trial_costs_as_few_calls_as_possible() {
    let ran = run_one(fine(), scenario("s", Verify::Same)).await;
    assert_eq!(scored(&ran), 1.0);
    assert_eq!(
        ran.fake.calls(),
        [
            "create agent",
            "execute agent",
            "suspend agent",
            "resume agent",
            // What keeps the agent from answering for the scorers.
            "upload agent",
            "execute agent",
            "shutdown agent"
        ]
    );
    assert_eq!(ran.result().passed, Some(true));
    assert_eq!(ran.result().agent_end, Some(AgentEnd::Exited { exit_status: 0 }));
}

#[tokio::test(start_paused = true)]
async fn snapshot_scores_in_a_fork_of_a_suspended_devbox() {
    let ran = run_one(fine(), scenario("s", Verify::Snapshot)).await;
    assert_eq!(scored(&ran), 1.0);
    let calls = ran.fake.calls();
    assert_eq!(calls[..4], ["create agent", "execute agent", "suspend agent", "snapshot agent"]);
    assert_eq!(ran.fake.count("shutdown agent"), 1);
    assert_eq!(calls.last().unwrap(), "delete-snapshot");
    assert!(ran.fake.params("scoring").snapshot_id.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_target_that_snapshots_running_devboxes_only_gets_its_way() {
    let ran = run_one(fine().snapshots_running_only(), scenario("s", Verify::Snapshot)).await;
    assert_eq!(scored(&ran), 1.0);
    let calls = ran.fake.calls();
    assert_eq!(calls[2..6], ["suspend agent", "snapshot agent", "resume agent", "snapshot agent"]);
}

#[tokio::test(start_paused = true)]
async fn transitions_that_take_their_time_are_awaited() {
    let ran = run_one(fine().slow_transitions(), scenario("s", Verify::Same)).await;
    assert_eq!(scored(&ran), 1.0);
    let calls = ran.fake.calls();
    assert_eq!(calls[2..6], ["suspend agent", "wait agent", "resume agent", "wait agent"]);
    assert_eq!(ran.result().durations_ms[&Phase::Reaping], 6000);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_fails_is_scored() {
    let fake = Fake::new(|_, line| if line.ends_with("work") { Does::exit(3) } else { Does::default() });
    let ran = run_one(fake, scenario("s", Verify::Same)).await;
    assert_eq!(scored(&ran), 1.0);
    assert_eq!(ran.result().agent_end, Some(AgentEnd::Exited { exit_status: 3 }));
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_takes_too_long_is_killed_and_reaped_before_anything_is_scored() {
    let fake = Fake::new(|_, line| if line.ends_with("work") { Does::takes(1000) } else { Does::default() });
    let ran = run_one(fake, scenario("s", Verify::Same)).await;
    assert_eq!(scored(&ran), 1.0);
    assert_eq!(ran.result().agent_end, Some(AgentEnd::TimedOut));
    assert_eq!(ran.result().durations_ms[&Phase::Agent], 100_000);
    let calls = ran.fake.calls();
    let position = |name: &str| calls.iter().position(|call| call == name).unwrap();
    let (kill, suspend) = (position("kill agent"), position("suspend agent"));
    let score = calls.iter().rposition(|call| call == "execute agent").unwrap();
    assert!(kill < suspend && suspend < score, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_agent_within_its_time_is_awaited() {
    let fake = Fake::new(|_, line| if line.ends_with("work") { Does::takes(99) } else { Does::default() });
    let ran = run_one(fake, scenario("s", Verify::Same)).await;
    assert_eq!(ran.result().agent_end, Some(AgentEnd::Exited { exit_status: 0 }));
    assert_eq!(ran.fake.count("kill agent"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_score_below_the_pass_mark_does_not_pass() {
    let half = |_: &str, line: &str| if line.ends_with("no") { Does::exit(1) } else { Does::default() };
    let mut two = scenario("s", Verify::Same);
    two.scorers = vec![command_scorer("a", "yes"), command_scorer("b", "no")];
    two.scorers.iter_mut().for_each(|scorer| scorer.weight = 0.5);
    let ran = run_one(Fake::new(half), two.clone()).await;
    assert_eq!((scored(&ran), ran.result().passed), (0.5, Some(false)));
    let scores: Vec<_> = ran.result().scores.iter().map(|score| (score.name.as_str(), score.score)).collect();
    assert_eq!(scores, [("a", Some(1.0)), ("b", Some(0.0))]);

    two.pass_mark = 0.5;
    let ran = run_one(Fake::new(half), two).await;
    assert_eq!(ran.result().passed, Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_devbox_that_cannot_be_had_makes_the_trial_invalid() {
    let ran = run_one(fine().refusing("create agent", 503), scenario("s", Verify::Same)).await;
    invalid_because(&ran, Cause::ProvisionFailed, "cannot create a devbox");
    assert_eq!(ran.result().attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_tried_again() {
    let ran = run_one(fine().refusing("create agent", 400), scenario("s", Verify::Same)).await;
    invalid_because(&ran, Cause::ProvisionFailed, "cannot create a devbox");
    assert_eq!(ran.result().attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_setup_command_that_fails_is_told_with_what_it_said() {
    let fake = Fake::new(|_, line| {
        if line.ends_with("make setup") {
            Does { exit: 2, ..Does::prints("no rule") }
        } else {
            Does::default()
        }
    });
    let ran = run_one(fake, set_up(scenario("s", Verify::Same), &["make setup"])).await;
    invalid_because(&ran, Cause::PrepareFailed, "setup command `make setup` exited with 2: no rule");
    assert_eq!(ran.result().attempts, 1, "it would fail again");
}

#[tokio::test(start_paused = true)]
async fn preparation_has_a_timeout_of_its_own() {
    let fake =
        Fake::new(|_, line| if line.ends_with("forever") { Does::takes(10_000) } else { Does::default() });
    let ran = run_one(fake, set_up(scenario("s", Verify::Same), &["forever"])).await;
    invalid_because(&ran, Cause::PrepareFailed, "took longer than 300 s");
    assert_eq!(ran.result().durations_ms[&Phase::Preparing], 300_000);
}

#[tokio::test(start_paused = true)]
async fn a_missing_program_is_told_by_name_and_only_to_those_who_need_it() {
    let without_cargo = || {
        Fake::new(|_, line| {
            if line.contains("command -v -- cargo") {
                Does::prints("runloop-eval:cargo\n")
            } else {
                Does::default()
            }
        })
    };
    let mut needs = scenario("needs", Verify::Same);
    needs.requires = vec!["git".to_owned(), "cargo".to_owned()];
    let does_not = scenario("does-not", Verify::Same);

    let ran = run_plan(without_cargo(), plan(vec![needs, does_not], working(), 2)).await;

    for result in &ran.results {
        match result.trial.scenario.as_str() {
            "needs" => {
                assert_eq!(result.cause, Some(Cause::RequirementMissing));
                assert_eq!(result.message.as_deref(), Some("the devbox has no cargo"));
            }
            _ => assert_eq!(result.state, TrialState::Scored),
        }
    }
    assert_eq!(ran.fake.count("create prepare"), 1, "asked once for the whole run");
}

#[tokio::test(start_paused = true)]
async fn setup_that_fails_for_want_of_a_program_is_told_as_such() {
    let fake = Fake::new(|_, line| match line {
        line if line.contains("command -v -- git") => Does::prints("runloop-eval:git\n"),
        line if line.ends_with("git init") => Does::exit(127),
        _ => Does::default(),
    });
    let mut needs = set_up(scenario("s", Verify::Pristine), &["git init"]);
    needs.requires = vec!["git".to_owned()];
    let ran = run_one(fake, needs).await;
    invalid_because(&ran, Cause::RequirementMissing, "the devbox has no git");
}

#[tokio::test(start_paused = true)]
async fn a_devbox_that_dies_makes_the_trial_invalid() {
    let fake = Fake::new(|_, line| Does {
        dies: line.ends_with("work").then_some(DevboxFailureReason::HealthCheckFailed),
        ..Does::default()
    });
    let ran = run_one(fake, scenario("s", Verify::Same)).await;
    invalid_because(&ran, Cause::DevboxLost, "ended by itself (failure: health_check_failed)");
    assert_eq!(ran.result().attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_uses_up_its_devbox_scores_nothing_and_is_not_excused() {
    for reason in [DevboxFailureReason::OutOfMemory, DevboxFailureReason::OutOfDisk] {
        let fake = Fake::new(move |_, line| Does {
            dies: line.ends_with("work").then(|| reason.clone()),
            ..Does::default()
        });
        let ran = run_one(fake, scenario("s", Verify::Snapshot)).await;
        assert_eq!(scored(&ran), 0.0);
        assert_eq!(ran.result().agent_end, Some(AgentEnd::ExhaustedDevbox));
        assert_eq!((ran.result().passed, ran.result().attempts), (Some(false), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_scorer_that_uses_up_its_devbox_is_not_the_agents_fault() {
    let fake = Fake::new(|_, line| Does {
        dies: line.ends_with("score-it").then_some(DevboxFailureReason::OutOfMemory),
        ..Does::default()
    });
    let ran = run_one(fake, scenario("s", Verify::Same)).await;
    invalid_because(&ran, Cause::DevboxLost, "out_of_memory");
}

#[tokio::test(start_paused = true)]
async fn an_api_that_fails_makes_the_trial_invalid() {
    let ran = run_one(fine().refusing("suspend agent", 500), scenario("s", Verify::Same)).await;
    invalid_because(&ran, Cause::ApiError, "cannot suspend the devbox");
    assert_eq!(ran.result().attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn a_scorer_without_a_score_makes_the_trial_invalid_and_is_not_repeated() {
    let mut silent = scenario("s", Verify::Same);
    silent.scorers = vec![bash_scorer("style", "true")];
    let ran = run_one(fine(), silent).await;
    invalid_because(&ran, Cause::ScorerError, "scorer `style`");
    assert_eq!(ran.result().attempts, 1);
    assert_eq!(ran.result().scores[0].score, None);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_ruins_its_devbox_is_not_excused_by_the_scorers_that_cannot_work_there() {
    let mut silent = scenario("s", Verify::Same);
    silent.scorers = vec![bash_scorer("style", "true")];
    let ruined = || {
        Fake::new(|_, line| match line {
            line if line.contains("runloop-eval-room") => Does::exit(1),
            line if line.contains("runloop-eval:archive") => Does::prints("runloop-eval:nothing\n"),
            _ => Does::default(),
        })
    };
    let ran = run_one(ruined(), silent.clone()).await;
    assert_eq!(scored(&ran), 0.0);
    assert!(
        ran.result().message.as_ref().unwrap().starts_with("nothing can be scored"),
        "{:?}",
        ran.result()
    );

    // Where the disk is not the agent's, the scenario is to blame.
    silent.verify = Verify::Pristine;
    invalid_because(&run_one(ruined(), silent).await, Cause::ScorerError, "scorer `style`");
}

#[tokio::test(start_paused = true)]
async fn a_scorer_that_takes_too_long_makes_the_trial_invalid() {
    let fake =
        Fake::new(|_, line| if line.ends_with("score-it") { Does::takes(1000) } else { habitable(line) });
    let ran = run_one(fake, scenario("s", Verify::Same)).await;
    invalid_because(&ran, Cause::ScorerTimeout, "scorer `test`");
    assert_eq!(ran.result().durations_ms[&Phase::Scoring], 50_000);
}

#[tokio::test(start_paused = true)]
async fn after_a_scorer_that_took_too_long_the_devbox_is_reaped_for_the_next() {
    let fake = Fake::new(|_, line| if line.ends_with("slow") { Does::takes(1000) } else { habitable(line) });
    let mut two = scenario("s", Verify::Same);
    two.scorers = vec![command_scorer("a", "slow"), command_scorer("b", "quick")];
    let ran = run_one(fake, two).await;
    let calls = ran.fake.calls();
    let kill = calls.iter().position(|call| call == "kill agent").unwrap();
    assert_eq!(
        calls[kill..],
        [
            "kill agent",
            "wait-execution agent",
            "suspend agent",
            "resume agent",
            "execute agent",
            // Whether the agent is to blame that there is no score.
            "execute agent",
            "shutdown agent"
        ]
    );
    assert_eq!(ran.result().scores[1].score, Some(1.0), "a timeout does not keep the others from running");
}

#[tokio::test(start_paused = true)]
async fn a_harness_that_breaks_takes_one_trial_with_it() {
    let fake = Fake::new(|_, line| Does { panics: line.ends_with("work"), ..Does::default() });
    let ran = run_one(fake, scenario("s", Verify::Same)).await;
    invalid_because(&ran, Cause::HarnessError, "the harness broke");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_passes_costs_an_attempt() {
    let ran = run_one(
        fine().with_fault(0, Fault::Before(PlatformErrorKind::Unreachable)),
        scenario("s", Verify::Same),
    )
    .await;
    assert_eq!((scored(&ran), ran.result().attempts), (1.0, 2));
    let events = ran.sink.events.lock().unwrap();
    let failed = events.iter().filter(|event| {
        matches!(event, EventKind::AttemptFailed { attempt: 1, cause: Cause::ProvisionFailed, .. })
    });
    assert_eq!(failed.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_environment_is_prepared_once_for_all_trials() {
    let scenarios = vec![
        set_up(scenario("a", Verify::Pristine), &["x"]),
        set_up(scenario("b", Verify::Pristine), &["x"]),
    ];
    let ran = run_with(
        fine(),
        plan(scenarios, working(), 3),
        RunOptions { concurrency: 6, ..options() },
        Cancellation::default(),
    )
    .await;
    assert!(ran.outcome.complete);
    assert_eq!(ran.results.iter().filter(|result| result.score == Some(1.0)).count(), 6);
    assert_eq!((ran.fake.count("create prepare"), ran.fake.count("snapshot prepare")), (1, 1));
    assert_eq!((ran.fake.count("create agent"), ran.fake.count("create scoring")), (6, 6));
    assert_eq!(ran.fake.leftovers(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_preparation_that_fails_fails_all_who_wait_for_it() {
    let fake = Fake::new(|_, line| if line.ends_with("bad") { Does::exit(1) } else { Does::default() });
    let plan = plan(vec![set_up(scenario("s", Verify::Same), &["bad"])], working(), 5);
    let ran = run_with(fake, plan, RunOptions { concurrency: 5, ..options() }, Cancellation::default()).await;
    assert!(ran.results.iter().all(|result| result.cause == Some(Cause::PrepareFailed)));
    assert_eq!(ran.fake.count("create prepare"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_preparation_that_could_not_get_a_devbox_is_tried_again() {
    let fake = fine().with_fault(0, Fault::Before(PlatformErrorKind::Status(503)));
    let ran = run_one(fake, set_up(scenario("s", Verify::Same), &["x"])).await;
    assert_eq!((scored(&ran), ran.result().attempts), (1.0, 2));
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_installed_once_and_never_where_pristine_scores() {
    let mut installed = working();
    installed.install = vec!["install it".to_owned()];
    let ran =
        run_plan(fine(), plan(vec![set_up(scenario("s", Verify::Pristine), &["x"])], installed, 3)).await;
    assert!(ran.results.iter().all(|result| result.score == Some(1.0)));
    assert_eq!(ran.fake.count("create install"), 1);
    let environment = ran.fake.params("install").snapshot_id;
    assert!(environment.is_some());
    assert_eq!(ran.fake.params("scoring").snapshot_id, environment);
    assert_ne!(ran.fake.params("agent").snapshot_id, environment);
    assert_eq!(ran.fake.leftovers(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn without_network_every_devbox_has_the_one_policy() {
    let mut offline = set_up(scenario("s", Verify::Pristine), &["x"]);
    offline.environment.network = Network::None;
    let ran = run_plan(fine(), plan(vec![offline], working(), 3)).await;
    assert_eq!((ran.fake.count("policies"), ran.fake.count("create-policy")), (1, 1));
    for purpose in ["prepare", "agent", "scoring"] {
        assert!(ran.fake.params(purpose).launch_parameters.unwrap().network_policy_id.is_some(), "{purpose}");
    }
}

#[tokio::test(start_paused = true)]
async fn doing_nothing_runs_nothing() {
    let ran = run_plan(fine(), plan(vec![scenario("s", Verify::Same)], agent(AgentKind::Nop), 1)).await;
    assert_eq!(
        ran.fake.calls(),
        ["create agent", "suspend agent", "resume agent", "execute agent", "shutdown agent"]
    );
    assert_eq!(ran.fake.params("agent").mounts, None);
}

#[tokio::test(start_paused = true)]
async fn the_agents_devbox_tells_the_task_and_whose_it_is() {
    let mut speaking = working();
    speaking.environment_variables.insert("MODEL".to_owned(), "large".to_owned());
    speaking.secrets.insert("API_KEY".to_owned(), "key-name".to_owned());
    let ran = run_plan(fine(), plan(vec![scenario("s", Verify::Snapshot)], speaking, 1)).await;
    let params = ran.fake.params("agent");
    let variables = params.environment_variables.unwrap();
    assert_eq!(
        (variables["PROBLEM_STATEMENT"].as_str(), variables["MODEL"].as_str()),
        ("Make it work.", "large")
    );
    assert_eq!(params.secrets.unwrap()["API_KEY"], "key-name");
    let metadata = params.metadata.unwrap();
    for (key, value) in
        [("run", "run-1"), ("scenario", "s"), ("agent", "agent"), ("trial", "1"), ("attempt", "1")]
    {
        assert_eq!(metadata[&format!("runloop-eval.{key}")], value);
    }
    assert_eq!(metadata["runloop-eval.key"], ran.sink.requests()[0].key);
    let scoring = ran.fake.params("scoring");
    assert_eq!(
        (scoring.environment_variables, scoring.secrets),
        (None, None),
        "scorers get nothing of the agent's"
    );
}

#[tokio::test(start_paused = true)]
async fn a_statement_too_long_for_a_variable_is_in_the_file_only() {
    let mut long = scenario("s", Verify::Same);
    long.problem_statement = "x".repeat(200 << 10);
    let ran = run_one(fine(), long).await;
    let params = ran.fake.params("agent");
    assert_eq!(params.environment_variables, None);
    assert_eq!(params.mounts.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn known_secrets_are_masked_in_all_that_is_kept() {
    let fake = Fake::new(|_, line| {
        if line.ends_with("work") { Does::prints("key is hunter22!") } else { Does::prints("hunter22") }
    });
    let options = RunOptions { secret_values: vec!["hunter22".to_owned()], ..options() };
    let ran = run_trial(fake, options).await;
    let files = ran.sink.files.lock().unwrap();
    assert_eq!(files["trials/s/agent/1/attempt-1/agent.stdout"], "key is ***!");
    assert!(files.values().all(|content| !content.contains("hunter22")), "{files:?}");
    assert!(!format!("{:?}", ran.outcome).contains("hunter22"));
    assert_eq!(ran.result().logs.as_deref(), Some("trials/s/agent/1/attempt-1"));
}

#[tokio::test(start_paused = true)]
async fn trials_start_in_the_order_of_the_plan_and_never_more_than_allowed() {
    let plan = plan(vec![scenario("a", Verify::Same), scenario("b", Verify::Same)], working(), 3);
    let keys: Vec<_> = plan.trials.iter().map(|trial| trial.key.clone()).collect();
    let fake = Fake::new(|_, line| if line.ends_with("work") { Does::takes(10) } else { Does::default() });
    let ran = run_with(fake, plan, RunOptions { concurrency: 2, ..options() }, Cancellation::default()).await;
    let events = ran.sink.events.lock().unwrap();
    let mut started = Vec::new();
    let mut running = 0;
    for event in events.iter() {
        match event {
            EventKind::AttemptStarted { trial, .. } => {
                started.push(trial.clone());
                running += 1;
            }
            EventKind::TrialFinished(_) => running -= 1,
            _ => {}
        }
        assert!(running <= 2);
    }
    assert_eq!(started, keys);
    assert!(matches!(events.first(), Some(EventKind::RunStarted(header)) if header.planned.len() == 6));
    assert!(matches!(events.last(), Some(EventKind::RunFinished { complete: true, interrupted: false })));
}

#[tokio::test(start_paused = true)]
async fn a_canceled_run_ends_every_devbox_and_has_a_result_for_every_trial() {
    let fake = Fake::new(|_, line| if line.ends_with("work") { Does::takes(90) } else { Does::default() });
    let cancel = Cancellation::default();
    let stop = cancel.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(100)).await;
        stop.cancel();
    });
    let plan = plan(vec![scenario("s", Verify::Snapshot)], working(), 6);
    let ran = run_with(fake, plan, options(), cancel).await;
    let states: Vec<_> = ran.results.iter().map(|result| result.state).collect();
    assert_eq!(states[..2], [TrialState::Scored; 2]);
    assert_eq!(states[2..], [TrialState::Canceled; 4]);
    assert_eq!(ran.sink.verdicts().len(), 6);
    assert!(!ran.outcome.complete && ran.outcome.interrupted);
    assert_eq!((ran.fake.living(), ran.fake.leftovers()), (vec![], (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_run_canceled_while_preparing_leaves_nothing() {
    let fake = Fake::new(|_, line| if line.ends_with("slow") { Does::takes(90) } else { Does::default() });
    let cancel = Cancellation::default();
    let stop = cancel.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        stop.cancel();
    });
    let ran = run_with(
        fake,
        plan(vec![set_up(scenario("s", Verify::Same), &["slow"])], working(), 4),
        options(),
        cancel,
    )
    .await;
    assert!(ran.results.iter().all(|result| result.state == TrialState::Canceled));
    assert_eq!((ran.fake.living(), ran.fake.leftovers()), (vec![], (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_second_cancel_does_not_wait_for_the_cleanup() {
    let fake = Fake::new(|_, line| if line.ends_with("work") { Does::takes(90) } else { Does::default() })
        .with_fault(2, Fault::Hangs);
    let cancel = Cancellation::default();
    let both = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        both.stop.cancel();
        tokio::time::sleep(Duration::from_secs(1)).await;
        both.abandon.cancel();
    });
    let started = tokio::time::Instant::now();
    let ran = run_with(fake, plan(vec![scenario("s", Verify::Same)], working(), 1), options(), cancel).await;
    assert_eq!(started.elapsed().as_secs(), 11);
    assert_eq!(ran.result().state, TrialState::Canceled);
    assert_eq!(ran.leaked_devboxes(), ran.fake.living());
    assert_eq!(ran.outcome.leaked.len(), 1);
}

/// An interrupted run waits a while for the request, and ends everything else.
#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_keeps_nothing_else_from_being_ended() {
    let build = BlueprintCreateParams { name: "built".to_owned(), ..BlueprintCreateParams::default() };
    let mut built = set_up(scenario("built", Verify::Same), &["y"]);
    built.environment.origin = Origin::Blueprint(Box::new(build));
    let mut task = set_up(scenario("s", Verify::Snapshot), &["x"]);
    task.environment.network = Network::None;
    let plan = plan(vec![built, task], working(), 2);
    let calls = run_plan(fine(), plan.clone()).await.fake.calls();
    assert!(calls.iter().any(|call| call == "await-blueprint"), "{calls:?}");
    for number in 0..calls.len() {
        for fault in [Fault::Hangs, Fault::HangsAfter] {
            let case = format!("{fault:?} at call {number}");
            let cancel = Cancellation::default();
            let (stop, stopped) = (cancel.stop.clone(), Duration::from_secs(1000));
            tokio::spawn(async move {
                tokio::time::sleep(stopped).await;
                stop.cancel();
            });
            let options = RunOptions { concurrency: 1, ..options() };
            let cleanup = options.limits.cleanup;
            let began = tokio::time::Instant::now();
            let ran = run_with(fine().with_fault(number, fault), plan.clone(), options, cancel).await;
            assert!(began.elapsed() <= stopped + cleanup, "{case}: {:?}", began.elapsed());
            let calls = ran.fake.calls();
            assert_eq!((ran.fake.living(), ran.fake.leftovers()), (vec![], (0, 0)), "{case}: {calls:?}");
            // It may still come to be; and a policy has no labels by which it could be found.
            let is_policy = calls[number] == "create-policy";
            let is_lost = is_creation(&calls[number]) && (fault == Fault::Hangs || is_policy);
            assert!(ran.outcome.leaked.len() <= usize::from(is_lost), "{case}: {:?}", ran.outcome.leaked);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_verdict_is_told_before_anything_of_its_trial_has_ended() {
    let shutdowns = run_one(fine(), scenario("s", Verify::Same)).await.fake.calls().len() - 1;
    let (fake, sink) = (Arc::new(fine().with_fault(shutdowns, Fault::Hangs)), Arc::new(Memory::default()));
    let plan = plan(vec![scenario("s", Verify::Same)], working(), 2);
    let options = RunOptions { concurrency: 1, ..options() };
    let sinks = Arc::clone(&sink) as Arc<dyn eval_record::EventSink>;
    let run = crate::run(plan, Arc::clone(&fake), options, sinks, Cancellation::default());
    assert!(tokio::time::timeout(Duration::from_secs(5), run).await.is_err(), "a shutdown hangs");
    assert_eq!(sink.verdicts().len(), 2, "{:?}", fake.calls());
}

#[tokio::test(start_paused = true)]
async fn a_network_policy_that_somebody_deletes_is_made_again() {
    let slow = |_: &str, line: &str| if line.ends_with("work") { Does::takes(40) } else { Does::default() };
    let (fake, sink) = (Arc::new(Fake::new(slow)), Arc::new(Memory::default()));
    let mut offline = scenario("s", Verify::Same);
    offline.environment.network = Network::None;
    let options = RunOptions { concurrency: 1, ..options() };
    let sinks = Arc::clone(&sink) as Arc<dyn eval_record::EventSink>;
    let plan = plan(vec![offline], working(), 3);
    let run = crate::run(plan, Arc::clone(&fake), options, sinks, Cancellation::default());
    let delete = async {
        tokio::time::sleep(Duration::from_secs(50)).await;
        for policy in fake.network_policies("runloop-eval-none").await.unwrap() {
            fake.delete_network_policy(&policy.id).await.unwrap();
        }
    };
    tokio::join!(run, delete);
    let verdicts: Vec<_> =
        sink.verdicts().into_iter().map(|result| (result.state, result.attempts)).collect();
    let scored = TrialState::Scored;
    assert_eq!(verdicts, [(scored, 1), (scored, 1), (scored, 2)]);
    assert_eq!(fake.count("create-policy"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_written_stops_the_run() {
    let fake = Arc::new(fine());
    let sink = Arc::new(Memory { room: Some(20), ..Memory::default() });
    let plan = plan(vec![scenario("s", Verify::Same)], working(), 50);
    let sinks = Arc::clone(&sink) as Arc<dyn eval_record::EventSink>;
    let outcome = crate::run(plan, Arc::clone(&fake), options(), sinks, Cancellation::default()).await;
    assert_eq!(outcome.record_failure.as_deref(), Some("cannot write events.jsonl: no space left"));
    assert!(!outcome.complete && !outcome.interrupted);
    assert_eq!(sink.verdicts().len(), 50);
    assert!(fake.count("create agent") < 10);
    assert_eq!(fake.living(), []);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_of_the_target_before_it_is_in_the_record() {
    let mut task = set_up(scenario("s", Verify::Snapshot), &["x"]);
    task.environment.network = Network::None;
    let fake = Arc::new(fine());
    let slow = Arc::new(SlowRecord::default());
    let run = crate::run(
        plan(vec![task], working(), 1),
        Arc::clone(&fake),
        options(),
        Arc::clone(&slow) as Arc<dyn eval_record::EventSink>,
        Cancellation::default(),
    );
    let mut run = std::pin::pin!(run);
    let mut asked = Vec::new();
    loop {
        tokio::select! {
            biased;
            outcome = &mut run => {
                assert!(outcome.complete);
                break;
            }
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        // Everything waits: what the record has not taken was not asked for.
        let creations = || fake.calls().iter().filter(|call| is_creation(call)).count();
        assert_eq!(creations(), asked.len());
        asked.extend(slow.write().expect("something waits for the record"));
    }
    let kinds: Vec<_> = asked.iter().map(|request| request.resource.noun()).collect();
    assert_eq!(kinds, ["network policy", "devbox", "snapshot", "devbox", "snapshot", "devbox"]);
}

fn is_creation(call: &str) -> bool {
    call.starts_with("create") || call.starts_with("snapshot") || call == "store"
}

#[tokio::test(start_paused = true)]
async fn a_devbox_lives_on_as_long_as_the_harness_asks_for_it_and_it_is_needed() {
    let fake = Fake::new(|_, line| if line.ends_with("work") { Does::takes(1000) } else { habitable(line) });
    let mut long = scenario("s", Verify::Same);
    long.agent_timeout = Duration::from_secs(2000);
    let ran = run_one(fake, long).await;
    assert_eq!(scored(&ran), 1.0);
    let launch = ran.fake.params("agent").launch_parameters.unwrap();
    assert_eq!(launch.keep_alive_time_seconds, Some(600));
    assert_eq!(ran.fake.count("keep-alive agent"), 5, "every 200 of 1000 seconds");
}

#[tokio::test(start_paused = true)]
async fn a_devbox_that_is_kept_for_people_has_its_whole_life() {
    let mut long = scenario("s", Verify::Same);
    long.agent_timeout = Duration::from_secs(2000);
    let options = RunOptions { keep_devboxes: true, ..options() };
    let ran = run_with(fine(), plan(vec![long], working(), 1), options, Cancellation::default()).await;
    let launch = ran.fake.params("agent").launch_parameters.unwrap();
    assert!(launch.keep_alive_time_seconds.unwrap() > 2000);
}

#[tokio::test(start_paused = true)]
async fn agents_devboxes_are_kept_if_that_is_asked_for() {
    let options = RunOptions { keep_devboxes: true, ..options() };
    let ran = run_with(
        fine(),
        plan(vec![scenario("s", Verify::Snapshot)], working(), 2),
        options,
        Cancellation::default(),
    )
    .await;
    assert_eq!(ran.outcome.kept.len(), 2);
    assert_eq!(ran.fake.living(), ran.outcome.kept);
    assert_eq!(ran.outcome.leaked, []);
}

#[tokio::test(start_paused = true)]
async fn an_oracle_needs_a_reference() {
    let ran = run_plan(fine(), plan(vec![scenario("s", Verify::Same)], agent(AgentKind::Oracle), 1)).await;
    invalid_because(&ran, Cause::HarnessError, "no `reference_output`");
}

/// Whatever call fails, in whatever way, and in whatever mode: every trial has exactly one verdict, no devbox, snapshot or
/// object is left, and no failure of the infrastructure became a score.
#[tokio::test(start_paused = true)]
async fn nothing_is_leaked_whichever_call_fails() {
    let statuses = [400, 401, 403, 404, 408, 409, 429, 500, 502, 503];
    let refused = statuses.map(|status| Fault::Before(PlatformErrorKind::Status(status)));
    let broken = [PlatformErrorKind::Unreachable, PlatformErrorKind::BadEnd].map(Fault::Before);
    let faults: Vec<Fault> = [refused.as_slice(), &broken, &[Fault::After, Fault::Panics]].concat();
    for verify in [Verify::Same, Verify::Snapshot, Verify::Pristine] {
        for setup in [&["x"] as &[&str], &[]] {
            let mut task = set_up(scenario("s", verify), setup);
            task.environment.network = Network::None;
            task.reference_output =
                Some(Solution { name: "reference".into(), kind: SolutionKind::Patch, content: "x".into() });
            let plan = plan(vec![task], working(), 2);
            let calls = run_plan(fine(), plan.clone()).await.fake.calls().len();
            for call in 0..calls + 2 {
                for fault in faults.iter().copied() {
                    let case = format!("{verify:?} {setup:?}: {fault:?} at call {call}");
                    let ran = run_plan(fine().with_fault(call, fault), plan.clone()).await;
                    assert_eq!(ran.fake.living(), [], "{case}: {:?}", ran.fake.calls());
                    assert_eq!(ran.fake.leftovers(), (0, 0), "{case}: {:?}", ran.fake.calls());
                    assert_eq!(ran.outcome.leaked, [], "{case}");
                    assert_eq!(ran.sink.ledger().leaked(), Vec::<&Resource>::new(), "{case}");
                    let mut verdicts: Vec<_> =
                        ran.sink.verdicts().into_iter().map(|result| result.trial).collect();
                    verdicts.sort();
                    assert_eq!(
                        verdicts,
                        plan.trials.iter().map(|trial| trial.key.clone()).collect::<Vec<_>>(),
                        "{case}"
                    );
                    for result in &ran.results {
                        match result.state {
                            TrialState::Scored if result.score == Some(1.0) => {}
                            TrialState::Invalid => {
                                assert!(result.cause.is_some() && result.message.is_some(), "{case}")
                            }
                            TrialState::Scored => panic!("{case}: scored {:?}", result.score),
                            TrialState::Canceled => panic!("{case}: canceled"),
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_takes_longer_than_all_of_it_may_is_invalid() {
    // Nothing of it is the agent's: the environment takes its time.
    let slow = Fake::new(|_, line| if line.ends_with("slow") { Does::takes(200) } else { habitable(line) });
    let mut task = set_up(scenario("s", Verify::Same), &["slow"]);
    task.trial_timeout = Some(Duration::from_secs(150));
    let began = tokio::time::Instant::now();
    let ran = run_one(slow, task).await;
    invalid_because(&ran, Cause::TrialTimeout, "within 150s");
    assert!(began.elapsed() < Duration::from_secs(300), "{:?}", began.elapsed());
    assert_eq!(ran.result().attempts, 1, "another attempt would have no time");
    assert_eq!(ran.outcome.stopped, None);
}

#[tokio::test(start_paused = true)]
async fn the_runs_time_cancels_what_has_no_verdict_and_says_so() {
    let fake = Fake::new(|_, line| if line.ends_with("work") { Does::takes(90) } else { habitable(line) });
    let options = RunOptions { concurrency: 1, timeout: Some(Duration::from_secs(100)), ..options() };
    let plan = plan(vec![scenario("s", Verify::Same)], working(), 3);
    let ran = run_with(fake, plan, options, Cancellation::default()).await;

    let states: Vec<_> = ran.results.iter().map(|result| (result.state, result.cause)).collect();
    let canceled = (TrialState::Canceled, Some(Cause::RunTimeout));
    assert_eq!(states, [(TrialState::Scored, None), canceled, canceled]);
    assert!(ran.results[2].message.as_ref().is_some_and(|message| message.contains("100s")));
    let Ran { outcome, fake, sink, .. } = ran;
    assert!(outcome.stopped.is_some() && !outcome.complete && !outcome.interrupted);
    assert_eq!(fake.living(), []);
    let last = sink.events.lock().unwrap().last().cloned();
    assert_eq!(last, Some(EventKind::RunFinished { complete: false, interrupted: false }));
}

#[tokio::test(start_paused = true)]
async fn what_an_agent_used_is_read_from_its_file_and_never_in_the_way() {
    let file = UsageFile {
        path: "~/.agent/it's.json".to_owned(),
        input_tokens: Some("/usage/input".to_owned()),
        ..UsageFile::default()
    };
    let agent = Agent { usage: Some(file), ..working() };
    let plan = || plan(vec![scenario("s", Verify::Same)], agent.clone(), 1);
    let ran = run_plan(
        Fake::new(|_, line| match line.contains(r#""$HOME"/'.agent/it'\''s.json'"#) {
            true => Does::prints(r#"{ "usage": { "input": 7 } }"#),
            false => habitable(line),
        }),
        plan(),
    )
    .await;
    assert_eq!(scored(&ran), 1.0);
    assert_eq!(ran.result().usage, Some(Usage { input_tokens: Some(7), ..Usage::default() }));

    for broken in [Does::prints("no JSON"), Does::takes(10_000)] {
        let fake =
            Fake::new(move |_, line| if line.contains("it'") { broken.clone() } else { habitable(line) });
        let ran = run_plan(fake, plan()).await;
        assert_eq!(scored(&ran), 1.0);
        assert_eq!(ran.result().usage, None);
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_an_object_is_mounted_where_it_is_installed() {
    let object = AgentObjectSource { object_id: "obj_1".into(), agent_setup: None };
    let agent = Agent { source: Some(AgentSource::object(object)), ..working() };
    let ran = run_plan(fine(), plan(vec![scenario("s", Verify::Same)], agent, 1)).await;
    assert_eq!(scored(&ran), 1.0);
    let mount = Mount::ObjectMount { object_id: "obj_1".into(), object_path: "~/.agent".to_owned() };
    assert!(ran.fake.params("install").mounts.is_some_and(|mounts| mounts.contains(&mount)));
    assert!(ran.fake.params("agent").snapshot_id.is_some(), "what was installed is the agent's disk");
}

#[tokio::test(start_paused = true)]
async fn more_files_than_anyone_searches_are_the_doing_of_who_made_them() {
    let search = runloop_types::Scorer::AstGrepScorer {
        pattern: "eval($$$)".to_owned(),
        search_directory: ".".to_owned(),
        lang: Some("python".to_owned()),
    };
    let mut task = scenario("s", Verify::Pristine);
    task.scorers = vec![scorer("search", search)];
    let calls = run_one(fine(), task.clone()).await.fake.calls();
    let download = calls.iter().position(|call| call == "download scoring").unwrap();
    let fake = fine().with_fault(download, Fault::Before(PlatformErrorKind::TooLarge));
    let ran = run_one(fake, task.clone()).await;
    assert_eq!(scored(&ran), 0.0);

    // The reference solution has no reason to: the scenario is to blame.
    task.reference_output =
        Some(Solution { name: "reference".into(), kind: SolutionKind::Patch, content: "x".into() });
    let calls = run_plan(fine(), plan(vec![task.clone()], agent(AgentKind::Oracle), 1)).await.fake.calls();
    let download = calls.iter().position(|call| call == "download scoring").unwrap();
    let fake = fine().with_fault(download, Fault::Before(PlatformErrorKind::TooLarge));
    let ran = run_plan(fake, plan(vec![task], agent(AgentKind::Oracle), 1)).await;
    invalid_because(&ran, Cause::ScorerError, "more than 64 MiB");
}

/// Whoever else has the target's devboxes gives them back one day.
#[tokio::test(start_paused = true)]
async fn a_target_without_room_is_waited_for_and_uses_up_no_retries() {
    let crowded = Fault::Before(PlatformErrorKind::Status(429));
    let fake = (0..5).fold(fine(), |fake, call| fake.with_fault(call, crowded));
    let options = RunOptions { retries: 0, ..options() };
    let ran = run_trial(fake, options).await;
    assert_eq!((ran.result().state, ran.result().attempts), (TrialState::Scored, 6), "{:?}", ran.results);

    let fake = (0..60).fold(fine(), |fake, call| fake.with_fault(call, crowded));
    let options = RunOptions { retries: 0, max_outage: Duration::from_secs(60), ..self::options() };
    let start = tokio::time::Instant::now();
    let ran = run_trial(fake, options).await;
    assert_eq!(ran.result().cause, Some(Cause::ProvisionFailed), "not for ever");
    assert!(start.elapsed() >= Duration::from_secs(60));
}
