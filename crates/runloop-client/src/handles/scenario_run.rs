//! A handle on one scenario run.

use std::path::Path;

use runloop_types::{DevboxId, ScenarioRunId, ScenarioRunView, ScoringContractResultView};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::Devbox;
use crate::wait::{PollingConfig, WaitOptions};

/// A run of a scenario: a devbox in which the task is worked on, and then a score. Started by
/// [`Scenario::run`](crate::Scenario::run). SDK 1 only.
///
/// Its devbox lives until the run is completed or canceled: end each run with one of [`ScenarioRun::score_and_complete`],
/// [`ScenarioRun::complete`] and [`ScenarioRun::cancel`]. Dropping the handle sends nothing.
///
/// ```no_run
/// # use std::time::Duration;
/// # use runloop_client::{PollingConfig, WaitOptions};
/// # async fn example(run: runloop_client::ScenarioRun) -> Result<(), runloop_client::Error> {
/// run.await_env_ready(WaitOptions::default()).await?;
/// if !run.devbox().exec("my-agent --task TASK.md").await?.success() {
///     run.cancel().await?;
///     return Ok(());
/// }
/// let polling = PollingConfig::within(Duration::from_secs(1800), Duration::from_secs(2));
/// let view = run.score_and_await(polling).await?;
/// for result in view.scoring_contract_result.unwrap_or_default().scoring_function_results {
///     println!("{}: {} ({})", result.scoring_function_name, result.score, result.state);
/// }
/// run.download_logs("logs.zip").await?;
/// run.complete().await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ScenarioRun {
    client: Client,
    id: ScenarioRunId,
    devbox_id: DevboxId,
}

impl Client {
    /// A handle on the run that has this id and this devbox, as its view says; sends nothing. See [`ScenarioRun`].
    pub fn scenario_run(&self, id: impl Into<ScenarioRunId>, devbox_id: impl Into<DevboxId>) -> ScenarioRun {
        ScenarioRun { client: self.clone(), id: id.into(), devbox_id: devbox_id.into() }
    }
}

impl ScenarioRun {
    /// Its id.
    pub fn id(&self) -> &ScenarioRunId {
        &self.id
    }

    /// The client it uses.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The id of its devbox.
    pub fn devbox_id(&self) -> &DevboxId {
        &self.devbox_id
    }

    /// A handle on its devbox.
    pub fn devbox(&self) -> Devbox {
        self.client.devbox(self.devbox_id.clone())
    }

    /// What it is at present.
    ///
    /// SDK 1 only.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<ScenarioRunView> {
        self.client.scenarios().runs().retrieve(&self.id)
    }

    /// Waits until its devbox runs, and gives the run as it is then.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error::WrongState`] if the devbox fails, [`Error::PollingTimeout`] if it takes longer than `options` allow.
    pub async fn await_env_ready(&self, options: WaitOptions) -> Result<ScenarioRunView, Error> {
        self.client.devboxes().await_running(&self.devbox_id, options).await?;
        self.info().send().await
    }

    /// Begins to score it; answers at once, normally before the score is there.
    ///
    /// SDK 1 only.
    pub fn score(&self) -> Call<ScenarioRunView> {
        self.client.scenarios().runs().score(&self.id)
    }

    /// Polls until it is scored. Each scorer may take half an hour, unless the scenario says otherwise: allow for that.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it is neither being scored nor scored, [`Error::PollingTimeout`] if it takes longer than
    /// `config` allows; the last value of both has the run.
    pub async fn await_scored(&self, config: PollingConfig) -> Result<ScenarioRunView, Error> {
        self.client.scenarios().runs().await_scored(&self.id, config).await
    }

    /// Scores it: [`ScenarioRun::score`] and [`ScenarioRun::await_scored`]. Its devbox is still there.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// As [`ScenarioRun::await_scored`].
    pub async fn score_and_await(&self, config: PollingConfig) -> Result<ScenarioRunView, Error> {
        self.client.scenarios().runs().score_and_await(&self.id, config).await
    }

    /// Scores it, and ends it: its devbox is shut down. A run that cannot be scored is not ended.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// As [`ScenarioRun::await_scored`].
    pub async fn score_and_complete(&self, config: PollingConfig) -> Result<ScenarioRunView, Error> {
        self.client.scenarios().runs().score_and_complete(&self.id, config).await
    }

    /// Ends it after it was scored; its devbox is shut down.
    ///
    /// SDK 1 only.
    pub fn complete(&self) -> Call<ScenarioRunView> {
        self.client.scenarios().runs().complete(&self.id)
    }

    /// Stops it; its devbox is shut down.
    ///
    /// SDK 1 only.
    pub fn cancel(&self) -> Call<ScenarioRunView> {
        self.client.scenarios().runs().cancel(&self.id)
    }

    /// Writes the logs of its devbox to a local zip file, which is created or overwritten; answers its size in bytes.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error::File`] if the local file cannot be written.
    pub async fn download_logs(&self, local: impl AsRef<Path>) -> Result<u64, Error> {
        self.client.scenarios().runs().download_logs(&self.id).send().await?.save_to(local).await
    }

    /// The score, as it is at present; none before the run is scored.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    #[doc(alias = "get_score")]
    pub async fn scoring_result(&self) -> Result<Option<ScoringContractResultView>, Error> {
        Ok(self.info().send().await?.scoring_contract_result)
    }
}
