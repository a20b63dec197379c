//! What happens in a run, one line each. Every display, report and resume is a fold over these.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Budget, Flag, Held, Invocation, ResourceEnd, ResourceRequest, Rounds, Usage};

/// Version of the format that this crate writes. It reads this one and all before it.
pub const FORMAT: u32 = 3;

/// The target of a run on this machine, whose devboxes end with their harness.
pub const LOCAL: &str = "local";

/// So long a devbox elsewhere outlives its harness, unless a run says otherwise.
pub const KEEP_ALIVE: Duration = Duration::from_secs(600);

/// Something that happened, with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Unix milliseconds.
    pub at_ms: i64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// First event: what is planned and where it runs.
    RunStarted(Box<RunHeader>),
    /// The run goes on after an interruption: trials that have a score already are not repeated.
    RunResumed(Resumed),
    /// Something is defined otherwise than when the run began: verdicts on these trials are void.
    PlanChanged {
        /// The trials, as they are defined now.
        planned: Vec<PlannedTrial>,
    },
    /// An attempt at a trial begins.
    AttemptStarted {
        /// The trial.
        trial: TrialKey,
        /// 1 for the first attempt.
        attempt: u32,
        /// What is kept for it of a budget of money; absent without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<Held>,
    },
    /// An attempt enters a phase.
    PhaseStarted {
        /// The trial.
        trial: TrialKey,
        /// The attempt.
        attempt: u32,
        /// The phase.
        phase: Phase,
    },
    /// Something is about to be asked of the target. This is in the record before the request leaves.
    ResourceRequested(ResourceRequest),
    /// What was asked for exists.
    ResourceCreated {
        /// The key of the request.
        key: String,
        /// Its id at the target.
        id: String,
    },
    /// The run is done with what was asked for.
    ResourceEnded {
        /// The key of the request.
        key: String,
        /// How.
        #[serde(default)]
        how: ResourceEnd,
    },
    /// An attempt is invalid and the trial is tried again.
    AttemptFailed {
        /// The trial.
        trial: TrialKey,
        /// The attempt.
        attempt: u32,
        /// Why it is invalid.
        cause: Cause,
        /// What there is to say about it.
        message: String,
        /// What the agent says it used in this attempt; absent where it says nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
    },
    /// Adaptive trials go on: these are planned, too.
    RoundPlanned {
        /// The trials, in the order in which they start.
        planned: Vec<PlannedTrial>,
    },
    /// Enough is known of an agent: no more trials of it are planned.
    AgentDecided {
        /// The agent.
        agent: String,
        /// Repetitions that it has of each scenario.
        repetitions: u32,
        /// Why that is enough, in a sentence without a full stop.
        why: String,
    },
    /// The target asked for less at once. What would be more waits, until answers have raised the limit again.
    Throttled {
        /// Of what.
        what: Throttle,
        /// At most so many at once, from here on.
        limit: u32,
    },
    /// Nothing had to wait for a while: there is no limit any more.
    ThrottleLifted {
        /// Of what.
        what: Throttle,
    },
    /// The target is down; told again after each probe that fails. Everything waits for it.
    TargetDown {
        /// Since when nothing came through, in Unix milliseconds; names the outage.
        since_ms: i64,
        /// What came of the last probe.
        error: String,
        /// When the next probe is made, in Unix milliseconds.
        next_try_ms: i64,
    },
    /// The target answers again.
    TargetBack {
        /// Since when it was down.
        since_ms: i64,
    },
    /// The run is at work; told every few seconds while something of it may live.
    Heartbeat,
    /// A trial has its verdict (of the last attempt).
    TrialFinished(Box<TrialResult>),
    /// Last event of a run that came to its end, also when interrupted.
    RunFinished {
        /// Whether all planned trials have a verdict.
        complete: bool,
        /// Whether it was interrupted.
        interrupted: bool,
    },
}

/// How a run goes on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resumed {
    /// Trials that are still to be done.
    pub remaining: u64,
    /// Trials at once from here on; absent in records of older versions, as is the budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// What the run may take in all its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// What is planned and where it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunHeader {
    /// Version of this format.
    pub format: u32,
    /// Id of the run.
    pub run_id: String,
    /// Name of the benchmark.
    pub benchmark: String,
    /// File of the benchmark.
    pub source: String,
    /// Every planned trial; with `rounds`, those of the first round.
    pub planned: Vec<PlannedTrial>,
    /// Where each scenario is defined, by its name. Empty in records of older versions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, ScenarioSource>,
    /// Versions of the agents, by their names, as their files say; without those that say none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agent_versions: BTreeMap<String, String>,
    /// `local`, `cloud` or a URL without credentials.
    pub target: String,
    /// What the devboxes of a local target guarantee; null elsewhere.
    pub guarantees: Option<Value>,
    /// Version of the harness.
    pub version: String,
    /// Seed of everything random in the run.
    pub seed: u64,
    /// Trials at once.
    pub concurrency: u32,
    /// What the run may take.
    #[serde(skip_serializing_if = "Budget::is_unlimited")]
    pub budget: Budget,
    /// How trials are added; absent where all are planned from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Rounds>,
    /// Digest of each agent, by its name. Empty in records of older versions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, String>,
    /// How the run was started; `None` where it cannot be started again so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation: Option<Box<Invocation>>,
}

