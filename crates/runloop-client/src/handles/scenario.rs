//! A handle on one scenario.

use runloop_types::{
    ScenarioCreateParams, ScenarioRunView, ScenarioStartRunParams, ScenarioUpdateParams, ScenarioView,
};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::{ScenarioRun, handle};
use crate::page::ListCall;
use crate::resources::{ScenarioRunListParams, refuse};
use crate::wait::WaitOptions;

handle! {
    /// A scenario: a task, a devbox to do it in, and how the outcome is scored. Put together by a
    /// [`ScenarioBuilder`](crate::ScenarioBuilder), or created from parameters. SDK 1 only.
    ///
    /// ```no_run
    /// # use runloop_client::{PollingConfig, WaitOptions};
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::ScenarioStartRunParams;
    ///
    /// let scenario = client.scenario("scn_1");
    /// let run = scenario.run(&ScenarioStartRunParams::default(), WaitOptions::default()).await?;
    /// run.devbox().exec("my-agent --task TASK.md").await?;
    /// let view = run.score_and_complete(PollingConfig::default()).await?;
    /// println!("{:?}", view.scoring_contract_result.map(|result| result.score));
    /// # Ok(()) }
    /// ```
    Scenario(ScenarioId), scenario
}

impl Client {
    /// Creates a scenario. [`Client::scenario_builder`] helps to put the parameters together.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn create_scenario(&self, params: &ScenarioCreateParams) -> Result<Scenario, Error> {
        Ok(self.scenario(self.scenarios().create(params).send().await?.id))
    }
}

impl Scenario {
    /// What it is at present; also of an archived one.
    ///
    /// SDK 1 only.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<ScenarioView> {
        self.client.scenarios().retrieve(&self.id)
    }

    /// Changes the fields that are set; each replaces the old value whole, also when it is empty.
    ///
    /// SDK 1 only.
    pub fn update(&self, params: &ScenarioUpdateParams) -> Call<ScenarioView> {
        self.client.scenarios().update(&self.id, params)
    }

    /// Puts it away: it leaves the lists and cannot be changed any more. 403 if it is public.
    ///
    /// SDK 1 only, since 1.32 or a little before.
    pub fn archive(&self) -> Call<ScenarioView> {
        self.client.scenarios().archive(&self.id)
    }

    /// Starts a run, and waits until its devbox runs. `params` need not name the scenario.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// As [`Scenario::start_run`]; [`Error::WrongState`] if the devbox fails, [`Error::PollingTimeout`] if it takes longer
    /// than `options` allow. The run then still exists: to keep its handle, call [`Scenario::start_run`] and
    /// [`ScenarioRun::await_env_ready`].
    pub async fn run(
        &self,
        params: &ScenarioStartRunParams,
        options: WaitOptions,
    ) -> Result<ScenarioRun, Error> {
        let run = self.start_run(params).await?;
        self.client.devboxes().await_running(run.devbox_id(), options).await?;
        Ok(run)
    }

    /// Starts a run; its devbox is on the way when this answers. `params` need not name the scenario.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// [`Error::Status`] if an environment variable or a secret that the scenario requires is not there;
    /// [`Error::InvalidRequest`] if `params` name another scenario: nothing is sent then.
    #[doc(alias = "run_async")]
    pub async fn start_run(&self, params: &ScenarioStartRunParams) -> Result<ScenarioRun, Error> {
        if params.scenario_id != self.id && !params.scenario_id.as_ref().is_empty() {
            return Err(refuse(format!("a run of scenario {} cannot be of {}", self.id, params.scenario_id)));
        }
        let params = ScenarioStartRunParams { scenario_id: self.id.clone(), ..params.clone() };
        let view = self.client.scenarios().start_run(&params).send().await?;
        Ok(self.client.scenario_run(view.id, view.devbox_id))
    }

    /// Lists its runs, newest first, whatever scenario `params` name.
    ///
    /// SDK 1 only.
    pub fn list_runs(&self, params: &ScenarioRunListParams) -> ListCall<ScenarioRunView> {
        let scenario_id = Some(self.id.as_ref().to_owned());
        self.client.scenarios().runs().list(&ScenarioRunListParams { scenario_id, ..params.clone() })
    }
}
