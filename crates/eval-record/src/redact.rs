//! Masks events, field by field.
//!
//! What names a thing stays as it is: trials, files, ids, digests, closed lists. Everything else may hold any text. No
//! pattern here leaves a field out, so that whoever adds one has to say which it is.

use crate::{
    Event, EventKind, Flag, Invocation, Masker, PlannedTrial, ResourceRequest, Resumed, RunHeader,
    ScorerScore, TrialResult,
};

impl Masker {
    /// An event that tells no known value.
    pub fn mask_event(&self, mut event: Event) -> Event {
        if !self.is_empty() {
            self.mask_kind(&mut event.kind);
        }
        event
    }

    /// A header that tells no known value.
    pub fn mask_header(&self, mut header: RunHeader) -> RunHeader {
        self.mask_run(&mut header);
        header
    }

    fn mask_kind(&self, kind: &mut EventKind) {
        match kind {
            EventKind::RunStarted(header) => self.mask_run(header),
            EventKind::AttemptFailed { message, trial: _, attempt: _, cause: _, usage: _ } => {
                self.hide(message)
            }
            EventKind::RoundPlanned { planned } | EventKind::PlanChanged { planned } => {
                self.mask_planned(planned);
            }
            EventKind::TargetDown { error, since_ms: _, next_try_ms: _ } => self.hide(error),
            EventKind::TrialFinished(result) => self.mask_result(result),
            EventKind::RunResumed(Resumed { remaining: _, concurrency: _, budget: _ })
            | EventKind::AttemptStarted { trial: _, attempt: _, held: _ }
            | EventKind::PhaseStarted { trial: _, attempt: _, phase: _ }
            | EventKind::ResourceRequested(ResourceRequest {
                key: _,
                resource: _,
                purpose: _,
                trial: _,
                attempt: _,
            })
            | EventKind::ResourceCreated { key: _, id: _ }
            | EventKind::ResourceEnded { key: _, how: _ }
            | EventKind::Throttled { what: _, limit: _ }
            | EventKind::ThrottleLifted { what: _ }
            | EventKind::TargetBack { since_ms: _ }
            | EventKind::AgentDecided { agent: _, repetitions: _, why: _ }
            | EventKind::Heartbeat
            | EventKind::RunFinished { complete: _, interrupted: _ } => {}
        }
    }

    fn mask_run(&self, header: &mut RunHeader) {
        let RunHeader {
            planned,
            target,
            invocation,
            format: _,
            run_id: _,
            benchmark: _,
            source: _,
            sources: _,
            agent_versions: _,
            guarantees: _,
            version: _,
            seed: _,
            concurrency: _,
            budget: _,
            rounds: _,
            agents: _,
        } = header;
        self.mask_planned(planned);
        self.hide(target);
        if let Some(invocation) = invocation {
            self.mask_invocation(invocation);
        }
    }

    /// What a run cannot be started with again, because a value is missing, has another digest then.
    fn mask_invocation(&self, invocation: &mut Invocation) {
        let Invocation {
            agents,
            filter,
            directory: _,
            benchmark: _,
            verify: _,
            keep_devboxes: _,
            driver: _,
            allow_weak: _,
            limits: _,
        } = invocation;
        agents.iter_mut().chain(filter).for_each(|text| self.hide(text));
    }

    fn mask_planned(&self, planned: &mut [PlannedTrial]) {
        for PlannedTrial { metadata, trial: _, digest: _ } in planned {
            metadata.values_mut().for_each(|value| self.hide(value));
        }
    }

    fn mask_result(&self, result: &mut TrialResult) {
        let TrialResult {
            message,
            scores,
            flags,
            trial: _,
            digest: _,
            state: _,
            score: _,
            passed: _,
            cause: _,
            attempts: _,
            durations_ms: _,
            agent_end: _,
            usage: _,
            logs: _,
        } = result;
        message.iter_mut().for_each(|message| self.hide(message));
        for ScorerScore { output, name: _, weight: _, score: _, duration_ms: _ } in scores {
            self.hide(output);
        }
        for flag in flags {
            let Flag { kind, place, evidence } = flag;
            // Cut again: what stands for a value may be longer.
            *flag = Flag::new(*kind, self.mask_text(place), self.mask_text(evidence));
        }
    }

    fn hide(&self, text: &mut String) {
        *text = self.mask_text(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, FlagKind, TrialKey, TrialState};

    #[test]
    fn texts_are_masked_and_names_stay() {
        let masker = Masker::new(["hunter22", "task"]);
        let trial = TrialKey { scenario: "task".into(), agent: "hunter22".into(), repetition: 1 };
        let planned = PlannedTrial {
            trial: trial.clone(),
            digest: "d".into(),
            metadata: [("label".to_owned(), "hunter22".to_owned())].into(),
        };
        let score = ScorerScore {
            name: "tests".into(),
            weight: 1.0,
            score: None,
            duration_ms: 1,
            output: "said hunter22".into(),
        };
        let result = TrialResult {
            cause: Some(Cause::ScorerError),
            message: Some("hunter22".into()),
            scores: vec![score],
            flags: vec![Flag::new(FlagKind::ScorerChanged, "agent.stdout", "hunter22")],
            logs: Some("trials/task".into()),
            ..TrialResult::bare(trial.clone(), "d", TrialState::Invalid)
        };
        let kinds = [
            EventKind::RunStarted(Box::new(RunHeader {
                planned: vec![planned],
                target: "http://hunter22@host".into(),
                ..RunHeader::default()
            })),
            EventKind::AttemptFailed {
                trial,
                attempt: 1,
                cause: Cause::ApiError,
                message: "no hunter22".into(),
                usage: None,
            },
            EventKind::TrialFinished(Box::new(result)),
        ];
        for kind in kinds {
            let masked = masker.mask_event(Event { at_ms: 1, kind });
            let text = serde_json::to_string(&masked).unwrap();
            assert_eq!(
                text.matches("hunter22").count(),
                text.matches("\"agent\":\"hunter22\"").count(),
                "{text}"
            );
            assert!(text.contains("***") && text.contains("\"scenario\":\"task\""), "{text}");
        }
    }
}
