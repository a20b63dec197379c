//! Custom scorers.

use runloop_types::{PageParams, ScorerParams, ScorerValidateParams, ScorerValidateResponse, ScorerView};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of custom scorers: bash scripts that scenarios use by their type; from [`Scenarios::scorers`](crate::Scenarios::scorers).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::ScorerParams;
    ///
    /// let params = ScorerParams { kind: "style".into(), bash_script: "echo score=1.0".into() };
    /// let scorer = client.scenarios().scorers().create(&params).await?;
    /// println!("{} scores {}", scorer.id, scorer.kind);
    /// # Ok(()) }
    /// ```
    Scorers
}

/// Filters of [`Scorers::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScorerListParams {
    /// Only scorers with this text in their id or type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl Scorers {
    /// Creates a scorer; 400 if its type is taken. There is no way to delete one.
    ///
    /// SDK 1 only.
    pub fn create(&self, params: &ScorerParams) -> Call<ScorerView> {
        self.client.call(Request::post("/v1/scenarios/scorers", &[]).and_then(|request| request.json(params)))
    }

    /// What a scorer is at present.
    ///
    /// SDK 1 only.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<ScorerView> {
        self.client.call(Request::get("/v1/scenarios/scorers/{}", &[id.as_ref()]))
    }

    /// Lists scorers.
    ///
    /// SDK 1 only.
    pub fn list(&self, params: &ScorerListParams) -> ListCall<ScorerView> {
        ListCall::new(self.client.clone(), "/v1/scenarios/scorers", params)
    }

    /// Replaces a scorer.
    ///
    /// SDK 1 only.
    pub fn update(&self, id: impl AsRef<str>, params: &ScorerParams) -> Call<ScorerView> {
        self.client.call(
            Request::post("/v1/scenarios/scorers/{}", &[id.as_ref()])
                .and_then(|request| request.json(params)),
        )
    }

    /// Tries a scorer out in a devbox of its own.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn validate(
        &self,
        id: impl AsRef<str>,
        params: &ScorerValidateParams,
    ) -> Call<ScorerValidateResponse> {
        self.client.call(
            Request::post("/v1/scenarios/scorers/{}/validate", &[id.as_ref()])
                .and_then(|request| request.json(params)),
        )
    }
}
