//! A handle on one benchmark run.

use runloop_types::{BenchmarkRunView, ScenarioRunView, ScenarioStartRunParams};

use crate::call::Call;
use crate::error::Error;
use crate::handles::{ScenarioRun, handle};
use crate::page::ListCall;
use crate::resources::{BenchmarkScenarioRunListParams, refuse};

handle! {
    /// A run of a benchmark: a set of scenario runs, and the mean of their scores. Started by
    /// [`Benchmark::start_run`](crate::Benchmark::start_run). SDK 1 only.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use futures::TryStreamExt;
    /// use runloop_client::BenchmarkScenarioRunListParams;
    ///
    /// let run = client.benchmark_run("bmr_1");
    /// let mut trials = Box::pin(run.list_scenario_runs(&BenchmarkScenarioRunListParams::default()).items());
    /// while let Some(trial) = trials.try_next().await? {
    ///     println!("{}: {}", trial.scenario_id, trial.state);
    /// }
    /// println!("{:?}", run.complete().await?.score);
    /// # Ok(()) }
    /// ```
    BenchmarkRun(BenchmarkRunId), benchmark_run
}

impl BenchmarkRun {
    /// What it is at present.
    ///
    /// SDK 1 only.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<BenchmarkRunView> {
        self.client.benchmark_runs().retrieve(&self.id)
    }

    /// Starts a run of the scenario that `params` name, as a part of this run. Wait for its devbox with
    /// [`ScenarioRun::await_env_ready`].
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error`] as for any call; [`Error::InvalidRequest`] if `params` name another benchmark run: nothing is sent then.
    pub async fn start_scenario_run(&self, params: &ScenarioStartRunParams) -> Result<ScenarioRun, Error> {
        if let Some(other) = params.benchmark_run_id.as_ref().filter(|id| **id != self.id) {
            return Err(refuse(format!("a part of benchmark run {} cannot be of {other}", self.id)));
        }
        let params = ScenarioStartRunParams { benchmark_run_id: Some(self.id.clone()), ..params.clone() };
        let view = self.client.scenarios().start_run(&params).send().await?;
        Ok(self.client.scenario_run(view.id, view.devbox_id))
    }

    /// Lists its scenario runs.
    ///
    /// SDK 1 only.
    pub fn list_scenario_runs(&self, params: &BenchmarkScenarioRunListParams) -> ListCall<ScenarioRunView> {
        self.client.benchmark_runs().list_scenario_runs(&self.id, params)
    }

    /// Ends it; its score is the mean over its scenario runs.
    ///
    /// SDK 1 only.
    pub fn complete(&self) -> Call<BenchmarkRunView> {
        self.client.benchmark_runs().complete(&self.id)
    }

    /// Stops it: scenario runs that are under way are canceled and their devboxes shut down. The score is that of the
    /// complete ones.
    ///
    /// SDK 1 only.
    pub fn cancel(&self) -> Call<BenchmarkRunView> {
        self.client.benchmark_runs().cancel(&self.id)
    }
}
