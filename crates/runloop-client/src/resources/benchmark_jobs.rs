//! Benchmark jobs.

use runloop_types::{
    BenchmarkJobCreateParams, BenchmarkJobId, BenchmarkJobState, BenchmarkJobView, PageParams,
};
use serde::Serialize;

use crate::call::Call;
use crate::error::{Error, LastValue, WrongState};
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;
use crate::wait::{Polled, PollingConfig, poll};

resource! {
    /// Endpoints of benchmark jobs: the service runs agents over scenarios by itself (beta); from [`Client::benchmark_jobs`](crate::Client::benchmark_jobs).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{
    ///     BenchmarkJobCreateParams, BenchmarkJobSpec, JobAgentConfig, ScenarioDefinitionJobSpec,
    /// };
    ///
    /// let agent = JobAgentConfig { name: "my-agent".into(), ..Default::default() };
    /// let spec = ScenarioDefinitionJobSpec {
    ///     scenario_ids: vec!["scn_1".into()],
    ///     agent_configs: vec![agent.into()],
    ///     orchestrator_config: None,
    /// };
    /// let params = BenchmarkJobCreateParams { name: None, spec: Some(BenchmarkJobSpec::Scenarios(spec)) };
    /// let job = client.benchmark_jobs().create(&params).await?;
    /// println!("{} is {}", job.id, job.state);
    /// # Ok(()) }
    /// ```
    BenchmarkJobs
}

/// Filters of [`BenchmarkJobs::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BenchmarkJobListParams {
    /// Only jobs of exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only jobs with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl BenchmarkJobs {
    /// Starts a job.
    ///
    /// SDK 1 only.
    pub fn create(&self, params: &BenchmarkJobCreateParams) -> Call<BenchmarkJobView> {
        self.client.call(Request::post("/v1/benchmark_jobs", &[]).and_then(|request| request.json(params)))
    }

    /// What a job is at present; outcomes come in as trials end.
    ///
    /// SDK 1 only.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<BenchmarkJobView> {
        self.client.call(Request::get("/v1/benchmark_jobs/{}", &[id.as_ref()]))
    }

    /// Lists jobs, newest first.
    ///
    /// SDK 1 only.
    pub fn list(&self, params: &BenchmarkJobListParams) -> ListCall<BenchmarkJobView> {
        ListCall::new(self.client.clone(), "/v1/benchmark_jobs", params)
    }

    /// Polls until a job is completed. Jobs take hours: allow for that.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it fails, is canceled or takes too long for the service, [`Error::PollingTimeout`] if it
    /// takes longer than `config` allows.
    pub async fn await_completed(
        &self,
        id: &BenchmarkJobId,
        config: PollingConfig,
    ) -> Result<BenchmarkJobView, Error> {
        let what = || format!("benchmark job {id} to be completed");
        poll(config, what, || async {
            let view = self.retrieve(id).send().await?;
            match view.state {
                BenchmarkJobState::Completed => Ok(Polled::Done(view)),
                BenchmarkJobState::Failed | BenchmarkJobState::Cancelled | BenchmarkJobState::Timeout => {
                    Err(Error::WrongState(Box::new(WrongState {
                        what: what(),
                        reason: view.failure_reason.clone(),
                        last_value: LastValue::BenchmarkJob(Box::new(view)),
                    })))
                }
                _ => Ok(Polled::Pending(LastValue::BenchmarkJob(Box::new(view)))),
            }
        })
        .await
    }
}
