//! A handle on one custom scorer.

use runloop_types::{ScorerParams, ScorerView};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::handle;

handle! {
    /// A custom scorer: a bash script that scenarios use by its type. There is no way to delete one. SDK 1 only.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::ScorerParams;
    /// use serde_json::json;
    ///
    /// let script = r#"limit=$(jq .limit <<<"$RL_SCORER_CONTEXT"); [ "$(wc -l <main.py)" -le "$limit" ] && echo score=1.0 || echo score=0.0"#;
    /// client.create_custom_scorer(&ScorerParams { kind: "short".into(), bash_script: script.into() }).await?;
    /// let builder = client.scenario_builder("s").add_custom_scorer("short", "short", Some(json!({"limit": 80})), 1.0)?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "Scorer")]
    CustomScorer(ScorerId), custom_scorer
}

impl Client {
    /// Creates a custom scorer.
    ///
    /// SDK 1 only.
    ///
    /// # Errors
    /// 400 if its type is taken.
    pub async fn create_custom_scorer(&self, params: &ScorerParams) -> Result<CustomScorer, Error> {
        Ok(self.custom_scorer(self.scenarios().scorers().create(params).send().await?.id))
    }
}

impl CustomScorer {
    /// What it is at present.
    ///
    /// SDK 1 only.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<ScorerView> {
        self.client.scenarios().scorers().retrieve(&self.id)
    }

    /// Replaces its type and its script.
    ///
    /// SDK 1 only.
    pub fn update(&self, params: &ScorerParams) -> Call<ScorerView> {
        self.client.scenarios().scorers().update(&self.id, params)
    }
}
