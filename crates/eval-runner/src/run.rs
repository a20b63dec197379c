//! Runs a plan.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eval_record::{
    Cause, EventKind, EventSink, Resource, Resumed, TrialKey, TrialResult, TrialState, problem_file,
};
use runloop_types::DevboxId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use crate::attempt::{Attempt, Verdict};
use crate::deadline::Deadline;
use crate::failure::Failure;
use crate::plan::{Plan, Trial};
use crate::platform::Platform;
use crate::prepare::Preparations;
use crate::pressure::{Excuses, Lane, in_lane};
use crate::progress::{Progress, Trace};
use crate::schedule::{Decision, Schedule};
use crate::scope::Scope;
use crate::session::Session;
use crate::usage::Used;
use crate::{Cancellation, Earlier, RunOptions, Stopped};

/// What came of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOutcome {
    /// Whether every planned trial has a verdict.
    pub complete: bool,
    /// Whether the run was interrupted.
    pub interrupted: bool,
    /// What ended it before all trials had a verdict, other than the user, the record or the budget.
    pub stopped: Option<Stopped>,
    /// Whether its budget was gone before all trials had a verdict.
    pub exhausted: bool,
    /// Devboxes that were left alive because that was asked for.
    pub kept: Vec<DevboxId>,
    /// What could not be ended. The keep-alive time of devboxes ends those; the rest stays.
    pub leaked: Vec<Resource>,
    /// Why the record is not complete. The run stopped there.
    pub record_failure: Option<String>,
}

/// Runs every trial of a plan that has no verdict yet.
///
/// Ends when each has one (or was canceled), which the sink is told, and every devbox, snapshot and object that it made is
/// gone. Never fails as a whole: what goes wrong is in the verdicts. Needs a tokio runtime with time and, for agents beside
/// the harness, I/O.
pub async fn run<P: Platform>(
    plan: Plan,
    platform: Arc<P>,
    options: RunOptions,
    sink: Arc<dyn EventSink>,
    cancel: Cancellation,
) -> RunOutcome {
    let header = plan.header(&options);
    let (mut plan, mut options) = (plan, options);
    let is_resumed = options.earlier.is_some();
    let earlier = options.earlier.take().unwrap_or_default();
    plan.announce(&earlier.announced);
    let session = Session::new(platform, options, &earlier, sink, cancel);
    let scope = Scope::new(&session, None);
    let Earlier { verdicts, attempts, ledger, .. } = earlier;
    let preparations = Preparations::new(&scope, &plan);
    let mut schedule = Schedule::new(plan, verdicts);
    if is_resumed {
        session.emit(EventKind::RunResumed(Resumed {
            remaining: schedule.unfinished().count() as u64,
            concurrency: Some(header.concurrency),
            budget: Some(header.budget),
        }));
    } else {
        session.emit(EventKind::RunStarted(Box::new(header)));
    }
    if is_resumed || session.options.may_have_begun {
        session.bounded(session.reap_earlier(ledger)).await;
    }

    let concurrency = session.options.concurrency.clamp(1, Semaphore::MAX_PERMITS);
    let runner = Arc::new(Runner {
        preparations,
        session: Arc::clone(&session),
        slots: Arc::new(Semaphore::new(concurrency)),
        endings: Semaphore::new(concurrency),
        problems: Mutex::default(),
        attempts,
    });
    let _life = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&session).keep_alive()));
    let _pulse = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&session).pulse()));
    let (_time, _devbox_time, _watch) = (session.limited(), session.budgeted(), session.watch());
    let is_decided = loop {
        runner.round(&mut schedule).await;
        if session.halt.is_cancelled() {
            break false;
        }
        let round = schedule.round();
        for Decision { agent, repetitions, why } in round.decided {
            session.emit(EventKind::AgentDecided { agent, repetitions, why });
        }
        if round.planned.is_empty() {
            break true;
        }
        session.emit(EventKind::RoundPlanned { planned: round.planned.iter().map(Trial::planned).collect() });
    };
    let unfinished: Vec<(usize, TrialResult)> = schedule
        .unfinished()
        .map(|(number, trial)| {
            (number, canceled(&session, trial, runner.attempted(&trial.key), Trace::default()))
        })
        .collect();
    for (number, result) in unfinished {
        schedule.take(number, &result);
        session.emit(EventKind::TrialFinished(Box::new(result)));
    }

    drop(runner);
    session.closing.begin();
    let end = async {
        scope.finish().await;
        session.sweep().await;
    };
    session.bounded(end).await;
    let complete = schedule.is_complete() && (is_decided || schedule.is_fixed());
    let interrupted = session.cancel.stop.is_cancelled();
    session.emit(EventKind::RunFinished { complete, interrupted });
    RunOutcome {
        complete,
        interrupted,
        stopped: session.stopped.get().filter(|_| !complete).cloned(),
        exhausted: schedule.is_exhausted(),
        kept: session.kept(),
        leaked: session.leaked(),
        record_failure: session.record_failure(),
    }
}

