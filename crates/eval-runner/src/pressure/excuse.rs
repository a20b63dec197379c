//! Attempts that an outage of the target broke, or for which it had no room. They are made again, and do not use up retries.

use std::time::Duration;

use eval_record::Cause;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::platform::Platform;
use crate::session::Session;

/// Most attempts of a trial that are excused: a trial that brings the target down each time shall not do so for ever.
const MOST: u32 = 3;

/// The excuses of one trial.
#[derive(Debug)]
pub(crate) struct Excuses {
    /// Outages before the present attempt.
    seen: u32,
    /// Those for outages.
    outages: u32,
    given: u32,
    /// Since when the target has had no room, and how often it was asked since then.
    crowded: Option<(Instant, u32)>,
}

impl Excuses {
    /// Of a trial whose first attempt begins now.
    pub(crate) fn new<P: Platform>(session: &Session<P>) -> Self {
        Self { seen: session.options.pressure.outages(), outages: 0, given: 0, crowded: None }
    }

    /// Whether an attempt failed because the target was down meanwhile, or because it had no room, which it may have later:
    /// for as long as an outage is waited for. Waits until it is known whether the target is down, and until it is back.
    pub(crate) async fn has<P: Platform>(&mut self, session: &Session<P>, failure: &Failure) -> bool {
        let pressure = &session.options.pressure;
        if !(failure.retry || failure.unauthorized || failure.cause == Cause::TrialTimeout) {
            return false;
        }
        // A key that is taken no more ends the run, and with it the trial.
        pressure.settled().await;
        let outages = pressure.outages();
        let is_down = outages > self.seen && self.outages < MOST;
        self.seen = outages;
        self.outages += u32::from(is_down);
        let is_excused = is_down || self.waits_for_room(failure, session.options.max_outage);
        self.given += u32::from(is_excused);
        is_excused
    }

    fn waits_for_room(&mut self, failure: &Failure, most: Duration) -> bool {
        if !failure.crowded {
            self.crowded = None;
            return false;
        }
        let (since, times) = self.crowded.get_or_insert_with(|| (Instant::now(), 0));
        *times += 1;
        since.elapsed() < most
    }

    /// How often in a row the target had no room.
    pub(crate) fn refusals(&self) -> u32 {
        self.crowded.map_or(0, |(_, times)| times)
    }

    /// How many attempts were excused.
    pub(crate) fn given(&self) -> u32 {
        self.given
    }
}
