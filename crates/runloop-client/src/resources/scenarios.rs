//! Scenarios.

use runloop_types::{
    PageParams, ScenarioCreateParams, ScenarioRunView, ScenarioStartRunParams, ScenarioUpdateParams,
    ScenarioValidationType, ScenarioView,
};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;
use crate::resources::scenario_runs::ScenarioRuns;
use crate::resources::scorers::Scorers;

resource! {
    /// Endpoints of scenarios: a task, a devbox to do it in, and how the outcome is scored; from [`Client::scenarios`](crate::Client::scenarios).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{
    ///     InputContext, ScenarioCreateParams, ScenarioStartRunParams, Scorer, ScoringContract, ScoringFunction,
    /// };
    ///
    /// let scorer = Scorer::CommandScorer { command: "make test".into() };
    /// let params = ScenarioCreateParams {
    ///     name: "fix-the-build".into(),
    ///     input_context: InputContext {
    ///         problem_statement: "`make test` fails. Fix it.".into(),
    ///         ..Default::default()
    ///     },
    ///     scoring_contract: ScoringContract {
    ///         scoring_function_parameters: vec![ScoringFunction { name: "tests".into(), weight: 1.0, scorer }],
    ///     },
    ///     ..Default::default()
    /// };
    /// let scenario = client.scenarios().create(&params).await?;
    /// let params = ScenarioStartRunParams { scenario_id: scenario.id, ..Default::default() };
    /// let run = client.scenarios().start_run(&params).await?;
    /// println!("{} works in {}", run.id, run.devbox_id);
    /// # Ok(()) }
    /// ```
    Scenarios
}

/// Filters of [`Scenarios::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScenarioListParams {
    /// Only scenarios of exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only scenarios with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only scenarios of this benchmark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_id: Option<String>,
    /// Only scenarios that are checked like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_type: Option<ScenarioValidationType>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

/// Filters of [`Scenarios::list_public`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PublicScenarioListParams {
    /// Only scenarios of exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only scenarios with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl Scenarios {
    /// Endpoints of scenario runs.
    pub fn runs(&self) -> ScenarioRuns {
        ScenarioRuns::new(self.client.clone())
    }

    /// Endpoints of custom scorers.
    pub fn scorers(&self) -> Scorers {
        Scorers::new(self.client.clone())
    }

    /// Creates a scenario; one that names a custom scorer the service does not know is refused.
    ///
    /// SDK 1 only.
    pub fn create(&self, params: &ScenarioCreateParams) -> Call<ScenarioView> {
        self.client.call(Request::post("/v1/scenarios", &[]).and_then(|request| request.json(params)))
    }

    /// What a scenario is at present.
    ///
    /// SDK 1 only.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<ScenarioView> {
        self.client.call(Request::get("/v1/scenarios/{}", &[id.as_ref()]))
    }

    /// Lists scenarios, newest first.
    ///
    /// SDK 1 only.
    pub fn list(&self, params: &ScenarioListParams) -> ListCall<ScenarioView> {
        ListCall::new(self.client.clone(), "/v1/scenarios", params)
    }

    /// Lists the scenarios that every account may run.
    ///
    /// SDK 1 only.
    pub fn list_public(&self, params: &PublicScenarioListParams) -> ListCall<ScenarioView> {
        ListCall::new(self.client.clone(), "/v1/scenarios/list_public", params)
    }

    /// Changes the fields that are set; each replaces the old value whole, also when it is empty.
    ///
    /// SDK 1 only.
    pub fn update(&self, id: impl AsRef<str>, params: &ScenarioUpdateParams) -> Call<ScenarioView> {
        self.client
            .call(Request::post("/v1/scenarios/{}", &[id.as_ref()]).and_then(|request| request.json(params)))
    }

    /// Puts a scenario away; 403 if it is public.
    ///
    /// SDK 1 only, since 1.32 or a little before.
    pub fn archive(&self, id: impl AsRef<str>) -> Call<ScenarioView> {
        self.client.call(Request::post("/v1/scenarios/{}/archive", &[id.as_ref()]))
    }

    /// Starts a run: its devbox is on the way when this answers. Refused if an environment variable or secret that the
    /// scenario requires is not there.
    ///
    /// SDK 1 only.
    pub fn start_run(&self, params: &ScenarioStartRunParams) -> Call<ScenarioRunView> {
        self.client
            .call(Request::post("/v1/scenarios/start_run", &[]).and_then(|request| request.json(params)))
    }
}
