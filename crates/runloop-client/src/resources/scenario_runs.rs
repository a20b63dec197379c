//! Scenario runs.

use runloop_types::{PageParams, ScenarioRunId, ScenarioRunState, ScenarioRunView};
use serde::Serialize;

use crate::byte_stream::ByteStream;
use crate::call::Call;
use crate::error::{Error, LastValue, WrongState};
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;
use crate::wait::{Polled, PollingConfig, poll};

resource! {
    /// Endpoints of scenario runs; from [`Scenarios::runs`](crate::Scenarios::runs).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::ScenarioRunState;
    ///
    /// let runs = client.scenarios().runs();
    /// runs.score("scr_1").await?;
    /// let run = runs.retrieve("scr_1").await?;
    /// if run.state == ScenarioRunState::Scored {
    ///     println!("{:?}", run.scoring_contract_result.map(|result| result.score));
    ///     runs.download_logs("scr_1").await?.save_to("logs.zip").await?;
    ///     runs.complete("scr_1").await?;
    /// }
    /// # Ok(()) }
    /// ```
    ScenarioRuns
}

/// Filters of [`ScenarioRuns::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScenarioRunListParams {
    /// Only runs of this scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario_id: Option<String>,
    /// Only runs that are part of this benchmark run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_run_id: Option<String>,
    /// Only runs of exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only runs with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only runs in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ScenarioRunState>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl ScenarioRuns {
    /// What a run is at present; the score is in it once it is scored.
    ///
    /// SDK 1 only.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<ScenarioRunView> {
        self.client.call(Request::get("/v1/scenarios/runs/{}", &[id.as_ref()]))
    }

    /// Lists runs, newest first.
    ///
    /// SDK 1 only.
    pub fn list(&self, params: &ScenarioRunListParams) -> ListCall<ScenarioRunView> {
        ListCall::new(self.client.clone(), "/v1/scenarios/runs", params)
    }

    /// Begins to score a run; answers at once, normally before the score is there.
    ///
    /// SDK 1 only.
    pub fn score(&self, id: impl AsRef<str>) -> Call<ScenarioRunView> {
        self.client.call(Request::post("/v1/scenarios/runs/{}/score", &[id.as_ref()]))
    }

    /// Ends a run that was scored, and shuts its devbox down.
    ///
    /// SDK 1 only.
    pub fn complete(&self, id: impl AsRef<str>) -> Call<ScenarioRunView> {
        self.client.call(Request::post("/v1/scenarios/runs/{}/complete", &[id.as_ref()]))
    }

    /// Stops a run, and shuts its devbox down.
    ///
    /// SDK 1 only.
    pub fn cancel(&self, id: impl AsRef<str>) -> Call<ScenarioRunView> {
        self.client.call(Request::post("/v1/scenarios/runs/{}/cancel", &[id.as_ref()]))
    }

    /// The logs of a run as a zip archive.
    ///
    /// SDK 1 only.
    pub fn download_logs(&self, id: impl AsRef<str>) -> Call<ByteStream> {
        let request = Request::<()>::post("/v1/scenarios/runs/{}/download_logs", &[id.as_ref()]);
        self.client.call(request.map(|request| request.stream("application/zip")))
    }

    /// Polls until a run is scored. Each scorer may take half an hour, unless the scenario says otherwise: allow for that.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it is neither being scored nor scored, [`Error::PollingTimeout`] if it takes too long.
    pub async fn await_scored(
        &self,
        id: &ScenarioRunId,
        config: PollingConfig,
    ) -> Result<ScenarioRunView, Error> {
        let what = || format!("scenario run {id} to be scored");
        poll(config, what, || async {
            let view = self.retrieve(id).send().await?;
            match view.state {
                ScenarioRunState::Scored => Ok(Polled::Done(view)),
                ScenarioRunState::Scoring => Ok(Polled::Pending(LastValue::ScenarioRun(Box::new(view)))),
                _ => Err(Error::WrongState(Box::new(WrongState {
                    what: what(),
                    reason: None,
                    last_value: LastValue::ScenarioRun(Box::new(view)),
                }))),
            }
        })
        .await
    }

    /// Scores a run: [`ScenarioRuns::score`] and [`ScenarioRuns::await_scored`].
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// As [`ScenarioRuns::await_scored`].
    pub async fn score_and_await(
        &self,
        id: &ScenarioRunId,
        config: PollingConfig,
    ) -> Result<ScenarioRunView, Error> {
        self.score(id).send().await?;
        self.await_scored(id, config).await
    }

    /// Scores a run, and ends it: its devbox is shut down. A run that cannot be scored is not ended.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// As [`ScenarioRuns::await_scored`].
    pub async fn score_and_complete(
        &self,
        id: &ScenarioRunId,
        config: PollingConfig,
    ) -> Result<ScenarioRunView, Error> {
        self.score_and_await(id, config).await?;
        self.complete(id).send().await
    }
}
