//! Masks events, field by field.
//!
//! What names a thing stays as it is: trials, files, ids, digests, closed lists. Everything else may hold any text. No
//! pattern here leaves a field out, so that whoever adds one has to say which it is.

use std::collections::BTreeMap;

use crate::{
    Event, EventKind, Flag, Invocation, Masker, PlannedTrial, ResourceRequest, Resumed, RunHeader,
    ScorerScore, TrialResult,
};

impl Masker {
    /// An event that tells no known value.
    pub fn mask_event(&self, event: Event) -> Event {
        if self.is_empty() {
            return event;
        }
        Event { at_ms: event.at_ms, kind: self.mask_kind(event.kind) }
    }

    fn mask_kind(&self, kind: EventKind) -> EventKind {
        match kind {
            EventKind::RunStarted(header) => EventKind::RunStarted(Box::new(self.mask_header(*header))),
            EventKind::AttemptFailed { trial, attempt, cause, message, usage } => {
                EventKind::AttemptFailed { trial, attempt, cause, message: self.mask_text(&message), usage }
            }
            EventKind::RoundPlanned { planned } => {
                EventKind::RoundPlanned { planned: self.mask_planned(planned) }
            }
            EventKind::PlanChanged { planned } => {
                EventKind::PlanChanged { planned: self.mask_planned(planned) }
            }
            EventKind::TargetDown { since_ms, error, next_try_ms } => {
                EventKind::TargetDown { since_ms, error: self.mask_text(&error), next_try_ms }
            }
            EventKind::TrialFinished(result) => EventKind::TrialFinished(Box::new(self.mask_result(*result))),
            kind @ (EventKind::RunResumed(Resumed { remaining: _, concurrency: _, budget: _ })
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
            | EventKind::RunFinished { complete: _, interrupted: _ }) => kind,
        }
    }

    /// A header that tells no known value.
    pub fn mask_header(&self, header: RunHeader) -> RunHeader {
        let RunHeader {
            format,
            run_id,
            benchmark,
            source,
            planned,
            sources,
            agent_versions,
            target,
            guarantees,
            version,
            seed,
            concurrency,
            budget,
            rounds,
            agents,
            invocation,
        } = header;
        RunHeader {
            format,
            run_id,
            benchmark,
            source,
            planned: self.mask_planned(planned),
            sources,
            agent_versions,
            target: self.mask_text(&target),
            guarantees,
            version,
            seed,
            concurrency,
            budget,
            rounds,
            agents,
            invocation: invocation.map(|invocation| Box::new(self.mask_invocation(*invocation))),
        }
    }

    /// What a run cannot be started with again, because a value is missing, has another digest then.
    fn mask_invocation(&self, invocation: Invocation) -> Invocation {
        let Invocation {
            directory,
            benchmark,
            agents,
            filter,
            verify,
            keep_devboxes,
            driver,
            allow_weak,
            limits,
        } = invocation;
        Invocation {
            directory,
            benchmark,
            agents: agents.iter().map(|agent| self.mask_text(agent)).collect(),
            filter: filter.iter().map(|pattern| self.mask_text(pattern)).collect(),
            verify,
            keep_devboxes,
            driver,
            allow_weak,
            limits,
        }
    }

    fn mask_planned(&self, planned: Vec<PlannedTrial>) -> Vec<PlannedTrial> {
        let mask = |PlannedTrial { trial, digest, metadata }| PlannedTrial {
            trial,
            digest,
            metadata: self.mask_values(metadata),
        };
        planned.into_iter().map(mask).collect()
    }

    fn mask_result(&self, result: TrialResult) -> TrialResult {
        let TrialResult {
            trial,
            digest,
            state,
            score,
            passed,
            cause,
            message,
            attempts,
            durations_ms,
            agent_end,
            usage,
            scores,
            flags,
            logs,
        } = result;
        let mask_score = |ScorerScore { name, weight, score, duration_ms, output }| ScorerScore {
            name,
            weight,
            score,
            duration_ms,
            output: self.mask_text(&output),
        };
        let mask_flag = |Flag { kind, place, evidence }| {
            Flag::new(kind, self.mask_text(&place), self.mask_text(&evidence))
        };
        TrialResult {
            trial,
            digest,
            state,
            score,
            passed,
            cause,
            message: message.map(|message| self.mask_text(&message)),
            attempts,
            durations_ms,
            agent_end,
            usage,
            scores: scores.into_iter().map(mask_score).collect(),
            flags: flags.into_iter().map(mask_flag).collect(),
            logs,
        }
    }

    fn mask_values(&self, labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
        labels.into_iter().map(|(key, value)| (key, self.mask_text(&value))).collect()
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
