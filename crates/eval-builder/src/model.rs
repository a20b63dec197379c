//! What a checked benchmark is: plain data, every default applied, every template rendered, every file read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use runloop_types::{
    AgentSource, BlueprintCreateParams, BlueprintId, CustomScript, Expect, LaunchParameters, Mount, PassRate,
    SnapshotId,
};
use serde_json::Value;

use crate::digest::Digest;

/// A benchmark: scenarios that are run and reported together.
#[derive(Debug, Clone)]
pub struct Benchmark {
    /// Its name, used in file names and reports.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// At least one, in the order of the file (globs sorted by path), names unique.
    pub scenarios: Vec<Arc<Scenario>>,
    /// The agents to run when the command line names none.
    pub agents: Vec<Arc<Agent>>,
    /// Repetitions of each scenario × agent.
    pub trials: Trials,
    /// What a run may take.
    pub budget: Budget,
    /// What a run must reach.
    pub gate: Option<Gate>,
    /// The file it was read from.
    pub source: PathBuf,
}

/// How often each scenario is done by each agent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trials {
    /// So often, at least once.
    Fixed(u32),
    /// In rounds, until enough is known.
    Adaptive(AdaptiveTrials),
}

/// Rounds of repetitions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveTrials {
    /// Repetitions of the first round, at least 1.
    pub min: u32,
    /// Most repetitions, at least `min`.
    pub max: u32,
    /// Without a gate: half the width of the interval of the mean score from which enough is known.
    pub half_width: f64,
}

impl Default for AdaptiveTrials {
    fn default() -> Self {
        Self { min: 3, max: 20, half_width: 0.05 }
    }
}

/// What a run may take. `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budget {
    /// Minutes of all its devboxes together, above 0.
    pub max_devbox_minutes: Option<f64>,
    /// US dollars of all its agents together.
    pub max_cost: Option<f64>,
    /// Time for the run.
    pub timeout: Option<Duration>,
}

/// One task with its environment and its scorers.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Unique within a benchmark; letters, digits, `-`, `_`, `.`; matrix values are appended as `name[size=small]`.
    pub name: String,
    /// What the agent is told.
    pub problem_statement: String,
    /// Anything else for the agent, as JSON.
    pub additional_context: Option<Value>,
    /// What the agent works in.
    pub environment: Environment,
    /// How the outcome is scored; weights sum to 1.
    pub scorers: Vec<Scorer>,
    /// The gold solution that the oracle agent applies.
    pub reference_output: Option<Solution>,
    /// Solutions that must not pass, used by `validate`.
    pub controls: Vec<Solution>,
    /// Programs that the devbox must have, by name.
    pub requires: Vec<String>,
    /// Environment variables of the harness that must be set; they are passed on to the devbox.
    pub required_environment_variables: Vec<String>,
    /// Secrets that must exist on the target.
    pub required_secret_names: Vec<String>,
    /// Time for the agent.
    pub agent_timeout: Duration,
    /// Time for each scorer.
    pub scorer_timeout: Duration,
    /// Time for preparation.
    pub prepare_timeout: Duration,
    /// Time for a whole trial with all its attempts; more than agent and scorers can take, so that what ends a trial by it
    /// is never the agent.
    pub trial_timeout: Option<Duration>,
    /// Where scoring happens.
    pub verify: Verify,
    /// Paths carried into the scoring devbox by `pristine`, relative to the working directory; empty for all of it.
    pub artifacts: Vec<String>,
    /// The score from which a trial counts as passed: default 1.0.
    pub pass_mark: f64,
    /// Labels for grouping.
    pub metadata: BTreeMap<String, String>,
    /// Over all that decides the outcome; the reference and the controls are not part of it.
    pub digest: Digest,
    /// The file it was read from.
    pub source: PathBuf,
    /// Where in that file its name stands, from 1.
    pub line: u32,
}

/// What an agent works in. Two equal digests share one preparation.
#[derive(Debug, Clone)]
pub struct Environment {
    /// What it starts from.
    pub origin: Origin,
    /// Local directory that the Dockerfile of an inline blueprint copies from; uploaded as its build context.
    pub build_context: Option<FileEntry>,
    /// Where agent and scorers start: absolute, or relative to the home directory (empty for the home directory).
    pub working_directory: String,
    /// Local files and directories that are put in place.
    pub files: Vec<FileEntry>,
    /// API mounts, passed on as they are.
    pub mounts: Vec<Mount>,
    /// Bash commands run once, in order, in the working directory.
    pub setup_commands: Vec<String>,
    /// Environment of every command.
    pub environment_variables: BTreeMap<String, String>,
    /// Environment variable to secret name.
    pub secrets: BTreeMap<String, String>,
    /// Launch parameters of every devbox.
    pub launch_parameters: LaunchParameters,
    /// What of the network the devbox may see.
    pub network: Network,
    /// Over all of the above, including the content of the files.
    pub digest: Digest,
}

/// What an environment starts from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The target's default image.
    Default,
    /// The newest successful build of this name.
    BlueprintName(String),
    /// This blueprint.
    BlueprintId(BlueprintId),
    /// A blueprint that is built when first needed.
    Blueprint(Box<BlueprintCreateParams>),
    /// A disk snapshot.
    Snapshot(SnapshotId),
}