struct Runner<P: Platform> {
    session: Arc<Session<P>>,
    preparations: Arc<Preparations<P>>,
    /// As many as trials may run at once.
    slots: Arc<Semaphore>,
    /// As many as there are slots: a trial with its verdict gives its slot away while its devboxes end, but no more
    /// trials end than run.
    endings: Semaphore,
    /// Scenarios whose problem statements are in the record.
    problems: Mutex<HashSet<String>>,
    /// Attempts of an earlier part of the run.
    attempts: HashMap<TrialKey, u32>,
}

impl<P: Platform> Runner<P> {
    /// Takes every trial that is planned and has no verdict to one.
    async fn round(self: &Arc<Self>, schedule: &mut Schedule) {
        let session = &self.session;
        let mut tasks = JoinSet::new();
        while let Some((number, trial)) = schedule.next() {
            let start = async {
                let slot = Arc::clone(&self.slots).acquire_owned().await;
                (slot, session.account.hold(&trial).await)
            };
            let (slot, held) = tokio::select! {
                biased;
                () = session.halt.cancelled() => break,
                start = start => start,
            };
            let Ok(slot) = slot else { break };
            if let Err(why) = held {
                let result = unaffordable(&trial, why);
                schedule.take(number, &result);
                session.emit(EventKind::TrialFinished(Box::new(result)));
                continue;
            }
            let task = Arc::clone(self).trial(number, trial, slot);
            tasks.spawn(async move { (number, task.await) });
            while let Some(Ok((number, result))) = tasks.try_join_next() {
                schedule.take(number, &result);
            }
        }
        // Trials do not panic: what could is in a task of its own inside of them.
        while let Some(joined) = tasks.join_next().await {
            if let Ok((number, result)) = joined {
                schedule.take(number, &result);
            }
        }
    }

