//! The budget of a run: what is held for an attempt before it starts, and what it really took.
//!
//! Cost is known when an attempt has ended, as the agent says it. So what agents spend beyond what is held for them, in the
//! attempts that run at that moment, goes beyond the cap; an agent that declares its `max_cost`, and keeps to it, never does.
//! Devbox time is measured here while it passes: when it is gone, the run is ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eval_record::{Budget, Cause, EventKind, Held, Phase, ResourceEnd, ResourceKind, TrialKey};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::Earlier;
use crate::meter::{Meter, Need};
use crate::plan::Trial;
use crate::platform::Platform;
use crate::progress::Trace;
use crate::session::Session;
use crate::usage::is_free;

/// Attempts in which an agent of which nothing is known may say no cost, before it gets no more of a budget of money.
const SILENT: u32 = 3;

/// Between two looks at the devbox time, at most: devboxes are made all the time.
const LOOK: Duration = Duration::from_secs(1);

/// What a run may take, has taken, and keeps for attempts under way.
#[derive(Debug)]
pub(crate) struct Account {
    state: Mutex<State>,
    /// Told whenever something was released.
    released: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// US dollars.
    cost: Option<Meter>,
    /// Devbox minutes.
    minutes: Option<Meter>,
    /// Devboxes that were asked for, by the keys of the requests, and for which trial.
    asked: HashMap<String, Option<TrialKey>>,
    /// Devboxes whose time is counted, by those keys.
    living: HashMap<String, Living>,
    /// Attempts in which an agent said no cost while nothing was known of it.
    silent: HashMap<String, u32>,
}

#[derive(Debug)]
struct Living {
    /// Until when its time was counted.
    counted: Instant,
    trial: Option<TrialKey>,
}

/// Why nothing can be held.
enum Short {
    /// Not now: others may release something.
    Now,
    /// Never: nothing will be released.
    Ever(String),
}

impl Account {
    /// With what an earlier part of the run took, and the verdicts that it reached.
    pub(crate) fn new(budget: &Budget, earlier: &Earlier) -> Self {
        let Earlier { verdicts, spent, .. } = earlier;
        let mut cost = budget.max_cost_usd.map(|cap| Meter::new(cap, spent.charged_usd()));
        if let Some(cost) = &mut cost {
            for (trial, outcome) in verdicts.iter().filter(|(_, outcome)| outcome.attempts == 1) {
                if let Some(amount) = outcome.usage().and_then(|usage| usage.cost_usd) {
                    cost.learn(trial, amount);
                }
            }
        }
        let passed = spent.devbox_ms_so_far() as f64 / 60_000.0;
        let minutes = budget.max_devbox_minutes.map(|cap| Meter::new(cap, passed));
        let state = State { cost, minutes, silent: spent.silent_attempts(), ..State::default() };
        Self { state: Mutex::new(state), released: Notify::new() }
    }

    /// Counts the time of devboxes.
    pub(crate) fn take(&self, event: &EventKind) {
        let mut state = self.state();
        if state.minutes.is_none() {
            return;
        }
        match event {
            EventKind::ResourceRequested(request) if request.resource == ResourceKind::Devbox => {
                state.asked.insert(request.key.clone(), request.trial.clone());
            }
            EventKind::ResourceCreated { key, .. } => {
                if let Some(trial) = state.asked.remove(key) {
                    state.living.insert(key.clone(), Living { counted: Instant::now(), trial });
                }
            }
            // One that is kept for people is still at work.
            EventKind::ResourceEnded { key, how: ResourceEnd::Ended | ResourceEnd::Refused } => {
                state.count_time();
                state.asked.remove(key);
                state.living.remove(key);
            }
            _ => {}
        }
    }

    /// Holds what an attempt is expected to take; waits while others may release it.
    ///
    /// # Errors
    /// Why it can never be held, in a sentence.
    pub(crate) async fn hold(&self, trial: &Trial) -> Result<(), String> {
        loop {
            let released = self.released.notified();
            tokio::pin!(released);
            // Before looking, so that nothing is released unnoticed in between.
            released.as_mut().enable();
            match self.state().hold(trial) {
                Ok(()) => return Ok(()),
                Err(Short::Ever(why)) => return Err(why),
                Err(Short::Now) => {}
            }
            released.await;
        }
    }

    /// The money that is held for an attempt; for the record, so that a killed one is not forgotten.
    pub(crate) fn held(&self, trial: &TrialKey) -> Option<Held> {
        let state = self.state();
        let hold = state.cost.as_ref()?.held(trial)?;
        Some(Held { usd: hold.amount, is_known: hold.is_known })
    }

    /// An attempt is over, its devboxes too. Nothing happens if nothing is held for it.
    pub(crate) fn settle(&self, trial: &Trial, trace: &Trace, is_scored: bool) {
        self.state().settle(trial, trace, is_scored);
        self.released.notify_waiters();
    }

