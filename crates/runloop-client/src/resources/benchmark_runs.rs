//! Benchmark runs.

use runloop_types::{BenchmarkRunState, BenchmarkRunView, PageParams, ScenarioRunState, ScenarioRunView};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of benchmark runs; from [`Client::benchmark_runs`](crate::Client::benchmark_runs).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::BenchmarkScenarioRunListParams;
    /// use runloop_client::types::ScenarioRunState;
    ///
    /// let params = BenchmarkScenarioRunListParams { state: Some(ScenarioRunState::Failed), ..Default::default() };
    /// let failed = client.benchmark_runs().list_scenario_runs("bmr_1", &params).await?;
    /// println!("{} runs failed", failed.items.len());
    /// let run = client.benchmark_runs().complete("bmr_1").await?;
    /// println!("score: {:?}", run.score);
    /// # Ok(()) }
    /// ```
    BenchmarkRuns
}

/// Filters of [`BenchmarkRuns::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BenchmarkRunListParams {
    /// Only runs of this benchmark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_id: Option<String>,
    /// Only runs of exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only runs with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only runs in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<BenchmarkRunState>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

/// Filters of [`BenchmarkRuns::list_scenario_runs`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BenchmarkScenarioRunListParams {
    /// Only scenario runs in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ScenarioRunState>,
    /// Only scenario runs with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl BenchmarkRuns {
    /// What a run is at present.
    ///
    /// SDK 1 only.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<BenchmarkRunView> {
        self.client.call(Request::get("/v1/benchmark_runs/{}", &[id.as_ref()]))
    }

    /// Lists runs, newest first.
    ///
    /// SDK 1 only.
    pub fn list(&self, params: &BenchmarkRunListParams) -> ListCall<BenchmarkRunView> {
        ListCall::new(self.client.clone(), "/v1/benchmark_runs", params)
    }

    /// Lists the scenario runs of a run.
    ///
    /// SDK 1 only.
    pub fn list_scenario_runs(
        &self,
        id: impl AsRef<str>,
        params: &BenchmarkScenarioRunListParams,
    ) -> ListCall<ScenarioRunView> {
        ListCall::nested(self.client.clone(), "/v1/benchmark_runs/{}/scenario_runs", &[id.as_ref()], params)
    }

    /// Ends a run; its score is the mean over its scenario runs.
    ///
    /// SDK 1 only.
    pub fn complete(&self, id: impl AsRef<str>) -> Call<BenchmarkRunView> {
        self.client.call(Request::post("/v1/benchmark_runs/{}/complete", &[id.as_ref()]))
    }

    /// Stops a run: scenario runs that are under way are canceled and their devboxes shut down. The score is that of the
    /// complete ones.
    ///
    /// SDK 1 only.
    pub fn cancel(&self, id: impl AsRef<str>) -> Call<BenchmarkRunView> {
        self.client.call(Request::post("/v1/benchmark_runs/{}/cancel", &[id.as_ref()]))
    }
}