/// Where a scenario is defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioSource {
    /// The file, as it was named or found.
    pub file: String,
    /// The line of its name, from 1.
    pub line: u32,
}

/// A trial that is planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTrial {
    /// The trial.
    #[serde(flatten)]
    pub trial: TrialKey,
    /// Digest of the scenario.
    pub digest: String,
    /// Labels of the scenario.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// Names a trial: scenario × agent × repetition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrialKey {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the agent.
    pub agent: String,
    /// 1 for the first.
    pub repetition: u32,
}

impl std::fmt::Display for TrialKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} · {} · {}", self.scenario, self.agent, self.repetition)
    }
}

/// A part of a trial that is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The environment is built or awaited.
    Preparing,
    /// The agent's devbox is made.
    Starting,
    /// The agent works.
    Agent,
    /// Everything it left running is killed, its work is collected.
    Reaping,
    /// The scoring devbox is made and the scorers run.
    Scoring,
}

impl Phase {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Starting => "starting",
            Self::Agent => "agent",
            Self::Reaping => "reaping",
            Self::Scoring => "scoring",
        }
    }
}

/// What there may be less of at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Throttle {
    /// Requests in flight.
    Requests,
    /// Creations of devboxes in flight.
    Creations,
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// It has a score.
    Scored,
    /// It has none, and the agent is not to blame; see [`Cause`].
    Invalid,
    /// The run was interrupted first.
    Canceled,
}

/// Why a trial has no score. Closed: what the agent can cause is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// No devbox could be had.
    ProvisionFailed,
    /// A setup or install command failed, or took too long.
    PrepareFailed,
    /// The devbox lacks a program that the scenario requires.
    RequirementMissing,
    /// The devbox ended by itself.
    DevboxLost,
    /// The API failed for longer than retries last.
    ApiError,
    /// A scorer gave no score.
    ScorerError,
    /// A scorer ran out of time.
    ScorerTimeout,
    /// The trial took longer than its time for all of it. Agent and scorers have times of their own within it.
    TrialTimeout,
    /// The run's time was over first. Of canceled trials only.
    RunTimeout,
    /// Nothing was left of the run's budget. Of canceled trials only.
    BudgetExhausted,
    /// The target was down for longer than the run waits for it. Of canceled trials only.
    TargetDown,
    /// The target did not take the key any more. Of canceled trials only.
    Unauthorized,
    /// The harness itself failed.
    HarnessError,
}

impl Cause {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProvisionFailed => "provision_failed",
            Self::PrepareFailed => "prepare_failed",
            Self::RequirementMissing => "requirement_missing",
            Self::DevboxLost => "devbox_lost",
            Self::ApiError => "api_error",
            Self::ScorerError => "scorer_error",
            Self::ScorerTimeout => "scorer_timeout",
            Self::TrialTimeout => "trial_timeout",
            Self::RunTimeout => "run_timeout",
            Self::BudgetExhausted => "budget_exhausted",
            Self::TargetDown => "target_down",
            Self::Unauthorized => "unauthorized",
            Self::HarnessError => "harness_error",
        }
    }
}

/// The verdict on a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialResult {
    /// The trial.
    #[serde(flatten)]
    pub trial: TrialKey,
    /// Digest of the scenario.
    pub digest: String,
    /// How it ended.
    pub state: TrialState,
    /// 0 to 1; only when scored.
    pub score: Option<f64>,
    /// Whether the score reached the scenario's pass mark; only when scored.
    pub passed: Option<bool>,
    /// Why it is invalid, or canceled other than by the user.
    pub cause: Option<Cause>,
    /// What there is to say about it, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Attempts made, at least 1 unless canceled before the first.
    pub attempts: u32,
    /// Milliseconds of each phase of the last attempt.
    pub durations_ms: BTreeMap<Phase, u64>,
    /// How the agent ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_end: Option<AgentEnd>,
    /// What the agent says it used in all attempts; absent where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Each scorer's part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<ScorerScore>,
    /// Signs that it may not be worth what it says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Directory of its logs, relative to the run directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<String>,
}

impl TrialResult {
    /// A verdict after one attempt that says nothing but how it ended; the rest is for `..` to leave out.
    pub fn bare(trial: TrialKey, digest: impl Into<String>, state: TrialState) -> Self {
        Self {
            trial,
            digest: digest.into(),
            state,
            score: None,
            passed: None,
            cause: None,
            message: None,
            attempts: 1,
            durations_ms: BTreeMap::new(),
            agent_end: None,
            usage: None,
            scores: Vec::new(),
            flags: Vec::new(),
            logs: None,
        }
    }
}

/// How an agent ended. None of these makes a trial invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum AgentEnd {
    /// It exited with this status.
    Exited {
        /// 128 + signal for a killed one.
        exit_status: i32,
    },
    /// It ran out of time and was killed.
    TimedOut,
    /// It hit the memory or disk limit of its devbox.
    ExhaustedDevbox,
}

/// One scorer's part in a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorerScore {
    /// Name of the scorer.
    pub name: String,
    /// Its share of the score.
    pub weight: f64,
    /// 0 to 1; `None` if it gave none.
    pub score: Option<f64>,
    /// Milliseconds.
    pub duration_ms: u64,
    /// The end of what it printed, bounded; the whole is in the logs.
    pub output: String,
}
