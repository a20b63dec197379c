//! Benchmarks.

use runloop_types::{
    BenchmarkCreateParams, BenchmarkRunView, BenchmarkStartRunParams, BenchmarkUpdateParams,
    BenchmarkUpdateScenariosParams, BenchmarkView, PageParams, ScenarioView,
};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of benchmarks: named sets of scenarios; from [`Client::benchmarks`](crate::Client::benchmarks).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use futures::TryStreamExt;
    /// use runloop_client::BenchmarkDefinitionsParams;
    /// use runloop_client::types::{BenchmarkStartRunParams, ScenarioStartRunParams};
    ///
    /// let params = BenchmarkStartRunParams { benchmark_id: "bmd_1".into(), ..Default::default() };
    /// let run = client.benchmarks().start_run(&params).await?;
    /// let definitions = client.benchmarks().definitions("bmd_1", &BenchmarkDefinitionsParams::default());
    /// let scenarios: Vec<_> = definitions.items().try_collect().await?;
    /// for scenario in scenarios {
    ///     let params = ScenarioStartRunParams {
    ///         scenario_id: scenario.id,
    ///         benchmark_run_id: Some(run.id.clone()),
    ///         ..Default::default()
    ///     };
    ///     client.scenarios().start_run(&params).await?;
    /// }
    /// # Ok(()) }
    /// ```
    Benchmarks
}

/// Filters of [`Benchmarks::list`] and [`Benchmarks::list_public`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BenchmarkListParams {
    /// Only benchmarks of exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only benchmarks with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

/// The page of [`Benchmarks::definitions`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BenchmarkDefinitionsParams {
    /// Items a page: default 20, at most 5000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Id of the last item seen; the page starts after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_after: Option<String>,
}

impl Benchmarks {
    /// Creates a benchmark; names are unique.
    ///
    /// SDK 1 only.
    pub fn create(&self, params: &BenchmarkCreateParams) -> Call<BenchmarkView> {
        self.client.call(Request::post("/v1/benchmarks", &[]).and_then(|request| request.json(params)))
    }

    /// What a benchmark is at present.
    ///
    /// SDK 1 only.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<BenchmarkView> {
        self.client.call(Request::get("/v1/benchmarks/{}", &[id.as_ref()]))
    }

    /// Lists benchmarks, newest first.
    ///
    /// SDK 1 only.
    pub fn list(&self, params: &BenchmarkListParams) -> ListCall<BenchmarkView> {
        ListCall::new(self.client.clone(), "/v1/benchmarks", params)
    }

    /// Lists the benchmarks that every account may run.
    ///
    /// SDK 1 only.
    pub fn list_public(&self, params: &BenchmarkListParams) -> ListCall<BenchmarkView> {
        ListCall::new(self.client.clone(), "/v1/benchmarks/list_public", params)
    }

    /// Changes the fields that are set; each replaces the old value whole.
    ///
    /// SDK 1 only.
    pub fn update(&self, id: impl AsRef<str>, params: &BenchmarkUpdateParams) -> Call<BenchmarkView> {
        self.client
            .call(Request::post("/v1/benchmarks/{}", &[id.as_ref()]).and_then(|request| request.json(params)))
    }

    /// Adds and removes scenarios.
    ///
    /// SDK 1 only.
    pub fn update_scenarios(
        &self,
        id: impl AsRef<str>,
        params: &BenchmarkUpdateScenariosParams,
    ) -> Call<BenchmarkView> {
        self.client.call(
            Request::post("/v1/benchmarks/{}/scenarios", &[id.as_ref()])
                .and_then(|request| request.json(params)),
        )
    }

    /// The scenarios of a benchmark, in full.
    ///
    /// SDK 1 only.
    pub fn definitions(
        &self,
        id: impl AsRef<str>,
        params: &BenchmarkDefinitionsParams,
    ) -> ListCall<ScenarioView> {
        ListCall::nested(self.client.clone(), "/v1/benchmarks/{}/definitions", &[id.as_ref()], params)
    }

    /// Starts a run of a benchmark. No scenario is started: the caller does, naming this run; see
    /// [`Scenarios::start_run`](crate::Scenarios::start_run).
    ///
    /// SDK 1 only.
    pub fn start_run(&self, params: &BenchmarkStartRunParams) -> Call<BenchmarkRunView> {
        self.client
            .call(Request::post("/v1/benchmarks/start_run", &[]).and_then(|request| request.json(params)))
    }
}
