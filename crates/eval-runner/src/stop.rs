//! Why a run ends before all its trials have a verdict, other than by the user.

use eval_record::Cause;

use crate::platform::Platform;
use crate::session::Session;

/// What ended a run. Trials that had no verdict then are canceled for this cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// One of those that only canceled trials have: [`Cause::RunTimeout`], [`Cause::TargetDown`], [`Cause::Unauthorized`].
    pub cause: Cause,
    /// What there is to say about it, in a sentence.
    pub message: String,
}

impl<P: Platform> Session<P> {
    /// Ends the run, as an interruption does. The first reason stands.
    pub(crate) fn stop(&self, cause: Cause, message: String) {
        if !self.halt.is_cancelled() {
            let _ = self.stopped.set(Stopped { cause, message });
        }
        self.halt.cancel();
    }
}
