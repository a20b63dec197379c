//! A handle on one benchmark.

use runloop_types::{
    BenchmarkCreateParams, BenchmarkRunView, BenchmarkStartRunParams, BenchmarkUpdateParams,
    BenchmarkUpdateScenariosParams, BenchmarkView, ScenarioId, ScenarioView,
};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::{BenchmarkRun, handle};
use crate::page::ListCall;
use crate::resources::{BenchmarkDefinitionsParams, BenchmarkRunListParams, refuse};

handle! {
    /// A benchmark: a named set of scenarios. SDK 1 only.
    ///
    /// ```no_run
    /// # use runloop_client::{BenchmarkDefinitionsParams, PollingConfig, WaitOptions};
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use futures::TryStreamExt;
    /// use runloop_client::types::{BenchmarkCreateParams, BenchmarkStartRunParams, ScenarioStartRunParams};
    ///
    /// let params = BenchmarkCreateParams { name: "parsers".into(), ..Default::default() };
    /// let benchmark = client.create_benchmark(&params).await?;
    /// benchmark.add_scenarios(["scn_1", "scn_2"]).await?;
    ///
    /// let run = benchmark.start_run(&BenchmarkStartRunParams::default()).await?;
    /// let mut scenarios = Box::pin(benchmark.definitions(&BenchmarkDefinitionsParams::default()).items());
    /// while let Some(scenario) = scenarios.try_next().await? {
    ///     let params = ScenarioStartRunParams { scenario_id: scenario.id, ..Default::default() };
    ///     let trial = run.start_scenario_run(&params).await?;
    ///     trial.await_env_ready(WaitOptions::default()).await?;
    ///     trial.devbox().exec("my-agent").await?;
    ///     trial.score_and_complete(PollingConfig::default()).await?;
    /// }
    /// println!("{:?}", run.complete().await?.score);
    /// # Ok(()) }
    /// ```
    Benchmark(BenchmarkId), benchmark
}

impl Client {
    /// Creates a benchmark; names are unique.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn create_benchmark(&self, params: &BenchmarkCreateParams) -> Result<Benchmark, Error> {
        Ok(self.benchmark(self.benchmarks().create(params).send().await?.id))
    }
}

impl Benchmark {
    /// What it is at present.
    ///
    /// SDK 1 only.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<BenchmarkView> {
        self.client.benchmarks().retrieve(&self.id)
    }

    /// Changes the fields that are set; each replaces the old value whole.
    ///
    /// SDK 1 only.
    pub fn update(&self, params: &BenchmarkUpdateParams) -> Call<BenchmarkView> {
        self.client.benchmarks().update(&self.id, params)
    }

    /// Adds scenarios to it.
    ///
    /// SDK 1 only.
    pub fn add_scenarios<I: Into<ScenarioId>>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Call<BenchmarkView> {
        let scenarios_to_add = Some(ids.into_iter().map(Into::into).collect());
        let params = BenchmarkUpdateScenariosParams { scenarios_to_add, scenarios_to_remove: None };
        self.client.benchmarks().update_scenarios(&self.id, &params)
    }

    /// Removes scenarios from it; they go on to exist.
    ///
    /// SDK 1 only.
    pub fn remove_scenarios<I: Into<ScenarioId>>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Call<BenchmarkView> {
        let scenarios_to_remove = Some(ids.into_iter().map(Into::into).collect());
        let params = BenchmarkUpdateScenariosParams { scenarios_to_add: None, scenarios_to_remove };
        self.client.benchmarks().update_scenarios(&self.id, &params)
    }

    /// Its scenarios, in full.
    ///
    /// SDK 1 only.
    pub fn definitions(&self, params: &BenchmarkDefinitionsParams) -> ListCall<ScenarioView> {
        self.client.benchmarks().definitions(&self.id, params)
    }

    /// Starts a run of it. No scenario is started: see [`BenchmarkRun::start_scenario_run`]. `params` need not name the
    /// benchmark.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error`] as for any call; [`Error::InvalidRequest`] if `params` name another benchmark: nothing is sent then.
    pub async fn start_run(&self, params: &BenchmarkStartRunParams) -> Result<BenchmarkRun, Error> {
        if params.benchmark_id != self.id && !params.benchmark_id.as_ref().is_empty() {
            return Err(refuse(format!(
                "a run of benchmark {} cannot be of {}",
                self.id, params.benchmark_id
            )));
        }
        let params = BenchmarkStartRunParams { benchmark_id: self.id.clone(), ..params.clone() };
        Ok(self.client.benchmark_run(self.client.benchmarks().start_run(&params).send().await?.id))
    }

    /// Lists its runs, newest first, whatever benchmark `params` name.
    ///
    /// SDK 1 only.
    pub fn list_runs(&self, params: &BenchmarkRunListParams) -> ListCall<BenchmarkRunView> {
        let benchmark_id = Some(self.id.as_ref().to_owned());
        self.client.benchmark_runs().list(&BenchmarkRunListParams { benchmark_id, ..params.clone() })
    }
}