    /// One trial, with as many attempts as it takes.
    async fn trial(self: Arc<Self>, number: usize, trial: Trial, slot: OwnedSemaphorePermit) -> TrialResult {
        let session = &self.session;
        self.keep_problem(&trial);
        let mut random =
            fastrand::Rng::with_seed(session.options.seed ^ (number as u64).wrapping_mul(0x9e37_79b9));
        let mut deadline = Deadline::after(trial.scenario.trial_timeout);
        let before = self.attempted(&trial.key);
        let mut attempt = before + 1;
        let mut used = Used::default();
        let mut excuses = Excuses::new(session);
        let (result, scope, last) = loop {
            let held = session.account.held(&trial.key);
            session.emit(EventKind::AttemptStarted { trial: trial.key.clone(), attempt, held });
            let scope = Scope::new(session, Some((trial.key.clone(), attempt)));
            let (outcome, mut trace) = self.attempt(&trial, attempt, deadline, &scope).await;
            let last = trace.clone();
            used.add(&trial, &trace);
            trace.usage = used.total();
            match outcome {
                _ if session.halt.is_cancelled() && !matches!(outcome, Some(Ok(_))) => {
                    break (canceled(session, &trial, attempt, trace), scope, last);
                }
                None => break (canceled(session, &trial, attempt, trace), scope, last),
                Some(Ok(verdict)) => break (scored(&trial, attempt, verdict, trace), scope, last),
                Some(Err(failure)) => {
                    let is_excused = excuses.has(session, &failure).await;
                    let retries = attempt - before - excuses.given();
                    if session.halt.is_cancelled() {
                        break (canceled(session, &trial, attempt, trace), scope, last);
                    }
                    let is_retried = failure.retry && retries <= session.options.retries;
                    if !is_excused && !is_retried {
                        let message = session.masker.mask_text(&failure.message);
                        break (invalid(&trial, attempt, failure.cause, message, trace), scope, last);
                    }
                    session.bounded(scope.finish()).await;
                    session.emit(EventKind::AttemptFailed {
                        trial: trial.key.clone(),
                        attempt,
                        cause: failure.cause,
                        message: session.masker.mask_text(&failure.message),
                        usage: last.usage,
                    });
                    session.account.settle(&trial, &last, false);
                    let doublings = retries.max(excuses.refusals()).saturating_sub(1).min(6);
                    let pause = session.options.retry_pause.saturating_mul(1 << doublings);
                    let pause = pause.min(Duration::from_secs(60)).mul_f64(0.75 + random.f64() / 4.0);
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = session.halt.cancelled() => {
                            break (canceled(session, &trial, attempt, trace), scope, last);
                        }
                    }
                    let held = tokio::select! {
                        held = session.account.hold(&trial) => held,
                        () = session.halt.cancelled() => {
                            break (canceled(session, &trial, attempt, trace), scope, last);
                        }
                    };
                    if let Err(why) = held {
                        let message = session.masker.mask_text(&failure.message);
                        let message = format!("{message}; not tried again: {why}");
                        break (invalid(&trial, attempt, failure.cause, message, trace), scope, last);
                    }
                    if is_excused {
                        deadline = Deadline::after(trial.scenario.trial_timeout);
                    }
                    attempt += 1;
                }
            }
        };
        session.emit(EventKind::TrialFinished(Box::new(result.clone())));
        let ending = self.endings.acquire().await;
        drop(slot);
        session.bounded(scope.finish()).await;
        session.account.settle(&trial, &last, result.state == TrialState::Scored);
        drop(ending);
        result
    }

    /// Attempts at a trial before this part of the run.
    fn attempted(&self, trial: &TrialKey) -> u32 {
        self.attempts.get(trial).copied().unwrap_or_default()
    }

    /// Puts the problem statement into the record, for people; once for all trials of a scenario.
    fn keep_problem(&self, trial: &Trial) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if problems.insert(trial.key.scenario.clone()) {
            let statement = self.session.masker.mask_text(&trial.scenario.problem_statement).into_bytes();
            self.session.file(&problem_file(&trial.key.scenario), statement);
        }
    }

    /// One attempt in a task of its own, so that it can break or be canceled without taking anything with it. `None` if it
    /// was canceled. Its devboxes may still be ending: [`Scope::finish`] waits for them.
    async fn attempt(
        &self,
        trial: &Trial,
        attempt: u32,
        deadline: Deadline,
        scope: &Arc<Scope<P>>,
    ) -> (Option<Result<Verdict, Failure>>, Trace) {
        let session = &self.session;
        let progress = Progress::new(session, &trial.key, attempt);
        let work = Attempt {
            scope: Arc::clone(scope),
            preparations: Arc::clone(&self.preparations),
            progress: Arc::clone(&progress),
            trial: trial.clone(),
        };
        let lane = Lane::Agent(trial.key.agent.as_str().into());
        let mut task = AbortOnDropHandle::new(tokio::spawn(in_lane(lane, work.run())));
        let outcome = tokio::select! {
            biased;
            joined = &mut task => {
                Some(joined.unwrap_or_else(|error| Err(Failure::harness(format!("the harness broke: {error}")))))
            }
            () = session.halt.cancelled() => {
                task.abort();
                let _ = (&mut task).await;
                None
            }
            failure = deadline.reached() => {
                task.abort();
                let _ = (&mut task).await;
                Some(Err(failure))
            }
        };
        (outcome, progress.finish())
    }
}

fn scored(trial: &Trial, attempts: u32, verdict: Verdict, trace: Trace) -> TrialResult {
    let passed = verdict.passes(trial.scenario.pass_mark);
    TrialResult {
        state: TrialState::Scored,
        score: Some(verdict.score),
        passed: Some(passed),
        message: verdict.message,
        ..result(trial, attempts, trace)
    }
}

fn invalid(trial: &Trial, attempts: u32, cause: Cause, message: String, trace: Trace) -> TrialResult {
    TrialResult {
        state: TrialState::Invalid,
        cause: Some(cause),
        message: Some(message),
        ..result(trial, attempts, trace)
    }
}

fn canceled<P: Platform>(session: &Session<P>, trial: &Trial, attempts: u32, trace: Trace) -> TrialResult {
    let stopped =
        session.stopped.get().map(|stopped| (stopped.cause, session.masker.mask_text(&stopped.message)));
    let (cause, message) = stopped.or_else(|| session.exhausted()).unzip();
    TrialResult { cause, message, ..result(trial, attempts, trace) }
}

/// A trial for which the budget has nothing left.
fn unaffordable(trial: &Trial, why: String) -> TrialResult {
    TrialResult {
        cause: Some(Cause::BudgetExhausted),
        message: Some(why),
        ..result(trial, 0, Trace::default())
    }
}

fn result(trial: &Trial, attempts: u32, trace: Trace) -> TrialResult {
    TrialResult {
        attempts,
        durations_ms: trace.durations_ms,
        agent_end: trace.agent_end,
        usage: trace.usage,
        scores: trace.scores,
        flags: trace.flags,
        logs: trace.logs,
        ..TrialResult::bare(trial.key.clone(), trial.scenario.digest.to_string(), TrialState::Canceled)
    }
}
