//! What a run is told besides its plan.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eval_record::{Budget, Invocation, KEEP_ALIVE, LOCAL, Masker};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{Earlier, Pressure};

/// How a run goes. Build on [`RunOptions::new`].
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Names the run; part of the metadata of all it creates.
    pub run_id: String,
    /// `local`, `cloud` or a URL without credentials; for the record.
    pub target: String,
    /// What the devboxes of a local target guarantee; for the record.
    pub guarantees: Option<Value>,
    /// Version of the harness; for the record.
    pub version: String,
    /// Trials at once, at least 1.
    pub concurrency: usize,
    /// Attempts after the first, for infrastructure failures only.
    pub retries: u32,
    /// Pause before the first repeated attempt; each further one doubles it.
    pub retry_pause: Duration,
    /// For the whole run: trials that have no verdict then are canceled, as by an interruption. `None` is for ever.
    pub timeout: Option<Duration>,
    /// What the run may take.
    pub budget: Budget,
    /// The gate of the client that the run's platform uses. One that no client has learns nothing and holds nothing back.
    pub pressure: Pressure,
    /// How long a target that is down is waited for, before the run stops.
    pub max_outage: Duration,
    /// Seed of everything random.
    pub seed: u64,
    /// Values of the environment variables that scenarios require of the harness.
    pub environment: BTreeMap<String, String>,
    /// Values that are masked in everything captured; those of `environment` and the API key are masked anyway.
    pub secret_values: Vec<String>,
    /// What agents beside the harness get; without it they cannot run.
    pub host: Option<HostAccess>,
    /// Leave the agents' devboxes alive.
    pub keep_devboxes: bool,
    /// Record what the agent changed in every verify mode; `pristine` always does.
    pub record_diff: bool,
    /// What an earlier part of the run came to, if it goes on.
    pub earlier: Option<Earlier>,
    /// Whether an earlier part may have left something although no record tells of it; without `earlier` only.
    pub may_have_begun: bool,
    /// How the run was started; for the record.
    pub invocation: Option<Invocation>,
    /// How the home directory of a devbox is written in mounts.
    pub home: String,
    /// Time and size limits.
    pub limits: Limits,
    /// The time in Unix milliseconds.
    pub clock: Clock,
}

impl RunOptions {
    /// The usual: as many trials at once as there are cores (at least 2), one retry.
    pub fn new(run_id: impl Into<String>) -> Self {
        Self {
            run_id: run_id.into(),
            target: LOCAL.to_owned(),
            guarantees: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            concurrency: std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2)),
            retries: 1,
            retry_pause: Duration::from_secs(1),
            timeout: None,
            budget: Budget::default(),
            pressure: Pressure::default(),
            max_outage: Duration::from_secs(600),
            seed: 0,
            environment: BTreeMap::new(),
            secret_values: Vec::new(),
            host: None,
            keep_devboxes: false,
            record_diff: false,
            earlier: None,
            may_have_begun: false,
            invocation: None,
            home: "~".to_owned(),
            limits: Limits::default(),
            clock: Clock::system(),
        }
    }
}

impl RunOptions {
    /// Hides every value that the run knows and nobody else should: secrets, variables of the harness, the API key.
    pub fn masker(&self) -> Masker {
        let key = self.host.as_ref().map(|host| &host.api_key);
        Masker::new(self.secret_values.iter().chain(self.environment.values()).chain(key))
    }
}

/// Limits that no definition sets.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a devbox to run.
    pub provision: Duration,
    /// For a devbox to be suspended or resumed.
    pub transition: Duration,
    /// For collecting or putting in place what an agent made.
    pub artifacts: Duration,
    /// Between asking an agent beside the harness to end and ending it.
    pub termination: Duration,
    /// A devbox ends after this time without a sign of life from the harness, which gives one every third of it. At least a
    /// minute; much longer than any pause of the network.
    pub keep_alive: Duration,
    /// For ending all that a run made, from its last verdict or its interruption on.
    pub cleanup: Duration,
    /// Bytes kept of each output of an agent.
    pub agent_output: usize,
    /// Bytes kept of each output of a scorer.
    pub scorer_output: usize,
    /// Bytes of a diff or an archive of what an agent made; more cannot be judged.
    pub artifact_bytes: u64,
    /// Bytes of an agent's unpacked archive.
    pub unpacked_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            provision: Duration::from_secs(600),
            transition: Duration::from_secs(120),
            artifacts: Duration::from_secs(120),
            termination: Duration::from_secs(5),
            keep_alive: KEEP_ALIVE,
            cleanup: Duration::from_secs(60),
            agent_output: 2 << 20,
            scorer_output: 1 << 20,
            artifact_bytes: 64 << 20,
            unpacked_bytes: 512 << 20,
        }
    }
}

/// What an agent beside the harness gets to drive its devbox.
#[derive(Clone)]
pub struct HostAccess {
    /// `RUNLOOP_BASE_URL`.
    pub base_url: String,
    /// `RUNLOOP_API_KEY`.
    pub api_key: String,
    /// Where it starts.
    pub directory: PathBuf,
    /// Its environment besides: `PATH`, `HOME`, `LANG` as a rule.
    pub environment: BTreeMap<String, String>,
}

impl fmt::Debug for HostAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostAccess")
            .field("base_url", &self.base_url)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// Tells the time in Unix milliseconds.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock of one's own.
    pub fn new(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }

    /// The system's.
    pub fn system() -> Self {
        Self::new(|| jiff::Timestamp::now().as_millisecond())
    }

    /// The time.
    pub fn now_ms(&self) -> i64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// How a run is interrupted, in two steps.
#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    /// Starts nothing more, ends running trials as canceled, shuts every devbox down.
    pub stop: CancellationToken,
    /// Does not wait for that either.
    pub abandon: CancellationToken,
}