/// A local file or directory that is put into an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Where it is here, absolute.
    pub source: PathBuf,
    /// Whether it is a directory, whose content then goes into `target`.
    pub is_directory: bool,
    /// Where it goes: relative to the working directory, `~/...`, or absolute.
    pub target: String,
    /// Bytes of all files together.
    pub size: u64,
    /// Over names, modes and content.
    pub digest: Digest,
}

/// What of the network a devbox may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Network {
    /// Everything.
    #[default]
    All,
    /// Nothing.
    None,
    /// These host names only.
    AllowedHostnames(Vec<String>),
}

/// Where scoring happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verify {
    /// In a fork of a snapshot of the agent's devbox.
    #[default]
    Snapshot,
    /// In the prepared environment made afresh, with only the artifacts carried over.
    Pristine,
    /// In the agent's devbox, after everything else in it was killed.
    Same,
}

/// One scoring function.
#[derive(Debug, Clone)]
pub struct Scorer {
    /// Letters, digits, `-` and `_`; unique within the scenario.
    pub name: String,
    /// Share of the score; all sum to 1.
    pub weight: f64,
    /// What it does, as the API has it.
    pub function: runloop_types::Scorer,
    /// For ast-grep: whether a match is wanted or unwanted.
    pub expect: Expect,
    /// For test scorers: score by the share of passed tests instead of the exit status.
    pub pass_rate: Option<PassRate>,
    /// For custom scorers: the script, so that no registration is needed to run it.
    pub custom_script: Option<CustomScript>,
    /// After this time the check has failed: it scores 0. Below the scenario's scorer timeout, which gives no score.
    pub timeout: Option<Duration>,
}

/// A change to a working directory: the reference or a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// `reference`, or the control's file name without extension.
    pub name: String,
    /// Whether it is applied or run.
    pub kind: SolutionKind,
    /// Its text.
    pub content: String,
}

/// Whether a solution is applied or run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SolutionKind {
    /// A unified diff, applied with `git apply`, or `patch` where there is no git.
    Patch,
    /// A script, run in the working directory by the interpreter of its first line, or `sh`.
    Script,
}

/// Who does the work.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Its name in tables and paths.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Its version, for the record.
    pub version: Option<String>,
    /// How it works.
    pub kind: AgentKind,
    /// Where it comes from. What installs it from there is the beginning of `install`; an object is put into
    /// `~/.agent` before.
    pub source: Option<AgentSource>,
    /// Bash commands that install it, cached as a snapshot layer by digest.
    pub install: Vec<String>,
    /// Its environment, on top of the scenario's.
    pub environment_variables: BTreeMap<String, String>,
    /// Environment variable to secret name.
    pub secrets: BTreeMap<String, String>,
    /// Overrides the scenario's agent timeout.
    pub timeout: Option<Duration>,
    /// Where it says what it used.
    pub usage: Option<UsageFile>,
    /// What its tokens cost, where it does not say a cost.
    pub prices: Option<Prices>,
    /// Most US dollars that one attempt at a trial may cost, as the agent itself sees to.
    pub max_cost: Option<f64>,
    /// Over all that decides what it does.
    pub digest: Digest,
}

/// A JSON file, or one of JSON lines, that an agent leaves in its devbox, and JSON pointers to numbers in it. Of lines the
/// last one counts that has the value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageFile {
    /// Relative to the working directory, `~/...`, or absolute.
    pub path: String,
    /// Tokens that its model read.
    pub input_tokens: Option<String>,
    /// Tokens that its model read from a cache, where `input_tokens` does not count them.
    pub cached_input_tokens: Option<String>,
    /// Tokens that its model wrote.
    pub output_tokens: Option<String>,
    /// US dollars.
    pub cost_usd: Option<String>,
}

/// US dollars for a million tokens of each kind. A kind without a price costs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prices {
    /// Of tokens that its model read.
    pub input_per_million: Option<f64>,
    /// Of tokens that its model read from a cache.
    pub cached_input_per_million: Option<f64>,
    /// Of tokens that its model wrote.
    pub output_per_million: Option<f64>,
}

/// How an agent works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentKind {
    /// Applies the scenario's reference.
    Oracle,
    /// Does nothing.
    Nop,
    /// Applies this control of the scenario; used by `validate`.
    Control(String),
    /// A bash command in the devbox, in the working directory; a minijinja template.
    Command(String),
    /// A shell command beside the harness that drives the devbox through the API; a minijinja template.
    HostCommand(String),
}

/// What each agent of a run must reach; see the gate of `eval-report`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gate {
    /// Lowest mean score.
    pub min_score: Option<f64>,
    /// Lowest share of passed trials.
    pub min_pass_rate: Option<f64>,
    /// Lowest mean score of a scenario, by its name.
    pub floors: BTreeMap<String, f64>,
    /// Most trials without a score.
    pub max_invalid: Option<u32>,
    /// Most trials with a flag.
    pub max_flagged: Option<u32>,
    /// Largest drop of the mean score against the baseline.
    pub max_regression: Option<f64>,
    /// The baseline file.
    pub baseline: Option<PathBuf>,
    /// Most US dollars that an agent's trials may say they used.
    pub max_cost: Option<f64>,
    /// Where each of them is written, as `FILE:LINE`, by its key; floors by `floors.SCENARIO`.
    pub places: BTreeMap<String, String>,
}