    /// Waits until the devbox time is gone; for ever if there is no end of it.
    async fn run_out(&self) {
        loop {
            let wait = {
                let mut state = self.state();
                state.count_time();
                let living = state.living.len().max(1) as f64;
                match &state.minutes {
                    Some(minutes) if minutes.is_exhausted() => return,
                    Some(minutes) => (minutes.cap() - minutes.spent()) * 60.0 / living,
                    None => f64::INFINITY,
                }
            };
            if wait.is_infinite() {
                std::future::pending::<()>().await;
            }
            sleep(Duration::from_secs_f64(wait.clamp(0.01, LOOK.as_secs_f64()))).await;
        }
    }

    fn is_out_of_time(&self) -> bool {
        self.state().minutes.as_ref().is_some_and(Meter::is_exhausted)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds the time since the last count.
    fn count_time(&mut self) {
        let Some(minutes) = &mut self.minutes else { return };
        let now = Instant::now();
        for living in self.living.values_mut() {
            minutes.spend(living.trial.as_ref(), (now - living.counted).as_secs_f64() / 60.0);
            living.counted = now;
        }
    }

    fn hold(&mut self, trial: &Trial) -> Result<(), Short> {
        self.count_time();
        let (key, agent) = (&trial.key, &trial.agent);
        let cost = match &self.cost {
            None => None,
            Some(_) if is_free(&agent.kind) => None,
            Some(meter) => {
                // All that it may take, also if others took less: only so does the cap hold.
                let known = agent.max_cost.or_else(|| meter.need(key, None));
                if known.is_none() && self.silent.get(&key.agent).is_some_and(|silent| *silent >= SILENT) {
                    return Err(Short::Ever(format!(
                        "the agent said no cost in {SILENT} attempts, so the budget cannot hold: see to its `usage`, or \
                         give it `max_cost`"
                    )));
                }
                Some(Need { amount: known.unwrap_or(f64::INFINITY), is_known: known.is_some() })
            }
        };
        let minutes = self.minutes.as_ref().map(|meter| {
            let working =
                trial.scenario.working_time(trial.agent.timeout.unwrap_or(trial.scenario.agent_timeout));
            let bound = (working + trial.scenario.prepare_timeout).as_secs_f64() / 60.0;
            let amount = meter.need(key, Some(bound)).unwrap_or(bound);
            Need { amount, is_known: meter.knows(&key.agent) }
        });
        let held = [(&self.cost, cost, money as fn(f64) -> String), (&self.minutes, minutes, time)];
        let mut amounts = [None; 2];
        for ((meter, need, shown), amount) in held.into_iter().zip(&mut amounts) {
            let (Some(meter), Some(need)) = (meter, need) else { continue };
            *amount = Some((meter.available(need).ok_or_else(|| short(meter, need, shown))?, need.is_known));
        }
        for (meter, amount) in [&mut self.cost, &mut self.minutes].into_iter().zip(amounts) {
            if let (Some(meter), Some((amount, is_known))) = (meter, amount) {
                meter.hold(key.clone(), amount, is_known);
            }
        }
        Ok(())
    }

    fn settle(&mut self, trial: &Trial, trace: &Trace, is_scored: bool) {
        self.count_time();
        let key = &trial.key;
        if let Some(cost) = &mut self.cost
            && let Some(hold) = cost.release(key)
        {
            let has_worked = trace.durations_ms.contains_key(&Phase::Agent);
            match trace.usage.and_then(|usage| usage.cost_usd) {
                Some(amount) => {
                    cost.spend(None, amount);
                    if is_scored {
                        cost.learn(key, amount);
                    }
                }
                // It could have cost anything up to what was held for it.
                None if has_worked && hold.is_known => cost.spend(None, hold.amount),
                None if has_worked => *self.silent.entry(key.agent.clone()).or_default() += 1,
                None => {}
            }
        }
        if let Some(minutes) = &mut self.minutes
            && let Some(hold) = minutes.release(key)
            && is_scored
        {
            minutes.learn(key, hold.used);
        }
    }
}

fn short(meter: &Meter, need: Need, shown: fn(f64) -> String) -> Short {
    if meter.holds_any() && !meter.is_exhausted() {
        return Short::Now;
    }
    let gone = format!("{} of the budget of {} are gone", shown(meter.spent()), shown(meter.cap()));
    Short::Ever(if need.amount.is_finite() {
        format!("{gone}, and this takes up to {}", shown(need.amount))
    } else {
        gone
    })
}

fn money(usd: f64) -> String {
    format!("${usd:.4}")
}

fn time(minutes: f64) -> String {
    format!("{minutes:.1} devbox minutes")
}

impl<P: Platform> Session<P> {
    /// Ends the run when its devbox time is gone, as an interruption does, until this is dropped.
    pub(crate) fn budgeted(self: &Arc<Self>) -> Option<AbortOnDropHandle<()>> {
        self.options.budget.max_devbox_minutes?;
        let session = Arc::clone(self);
        Some(AbortOnDropHandle::new(tokio::spawn(async move {
            session.account.run_out().await;
            session.halt.cancel();
        })))
    }

    /// Why trials are canceled, if it is the devbox time.
    pub(crate) fn exhausted(&self) -> Option<(Cause, String)> {
        let cap = self.options.budget.max_devbox_minutes?;
        self.account
            .is_out_of_time()
            .then(|| (Cause::BudgetExhausted, format!("the budget of {} was gone first", time(cap))))
    }
}
