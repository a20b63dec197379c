//! Attempts that an outage of the target broke. They are made again after it, and do not use up retries.

use eval_record::Cause;

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
    given: u32,
}

impl Excuses {
    /// Of a trial whose first attempt begins now.
    pub(crate) fn new<P: Platform>(session: &Session<P>) -> Self {
        Self { seen: session.options.pressure.outages(), given: 0 }
    }

    /// Whether an attempt failed because the target was down meanwhile. Waits until it is known whether it is, and until
    /// it is back.
    pub(crate) async fn has<P: Platform>(&mut self, session: &Session<P>, failure: &Failure) -> bool {
        let pressure = &session.options.pressure;
        if !(failure.retry || failure.unauthorized || failure.cause == Cause::TrialTimeout) {
            return false;
        }
        // A key that is taken no more ends the run, and with it the trial.
        pressure.settled().await;
        let outages = pressure.outages();
        let is_excused = outages > self.seen && self.given < MOST;
        self.seen = outages;
        self.given += u32::from(is_excused);
        is_excused
    }

    /// How many attempts were excused.
    pub(crate) fn given(&self) -> u32 {
        self.given
    }
}
